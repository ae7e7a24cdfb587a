import pathlib

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format

FOLDER = pathlib.Path(__file__).parents[2] / "deploy" / "tf-serving"
INT64, BOOL, STRING, MESSAGE = 3, 8, 9, 11
WRAPPED = ".google.protobuf.Int64Value"

# The pip package lacks these two; fields as in TF Serving's session_bundle_config.proto and
# monitoring_config.proto.
SCHEMAS = {
    "BatchingParameters": [
        ("max_batch_size", 1, MESSAGE, WRAPPED),
        ("batch_timeout_micros", 2, MESSAGE, WRAPPED),
        ("max_enqueued_batches", 3, MESSAGE, WRAPPED),
        ("num_batch_threads", 4, MESSAGE, WRAPPED),
        ("allowed_batch_sizes", 6, INT64, None),
        ("pad_variable_length_inputs", 7, BOOL, None),
    ],
    "PrometheusConfig": [("enable", 1, BOOL, None), ("path", 2, STRING, None)],
    "MonitoringConfig": [("prometheus_config", 1, MESSAGE, ".check.PrometheusConfig")],
}


@pytest.fixture(scope="module")
def messages():
    file = descriptor_pb2.FileDescriptorProto(name="check.proto", package="check", syntax="proto3")
    file.dependency.append("google/protobuf/wrappers.proto")
    for name, fields in SCHEMAS.items():
        message = file.message_type.add(name=name)
        for field, number, kind, of in fields:
            label = 3 if field == "allowed_batch_sizes" else 1
            message.field.add(name=field, number=number, type=kind, type_name=of, label=label)
    from google.protobuf import wrappers_pb2

    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"check.{name}"))
        for name in SCHEMAS
    }


def test_models_config_serves_the_newest_version():
    from tensorflow_serving.config import model_server_config_pb2

    text = (FOLDER / "models.config").read_text()
    config = text_format.Parse(text, model_server_config_pb2.ModelServerConfig())
    (model,) = config.model_config_list.config
    assert (model.name, model.base_path, model.model_platform) == (
        "dvae",
        "/models/dvae",
        "tensorflow",
    )
    assert model.model_version_policy.latest.num_versions == 1


def test_batching_config(messages):
    text = (FOLDER / "batching.config").read_text()
    config = text_format.Parse(text, messages["BatchingParameters"]())
    # TF Serving wants them ascending, the last one the largest batch.
    assert list(config.allowed_batch_sizes) == sorted(config.allowed_batch_sizes)
    assert config.allowed_batch_sizes[-1] == config.max_batch_size.value


def test_monitoring_config_has_the_path_of_the_embedded_server(messages):
    text = (FOLDER / "monitoring.config").read_text()
    config = text_format.Parse(text, messages["MonitoringConfig"]())
    assert config.prometheus_config.enable
    assert config.prometheus_config.path == "/monitoring/prometheus/metrics"


def test_every_config_is_mounted():
    compose = (FOLDER / "compose.yaml").read_text()
    for path in FOLDER.glob("*.config"):
        assert f"./{path.name}:/config/{path.name}:ro" in compose
