import keras
import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from dvae_tf import DisentangledVAE, tasks
from dvae_tf.commands.generate import generate
from dvae_tf.commands.settings import GenerationSettings
from dvae_tf.files import write_json
from dvae_tf.models import Recipe


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


def images_run(folder, **recipe):
    """A run of an untrained model of 8x8 images."""
    model = DisentangledVAE(
        (8, 8, 3), 2, recipe=Recipe.named("balanced").replace(**recipe), seed=0, background="black"
    )
    folder.mkdir()
    model.save(folder / "model.keras")
    write_json(folder / "run.json", {})
    return folder


@pytest.mark.slow
def test_samples_are_drawn_like_images_of_a_new_class(tmp_path):
    files = []
    for number in range(2):
        files.append(str(tmp_path / f"new_{number}.png"))
        image = np.random.default_rng(number).integers(0, 256, (8, 8, 3), np.uint8)
        Image.fromarray(image).save(files[-1])
    run = images_run(tmp_path / "run", exemplars=0.5)
    settings = GenerationSettings(str(run), like=tuple(files), count=3, output=str(tmp_path / "o"))
    folder = generate(settings, Console(quiet=True))
    assert sorted(path.name for path in folder.iterdir()) == [
        f"000{number}_new_0.png" for number in range(3)
    ]
    model = keras.saving.load_model(run / "model.keras")
    code = model.class_code(np.stack([np.asarray(Image.open(file)) for file in files]))
    expected = tasks.sample(model, z_s=np.repeat(code[np.newaxis], 3, axis=0))
    np.testing.assert_array_equal(np.asarray(Image.open(folder / "0001_new_0.png")), expected[1])


def test_a_model_that_knows_its_own_classes_alone_says_so(tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    run = images_run(tmp_path / "run")
    with pytest.raises(ValueError, match="train with exemplars"):
        generate(GenerationSettings(str(run), like=(str(tmp_path / "a.png"),)))


def test_classes_or_images_not_both():
    with pytest.raises(ValueError, match="not both"):
        GenerationSettings(label=("1",), like=("a.png",))
