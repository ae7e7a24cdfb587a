"""Makes a shipped model of a run: small, exported, with card and checksums."""

import pathlib
import shutil

import keras
from rich.console import Console

from dvae_tf import runs
from dvae_tf.commands.export import export
from dvae_tf.commands.settings import ExportSettings, ShippingSettings
from dvae_tf.files import beside, read_json, write_json, written
from dvae_tf.models import DisentangledVAE
from dvae_tf.runs import shipped
from dvae_tf.runs.examples import FILE as EXAMPLES


def ship(settings: ShippingSettings, console: Console | None = None) -> pathlib.Path:
    """Makes a model that ships of a run.

    Keeps what use needs: without the optimisers, the discriminator and the other TFLite files.

    Args:
        settings: ShippingSettings.
        console: rich.console.Console for what is printed. Defaults to standard output.

    Returns:
        pathlib.Path of the folder.

    Raises:
        ValueError: if there is no such run, it is not measured or holds a baseline, its export
            fails, or the name is that of no folder below saved_models.
    """
    console = console or Console()
    target = shipped.FOLDER / settings.name
    if target.parent != shipped.FOLDER or settings.name == "..":
        raise ValueError(f"{settings.name!r} is no name of a folder; give one without slashes.")
    folder = runs.find(settings.run)
    runs.expect_no_table(folder)
    model = without_training(runs.load(folder))
    with beside(target) as aside:
        made = aside / settings.name
        made.mkdir(parents=True)
        model.save(made / "model.keras")
        for name in ("run.json", "report.json"):
            write_json(made / name, read_json(folder / name))
        _export(folder, made, settings.numbers, console)
        write_checksums(made)
        if target.exists():
            shutil.rmtree(target)
        made.rename(target)
    console.print(str(target), soft_wrap=True, markup=False)
    return target


def _export(folder, made, numbers, console):
    """Exports with the examples of the run, which do not ship."""
    examples = made / EXAMPLES
    if (folder / EXAMPLES).exists():
        shutil.copyfile(folder / EXAMPLES, examples)
    settings = ExportSettings(
        str(made), saved_model=True, tflite=True, numbers=numbers, output=str(made)
    )
    export(settings, console)
    examples.unlink(missing_ok=True)


def without_training(model) -> DisentangledVAE:
    """Copies what use needs into a DisentangledVAE with optimisers without state.

    Args:
        model: one of `dvae_tf.models`.

    Returns:
        DisentangledVAE.

    Raises:
        ValueError: if the model has no codes.
    """
    if not model.has_codes:
        raise ValueError(
            f"A {type(model).__name__} has no codes and does not ship; give a run of "
            "disentangled_vae or disentangled_vae_gan."
        )
    config = model.get_config()
    config.pop("discriminator", None)
    small = DisentangledVAE.from_config(config)
    for name, network in small.networks().items():
        network.set_weights(model.networks()[name].get_weights())
    small.prior_s.set_weights(model.prior_s.get_weights())
    counters: dict = {}
    model.save_own_variables(counters)
    small.load_own_variables(counters)
    small.compile(keras.optimizers.SGD())
    return small


def write_checksums(folder: pathlib.Path) -> None:
    """Writes SHA256SUMS of all files of a model, in the format of sha256sum.

    Args:
        folder: pathlib.Path.
    """
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    lines = [
        f"{shipped.checksum(path)}  {path.relative_to(folder).as_posix()}"
        for path in files
        if path.name != shipped.CHECKSUMS
    ]
    with written(folder / shipped.CHECKSUMS) as temporary:
        temporary.write_text("\n".join(lines) + "\n")
