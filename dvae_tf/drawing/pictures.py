"""The pictures of a run: samples, swaps, reconstructions, codes and metrics."""

import pathlib

import numpy as np
from sklearn.decomposition import PCA

from dvae_tf import tasks
from dvae_tf.data.examples import Arrays, Info
from dvae_tf.data.pixels import as_floats, as_pixels
from dvae_tf.drawing import plots, table_plots
from dvae_tf.drawing.html import Picture
from dvae_tf.runs import read_history

MOST_CLASSES = 10
COLUMNS = 10
MOST_CODES = 1000
MOST_POINTS = 600
MOST_ROWS = 5000


def _same(points):
    return points


def draw(
    folder: pathlib.Path,
    model,
    train: Arrays,
    test: Arrays,
    info: Info,
    figures: dict,
    seed: int = 0,
):
    """Draws all pictures of a model.

    Args:
        folder: pathlib.Path of the run.
        model: one of `dvae_tf.models`.
        train: Arrays that it was trained on.
        test: Arrays, held-out examples.
        info: Info of the data.
        figures: dict, the content of report.json; metrics that were not measured are not drawn.
        seed: int, for samples and the choice of examples. Defaults to 0.

    Returns:
        list of Picture(path, caption).
    """
    encodes = model.has_codes
    captions: dict = {}
    if info.is_image:
        captions |= _draw_samples(folder, model, train, info, seed)
        if encodes:
            captions |= _draw_swaps(folder, model, test, info)
    elif info.columns:
        captions |= _draw_table(folder, model, test, info, seed)
    else:
        captions |= _draw_points(folder, model, test, info, seed)
    if encodes:
        captions |= _draw_codes(folder, model, test, info, seed)
    captions |= draw_figures(folder, figures)
    rows = read_history(folder / "history.csv")
    if rows:
        plots.history(folder / "history.png", rows, [metric.name for metric in model.metrics])
        captions["history"] = "The losses of training and validation."
    return [Picture(folder / f"{name}.png", caption) for name, caption in captions.items()]


def _draw_samples(folder, model, train, info, seed):
    classes = min(info.num_classes, MOST_CLASSES)
    names = info.class_names[:classes]
    drawn = tasks.sample(model, np.repeat(np.arange(classes), COLUMNS), seed=seed)
    rows = drawn.reshape(classes, COLUMNS, *info.shape)
    title = "Samples: codes from the priors"
    plots.image_grid(folder / "samples.png", rows, names, title)
    first = rows[:, 0]
    found = tasks.nearest(first, train.x).index[:, 0]
    plots.image_grid(
        folder / "nearest.png",
        np.stack([first, as_pixels(train.x[found])]),
        ["sample", "nearest training image"],
        "Samples and the nearest training images",
        names,
    )
    return {
        "samples": "Samples, one class per row: codes drawn from the priors.",
        "nearest": "Are samples copies? The first sample of each class, and the training image "
        "nearest to it in mean squared difference.",
    }


def _draw_swaps(folder, model, test, info):
    present = np.unique(test.label)[:MOST_CLASSES]
    first = np.array([np.flatnonzero(test.label == c)[0] for c in present])
    last = np.array([np.flatnonzero(test.label == c)[-1] for c in present])
    x_s, x_u = test.x[first], test.x[last]
    names_s = [info.class_names[label] for label in test.label[first]]
    names_u = [info.class_names[label] for label in test.label[last]]
    plots.swap_grid(folder / "swap.png", x_s, x_u, tasks.swap(model, x_s, x_u), names_s, names_u)
    plots.image_grid(
        folder / "reconstruction.png",
        np.stack([as_pixels(x_s), tasks.reconstruct(model, x_s)]),
        ["held-out image", "reconstruction"],
        "Reconstructions of held-out images",
        names_s,
    )
    return {
        "swap": "Swaps of held-out images: z_s of the row's image, z_u of the column's.",
        "reconstruction": "Held-out images and their reconstructions.",
    }


def _draw_table(folder, model, test, info, seed):
    rows = np.random.default_rng(seed).permutation(len(test.label))[:MOST_ROWS]
    real, drawn = test.x[rows], tasks.sample(model, test.label[rows], seed=seed)
    frames = info.columns.frame(real), info.columns.frame(drawn)
    title = "Held-out rows, and as many drawn ones of the same classes"
    table_plots.marginals(folder / "columns.png", info.columns, *frames, title)
    table_plots.correlations(folder / "correlations.png", info.columns, real, drawn, title)
    return {
        "columns": "The values of every column, of held-out rows and of drawn ones.",
        "correlations": "The correlations of all values of a row, of held-out rows and of drawn "
        "ones.",
    }


def _draw_points(folder, model, test, info, seed):
    x, label = test.x[:MOST_POINTS], test.label[:MOST_POINTS]
    others = {"samples": ("samples of the model", tasks.sample(model, label, seed=seed))}
    if model.has_codes:
        partner = np.random.default_rng(seed).permutation(len(x))
        swaps = tasks.swap_pairs(model, x, x[partner])
        others |= {
            "reconstruction": ("their reconstructions", tasks.reconstruct(model, x)),
            "swap": ("with the z_u of another point; colour: class of z_s", swaps),
        }
    plane = _plane(x.reshape(len(x), -1))
    axis_names = ("x", "y") if plane is _same else ("component 1", "component 2")
    for name, (title, points) in others.items():
        panels = {"held-out points": x, title: points}
        plots.scatter(
            folder / f"{name}.png",
            {key: (plane(value.reshape(len(value), -1)), label) for key, value in panels.items()},
            info.class_names,
            f"{info.name}: {name}",
            axis_names,
        )
    captions = {name: f"Held-out points, and {title}." for name, (title, _) in others.items()}
    return captions | _draw_progress(folder, info, plane, axis_names)


def _draw_progress(folder, info, plane, axis_names):
    panels = progress(folder, info.num_classes, plane)
    if not panels:
        return {}
    title = f"{info.name}: samples during training"
    path = folder / "progress.png"
    plots.scatter_grid(path, {"": panels}, info.class_names, title, axis_names)
    return {"progress": "Samples during training."}


def progress(folder: pathlib.Path, num_classes: int, plane=_same) -> dict:
    """Reads the samples that a run saved during training.

    Args:
        folder: pathlib.Path of the run.
        num_classes: int, C.
        plane: function that projects points [n, features] onto the plane. Defaults to none.

    Returns:
        dict of a title, such as "20 epochs", to (points [n, 2], label [n]); empty for images.
    """
    panels = {}
    for path in sorted((pathlib.Path(folder) / "progress").glob("epoch_*.npy")):
        points = np.load(path)
        title = f"{int(path.stem.removeprefix('epoch_'))} epochs"
        label = tasks.labels_in_turn(len(points), num_classes)
        panels[title] = plane(points.reshape(len(points), -1)), label
    return panels


def _draw_codes(folder, model, test, info, seed):
    chosen = slice(MOST_CODES)
    x = test.x[chosen]
    plots.codes(
        folder / "codes.png",
        model.encoder_s.predict(as_floats(x), tasks.CHUNK, verbose=0),
        tasks.encode(model, x).z_u_mean,
        model.prior_s.means.numpy(),
        test.label[chosen],
        info.class_names,
        seed,
    )
    return {
        "codes": "The codes of held-out examples, coloured by class: E_S's output and "
        "the mean of z_u."
    }


def draw_figures(folder: pathlib.Path, figures: dict) -> dict:
    """Draws those numbers of a report that are clearer as a plot.

    Args:
        folder: pathlib.Path of the run.
        figures: dict, the content of report.json.

    Returns:
        dict of the names of the pictures to their captions.
    """
    intervals = figures["intervals"]
    captions = {}
    if "zu_leakage" in figures:
        _draw_leakage(folder, figures["zu_leakage"], intervals["zu_leakage"])
        captions["leakage"] = "The class, predicted from z_u by probes."
    if "zu_alive" in figures:
        plots.activity(
            folder / "activity.png",
            figures["zu_alive"]["kl_per_dimension_nats"],
            figures["zu_alive"]["reconstruction_mse"],
            intervals["zu_alive"]["reconstruction_mse"],
        )
        captions["activity"] = (
            "Is z_u used? Its KL per dimension, and the reconstruction error without it."
        )
    if "factors" in figures:
        series = {
            code: (figures["factors"][code], intervals["factors"][code]) for code in ("z_s", "z_u")
        }
        plots.bars(
            folder / "factors.png",
            series,
            "What is predicted from each code",
            "accuracy (class) or R² (factors)",
            {"all": 1.0, "nothing": 0.0},
        )
        captions["factors"] = "Class and factors of variation, predicted from z_s and from z_u."
    if "generation" in figures:
        _draw_generation(folder, figures["generation"], intervals["generation"])
        captions["generation"] = "Samples beside real training images in their place."
    return captions


PROBES = {
    "logistic": "logistic regression",
    "mlp": "MLP",
    "knn": "20 nearest neighbours",
    "gbdt": "boosted trees",
    "cycle": "cycle",
    "cycle_gbdt": "trees on cycle",
}


def _draw_leakage(folder, figures, intervals):
    series = {}
    for kind, title in (("mean", "posterior mean"), ("sample", "posterior sample")):
        series[title] = tuple(
            {PROBES[name]: value for name, value in named[kind].items() if name in PROBES}
            for named in (figures, intervals)
        )
    lines = {"chance": figures["chance"], "most frequent class": figures["majority"]}
    title = "Class predicted from z_u by probes (lower is better)"
    plots.bars(folder / "leakage.png", series, title, "accuracy", lines)


RATIOS = ("precision", "recall", "density", "coverage")


def _draw_generation(folder, figures, intervals):
    series = {}
    for key, title in (("samples", "samples"), ("real", "real training images")):
        values = {name: figures[key][name] for name in RATIOS}
        ends = {name: intervals[key][name] for name in RATIOS}
        if "ms_ssim" in figures[key]["diversity"]:
            values["1 - MS-SSIM"] = figures[key]["diversity"]["ms_ssim"]
            ends["1 - MS-SSIM"] = intervals[key]["diversity"]["ms_ssim"]
        series[title] = values, ends
    title = "Quality and diversity (on the judge's features)"
    plots.bars(folder / "generation.png", series, title, "value")


def _plane(points):
    """Returns a function that projects points of any dimension onto a plane, by PCA."""
    if points.shape[1] == 2:
        return _same
    if points.shape[1] == 1:
        return lambda values: np.concatenate([values, np.zeros_like(values)], axis=1)
    return PCA(2).fit(points).transform
