import csv
import sys

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from dvae_tf import data, runs, tasks
from dvae_tf.commands.encode import encode
from dvae_tf.commands.settings import EncodingSettings


def encoded(run, output, **options):
    settings = EncodingSettings(str(run), output=str(output), **options)
    return encode(settings, Console(quiet=True))


@pytest.fixture(scope="module")
def arrays(digits_run, tmp_path_factory):
    """The codes of the test split of digits: {name: array}."""
    path = encoded(digits_run, tmp_path_factory.mktemp("codes") / "codes.npz")
    with np.load(path) as file:
        return dict(file)


def test_arrays_are_what_the_tasks_give(arrays, digits_run):
    model, (test, info) = runs.load(digits_run), data.load_arrays("digits", "test")
    codes, probabilities = tasks.encode(model, test.x), tasks.classify(model, test.x)
    assert set(arrays) == {*codes._fields, "probabilities", "label", "predicted_class",
                           "class_names"}  # fmt: skip
    for name, expected in codes._asdict().items():
        np.testing.assert_allclose(arrays[name], expected, atol=1e-6)
    np.testing.assert_allclose(arrays["probabilities"], probabilities, atol=1e-6)
    np.testing.assert_array_equal(arrays["label"], test.label)
    np.testing.assert_array_equal(arrays["predicted_class"], probabilities.argmax(axis=-1))
    assert tuple(arrays["class_names"]) == info.class_names


def read_csv(path):
    with path.open(newline="") as file:
        first, *rows = csv.reader(file)
    return dict(zip(first, zip(*rows, strict=True), strict=True))


def read_parquet(path):
    return pytest.importorskip("pyarrow.parquet").read_table(path).to_pydict()


@pytest.mark.parametrize(("suffix", "read"), [("csv", read_csv), ("parquet", read_parquet)])
def test_tables_hold_the_same(suffix, read, arrays, digits_run, tmp_path):
    table = read(encoded(digits_run, tmp_path / f"codes.{suffix}"))
    expected = [arrays["label"], arrays["predicted_class"], *arrays["probabilities"].T]
    expected += [column for code in ("z_s", "z_u_mean", "z_u_stddev") for column in arrays[code].T]
    for found, column in zip(table.values(), expected, strict=True):
        np.testing.assert_allclose(np.array(found, float), column, rtol=1e-6)
    titles = list(table)
    assert titles[:3] == ["label", "predicted_class", "probability_0"]
    assert titles[12:14] == ["z_s_0", "z_s_1"]
    assert titles[-1] == f"z_u_stddev_{arrays['z_u_stddev'].shape[1] - 1}"


def test_other_data_of_the_same_shape_is_encoded_and_missing_labels_stay_missing(
    moons_run, tmp_path
):
    x = np.linspace(-1.0, 1.0, 40, dtype=np.float32).reshape(20, 2)
    label = np.array([0, 1, 2, -1] * 5)
    names = np.array(runs.class_names(moons_run))
    np.savez(tmp_path / "mine.npz", x=x, label=label, class_names=names)
    options = {"data": f"npz:{tmp_path}/mine.npz", "split": "train"}
    with np.load(encoded(moons_run, tmp_path / "codes.npz", **options)) as found:
        assert -1 in found["label"]
        assert set(found["predicted_class"]) <= {0, 1, 2}


@pytest.mark.slow
def test_what_does_not_fit_is_named_and_nothing_is_written(digits_run, moons_run, tmp_path):
    other = tmp_path / "other.npz"
    np.savez(other, x=np.zeros((20, 2), np.float32), label=np.arange(20) % 2)
    cases = {
        "give a file that ends in .npz, .csv, .parquet": {
            "run": tmp_path / "none",
            "output": "codes.txt",
        },
        "holds no run": {"run": tmp_path / "none"},
        "three_moons: the class 'left' is not one of those that are trained": {
            "run": digits_run,
            "data": "three_moons",
        },
        "the class '0' is not one of those that are trained": {
            "run": moons_run,
            "data": f"npz:{other}",
        },
        "Split 'half' cannot be read": {"run": moons_run, "split": "half"},
    }
    for message, options in cases.items():
        with pytest.raises(ValueError, match=message):
            encoded(**{"output": str(tmp_path / "codes.npz")} | options)
    assert list(tmp_path.iterdir()) == [other]


def test_a_baseline_has_no_codes(moons_run, tmp_path, monkeypatch):
    class Baseline:
        has_codes = False

    monkeypatch.setattr(runs, "load", lambda _: Baseline())
    with pytest.raises(ValueError, match="holds a Baseline, which has no codes"):
        encoded(moons_run, tmp_path / "codes.npz")


def test_images_of_another_size_are_resized_to_the_models(digits_run, tmp_path):
    for name in ("3", "7"):
        (tmp_path / name).mkdir()
        for number in range(5):
            image = np.full((40, 40, 3), 20 * number, np.uint8)
            Image.fromarray(image).save(tmp_path / name / f"{number}.png")
    with pytest.raises(ValueError, match=r"shape \(16, 16, 3\), but the model takes \(16, 16, 1\)"):
        encoded(digits_run, tmp_path / "codes.npz", data=f"folder:{tmp_path}")


def test_parquet_without_pyarrow_names_the_extra(moons_run, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'dvae_tf\[tables\]'"):
        encoded(moons_run, tmp_path / "codes.parquet")
