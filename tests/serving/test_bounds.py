"""Numbers are checked before they are cast: REST, gRPC, the client and the shell."""

import json
import shlex
import urllib.error
import urllib.request

import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import json_format

from dvae_tf.commands.command_line import parsed
from dvae_tf.serving import ServerError
from dvae_tf.serving.client import as_images
from dvae_tf.serving.inputs import as_tensor
from dvae_tf.serving.protocol import RequestError


def get(server, path, body=None):
    url = f"http://127.0.0.1:{server.port}{path}"
    try:
        with urllib.request.urlopen(url, body and body.encode()) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


GENERATE = '{"signature_name": "generate", "inputs": {"label": %s, "seed": %s, "temperature": %s}}'
REFUSED_OVER_REST = {
    "label above 2^32": ("[4294967299]", "[0, 0]", "1", "4294967299 is out of its range"),
    "label of 2^31": ("[2147483648]", "[0, 0]", "1", "out of its range"),
    "label below -2^31": ("[-4294967295]", "[0, 0]", "1", "out of its range"),
    "label above 2^64": ("[36893488147419103232]", "[0, 0]", "1", "out of its range"),
    "float label": ("[1.5]", "[0, 0]", "1", "no int32 tensor: it holds 1.5"),
    "whole float label": ("[1.0]", "[0, 0]", "1", "no int32 tensor"),
    "bool label": ("[true]", "[0, 0]", "1", "it holds True"),
    "bool among labels": ("[1, false]", "[0, 0]", "1", "it holds False"),
    "name as label": ('["cat"]', "[0, 0]", "1", "it holds 'cat'"),
    "null label": ("[null]", "[0, 0]", "1", "it holds None"),
    "NaN label": ("[NaN]", "[0, 0]", "1", "it holds nan"),
    "nested label": ("[[1]]", "[0, 0]", "1", "has shape [1, 1]"),
    "ragged label": ("[[1], [1, 2]]", "[0, 0]", "1", "no int32 tensor"),
    "unknown label": ("[3]", "[0, 0]", "1", "label must be in [0, 3)"),
    "no label": ("[]", "[0, 0]", "1", "at least 1"),
    "seed of 2^32": ("[1]", "[4294967296, 0]", "1", "out of its range"),
    "float seed": ("[1]", "[0.5, 0]", "1", "no int32 tensor"),
    "temperature below 0": ("[1]", "[0, 0]", "-1", "temperature must be 0 or more"),
    "temperature NaN": ("[1]", "[0, 0]", "NaN", "NaN or infinity"),
    "temperature infinite": ("[1]", "[0, 0]", "Infinity", "out of its range"),
    "temperature of 1e300": ("[1]", "[0, 0]", "1e300", "out of its range"),
    "temperature as text": ("[1]", "[0, 0]", '"1"', "it holds '1'"),
    "temperature as bool": ("[1]", "[0, 0]", "true", "it holds True"),
}


@pytest.mark.parametrize("case", REFUSED_OVER_REST)
def test_rest_refuses(case, server):
    *values, message = REFUSED_OVER_REST[case]
    status, answer = get(server, "/v1/models/dvae:predict", GENERATE % tuple(values))
    assert status == 400
    assert message in answer["error"]


def test_whole_numbers_are_fine_where_floats_are_wanted(server):
    status, answer = get(server, "/v1/models/dvae:predict", GENERATE % ("[2]", "[-5, 0]", "1"))
    assert status == 200
    assert np.shape(answer["outputs"]["image"]) == (1, 8, 8, 1)


LABEL, SCALAR = tf.TensorSpec([None], tf.int32), tf.TensorSpec([], tf.float32)
REFUSED_OVER_GRPC = {
    "int64": (np.array([1]), LABEL, "it is int64"),
    "float64 for float32": (np.array(1.0), SCALAR, "it is float64"),
    "uint8": (np.array([1], np.uint8), LABEL, "it is uint8"),
    "batch of 0": (np.array([], np.int32), LABEL, "at least 1"),
    "NaN": (np.array(np.nan, np.float32), SCALAR, "NaN or infinity"),
}


@pytest.mark.parametrize("case", REFUSED_OVER_GRPC)
def test_grpc_refuses_what_tf_serving_would_not_cast(case):
    value, spec, message = REFUSED_OVER_GRPC[case]
    with pytest.raises(RequestError, match=message):
        as_tensor("x", value, spec)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"label": [2**32 + 1]}, "label is 4294967297; give -2147483648 to 2147483647"),
        ({"label": np.array([2**63], np.uint64)}, "label is 9223372036854775808"),
        ({"label": [1.5]}, r"label is \[1.5\]; give integers"),
        ({"label": [True]}, r"label is \[True\]; give integers"),
        ({"label": ["cat"]}, r"label is \['cat'\]; give integers"),
        ({"label": [1], "seed": 2**32}, "seed is 4294967296"),
        ({"label": [1], "seed": 0.5}, "seed is 0.5; give integers"),
    ],
)
def test_the_client_refuses_before_it_casts(options, message, client):
    with pytest.raises(ValueError, match=message):
        client.generate(**options)


@pytest.mark.parametrize("temperature", [-1.0, float("nan"), float("inf")])
def test_a_temperature_below_0_or_none_is_refused(temperature, client):
    with pytest.raises(ServerError, match=r"temperature|NaN or inf|range") as caught:
        client.generate([1], temperature=temperature)
    assert caught.value.code == "INVALID_ARGUMENT"


def test_a_batch_of_0_is_refused(client):
    with pytest.raises(ServerError, match="0 examples; give at least 1"):
        client.generate([])
    with pytest.raises(ServerError, match=r"0 examples; give at least 1|has shape \[0\]"):
        client.encode(np.zeros((0, 8, 8, 1)))


def test_the_client_converts_bytes_and_refuses_other_ranges():
    np.testing.assert_array_equal(as_images(np.full((1, 2, 2, 1), 51, np.uint8)), np.float32(0.2))
    for image in (np.full((1, 2, 2, 1), 255.0), np.full((1, 2, 2, 1), -1.0)):
        with pytest.raises(ValueError, match=r"The images range from .*; give floats in \[0, 1\]"):
            as_images(image)
    with pytest.raises(ValueError, match="The images are of type"):
        as_images([b"a file", "none"])


@pytest.mark.parametrize(
    "words",
    [
        "train --seed 4294967296",
        "train --seed -1",
        "generate --seed 4294967296",
        "generate --seed 2147483648",
        "explore swap --seed 4294967296",
        "gallery --seed 4294967296",
        "tune --seed 4294967296",
        "compare --seeds 0 4294967296",
    ],
)
def test_the_shell_refuses_seeds_that_would_be_wrapped(words):
    with pytest.raises(ValueError, match=r"The seed is -?\d+; give 0 to 2147483647"):
        parsed(shlex.split(words))


def test_the_shell_refuses_temperatures_without_images():
    with pytest.raises(ValueError, match="temperature is inf; give 0 or more"):
        parsed(["generate", "--temperature", "inf"])


def test_metadata_are_what_tensorflow_wrote(server, folder):
    from tensorflow.core.protobuf import saved_model_pb2

    _, answer = get(server, "/v1/models/dvae/metadata")
    assert answer["model_spec"] == {"name": "dvae", "signature_name": "", "version": "1"}
    content = (folder / "1" / "saved_model.pb").read_bytes()
    wanted = saved_model_pb2.SavedModel.FromString(content).meta_graphs[0].signature_def
    found = answer["metadata"]["signature_def"]["signature_def"]
    assert set(found) == set(wanted)
    for name, definition in found.items():
        read = json_format.ParseDict(definition, type(wanted[name])())
        assert read == wanted[name]
    image = found["encode"]["inputs"]["image"]
    assert image["dtype"] == "DT_FLOAT"
    assert [side["size"] for side in image["tensor_shape"]["dim"]] == ["-1", "8", "8", "1"]
    assert found["encode_image"]["inputs"]["image_bytes"]["dtype"] == "DT_STRING"
