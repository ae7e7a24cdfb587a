"""PNG and JPEG files in requests: read as the package reads them, or refused."""

import base64
import io
import json
import urllib.error
import urllib.request

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageOps

from dvae_tf.export import image_files
from dvae_tf.export.image_files import images_of_files
from dvae_tf.serving import ServerError

PHOTO = np.clip(
    np.random.default_rng(0).normal(size=(90, 130, 3)).cumsum(0).cumsum(1) * 2.0 + 128.0, 0, 255
).astype(np.uint8)


def file(image, kind="PNG", **options):
    stream = io.BytesIO()
    image = image if isinstance(image, Image.Image) else Image.fromarray(image)
    image.save(stream, kind, **options)
    return stream.getvalue()


COLOUR = Image.fromarray(PHOTO)
FILES = {
    "png": file(PHOTO),
    "jpeg": file(PHOTO, "JPEG"),
    "grey png": file(PHOTO[..., 0]),
    "grey jpeg": file(PHOTO[..., 0], "JPEG"),
    "transparent": file(np.dstack([PHOTO, PHOTO[:, ::-1, 0]])),
    "grey and transparent": file(np.dstack([PHOTO[..., 0], PHOTO[:, ::-1, 1]])),
    "palette": file(COLOUR.quantize(64)),
    "palette of 2 bits": file(COLOUR.quantize(4), bits=2),
    "palette with a transparent colour": file(COLOUR.quantize(16), bits=4, transparency=3),
    "palette of several opacities": file(
        COLOUR.quantize(2), bits=1, transparency=bytes([128, 200])
    ),
    "grey with a transparent value": file(PHOTO[..., 0], transparency=130),
    "1 bit": file(COLOUR.convert("1")),
    "16 bits": file(PHOTO[..., 0].astype(np.uint16) * 257),
    "cmyk jpeg": file(COLOUR.convert("CMYK"), "JPEG"),
    "tall": file(np.ascontiguousarray(PHOTO.swapaxes(0, 1))),
    "smaller than the model's": file(PHOTO[:5, :7]),
}


def read_by_pillow(content, height, width, channels):
    """A file on white, cropped and resized."""
    image = Image.open(io.BytesIO(content))
    if image.mode.startswith("I"):
        image = Image.fromarray(np.rint(np.asarray(image) / 257.0).astype(np.uint8))
    image = image.convert("RGBA")
    ground = Image.new("RGBA", image.size, "white")
    ground.alpha_composite(image)
    fitted = ImageOps.fit(
        ground.convert("RGB" if channels == 3 else "L"), (width, height), Image.Resampling.BICUBIC
    )
    return np.asarray(fitted).reshape(height, width, channels)


@pytest.fixture(scope="module")
def read():
    traced = tf.function(images_of_files)
    return lambda content, shape: traced(tf.constant([content]), shape)[0].numpy() * 255.0


@pytest.mark.parametrize("shape", [(16, 16, 1), (24, 40, 3)])
@pytest.mark.parametrize("name", FILES)
def test_files_are_read_as_pillow_reads_them(name, shape, read):
    np.testing.assert_allclose(
        read(FILES[name], shape), read_by_pillow(FILES[name], *shape), atol=1.01
    )


def test_another_background_shows_where_an_image_is_transparent():
    clear = tf.constant([file(np.zeros((4, 4, 4), np.uint8))])
    found = images_of_files(clear, (4, 4, 3), (255, 0, 51))[0, 0, 0]
    np.testing.assert_allclose(found, [1.0, 0.0, 0.2], atol=1e-6)


def large_png(side):
    return FILES["png"][:16] + side.to_bytes(4, "big") * 2 + FILES["png"][24:]


NO_FILES = {
    "gif": (file(PHOTO, "GIF"), "neither PNG nor JPEG"),
    "bmp": (file(PHOTO, "BMP"), "neither PNG nor JPEG"),
    "webp": (file(PHOTO, "WEBP"), "neither PNG nor JPEG"),
    "text": (b"hello", "neither PNG nor JPEG"),
    "nothing": (b"", "neither PNG nor JPEG"),
    "the beginning of a PNG": (image_files.PNG, "neither PNG nor JPEG"),
    "the beginning of a JPEG": (image_files.JPEG, "a file is damaged"),
    "torn png": (FILES["png"][:-400], "a file is damaged"),
    "torn jpeg": (FILES["jpeg"][:-400], "a file is damaged"),
    "changed png": (FILES["png"][:200] + b"xyz" + FILES["png"][203:], "a file is damaged"),
    "bomb": (large_png(60_000), "more than 16777216 pixels"),
    "sides below 0": (large_png(2**32 - 1), "more than 16777216 pixels"),
}


@pytest.mark.parametrize("name", NO_FILES)
def test_what_is_no_whole_small_image_is_refused(name, client):
    content, message = NO_FILES[name]
    with pytest.raises(ServerError, match=message) as caught:
        client.classify([FILES["png"], content])
    assert caught.value.code == "INVALID_ARGUMENT"
    assert len(str(caught.value)) < 200


def arrays(*names):
    return np.stack([read_by_pillow(FILES[name], 8, 8, 1) for name in names])


def test_files_give_what_their_pixels_give(client):
    files, pixels = [FILES["png"], FILES["grey jpeg"]], arrays("png", "grey jpeg")
    for name, code in client.encode(files).items():
        np.testing.assert_allclose(code, client.encode(pixels)[name], rtol=1e-2, atol=0.02)
    assert client.classify(files)["probabilities"].shape == (2, 3)
    swapped = client.swap(files, files[::-1])
    np.testing.assert_allclose(swapped, client.swap(pixels, pixels[::-1]), atol=0.02)
    with pytest.raises(ValueError, match="Both files and arrays came"):
        client.swap(files, pixels)


def test_a_mask_may_be_a_file(client):
    mask = np.zeros((8, 8), np.uint8)
    mask[:4] = 255
    given = np.array([FILES["png"]], object), np.array([file(mask)], object)
    (filled,) = client.predict("inpaint_image", image_bytes=given[0], mask_bytes=given[1])["image"]
    np.testing.assert_allclose(filled[4:], arrays("png")[0, 4:] / 255.0, atol=0.005)


def ask(server, body):
    url = f"http://127.0.0.1:{server.port}/v1/models/dvae:predict"
    try:
        with urllib.request.urlopen(url, json.dumps(body).encode()) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def b64(content):
    return {"b64": base64.b64encode(content).decode()}


@pytest.mark.parametrize(
    "given",
    [
        {"instances": [b64(FILES["png"]), b64(FILES["jpeg"])]},
        {"instances": [{"image_bytes": b64(FILES["png"])}, {"image_bytes": b64(FILES["jpeg"])}]},
        {"inputs": [b64(FILES["png"]), b64(FILES["jpeg"])]},
        {"inputs": {"image_bytes": [b64(FILES["png"]), b64(FILES["jpeg"])]}},
    ],
    ids=["rows", "named rows", "columns", "named columns"],
)
def test_rest_takes_files_in_every_form_of_tf_serving(given, server):
    status, answer = ask(server, {"signature_name": "classify_image"} | given)
    assert status == 200, answer
    rows = answer.get("predictions") or answer["outputs"]["label"]
    assert len(rows) == 2


@pytest.mark.parametrize(
    ("signature", "value", "message"),
    [
        ("classify_image", {"b64": "%%%"}, "an object must be"),
        ("classify_image", {"b64": 3}, "an object must be"),
        ("classify_image", {"b64": "iVBO"}, "neither PNG nor JPEG"),
        ("classify_image", [b64(FILES["png"])], "has shape [1, 1]"),
        ("classify_image", 3, "no string tensor: it holds 3"),
        ("classify", b64(FILES["png"]), "no float32 tensor: it holds b'"),
    ],
    ids=["no base64", "a number", "another file", "a list", "no file", "another signature"],
)
def test_rest_names_what_is_no_file(signature, value, message, server):
    status, answer = ask(server, {"signature_name": signature, "inputs": [value]})
    assert status == 400
    assert message in answer["error"]
