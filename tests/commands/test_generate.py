import numpy as np
import pytest

from dvae_tf.commands.generate import generate


def test_generate_writes_an_array(moons_run, tmp_path):
    line = generate(moons_run, ["middle", "2"], 5, tmp_path / "out.npy", seed=1)
    samples = np.load(tmp_path / "out.npy")
    assert samples.shape == (10, 2)
    assert line.startswith("10 samples of ")
    generate(moons_run, ["1", "right"], 5, tmp_path / "again.npy", seed=1)
    np.testing.assert_array_equal(samples, np.load(tmp_path / "again.npy"))


def test_generate_draws_points(moons_run, tmp_path):
    generate(moons_run, output=tmp_path / "out.png")
    assert (tmp_path / "out.png").stat().st_size > 5000


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"label": ["top"]}, "There is no class 'top'; give a name or a number: 0 left, 1 middle"),
        ({"label": ["3"]}, "There is no class '3'"),
        ({"count": 0}, "count is 0"),
        ({"temperature": -1.0}, "temperature is -1"),
        ({"output": "folder"}, "the model makes vectors; give a .npy file"),
    ],
)
def test_generate_names_what_is_wrong_and_writes_nothing(
    moons_run, options, message, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=message):
        generate(moons_run, **options)
    assert list(tmp_path.iterdir()) == []
