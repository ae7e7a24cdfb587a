"""The settings of every command, each declared once.

A frozen dataclass a command: its fields make the arguments and the help of the shell
(`command_line.py`), what run.json records, and the call from Python. Nothing heavy is imported
here, so that `dvae --help` answers at once.
"""

import dataclasses
import math
import re
from typing import Any

DATASETS = (
    "three_moons, shapes, digits, folder:PATH, npz:PATH, table:PATH (.csv, .parquet), or a name of "
    "TensorFlow Datasets such as "
    "mnist, fashion_mnist, svhn_cropped, cifar10"
)
NUMBERS = ("float32", "float16", "dynamic_int8", "int8")
# The values that suit a table and other data, of settings that none was given for.
SUITS: dict[str, dict] = {
    "recipe": {"table": "table", "other": "balanced"},
    "model": {"table": "disentangled_vae", "other": "disentangled_vae_gan"},
    "epochs": {"table": 8, "other": 40},
}
EPOCHS = "{table} for a table, else {other}".format(**SUITS["epochs"])
MODELS = ("disentangled_vae_gan", "disentangled_vae", "cvae", "cgan", "cvae_gan")
RUN = "folder of the run (default: the newest, or the model that ships)"
MOVED = "where the run's data lies now, such as folder:PATH (default: where it was trained)"
# What TensorFlow's random numbers take.
MOST_SEED = 2**31 - 1


def setting(
    default: Any,
    text: str,
    flag: str | None = None,
    metavar: str | None = None,
    choices: tuple = (),
    positional: bool = False,
    recorded: bool = True,
) -> Any:
    """Declares a setting, a field of a dataclass.

    Args:
        default: its value where none is given; dicts are copied.
        text: str, what `--help` says of it.
        flag: str, its option at the shell. Defaults to the field's name with hyphens.
        metavar: str, what `--help` calls its value. Defaults to argparse's choice.
        choices: tuple, the values that there are. Defaults to any.
        positional: bool, whether it needs no option at the shell. Defaults to False.
        recorded: bool, whether it belongs to what is made, and not to where and how: run.json keeps
            it then. Defaults to True.

    Returns:
        dataclasses.Field.
    """
    metadata = {
        "text": text,
        "flag": flag,
        "metavar": metavar,
        "choices": choices,
        "positional": positional,
        "recorded": recorded,
    }
    if isinstance(default, dict):
        return dataclasses.field(default_factory=lambda: dict(default), metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def recorded(settings) -> dict:
    """What of some settings belongs to what is made: what run.json keeps.

    Args:
        settings: dataclass of this module.

    Returns:
        dict of field name to value, ready for JSON.

    Examples:
        >>> "output" in recorded(TrainingSettings(output="runs/one"))
        False
    """
    values = {
        field.name: getattr(settings, field.name)
        for field in dataclasses.fields(settings)
        if field.metadata["recorded"]
    }
    return {name: list(v) if isinstance(v, tuple) else v for name, v in values.items()}


def _at_least(settings, least, *names):
    """Refuses settings below a bound; None passes."""
    for name in names:
        value = getattr(settings, name)
        if value is not None and not value >= least:
            raise ValueError(f"{name} is {value}; give at least {least}.")


def _size(value):
    """A size as the shell takes it; in Python and in files it may be an int or a pair of them."""
    if value is None:
        return None
    text = "x".join(map(str, value)) if isinstance(value, tuple | list) else str(value)
    if not re.fullmatch(r"[1-9]\d*(x[1-9]\d*)?", text):
        raise ValueError(f"size is {text}; give HEIGHT or HEIGHTxWIDTH, such as 64 or 48x64.")
    return text


@dataclasses.dataclass(frozen=True)
class Settings:
    """What all settings share: a value that must be one of some is one of them; seeds fit.

    Raises:
        ValueError: if a value is none of its choices, or a seed out of range.
    """

    def __post_init__(self):
        for field in dataclasses.fields(self):
            value, choices = getattr(self, field.name), field.metadata["choices"]
            if isinstance(value, list):  # As JSON has it.
                value = tuple(value)
                object.__setattr__(self, field.name, value)
            for single in value if isinstance(value, tuple) else (value,):
                if field.name in ("seed", "seeds") and not 0 <= single <= MOST_SEED:
                    raise ValueError(f"The seed is {single}; give 0 to {MOST_SEED}.")
                if choices and single not in choices:
                    raise ValueError(
                        f"No {field.name.removesuffix('s')} is called {single!r}; choose one of "
                        f"{', '.join(choices)}."
                    )


@dataclasses.dataclass(frozen=True)
class ModelSettings(Settings):
    """What a model is made of and trained on: shared by train, compare and tune."""

    dataset: str = setting("digits", DATASETS)
    preset: str = setting(
        "compact", "family of networks: toy, compact, placed, paper, or paper-ROW"
    )
    width: float = setting(1.0, "factor on the preset's numbers of filters and units")
    recipe: str | None = setting(
        None,
        "numbers of the training: balanced, table, or paper, as published (default: table for a "
        "table, else balanced)",
    )
    changes: dict = setting(
        {},
        "numbers in place of the recipe's, in JSON: kl=0.5 flow=false 'kl=[0, 1, 1]' "
        "(docs/method.md lists them)",
        flag="--set",
        metavar="NAME=VALUE",
    )
    epochs: int | None = setting(
        None,
        "passes over the data; small data is passed over several times an epoch, until that has "
        f"100 steps (default: {EPOCHS})",
    )
    batch_size: int = setting(96, "examples a step")
    size: str | None = setting(
        None,
        "what images are resized to, in pixels: the side of squares, or height and width",
        metavar="HEIGHT[xWIDTH]",
    )
    background: str = setting("white", "colour behind transparent parts of images, or #rrggbb")
    label: str | None = setting(None, "table: the column of the classes", metavar="COLUMN")
    drop: tuple[str, ...] = setting((), "table: columns that are not used", metavar="COLUMN")
    latent_dim_s: int | None = setting(None, "size of z_s (default: the preset's)")
    latent_dim_u: int | None = setting(None, "size of z_u (default: the preset's)")
    labelled: float = setting(1.0, "share of the training examples that keep their label")
    dtype_policy: str | None = setting(
        None,
        "Keras's, such as mixed_bfloat16, which is faster where the processor or the GPU knows it "
        "(default: float32)",
        metavar="POLICY",
    )

    def __post_init__(self):
        suits = "table" if self.dataset.startswith("table:") else "other"
        for name in self.to_choose:
            if getattr(self, name) is None:
                object.__setattr__(self, name, SUITS[name][suits])
        super().__post_init__()
        _at_least(self, 1, "epochs", "batch_size", "latent_dim_s", "latent_dim_u")
        object.__setattr__(self, "size", _size(self.size))
        if not 0.0 < self.width < math.inf:
            raise ValueError(f"width is {self.width}; give a factor above 0, such as 2.")
        if not 0.0 < self.labelled <= 1.0:
            raise ValueError(f"labelled is {self.labelled}; give a share above 0, at most 1.")

    @property
    def to_choose(self) -> tuple[str, ...]:
        """The settings that get the value that suits the data, if none was given."""
        return tuple(name for name in SUITS if hasattr(self, name))


@dataclasses.dataclass(frozen=True)
class TrainingSettings(ModelSettings):
    """Trains a model on a data set, then measures it and draws what it has learnt.

    Without arguments: the bundled handwritten digits, into runs/digits.
    """

    epochs: int | None = setting(
        None,
        "passes over the data; small data is passed over several times an epoch, until that has "
        f"100 steps (default: {EPOCHS}; where a run is resumed, its own)",
    )
    model: str | None = setting(
        None,
        "disentangled_vae_gan, disentangled_vae (without the discriminator), or a baseline: cvae, "
        "cgan, cvae_gan (default: disentangled_vae for a table, else disentangled_vae_gan)",
        choices=MODELS,
    )
    seed: int = setting(0, "of everything random")
    output: str | None = setting(None, "folder of the run (default: runs/DATASET)", recorded=False)
    resume: bool = setting(
        False,
        "go on with the run in --output, by default the newest; its own settings hold, but "
        "--epochs may be raised",
        recorded=False,
    )
    settings: str | None = setting(
        None,
        "JSON file of settings in place of the defaults, such as the best.json of `dvae tune`",
        metavar="FILE",
        recorded=False,
    )
    strategy: str | None = setting(
        None,
        "mirrored: all GPUs of this machine; multi_worker: several machines, one process each "
        "(default: one device)",
        recorded=False,
    )
    workers: tuple[str, ...] = setting(
        (),
        "all workers, the same on each (default: TF_CONFIG)",
        metavar="HOST:PORT",
        recorded=False,
    )
    worker_index: int | None = setting(
        None, "which of them this process is, from 0", recorded=False
    )

    @property
    def to_choose(self) -> tuple[str, ...]:
        """As of all settings of models; a resumed run has epochs of its own."""
        names = super().to_choose
        return tuple(name for name in names if name != "epochs") if self.resume else names

    @classmethod
    def of(cls, settings: ModelSettings, **others) -> "TrainingSettings":
        """Makes the settings of a run that shares data, networks and recipe with others.

        Args:
            settings: ModelSettings, of a comparison or a search.
            **others: the settings that are not among these.

        Returns:
            TrainingSettings.
        """
        shared = {
            field.name: getattr(settings, field.name) for field in dataclasses.fields(ModelSettings)
        }
        return cls(**shared, **others)


@dataclasses.dataclass(frozen=True)
class EvaluationSettings(Settings):
    """Measures a trained model on its test split: report.json, report.html and pictures.

    Without arguments: all figures of the newest run.
    """

    run: str | None = setting(None, RUN, positional=True)
    parts: tuple[str, ...] = setting(
        (),
        "judge, classification, reconstruction, columns, samples, swap, leakage, density_bound, "
        "zu_prior, activity, factors, generation (default: all)",
        metavar="PART",
    )
    data: str | None = setting(None, MOVED, metavar="DATA")
    targets: tuple[str, ...] = setting(
        (),
        "table: columns that the training dropped, for probes to predict from the codes",
        metavar="COLUMN",
    )


@dataclasses.dataclass(frozen=True)
class GenerationSettings(Settings):
    """Draws images, or rows of a table, of chosen classes with a trained model.

    Without arguments: four of each class with the newest run, into samples.png or samples.csv.
    """

    run: str | None = setting(None, RUN, positional=True)
    label: tuple[str, ...] = setting(
        (), "numbers or names of classes (default: all)", metavar="CLASS"
    )
    like: tuple[str, ...] = setting(
        (),
        "image files of one class, which need not be one of the training's, in place of classes; "
        "for a model trained with exemplars",
        metavar="FILE",
    )
    count: int | None = setting(None, "of each class (default: 16 if chosen, 4 for all)")
    output: str | None = setting(
        None,
        "a .png, .jpg, .webp, .pdf or .svg file (one picture), a .npy or .npz file (arrays), a "
        "name without a suffix: a folder (a PNG file an image); of a table a .csv or .parquet file "
        "(default: samples.png or samples.csv)",
    )
    temperature: float = setting(1.0, "factor on the priors' deviations; 0: the class's mean")
    seed: int = setting(0, "the same seed gives the same images")

    def __post_init__(self):
        super().__post_init__()
        _at_least(self, 1, "count")
        if self.label and self.like:
            raise ValueError("Give --label or --like, not both.")
        if not 0.0 <= self.temperature < math.inf:
            raise ValueError(f"temperature is {self.temperature}; give 0 or more.")


@dataclasses.dataclass(frozen=True)
class ExplorationSettings(Settings):
    """Shows what a trained model does with images: reconstructions, swaps, interpolations.

    The images are those of the run's test split, or your own (--images). What is not given has the
    default of its picture.
    """

    picture: str = setting(
        "reconstruct",
        "reconstruct, classify, swap, interpolate-class, interpolate-style, traverse, inpaint, "
        "or nearest",
        choices=(
            "reconstruct",
            "classify",
            "swap",
            "interpolate-class",
            "interpolate-style",
            "traverse",
            "inpaint",
            "nearest",
        ),
        positional=True,
    )
    run: str | None = setting(None, RUN, positional=True)
    images: tuple[str, ...] = setting((), "image files in place of the test split", metavar="FILE")
    data: str | None = setting(None, MOVED, metavar="DATA")
    output: str | None = setting(
        None,
        ".png, .jpg, .webp, .pdf or .svg file, or arrays as .npy or .npz (default: the picture's "
        "name, .png)",
    )
    seed: int = setting(0, "of the choice of images and of samples")
    count: int | None = setting(None, "rows, or images in the row")
    columns: int | None = setting(None, "swap: donors of z_u")
    steps: int | None = setting(None, "interpolate, traverse: images from end to end")
    path: str | None = setting(None, "interpolate: straight or spherical")
    to: str | None = setting(
        None, "interpolate-class: number or name of the last class", metavar="CLASS"
    )
    dimension: int | None = setting(None, "traverse: of z_u (default: the most active)")
    extent: float | None = setting(None, "traverse: the ends, in deviations of the prior")
    hole: int | None = setting(None, "inpaint: side of the square in pixels (default: half)")
    mask: str | None = setting(None, "inpaint: an image that is white in the hole", metavar="FILE")
    iterations: int | None = setting(None, "inpaint: how often the hole is filled again")
    neighbours: int | None = setting(None, "nearest: training images beside each sample")

    def __post_init__(self):
        super().__post_init__()
        _at_least(self, 1, "count", "columns", "steps", "neighbours")
        if self.images and self.data:
            raise ValueError("Both images and data came; give one of them.")


@dataclasses.dataclass(frozen=True)
class EncodingSettings(Settings):
    """Writes codes, class probabilities and labels of data to a file.

    Without arguments: of the run's test split, into codes.npz.
    """

    run: str | None = setting(None, RUN, positional=True)
    data: str | None = setting(None, f"data to encode (default: the run's own): {DATASETS}")
    split: str | None = setting(
        None,
        "of that data, such as test, train or 'train[:90%%]' (default: test; of another table all "
        "rows in their order)",
    )
    use_labels: bool = setting(
        False,
        "encode each example as of its own class, where that is known, in place of the predicted "
        "one: nothing of the class is left in z_u where the prediction is wrong",
    )
    output: str = setting(
        "codes.npz", "a .npz file (arrays), a .csv or a .parquet file (a row an example)"
    )


@dataclasses.dataclass(frozen=True)
class GallerySettings(Settings):
    """Shows trained models on one web page: samples, swaps, interpolations, filled holes.

    The page is one file and loads nothing from elsewhere.
    """

    runs: tuple[str, ...] = setting(
        (),
        "folders of runs (default: the newest, or the model that ships)",
        metavar="RUN",
        positional=True,
    )
    output: str = setting("gallery.html", "the page")
    seed: int = setting(0, "of samples and of the choice of images")


@dataclasses.dataclass(frozen=True)
class ComparisonSettings(ModelSettings):
    """Trains models under the same budget, measures them and puts them into one table.

    Trains and measures what is not there yet, one run at a time; started again, it goes on.
    """

    models: tuple[str, ...] = setting(
        ("cvae", "cgan", "cvae_gan", "disentangled_vae", "disentangled_vae_gan"),
        "models to compare",
        choices=MODELS,
        metavar="MODEL",
    )
    variants: dict[str, dict] = setting(
        {},
        "one more column: the first of --models with other numbers in its recipe, such as "
        "--variant no-flow flow=false; may be given several times",
        flag="--variant",
        metavar="NAME",
    )
    seeds: tuple[int, ...] = setting((0,), "one run of each model a seed")
    output: str | None = setting(None, "folder (default: runs/compare-DATASET)", recorded=False)


@dataclasses.dataclass(frozen=True)
class SearchSettings(ModelSettings):
    """Searches for better numbers of the recipe with keras-tuner, on validation data.

    Started again, it goes on where it was stopped. The best settings are written to best.json, for
    `dvae train --settings`.
    """

    epochs: int | None = setting(20, "of each run (hyperband: of the longest)")
    model: str | None = setting(
        None, "the model to train (default: as of `dvae train`)", choices=MODELS
    )
    trials: int = setting(12, "settings to try (hyperband: as many as its brackets hold)")
    minimise: str | None = setting(
        None,
        "the figure to make small, a key of report.json such as generation.samples.fid (default: "
        "reconstruction_mse)",
        metavar="FIGURE",
    )
    maximise: str | None = setting(None, "or the figure to make large", metavar="FIGURE")
    at_most: dict = setting(
        {},
        "upper bounds that a good run keeps: zu_leakage.mean.strongest=0.15",
        metavar="FIGURE=NUMBER",
    )
    at_least: dict = setting(
        {"sample_consistency": 0.9}, "lower bounds that a good run keeps", metavar="FIGURE=NUMBER"
    )
    algorithm: str = setting("bayesian", "how to search", choices=("bayesian", "hyperband"))
    seed: int = setting(0, "of the choices and of all runs")
    output: str | None = setting(None, "folder (default: runs/tune-DATASET)", recorded=False)

    def __post_init__(self):
        super().__post_init__()
        _at_least(self, 1, "trials")
        if self.minimise and self.maximise:
            raise ValueError("Both minimise and maximise came; give one figure.")


@dataclasses.dataclass(frozen=True)
class ExportSettings(Settings):
    """Exports a trained model: SavedModel for TF Serving, TFLite, ONNX, a page for the browser.

    Without arguments: a SavedModel of the newest run, or of the model that ships.
    """

    run: str | None = setting(None, RUN, positional=True)
    saved_model: bool = setting(
        False, "a SavedModel in OUTPUT/<next version>, as TF Serving wants it (the default)"
    )
    tflite: bool = setting(False, "TFLite files: float32, float16, dynamic and full int8")
    numbers: tuple[str, ...] = setting(
        (), "of the TFLite files (default: all)", choices=NUMBERS, metavar="NUMBERS"
    )
    onnx: bool = setting(False, "ONNX files, one a function")
    web: bool = setting(False, "a static folder that generates in the browser")
    output: str | None = setting(None, "folder (default: RUN/export)")

    def __post_init__(self):
        super().__post_init__()
        if self.numbers and not self.tflite:
            raise ValueError("numbers came without tflite; they are those of the TFLite files.")

    @property
    def formats(self) -> tuple[str, ...]:
        """The names of the formats that were asked for."""
        names = ("saved_model", "tflite", "onnx", "web")
        return tuple(name for name in names if getattr(self, name)) or names[:1]


@dataclasses.dataclass(frozen=True)
class ServingSettings(Settings):
    """Serves an exported model on this machine, with TF Serving's own REST and gRPC interfaces.

    For a laptop and for tests; in production use TF Serving itself (deploy/tf-serving). A newer
    version that `dvae export` puts beside the served one is taken up without a pause.
    """

    model: str | None = setting(
        None,
        "folder with a folder for each version: the --output of `dvae export` (default: the export "
        "of the newest run, or the model that ships)",
        positional=True,
    )
    name: str = setting("dvae", "what the model is called")
    port: int = setting(8501, "of REST")
    grpc_port: int = setting(8500, "of gRPC")
    host: str = setting("127.0.0.1", "0.0.0.0 for other machines")
    most_requests: float | None = setting(
        None, "requests a second that are answered (default: all)", metavar="NUMBER"
    )


@dataclasses.dataclass(frozen=True)
class ShippingSettings(Settings):
    """Makes the model that ships of a run: saved_models/NAME, exported, with card and checksums.

    Without arguments: of the newest run, as digits. `make shipped` trains that run first.
    """

    run: str | None = setting(None, RUN, positional=True)
    name: str = setting("digits", "folder below saved_models")
    numbers: tuple[str, ...] = setting(
        ("float32", "int8"),
        "of the TFLite files: what a device cannot make again of another",
        choices=NUMBERS,
        metavar="NUMBERS",
    )
