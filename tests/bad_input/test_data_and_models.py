"""What does not fit, at every door of the Python API: one error that says what came.

A case is what is done and a word of what the error must say.
"""

import shutil

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import dvae_tf
from dvae_tf import data, runs, tasks
from dvae_tf.data import catalog
from dvae_tf.data.examples import Info, Stream
from dvae_tf.models import MODELS, ConditionalVAE, Recipe


def picture(path, size=(8, 8), value=100):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (value, value, value)).save(path)
    return path


def saved(folder, **arrays):
    np.savez(folder / "data.npz", **arrays)
    return f"npz:{folder / 'data.npz'}"


def with_bytes(folder, content, name="data.npz"):
    (folder / name).write_bytes(content)
    return f"npz:{folder / name}"


def cut_npz(folder):
    name = saved(folder, x=np.zeros((9, 2)), label=np.arange(9) % 3)
    path = folder / "data.npz"
    path.write_bytes(path.read_bytes()[:200])
    return name


def pickled(folder):
    return saved(folder, x=np.array([{}, {}], object), label=np.arange(2))


def classes(folder, *names):
    for name in names:
        for number in range(3):
            picture(folder / name / f"{number}.png")
    return f"folder:{folder}"


IMAGES, LABEL = np.zeros((6, 8, 8, 1), np.uint8), np.array([0, 1, 2, 0, 1, 2])
POINTS = np.zeros((6, 2), np.float32)


def hurt(value, array=POINTS):
    array = array.astype(np.float32)
    array[2] = value
    return array


LOADED = {
    "no such npz": (lambda f: "npz:none.npz", "there is no such file"),
    "a folder as npz": (lambda f: f"npz:{f}", "there is no such file"),
    "an empty npz": (lambda f: with_bytes(f, b""), "not a readable .npz"),
    "text as npz": (lambda f: with_bytes(f, b"hello"), "not a readable .npz"),
    "half an npz": (cut_npz, "not a readable .npz"),
    "an npz of pickles": (pickled, "holds Python objects"),
    "an npz without label": (lambda f: saved(f, x=POINTS), "label is missing"),
    "an npz without x": (lambda f: saved(f, label=LABEL), "x is missing"),
    "an npz of nothing": (saved, "x is missing|label and x|x and label"),
    "an npz of no examples": (lambda f: saved(f, x=POINTS[:0], label=LABEL[:0]), "no examples"),
    "an npz of one class": (lambda f: saved(f, x=POINTS, label=0 * LABEL), "at least 2 classes"),
    "an npz with NaN": (lambda f: saved(f, x=hurt(np.nan), label=LABEL), "NaN"),
    "names fewer than labels": (
        lambda f: saved(f, x=POINTS, label=LABEL, class_names=["a", "b"]),
        r"label 2 at index 2 is outside \[0, 2\)",
    ),
    "no such folder": (lambda f: "folder:none", "no such folder"),
    "an empty folder": (lambda f: f"folder:{f}", "no images"),
    "a file as a folder": (lambda f: f"folder:{picture(f / 'a.png')}", "no such folder"),
    "a folder of one class": (lambda f: classes(f, "cat"), "one class, cat"),
    "a folder of texts": (
        lambda f: (
            [((f / c).mkdir(), (f / c / "note.txt").write_text("hello")) for c in ("cat", "dog")],
            f"folder:{f}",
        )[1],
        "no images",
    ),
    "folder without a path": (lambda f: "folder:", "give folder:PATH"),
    "npz without a path": (lambda f: "npz:", "give folder:PATH or npz:PATH"),
    "another kind": (lambda f: "zip:data.zip", "names no data"),
    "an unknown name": (lambda f: "no_such_data_set", "No data set is called"),
    "an empty name": (lambda f: "", "No data set is called"),
}


@pytest.mark.parametrize("case", LOADED)
def test_data_that_do_not_fit(case, tmp_path):
    make, message = LOADED[case]
    with pytest.raises(ValueError, match=message):
        data.load(make(tmp_path))


OPTIONS = {
    "an unknown split": ({"split": "valid"}, "Split 'valid' cannot be read"),
    "a broken slice": ({"split": "train[:90"}, "cannot be read"),
    "an empty slice": ({"split": "train[50:50]"}, "is empty"),
    "a slice beyond the end": ({"split": "train[99999:]"}, "is empty"),
    "a batch of none": ({"batch_size": 0}, "batch_size is 0"),
    "a negative batch": ({"batch_size": -3}, "batch_size is -3"),
    "no labels at all": ({"labelled": 0.0}, "labelled is 0.0"),
    "more than all labels": ({"labelled": 1.5}, "labelled is 1.5"),
    "NaN labels": ({"labelled": float("nan")}, "labelled is nan"),
    "factors of digits": ({"factors": True}, "factors are not known"),
}


@pytest.mark.parametrize("case", OPTIONS)
def test_options_of_load_that_do_not_fit(case):
    options, message = OPTIONS[case]
    with pytest.raises(ValueError, match=message):
        data.load("digits", **options)


@pytest.mark.parametrize("name", ["three_moons", "shapes"])
@pytest.mark.parametrize("count", [0, -1, 1])
def test_too_few_generated_examples(name, count):
    with pytest.raises(ValueError, match=f"{name}: count is {count}"):
        data.load(name, count=count)


ARRAYS = {
    "no examples": ((POINTS[:0], LABEL[:0]), "no examples"),
    "one example": ((POINTS[:1], LABEL[:1]), "at least 2 classes"),
    "one class": ((POINTS, 0 * LABEL), "at least 2 classes"),
    "no label known": ((POINTS, 0 * LABEL - 1), "no example has a label"),
    "labels that are floats": ((POINTS, LABEL.astype(float)), "label has dtype float64"),
    "labels that are names": ((POINTS, LABEL.astype(str)), "label has dtype <U"),
    "labels one-hot": ((POINTS, np.eye(3)[LABEL]), r"label has shape \(6, 3\)"),
    "a label below -1": ((POINTS, LABEL - 3), "label -3 at index 0"),
    "fewer labels": ((POINTS, LABEL[:4]), r"label has shape \(4,\)"),
    "a label alone": ((POINTS, 3), r"label has shape \(\)"),
    "x of rank 1": ((POINTS[:, 0], LABEL), r"x has shape \(6,\)"),
    "x of names": ((POINTS.astype(str), LABEL), "x has dtype <U"),
    "complex x": ((POINTS.astype(complex), LABEL), "x has dtype complex"),
    "objects as x": ((POINTS.astype(object), LABEL), "x holds objects"),
    "NaN": ((hurt(np.nan), LABEL), "NaN or infinite values in 1 of 6"),
    "infinity": ((hurt(np.inf), LABEL), "the first at index 2"),
    "NaN in images": ((hurt(np.nan, IMAGES), LABEL), "NaN or infinite"),
    "float images of 0 to 255": ((hurt(255.0, IMAGES), LABEL), "range from 0 to 255"),
    "int64 images": ((IMAGES.astype(np.int64), LABEL), "x has dtype int64"),
    "uint16 images": ((IMAGES.astype(np.uint16), LABEL), "x has dtype uint16"),
}


@pytest.mark.parametrize("case", ARRAYS)
def test_arrays_that_do_not_fit(case):
    (x, label), message = ARRAYS[case]
    with pytest.raises(ValueError, match=message):
        data.from_arrays(x, label)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((2,), 1), "num_classes is 1"),
        (((2,), 0), "num_classes is 0"),
        (((2,), 3, "huge"), "No preset is called 'huge'"),
        (((8, 7, 1), 3, "compact"), r"\(8, 7, 1\)"),
        (((4, 4, 1), 3, "compact"), r"\(4, 4, 1\)"),
        (((520, 256, 3), 3, "compact"), r"\(520, 256, 3\)"),
        (((16, 16, 2), 3, "paper"), r"\(16, 16, 2\)"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_models_that_cannot_be(model, arguments, message):
    with pytest.raises(ValueError, match=message):
        MODELS[model](*arguments)


CONSTRUCTED = {
    "an unknown recipe": ({"recipe": "published"}, "No recipe is called 'published'"),
    "a width of nothing": ({"width": 0}, "width is 0"),
    "a width that is NaN": ({"width": float("nan")}, "width is nan"),
    "z_u of nothing": ({"latent_dim_u": -1}, "latent_dim_u is -1"),
    "z_s of nothing": ({"latent_dim_s": -2}, "latent_dim_s is -2"),
}


@pytest.mark.parametrize("case", CONSTRUCTED)
def test_arguments_of_a_model_that_do_not_fit(case):
    options, message = CONSTRUCTED[case]
    with pytest.raises(ValueError, match=message):
        dvae_tf.DisentangledVAEGAN((8, 8, 1), 3, preset="toy", **options)


CHANGED = {
    "an unknown number": ({"glow": 1}, "A recipe has no 'glow'"),
    "a weight that is NaN": ({"kl": float("nan")}, "kl is nan"),
    "a negative weight": ({"kl": -1.0}, "kl is -1.0"),
    "an empty schedule": ({"kl": ()}, "kl"),
    "no batch a joint step": ({"n_gm": 0}, "n_gm is 0"),
    "an unknown augmentation": (
        {"augmentation": ["blur"]},
        "No augmentation is called 'blur'; choose from transl",
    ),
}


@pytest.mark.parametrize("case", CHANGED)
def test_numbers_of_a_recipe_that_do_not_fit(case):
    changes, message = CHANGED[case]
    with pytest.raises(ValueError, match=message):
        Recipe.named("balanced").replace(**changes)


@pytest.fixture(scope="module")
def model():
    recipe = Recipe.named("balanced").replace(flow=False)
    return dvae_tf.DisentangledVAE((8, 8, 1), 3, preset="toy", recipe=recipe)


X = np.zeros((6, 8, 8, 1), np.float32)
FITTED = {
    "no label": ((X,), "only x"),
    "images in integers": ((IMAGES.astype(int), LABEL), "x has dtype int64"),
    "a label that is too large": (
        (X, LABEL + 1),
        "holds the label 3; the model takes 0 to 2",
    ),
    "a label below -1": ((X, LABEL - 2), "The batch holds the label -2"),
    "labels that are floats": ((X, LABEL + 0.5), "label has dtype float"),
    "labels one-hot": ((X, np.eye(3)[LABEL]), "label has dtype float"),
    "images of another size": ((np.zeros((6, 9, 9, 1), "f4"), LABEL), r"9, ?9, ?1"),
    "images of three channels": ((np.zeros((6, 8, 8, 3), "f4"), LABEL), r"8, ?8, ?3"),
    "images without channels": ((X[..., 0], LABEL), r"8, ?8[\])]"),
    "vectors": ((X.reshape(6, -1), LABEL), r"64[\])]"),
    "NaN": ((hurt(np.nan, X), LABEL), "The batch holds NaN or infinite values"),
    "infinity": ((hurt(np.inf, X), LABEL), "The batch holds NaN or infinite values"),
}


def damaged_shard(folder):
    """A dataset of six examples out of a TFRecord file of which one bit fell over."""
    path = folder / "shard.tfrecord"
    with tf.io.TFRecordWriter(str(path)) as writer:
        for image in X:
            writer.write(image.tobytes())
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    return tf.data.TFRecordDataset(str(path)).map(
        lambda record: (tf.reshape(tf.io.decode_raw(record, tf.float32), (8, 8, 1)), 1)
    )


def test_fit_with_a_damaged_shard(small, tmp_path):
    with pytest.raises(ValueError, match=r"A file of the data set is damaged \(corrupted record"):
        small.fit(damaged_shard(tmp_path).batch(2), steps_per_epoch=3, verbose=0)


def test_a_damaged_shard_is_not_loaded(tmp_path, monkeypatch):
    stream = Stream(damaged_shard(tmp_path), 6), Info("faces", "test", (8, 8, 1), ("a", "b"), 6)
    monkeypatch.setattr(catalog, "_examples", lambda *arguments, **options: stream)
    with pytest.raises(ValueError, match=r"damaged .* prepare it anew"):
        data.load_arrays("faces")


@pytest.fixture(scope="module")
def small():
    """A model whose step is quickly compiled, as it is for each shape that does not fit."""
    return ConditionalVAE((8, 8, 1), 3, preset="toy")


@pytest.mark.parametrize("case", FITTED)
def test_fit_with_what_does_not_fit(small, case):
    arguments, message = FITTED[case]
    before = [np.array(weight) for weight in small.trainable_weights]
    with pytest.raises(ValueError, match=message):
        small.fit(*arguments, batch_size=6, verbose=0)
    for weight, kept in zip(small.trainable_weights, before, strict=True):
        np.testing.assert_array_equal(weight, kept)


CODES = np.zeros((2, 2), np.float32)
U8 = np.zeros((3, 8, 8, 1), np.uint8)
ASKED = {
    "sample: a class too many": (lambda m: tasks.sample(m, [3]), r"label 3 is outside \[0, 3\)"),
    "sample: a negative class": (lambda m: tasks.sample(m, [-1]), "label -1 is outside"),
    "sample: half a class": (lambda m: tasks.sample(m, [0.5]), "label has dtype float64"),
    "sample: a name": (lambda m: tasks.sample(m, ["cat"]), "label has dtype <U"),
    "sample: a table": (lambda m: tasks.sample(m, [[0]]), r"shape \(1, 1\)"),
    "sample: cold": (lambda m: tasks.sample(m, [0], temperature=-1.0), "temperature is -1.0"),
    "sample: NaN": (lambda m: tasks.sample(m, [0], temperature=np.nan), "temperature is nan"),
    "generate: a class too many": (lambda m: m.generate([9]), "label 9 is outside"),
    "reconstruct: another size": (lambda m: tasks.reconstruct(m, U8[:, :7]), r"7, 8, 1"),
    "reconstruct: three channels": (
        lambda m: tasks.reconstruct(m, np.zeros((1, 8, 8, 3), np.uint8)),
        r"8, 8, 3",
    ),
    "reconstruct: one image alone": (lambda m: tasks.reconstruct(m, U8[0]), r"\(8, 8, 1\)"),
    "reconstruct: a number": (lambda m: tasks.reconstruct(m, 3), r"shape \(\)"),
    "reconstruct: NaN": (lambda m: tasks.reconstruct(m, hurt(np.nan, X)), "NaN"),
    "reconstruct: too bright": (lambda m: tasks.reconstruct(m, 255.0 + X), "255"),
    "reconstruct: integers": (lambda m: tasks.reconstruct(m, X.astype(int)), "int64"),
    "reconstruct: none": (lambda m: tasks.reconstruct(m, U8[:0]), "no examples"),
    "classify: text": (lambda m: tasks.classify(m, "cat.png"), "shape|dtype"),
    "swap: another size": (lambda m: tasks.swap(m, U8, U8[:, :7]), r"7, 8, 1"),
    "swap pairs: not as many": (lambda m: tasks.swap_pairs(m, U8, U8[:2]), "3 x_s and 2 x_u"),
    "walk: one step": (
        lambda m: tasks.interpolate_style(m, U8[:1], U8[1:2], steps=1),
        "steps is 1",
    ),
    "walk: another path": (
        lambda m: tasks.interpolate_style(m, U8[:1], U8[1:2], path="crooked"),
        "No path is called 'crooked'",
    ),
    "walk: no such class": (lambda m: tasks.interpolate_class(m, 0, 7, U8[:1]), "7"),
    "traverse: no such dimension": (
        lambda m: tasks.traverse(m, U8[:1], 99, [0.0]),
        "dimension is 99",
    ),
    "inpaint: a mask of floats": (
        lambda m: tasks.inpaint(m, U8, np.zeros((8, 8))),
        "mask has dtype float64",
    ),
    "inpaint: another mask": (
        lambda m: tasks.inpaint(m, U8, np.zeros((7, 8), bool)),
        r"shape \(7, 8\)",
    ),
    "inpaint: no iterations": (
        lambda m: tasks.inpaint(m, U8, np.zeros((8, 8), bool), iterations=0),
        "iterations is 0",
    ),
    "nearest: none": (lambda m: tasks.nearest(U8, U8, count=0), "count is 0"),
    "nearest: more than there are": (lambda m: tasks.nearest(U8, U8, count=4), "count is 4"),
    "decode: another z_s": (lambda m: m.decode(CODES[:, :1], CODES), r"z_s has shape \(2, 1\)"),
    "decode: another z_u": (lambda m: m.decode(CODES, CODES[0]), r"z_u has shape \(2,\)"),
    "encode: a number": (lambda m: m.encode(1.0), r"x has shape \(\)"),
}


@pytest.mark.parametrize("case", ASKED)
def test_tasks_with_what_does_not_fit(model, case):
    call, message = ASKED[case]
    with pytest.raises(ValueError, match=message):
        call(model)


def damaged(name, content):
    def damage(folder):
        (folder / name).write_bytes(content((folder / name).read_bytes()))

    return damage


RUNS = {
    "no run.json": (lambda f: (f / "run.json").unlink(), "holds no run"),
    "half a run.json": (damaged("run.json", lambda b: b[: len(b) // 2]), "run.json is damaged"),
    "an empty run.json": (damaged("run.json", lambda b: b""), "run.json is damaged"),
    "no model": (lambda f: (f / "model.keras").unlink(), "model.keras is missing"),
    "half a model": (damaged("model.keras", lambda b: b[: len(b) // 2]), "model.keras is damaged"),
    "an empty model": (damaged("model.keras", lambda b: b""), "model.keras is damaged"),
    "text as a model": (damaged("model.keras", lambda b: b"hello"), "model.keras is damaged"),
    "a flipped byte": (
        damaged("model.keras", lambda b: b[:-3000] + bytes([b[-3000] ^ 255]) + b[-2999:]),
        "model.keras is damaged",
    ),
}


@pytest.mark.parametrize("case", RUNS)
def test_runs_that_are_damaged(case, moons_run, tmp_path):
    damage, message = RUNS[case]
    folder = tmp_path / "run"
    shutil.copytree(moons_run, folder)
    damage(folder)
    with pytest.raises(ValueError, match=message):
        (runs.load(folder), runs.class_names(folder))
