"""TF Serving's REST API: its paths and its JSON."""

import base64
import json

from google.protobuf import json_format
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dvae_tf.serving.metrics import Metrics
from dvae_tf.serving.protocol import HTTP_STATUS, MOST_BYTES, RequestError, as_json


def application(versions, routes=()):
    """Makes the ASGI application.

    Args:
        versions: ModelVersions.
        routes: sequence of starlette.routing.Route or Mount, also served. Defaults to none.

    Returns:
        starlette.applications.Starlette.
    """
    rest = _Rest(versions)
    model = "/v1/models/{name:str}"
    version = model + "/versions/{version:int}"
    paths = [
        (f"{version}/metadata", rest.metadata, "GET"),
        (f"{model}/metadata", rest.metadata, "GET"),
        (f"{version}:predict", rest.predict, "POST"),
        (f"{model}:predict", rest.predict, "POST"),
        (version, rest.status, "GET"),
        (model, rest.status, "GET"),
        ("/monitoring/prometheus/metrics", rest.metrics, "GET"),
        ("/healthz", rest.health, "GET"),
    ]
    return Starlette(
        routes=[*(Route(path, call, methods=[method]) for path, call, method in paths), *routes],
        exception_handlers={RequestError: _refuse},
    )


def _refuse(request, error):
    return JSONResponse({"error": str(error)}, HTTP_STATUS.get(error.code, 500))


class _Rest:
    def __init__(self, versions):
        self.versions = versions
        self.measured = Metrics("rest")

    def _version(self, request):
        name = request.path_params["name"]
        if name != self.versions.name:
            raise RequestError("NOT_FOUND", f"Servable not found for request: Latest({name})")
        return self.versions.version(request.path_params.get("version"))

    async def status(self, request):
        version = self._version(request)
        ok = {"error_code": "OK", "error_message": ""}
        state = {"version": str(version.number), "state": "AVAILABLE", "status": ok}
        return JSONResponse({"model_version_status": [state]})

    async def metadata(self, request):
        version = self._version(request)
        spec = {"name": self.versions.name, "signature_name": "", "version": str(version.number)}
        definitions = {name: _plain_definition(one) for name, one in version.definitions.items()}
        signatures = {"signature_def": {"signature_def": definitions}}
        return JSONResponse({"model_spec": spec, "metadata": signatures})

    async def predict(self, request):
        with self.measured.request():
            version = self._version(request)
            body = parse(await _read(request))
            return await run_in_threadpool(self._predict, version, body)

    def _predict(self, version, body):
        signature = body.get("signature_name", "")
        specs = version.inputs(signature)
        rows = "instances" in body
        if rows == ("inputs" in body):
            raise RequestError("INVALID_ARGUMENT", "give either 'instances' or 'inputs'")
        values = _from_rows(body["instances"], specs) if rows else body["inputs"]
        if not isinstance(values, dict) or (len(specs) == 1 and set(values) != set(specs)):
            if len(specs) != 1:
                raise RequestError("INVALID_ARGUMENT", f"'inputs' must name {sorted(specs)}")
            values = {next(iter(specs)): values}
        found = version.predict(signature, {key: _decoded(value) for key, value in values.items()})
        answer = {"predictions": _to_rows(found)} if rows else {"outputs": _to_columns(found)}
        return Response(json.dumps(answer), media_type="application/json")

    async def metrics(self, request):
        return Response(self.measured.text(), media_type="text/plain; version=0.0.4")

    async def health(self, request):
        return JSONResponse({"status": "ok", "version": self.versions.current.number})


async def _read(request):
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise RequestError(
                "RESOURCE_EXHAUSTED", f"the body is larger than {MOST_BYTES // 2**20} MiB"
            )
    return body


def parse(body) -> dict:
    """Reads the body of a predict request.

    Args:
        body: bytes.

    Returns:
        dict.

    Raises:
        RequestError: if it is not a JSON object.
    """
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RequestError("INVALID_ARGUMENT", f"JSON Parse error: {error}") from error
    if not isinstance(parsed, dict) or not isinstance(parsed.get("signature_name", ""), str):
        raise RequestError("INVALID_ARGUMENT", "the body must be a JSON object")
    return parsed


def _from_rows(instances, specs):
    """Row format: an object per example, or a bare value if there is only one input."""
    if not isinstance(instances, list) or not instances:
        raise RequestError("INVALID_ARGUMENT", "'instances' must be a list of examples")
    named = [
        isinstance(row, dict) and not (len(specs) == 1 and set(row) == {"b64"}) for row in instances
    ]
    if not any(named):
        return instances
    if not all(named) or any(set(row) != set(specs) for row in instances):
        raise RequestError("INVALID_ARGUMENT", f"each instance must name {sorted(specs)}")
    return {name: [row[name] for row in instances] for name in specs}


def _to_rows(found):
    counts = {len(value) if value.ndim else None for value in found.values()}
    if len(counts) != 1 or None in counts:
        raise RequestError("INVALID_ARGUMENT", "the outputs have no common batch; use 'inputs'")
    columns = {name: _plain(name, value) for name, value in found.items()}
    if len(columns) == 1:
        return next(iter(columns.values()))
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _to_columns(found):
    columns = {name: _plain(name, value) for name, value in found.items()}
    return next(iter(columns.values())) if len(columns) == 1 else columns


def _plain(name, value):
    if value.dtype != object:
        return value.tolist()
    encode = name.endswith("_bytes")
    return [as_json(text) if encode else text.decode() for text in value]


def _decoded(value):
    """Replaces {"b64": ...} by its bytes, at any depth."""
    if isinstance(value, list):
        return [_decoded(item) for item in value] if _holds_bytes(value) else value
    if isinstance(value, dict):
        try:
            return base64.b64decode(value["b64"], validate=True)
        except (KeyError, TypeError, ValueError) as error:
            raise RequestError("INVALID_ARGUMENT", "an object must be {'b64': text}") from error
    return value


def _holds_bytes(value):
    while isinstance(value, list) and value:
        value = value[0]
    return isinstance(value, dict)


def _plain_definition(definition):
    """A SignatureDef as TF Serving prints it: with its own names, and what is unset too."""
    return json_format.MessageToDict(
        definition, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
