import concurrent.futures
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request

import numpy as np
import pytest
import tensorflow as tf

from dvae_tf.runs import shipped as pretrained
from dvae_tf.serving import Client, ServerError, model_versions
from dvae_tf.serving.rest import as_json, parse
from dvae_tf.serving.server import Server

pytestmark = pytest.mark.slow

REAL = shutil.which("tensorflow_model_server")


@pytest.fixture(scope="module")
def folder():
    """The model that ships."""
    return pretrained.find()


@pytest.fixture(scope="module")
def embedded(folder):
    with Server(folder, port=0, grpc_port=0) as server:
        yield server


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def real(folder):
    if not REAL:
        pytest.skip("tensorflow_model_server is not on PATH")
    ports = free_port(), free_port()
    command = [REAL, "--model_name=dvae", f"--model_base_path={folder}"]
    process = subprocess.Popen([*command, f"--rest_api_port={ports[0]}", f"--port={ports[1]}"])
    time.sleep(10)
    yield ports
    process.terminate()
    process.wait()


@pytest.fixture(scope="module", params=["embedded", "real"])
def ports(request):
    """REST and gRPC ports of each server."""
    server = request.getfixturevalue(request.param)
    return server if request.param == "real" else (server.port, server.grpc_port)


@pytest.fixture(scope="module", params=["rest", "grpc"])
def client(request, ports):
    address = f"http://127.0.0.1:{ports[0]}" if request.param == "rest" else f"127.0.0.1:{ports[1]}"
    with Client(address) as made:
        yield made


@pytest.fixture(scope="module")
def signatures(folder):
    return tf.saved_model.load(str(folder / "1")).signatures


def images(count=3):
    return np.random.default_rng(0).uniform(size=(count, 16, 16, 1)).astype(np.float32)


def test_generate_gives_the_images_of_the_saved_model(client, signatures):
    found = client.generate([3, 7], seed=4, temperature=0.5)
    expected = signatures["generate"](
        label=tf.constant([3, 7]), seed=tf.constant([4, 0]), temperature=tf.constant(0.5)
    )["image"]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_png_comes_as_bytes_and_goes_in_as_bytes(client):
    files = client.generate_png([3, 7], seed=4)
    assert all(content.startswith(b"\x89PNG") for content in files)
    codes = client.encode(files)
    np.testing.assert_allclose(
        codes["z_s"], client.encode(client.generate([3, 7], seed=4))["z_s"], atol=0.2
    )


def test_encode_classify_and_swap(client, signatures):
    image = tf.constant(images())
    expected = signatures["encode"](image=image)
    for name, value in client.encode(images()).items():
        np.testing.assert_allclose(value, expected[name], rtol=1e-4, atol=1e-5)
    classified = client.classify(images())
    np.testing.assert_array_equal(classified["label"], signatures["classify"](image=image)["label"])
    assert classified["label"].dtype == np.int32
    swapped = signatures["swap"](image_s=image, image_u=image[::-1])["image"]
    np.testing.assert_allclose(client.swap(images(), images()[::-1]), swapped, atol=1e-5)


def test_errors_of_the_server_are_passed_on(client):
    with pytest.raises(ServerError, match=r"label must be in \[0, 10\)") as caught:
        client.generate([12])
    assert caught.value.code == "INVALID_ARGUMENT"
    with pytest.raises(ServerError) as caught:
        client.encode(np.zeros((1, 9, 9, 1)))
    assert caught.value.code == "INVALID_ARGUMENT"
    with pytest.raises(ServerError) as caught:
        client.predict("none", image=images())
    assert caught.value.code in ("INVALID_ARGUMENT", "NOT_FOUND")


def test_another_model_is_not_found(ports):
    for address in (f"http://127.0.0.1:{ports[0]}", f"127.0.0.1:{ports[1]}"):
        with Client(address, name="other") as other, pytest.raises(ServerError) as caught:
            other.generate([1])
        assert caught.value.code == "NOT_FOUND"


def ask(ports, path, body=None):
    import json

    data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    url = f"http://127.0.0.1:{ports[0]}{path}"
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data)) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def test_rest_in_rows_and_in_columns(ports):
    image = as_json(images())
    code, rows = ask(
        ports, "/v1/models/dvae:predict", {"signature_name": "classify", "instances": image}
    )
    assert code == 200
    assert set(rows["predictions"][0]) == {"label", "probabilities"}
    code, named = ask(
        ports,
        "/v1/models/dvae/versions/1:predict",
        {"signature_name": "classify", "instances": [{"image": one} for one in image]},
    )
    assert (code, named) == (200, rows)
    code, columns = ask(
        ports, "/v1/models/dvae:predict", {"signature_name": "classify", "inputs": image}
    )
    assert columns["outputs"]["label"] == [row["label"] for row in rows["predictions"]]
    code, single = ask(
        ports, "/v1/models/dvae:predict", {"signature_name": "reconstruct", "inputs": image}
    )
    assert np.shape(single["outputs"]) == (3, 16, 16, 1)


def test_rest_status_and_metadata(ports):
    code, status = ask(ports, "/v1/models/dvae")
    assert code == 200
    assert status["model_version_status"][0]["version"] == "1"
    assert status["model_version_status"][0]["state"] == "AVAILABLE"
    _, metadata = ask(ports, "/v1/models/dvae/metadata")
    definitions = metadata["metadata"]["signature_def"]["signature_def"]
    label = definitions["generate"]["inputs"]["label"]
    assert label["dtype"] == "DT_INT32"
    assert label["tensor_shape"]["dim"][0]["size"] == "-1"


def test_grpc_metadata_and_status(ports):
    import grpc
    from tensorflow_serving.apis import (
        get_model_metadata_pb2,
        get_model_status_pb2,
        model_service_pb2_grpc,
        prediction_service_pb2_grpc,
    )

    with grpc.insecure_channel(f"127.0.0.1:{ports[1]}") as channel:
        request = get_model_status_pb2.GetModelStatusRequest()
        request.model_spec.name = "dvae"
        status = model_service_pb2_grpc.ModelServiceStub(channel).GetModelStatus(request, 10)
        assert status.model_version_status[0].state == 30  # AVAILABLE
        request = get_model_metadata_pb2.GetModelMetadataRequest()
        request.model_spec.name = "dvae"
        request.metadata_field.append("signature_def")
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        answer = stub.GetModelMetadata(request, 10)
        definitions = get_model_metadata_pb2.SignatureDefMap()
        answer.metadata["signature_def"].Unpack(definitions)
        assert definitions.signature_def["encode"].inputs["image"].dtype == 1  # DT_FLOAT


BAD_BODIES = [
    b"not json",
    b"[1, 2]",
    b"[" * 100_000,
    b'{"inputs": 1, "instances": [1]}',
    b'{"signature_name": "encode"}',
    b'{"signature_name": 3, "inputs": []}',
    b'{"signature_name": "encode", "inputs": "text"}',
    b'{"signature_name": "encode", "inputs": [[[["a"]]]]}',
    b'{"signature_name": "encode", "inputs": {"picture": [1]}}',
    b'{"signature_name": "encode", "instances": [{"image": [1]}, {"x": [2]}]}',
    b'{"signature_name": "encode", "instances": []}',
    b'{"signature_name": "encode", "inputs": {"image": {"b64": "%%%"}}}',
    b'{"signature_name": "swap", "inputs": [1]}',
]


@pytest.mark.parametrize("body", BAD_BODIES)
def test_bad_bodies_are_refused_in_one_sentence(body, embedded):
    code, answer = ask((embedded.port,), "/v1/models/dvae:predict", body)
    assert code == 400
    assert "Traceback" not in answer["error"]
    assert len(answer["error"]) < 300


def a_call(**changes):
    """A request of gRPC that is right but for what `changes` say."""
    from tensorflow_serving.apis import predict_pb2

    asked = {"name": "dvae", "signature": "encode", "inputs": {"image": images()}} | changes
    request = predict_pb2.PredictRequest()
    request.model_spec.name = asked["name"]
    request.model_spec.signature_name = asked["signature"]
    if "version" in asked:
        request.model_spec.version.value = asked["version"]
    request.output_filter.extend(asked.get("outputs", []))
    for name, value in asked["inputs"].items():
        ready = value if isinstance(value, type(tf.make_tensor_proto(0))) else None
        request.inputs[name].CopyFrom(ready or tf.make_tensor_proto(value))
    return request


def torn(value):
    """A tensor whose content is shorter than its shape says."""
    proto = tf.make_tensor_proto(value)
    proto.tensor_content = proto.tensor_content[:-3]
    return proto


BAD_CALLS = {
    "another model": ({"name": "other"}, "NOT_FOUND", "Servable not found"),
    "another version": ({"version": 7}, "NOT_FOUND", "Servable not found"),
    "no such signature": ({"signature": "dream"}, "INVALID_ARGUMENT", "'dream' not found"),
    "no input": ({"inputs": {}}, "INVALID_ARGUMENT", "wants ['image']"),
    "another input": ({"inputs": {"x": images()}}, "INVALID_ARGUMENT", "wants ['image']"),
    "text for numbers": ({"inputs": {"image": [["a"]]}}, "INVALID_ARGUMENT", "no float32 tensor"),
    "a rank too few": ({"inputs": {"image": images()[0]}}, "INVALID_ARGUMENT", "has shape"),
    "another size": ({"inputs": {"image": images()[:, :5]}}, "INVALID_ARGUMENT", "has shape"),
    "no number": ({"inputs": {"image": np.nan * images()}}, "INVALID_ARGUMENT", "NaN or infinity"),
    "too bright": (
        {"inputs": {"image": 300 * images()}},
        "INVALID_ARGUMENT",
        "images are in [0, 1]",
    ),
    "too many": ({"inputs": {"image": images(1025)}}, "INVALID_ARGUMENT", "at most 1024"),
    "no such output": ({"outputs": ["dream"]}, "INVALID_ARGUMENT", "no output 'dream'"),
    "torn": ({"inputs": {"image": torn(images())}}, "INVALID_ARGUMENT", "is no tensor"),
}


@pytest.mark.parametrize("case", BAD_CALLS)
def test_bad_calls_are_refused_in_one_sentence(case, embedded):
    import grpc
    from tensorflow_serving.apis import prediction_service_pb2_grpc

    changes, code, message = BAD_CALLS[case]
    with grpc.insecure_channel(f"127.0.0.1:{embedded.grpc_port}") as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        assert "z_s" in stub.Predict(a_call(), 20).outputs
        with pytest.raises(grpc.RpcError) as caught:
            stub.Predict(a_call(**changes), 20)
    assert caught.value.code().name == code
    assert message in caught.value.details()
    assert len(caught.value.details()) < 300


def refusal(client):
    """What a client is told, or None if it is served."""
    try:
        client.generate([1])
    except ServerError as error:
        return str(error)


def test_more_requests_than_the_rate_are_told_to_come_again(folder):
    with Server(folder, port=0, grpc_port=0, most_requests=2.0) as server:
        for address in (f"http://127.0.0.1:{server.port}", f"127.0.0.1:{server.grpc_port}"):
            with Client(address, retries=0) as client:
                refused = [refusal(client) for _ in range(9)]
            assert "UNAVAILABLE: more than 2 requests a second; try again later" in refused
            with Client(address, timeout=20.0, retries=5) as patient:
                assert patient.generate([1]).shape[0] == 1


def test_large_batches_and_bodies_are_refused(embedded, monkeypatch):
    client = Client(f"http://127.0.0.1:{embedded.port}")
    with pytest.raises(ServerError, match="at most 1024 a request"):
        client.generate(np.zeros(1025, int))
    monkeypatch.setattr("dvae_tf.serving.rest.MOST_BYTES", 1000)
    code, _ = ask((embedded.port,), "/v1/models/dvae:predict", {"inputs": [0.0] * 1000})
    assert code == 413


def test_metrics_count_and_health_answers(embedded):
    with Client(f"http://127.0.0.1:{embedded.port}") as client:
        client.generate([1])
    url = f"http://127.0.0.1:{embedded.port}/monitoring/prometheus/metrics"
    text = urllib.request.urlopen(url).read().decode()
    assert 'dvae_requests_total{entry="rest",status="OK"}' in text
    assert ask((embedded.port,), "/healthz") == (200, {"status": "ok", "version": 1})


@pytest.mark.slow
def test_a_new_version_is_taken_up_without_a_failed_request(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(model_versions, "POLL_SECONDS", 0.1)
    shutil.copytree(folder / "1", tmp_path / "1")
    with Server(tmp_path, port=0, grpc_port=0) as server:

        def ask_often(kind):
            address = f"127.0.0.1:{server.grpc_port}"
            address = address if kind % 2 else f"http://127.0.0.1:{server.port}"
            with Client(address, retries=0) as client:
                until = time.monotonic() + 120.0  # Loading takes long on a busy machine.
                count = 0
                while time.monotonic() < until and (
                    server.versions.current.number < 2 or count < 20
                ):
                    assert client.generate([count % 10]).shape == (1, 16, 16, 1)
                    count += 1
                return count

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            asking = [pool.submit(ask_often, kind) for kind in range(4)]
            shutil.copytree(folder / "1", tmp_path / "aside")
            (tmp_path / "aside").rename(tmp_path / "2")
            counts = [task.result() for task in asking]
        assert min(counts) >= 20
        assert server.versions.current.number == 2
        assert ask((server.port,), "/v1/models/dvae/versions/1:predict", {"inputs": 1})[0] == 404


def test_a_damaged_new_version_does_not_replace_the_old(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(model_versions, "POLL_SECONDS", 0.05)
    shutil.copytree(folder / "1", tmp_path / "1")
    versions = model_versions.ModelVersions("dvae", tmp_path)
    (tmp_path / "2").mkdir()
    (tmp_path / "2" / "saved_model.pb").write_bytes(b"damaged")
    time.sleep(0.5)
    assert versions.current.number == 1
    versions.close()


def test_unavailable_is_tried_again_and_nothing_else(monkeypatch):
    calls = []

    def answer(code):
        def predict(*arguments):
            calls.append(code)
            if len(calls) < 3:
                raise ServerError(code, "no")
            return {"image": np.zeros(1)}

        return predict

    client = Client(f"http://127.0.0.1:{free_port()}", timeout=5.0)
    monkeypatch.setattr(client._transport, "predict", answer("UNAVAILABLE"))
    client.generate([1])
    assert len(calls) == 3
    calls.clear()
    monkeypatch.setattr(client._transport, "predict", answer("INTERNAL"))
    with pytest.raises(ServerError, match="INTERNAL"):
        client.generate([1])
    assert len(calls) == 1


@pytest.mark.parametrize("address", ["http://127.0.0.1:{}", "127.0.0.1:{}"])
def test_nobody_there_is_unavailable_before_the_deadline(address):
    begin = time.monotonic()
    client = Client(address.format(free_port()), timeout=2.0, retries=2)
    with pytest.raises(ServerError) as caught:
        client.generate([1])
    assert caught.value.code == "UNAVAILABLE"
    assert time.monotonic() - begin < 3.0


def test_a_folder_without_versions_and_a_taken_port_are_named(tmp_path, folder, embedded):
    with pytest.raises(ValueError, match="holds no version of a SavedModel"):
        Server(tmp_path)
    with pytest.raises(ValueError, match="cannot be listened on"):
        Server(folder, port=embedded.port, grpc_port=0)
    with pytest.raises(ValueError, match="give another --grpc-port"):
        Server(folder, port=0, grpc_port=embedded.grpc_port)


def test_bytes_become_b64():
    assert as_json(b"abc") == {"b64": "YWJj"}
    assert parse(b'{"inputs": [1]}') == {"inputs": [1]}
