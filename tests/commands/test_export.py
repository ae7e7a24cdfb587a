import json
import shlex
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from rich.console import Console

from dvae_tf import runs, tasks
from dvae_tf.commands.command_line import parsed
from dvae_tf.commands.export import export, training_command
from dvae_tf.commands.settings import ExportSettings, TrainingSettings, recorded
from dvae_tf.export import parity, runners
from dvae_tf.export.functions import Functions
from dvae_tf.export.model_card import write_model_card
from dvae_tf.export.tflite import KINDS
from dvae_tf.files import read_json
from dvae_tf.models import ConditionalGAN
from dvae_tf.runs import shipped

pytestmark = pytest.mark.slow


def export_to(folder, run=None, **formats):
    settings = ExportSettings(str(run or shipped.find()), output=str(folder), **formats)
    return export(settings, Console(quiet=True))


@pytest.fixture(scope="module")
def model():
    return runs.load_pretrained()


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """The folder of the shipped model's export in all formats but the page."""
    folder = tmp_path_factory.mktemp("export")
    rows = export_to(folder, saved_model=True, tflite=True, onnx=True)
    assert len(rows) == 6
    return folder


@pytest.fixture(scope="module")
def signatures(exported):
    return tf.saved_model.load(str(exported / "1")).signatures


def drawing(label, seed=(5, 0), temperature=1.0):
    return {
        "label": tf.constant(label, tf.int32),
        "seed": tf.constant(seed, tf.int32),
        "temperature": tf.constant(temperature, tf.float32),
    }


def images(count=4):
    return np.random.default_rng(0).uniform(size=(count, 16, 16, 1)).astype(np.float32)


def test_seeds_give_the_images_of_keras(signatures, model):
    for name in ("generate", "serving_default"):
        found = signatures[name](**drawing([0, 3, 9]))
        expected = (model.generate([0, 3, 9], seed=5) + 1.0) / 2.0
        np.testing.assert_allclose(found["image"], expected, atol=1e-5)
        assert set(found) == {"image", "z_s", "z_u"}
    again = model.decode(found["z_s"], found["z_u"])
    np.testing.assert_allclose((again + 1.0) / 2.0, found["image"], atol=1e-5)


def test_every_signature_gives_what_keras_gives(signatures, model):
    x = images() * 2.0 - 1.0
    codes = model.encode(x)
    found = signatures["encode"](image=tf.constant(images()))
    for name in codes._fields:
        np.testing.assert_allclose(found[name], getattr(codes, name), rtol=1e-4, atol=1e-5)
    probabilities = model.classify(x)
    classified = signatures["classify"](image=tf.constant(images()))
    np.testing.assert_allclose(classified["probabilities"], probabilities, atol=1e-5)
    np.testing.assert_array_equal(classified["label"], np.argmax(probabilities, axis=-1))
    expected = (model.predict(x, verbose=0) + 1.0) / 2.0
    decoded = signatures["decode"](z_s=codes.z_s, z_u=codes.z_u_mean)["image"]
    np.testing.assert_allclose(decoded, expected, atol=1e-5)
    whole = signatures["reconstruct"](image=tf.constant(images()))["image"]
    np.testing.assert_allclose(whole, expected, atol=1e-5)
    image = tf.constant(images())
    swapped = signatures["swap"](image_s=image, image_u=image[::-1])["image"]
    expected = (model.decode(codes.z_s, codes.z_u_mean[::-1]) + 1.0) / 2.0
    np.testing.assert_allclose(swapped, expected, atol=1e-5)


def test_png_holds_the_image(signatures):
    png = signatures["generate_png"](**drawing([2, 4]))["image_bytes"].numpy()
    image = signatures["generate"](**drawing([2, 4]))["image"].numpy()
    for content, pixels in zip(png, image, strict=True):
        np.testing.assert_array_equal(tf.io.decode_png(content), np.rint(pixels * 255.0))


def test_inpainting_keeps_what_is_around_the_hole(signatures, model):
    mask = np.zeros((4, 16, 16), np.float32)
    mask[:, 4:9, 5:12] = 1.0
    image = images()
    filled = signatures["inpaint"](image=tf.constant(image), mask=tf.constant(mask))["image"]
    around = mask == 0.0
    np.testing.assert_array_equal(filled.numpy()[around], image[around])
    expected = tasks.inpaint(model, image * 2.0 - 1.0, mask > 0.5)
    np.testing.assert_allclose(filled.numpy() * 255.0, expected, atol=1.0)


@pytest.mark.parametrize("label", [[10], [0, -1]])
def test_labels_out_of_range_are_refused_with_the_range(signatures, label):
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"label must be in \[0, 10\)"):
        signatures["generate"](**drawing(label))


def test_saved_model_needs_no_dvae_tf(exported, tmp_path):
    code = (
        "import sys, tensorflow as tf; s = tf.saved_model.load(sys.argv[1]).signatures;"
        "print(s['generate'](label=tf.constant([3]), seed=tf.constant([1, 2]),"
        " temperature=tf.constant(1.0))['image'].shape, 'dvae_tf' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(exported / "1")],
        capture_output=True, text=True, cwd=tmp_path, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "(1, 16, 16, 1) False"


def test_warm_up_requests_fit_every_signature(exported, signatures):
    from tensorflow_serving.apis import prediction_log_pb2

    path = exported / "1" / "assets.extra" / "tf_serving_warmup_requests"
    seen = set()
    for record in tf.data.TFRecordDataset(str(path)):
        log = prediction_log_pb2.PredictionLog.FromString(record.numpy())
        request = log.predict_log.request
        inputs = {name: tf.constant(tf.make_ndarray(v)) for name, v in request.inputs.items()}
        signatures[request.model_spec.signature_name](**inputs)
        seen.add(request.model_spec.signature_name)
    assert seen == set(signatures) - {"serving_default"}
    labels = json.loads((exported / "1" / "assets.extra" / "labels.json").read_text())
    assert labels == [str(digit) for digit in range(10)]


@pytest.mark.parametrize("kind", KINDS)
def test_tflite_has_built_in_operators_only(kind, exported):
    from ai_edge_litert import schema_py_generated as schema

    content = (exported / f"model_{kind}.tflite").read_bytes()
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    names = {number: name for name, number in vars(schema.BuiltinOperator).items()}
    used = {
        names[max(code.builtinCode, code.deprecatedBuiltinCode)] for code in model.operatorCodes
    }
    assert "CUSTOM" not in used
    assert {"FULLY_CONNECTED", "GATHER", "SOFTMAX"} <= used
    assert all(code.customCode is None for code in model.operatorCodes)


def test_tflite_draws_the_same_for_the_same_noise_and_any_batch(exported, model):
    random = np.random.default_rng(0)
    functions = Functions(model).portable()
    run = runners.tflite(exported / "model_float32.tflite", "float32").run
    for count in (1, 3):
        inputs = {
            "label": np.arange(count, dtype=np.int32),
            "noise_s": random.normal(size=(count, model.latent_dim_s)).astype(np.float32),
            "noise_u": random.normal(size=(count, model.latent_dim_u)).astype(np.float32),
            "temperature": np.array(0.7, np.float32),
        }
        expected = functions["generate"].call(**inputs)["image"]
        np.testing.assert_allclose(run("generate", inputs)["image"], expected, atol=1e-5)


def test_int8_is_less_than_a_third(exported):
    described = json.loads((exported / "model.json").read_text())
    assert described["class_names"] == [str(digit) for digit in range(10)]
    assert described["signatures"]["generate"]["noise_u"]["shape"] == [None, 16]
    sizes = {kind: (exported / f"model_{kind}.tflite").stat().st_size for kind in KINDS}
    assert sizes["int8"] <= 0.3 * sizes["float32"]
    assert sizes["float16"] <= 0.55 * sizes["float32"]


def test_onnx_is_checked_and_has_a_dynamic_batch(exported):
    import onnx

    for name in ("generate", "encode", "decode", "classify", "swap", "reconstruct"):
        graph = onnx.load(exported / f"{name}.onnx")
        assert graph.opset_import[0].version >= 17
        assert not graph.graph.input[0].type.tensor_type.shape.dim[0].dim_value


def test_a_further_export_is_a_further_version(exported):
    before = (exported / "model_int8.tflite").read_bytes()
    export_to(exported)
    assert (exported / "2" / "saved_model.pb").exists()
    assert (exported / "model_int8.tflite").read_bytes() == before


def test_a_model_that_differs_is_not_exported(exported, monkeypatch):
    before = sorted(path.name for path in exported.iterdir())
    monkeypatch.setitem(parity.TOLERANCE, "float32", 1e-12)
    with pytest.raises(ValueError, match=r"SavedModel does not give .* differs by .*, allowed is"):
        export_to(exported)
    assert sorted(path.name for path in exported.iterdir()) == before


def test_integers_that_lost_too_much_are_named():
    wanted = {"label": np.zeros(100, np.int32), "image": images(8)}
    found = {"label": np.arange(100) // 90, "image": images(8)[::-1]}
    errors = {"image": found["image"] - wanted["image"]}
    faults = list(parity._faults_of_integers("classify", wanted, found, errors))
    assert faults[0] == "classify agrees on 90.0%, wanted are 98%"
    assert faults[1].startswith("images of classify differ by ")


def test_models_without_codes_are_named():
    with pytest.raises(ValueError, match="A ConditionalGAN has no codes"):
        Functions(ConditionalGAN((2,), 3, preset="toy"))


def test_vectors_are_exported_too(moons_run, tmp_path):
    export_to(tmp_path, moons_run, saved_model=True, onnx=True)
    signatures = tf.saved_model.load(str(tmp_path / "1")).signatures
    assert "generate_png" not in signatures
    assert signatures["generate"](**drawing([0, 2]))["image"].shape == (2, 2)
    (command,) = commands_of((tmp_path / "MODEL_CARD.md").read_text())
    name, settings = parsed(shlex.split(command)[1:])
    assert name == "train"
    assert recorded(settings) == read_json(moons_run / "run.json")["arguments"]


def commands_of(card):
    return [line.strip() for line in card.splitlines() if line.startswith("    ")]


def card_of(arguments, path):
    data = {"training_examples": 5, "shape": [2], "class_names": ["one", "two"]}
    description = {"arguments": arguments, "data": data, "versions": {"dvae_tf": "0.0.1"}}
    write_model_card(path / "card.md", description, {}, training_command(arguments))
    return (path / "card.md").read_text()


def test_the_card_says_how_the_model_is_trained_again(tmp_path):
    settings = TrainingSettings(
        "folder:own cats", recipe="paper", changes={"kl": [0.0, 1.0], "bounded": True}, seed=3
    )
    (command,) = commands_of(card_of(recorded(settings), tmp_path))
    assert command == (
        "dvae train --dataset 'folder:own cats' --recipe paper --set 'kl=[0.0, 1.0]' bounded=true "
        "--seed 3"
    )
    assert parsed(shlex.split(command)[1:]) == ("train", settings)


@pytest.mark.parametrize(
    "earlier",
    [
        {"loss_weights": {"kl": 0.5}},
        {"variance_decay_epochs": None},
        {"recipe": "balanced with settling=0.1"},
        {"changes": {"settling": 0.1}},
    ],
)
def test_the_card_of_an_earlier_version_prints_no_command(earlier, tmp_path):
    card = card_of(recorded(TrainingSettings()) | earlier, tmp_path)
    assert commands_of(card) == []
    assert "By the training command of an earlier version of dvae_tf" in card
    assert "dataset digits" in card
    assert card.rstrip().endswith("With dvae_tf 0.0.1.")
