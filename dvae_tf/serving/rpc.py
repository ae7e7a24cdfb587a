"""TF Serving's gRPC API: PredictionService and ModelService."""

import concurrent.futures

import grpc
import tensorflow as tf
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from dvae_tf.serving.metrics import Metrics
from dvae_tf.serving.protocol import MOST_BYTES, RequestError

WORKERS = 8


def make_server(versions, address: str):
    """Makes the gRPC server; the caller starts and stops it.

    Args:
        versions: ModelVersions.
        address: str, host and port; port 0 means any free one.

    Returns:
        (grpc.Server, int): the server and its port.

    Raises:
        ValueError: if the address is taken.
    """
    options = [("grpc.max_receive_message_length", MOST_BYTES), ("grpc.so_reuseport", 0)]
    workers = concurrent.futures.ThreadPoolExecutor(WORKERS)
    server = grpc.server(workers, options=options)
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        _PredictionService(versions), server
    )
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(_ModelService(versions), server)
    try:
        port = server.add_insecure_port(address)
    except RuntimeError as error:
        raise ValueError(f"{address} cannot be listened on; give another --grpc-port.") from error
    return server, port


def _answering(call):
    """Turns a RequestError of a method into a gRPC status."""

    def answer(self, request, context):
        try:
            with self.measured.request():
                return call(self, request)
        except RequestError as error:
            return context.abort(grpc.StatusCode[error.code], str(error))

    return answer


class _Service:
    def __init__(self, versions):
        self.versions = versions
        self.measured = Metrics("grpc")

    def _version(self, spec):
        if spec.name != self.versions.name:
            raise RequestError("NOT_FOUND", f"Servable not found for request: Latest({spec.name})")
        return self.versions.version(spec.version.value if spec.HasField("version") else None)

    def _fill_spec(self, spec, version, signature=""):
        spec.name = self.versions.name
        spec.version.value = version.number
        spec.signature_name = signature


class _PredictionService(_Service, prediction_service_pb2_grpc.PredictionServiceServicer):
    @_answering
    def Predict(self, request):  # noqa: N802  The service's own name.
        version = self._version(request.model_spec)
        try:
            values = {name: tf.make_ndarray(proto) for name, proto in request.inputs.items()}
        except (TypeError, ValueError) as error:
            raise RequestError("INVALID_ARGUMENT", f"an input is no tensor: {error}") from error
        signature = request.model_spec.signature_name
        found = version.predict(signature, values)
        wanted = request.output_filter or found
        response = predict_pb2.PredictResponse()
        for name in wanted:
            if name not in found:
                raise RequestError("INVALID_ARGUMENT", f"there is no output {name!r}")
            response.outputs[name].CopyFrom(tf.make_tensor_proto(found[name]))
        self._fill_spec(response.model_spec, version, signature)
        return response

    @_answering
    def GetModelMetadata(self, request):  # noqa: N802
        version = self._version(request.model_spec)
        definitions = get_model_metadata_pb2.SignatureDefMap()
        for name, definition in version.definitions.items():
            definitions.signature_def[name].CopyFrom(definition)
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        response.metadata["signature_def"].Pack(definitions)
        self._fill_spec(response.model_spec, version)
        return response


class _ModelService(_Service, model_service_pb2_grpc.ModelServiceServicer):
    @_answering
    def GetModelStatus(self, request):  # noqa: N802
        version = self._version(request.model_spec)
        response = get_model_status_pb2.GetModelStatusResponse()
        status = response.model_version_status.add()
        status.version = version.number
        status.state = get_model_status_pb2.ModelVersionStatus.AVAILABLE
        return response

    @_answering
    def HandleReloadConfigRequest(self, request):  # noqa: N802
        raise RequestError("UNIMPLEMENTED", "the embedded server serves one model")
