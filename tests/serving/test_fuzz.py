"""What hypothesis makes up, at the doors of the REST interface.

    pytest tests/serving/test_fuzz.py --hypothesis-profile fuzz

goes on for hours: stop it when you have seen enough.
"""

import io
import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from dvae_tf.runs import shipped as pretrained
from dvae_tf.serving.server import Server

pytestmark = pytest.mark.slow

ANY_TIME = settings(deadline=None, suppress_health_check=list(HealthCheck))

NUMBERS = st.integers(-(2**70), 2**70) | st.floats() | st.booleans()
VALUES = st.recursive(
    NUMBERS | st.none() | st.text(max_size=5) | st.just({"b64": "AAAA"}),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["b64", "image", "label", "x"]), inner, max_size=3)
    ),
    max_leaves=12,
)
SIGNATURES = st.sampled_from(
    ["generate", "generate_png", "encode", "decode", "classify", "reconstruct", "swap", ""]
)
INPUTS = st.dictionaries(
    st.sampled_from(["label", "seed", "temperature", "image", "z_s", "z_u", "image_s", "image_u"]),
    VALUES,
    max_size=4,
)
BODIES = st.builds(
    lambda signature, key, inputs: {"signature_name": signature, key: inputs},
    SIGNATURES | VALUES,
    st.sampled_from(["inputs", "instances"]),
    INPUTS | VALUES | st.lists(INPUTS, max_size=3),
)


@pytest.fixture(scope="module")
def ask():
    """A function that sends a body and gives back the status and what was told."""
    import httpx

    with (
        Server(pretrained.find(), port=0, grpc_port=0) as server,
        httpx.Client(timeout=60.0) as client,
    ):
        url = f"http://127.0.0.1:{server.port}/v1/models/dvae:predict"

        def post(body):
            answer = client.post(url, content=body)
            return answer.status_code, answer.json()

        yield post


def expect_an_answer(status, told):
    if status != 200:
        assert status in (400, 413), told
        assert set(told) == {"error"}
        assert "Traceback" not in told["error"]


@ANY_TIME
@given(body=BODIES | VALUES)
def test_any_json(ask, body):
    expect_an_answer(*ask(json.dumps(body)))


@ANY_TIME
@given(body=st.binary(max_size=200))
def test_any_bytes(ask, body):
    expect_an_answer(*ask(body))


def png(array):
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, "png")
    return stream.getvalue()


@st.composite
def damaged_pngs(draw):
    """A PNG file of any small size and kind with some of its bytes changed or missing."""
    side, channels = draw(st.integers(1, 40)), draw(st.sampled_from([(), (3,), (4,)]))
    content = bytearray(png(np.zeros((side, side, *channels), np.uint8)))
    for _ in range(draw(st.integers(0, 3))):
        content[draw(st.integers(0, len(content) - 1))] = draw(st.integers(0, 255))
    return bytes(content[: draw(st.integers(0, len(content)))])


@ANY_TIME
@given(content=damaged_pngs() | st.binary(max_size=100), signature=SIGNATURES)
def test_any_png(ask, content, signature):
    import base64

    image = {"b64": base64.b64encode(content).decode()}
    body = {"signature_name": signature, "instances": [image]}
    expect_an_answer(*ask(json.dumps(body)))
