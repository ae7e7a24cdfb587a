import numpy as np
import pytest
from rich.console import Console

from dvae_tf.commands.generate import generate
from dvae_tf.commands.settings import GenerationSettings


@pytest.fixture
def draw(moons_run):
    """Draws samples of the run on three moons and returns what is printed."""

    def drawn(**options):
        console = Console(width=500)
        with console.capture() as printed:
            generate(GenerationSettings(str(moons_run), **options), console)
        return printed.get()

    return drawn


@pytest.mark.slow
def test_generate_writes_an_array(draw, tmp_path):
    options = {"count": 5, "seed": 1}
    line = draw(label=("middle", "2"), output=str(tmp_path / "out.npy"), **options)
    samples = np.load(tmp_path / "out.npy")
    assert samples.shape == (10, 2)
    assert line.startswith("10 samples of ")
    draw(label=("1", "right"), output=str(tmp_path / "again.npy"), **options)
    np.testing.assert_array_equal(samples, np.load(tmp_path / "again.npy"))


def test_generate_draws_points(draw, tmp_path):
    draw(output=str(tmp_path / "out.png"))
    assert (tmp_path / "out.png").stat().st_size > 5000


@pytest.mark.slow
def test_all_classes_have_4_samples_and_chosen_ones_16(draw, tmp_path):
    assert draw(output=str(tmp_path / "all.npy")).startswith("12 samples")
    assert draw(output=str(tmp_path / "one.npy"), label=("0",)).startswith("16 samples")


def test_names_of_files_are_printed_as_they_are(draw, tmp_path):
    assert draw(output=str(tmp_path / "[red].npy")).endswith("[red].npy\n")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"label": ("top",)},
            "There is no class 'top'; give a name or a number: 0 left, 1 middle",
        ),
        ({"label": ("3",)}, "There is no class '3'"),
        ({"count": 0}, "count is 0"),
        ({"temperature": -1.0}, "temperature is -1"),
        ({"output": "folder"}, "the model makes vectors; give a .npy file"),
    ],
)
def test_generate_names_what_is_wrong_and_writes_nothing(
    draw, options, message, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=message):
        draw(**options)
    assert list(tmp_path.iterdir()) == []
