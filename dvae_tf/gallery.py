"""The pictures of a run: what a model samples, swaps and reconstructs, and its codes."""

import numpy as np

from dvae_tf import plots, tasks
from dvae_tf.callbacks import read_history

MOST_CLASSES = 10
COLUMNS = 10
MOST_CODES = 2000
MOST_POINTS = 600


def draw(folder, model, test, info, seed=0):
    """Draws samples.png, swap.png, reconstruction.png, codes.png and history.png.

    Args:
        folder: pathlib.Path of the run.
        model: DisentangledVAE.
        test: Arrays, held-out examples.
        info: Info of the data.
        seed: int, of samples and of the choice of examples. Defaults to 0.

    Returns:
        list of pathlib.Path, the files.
    """
    kinds = _image_pictures if info.is_image else _point_pictures
    kinds(folder, model, test, info, seed)
    chosen = slice(MOST_CODES)
    codes = tasks.encode(model, test.x[chosen])
    plots.codes(
        folder / "codes.png",
        codes.z_s,
        codes.z_u_mean,
        model.prior_s.means.numpy(),
        test.label[chosen],
        info.class_names,
        seed,
    )
    rows = read_history(folder / "history.csv")
    if rows:
        plots.history(folder / "history.png", rows, [metric.name for metric in model.metrics])
    names = ("samples", "swap", "reconstruction", "codes", "history")
    return [path for name in names if (path := folder / f"{name}.png").exists()]


def _image_pictures(folder, model, test, info, seed):
    classes = min(info.num_classes, MOST_CLASSES)
    names = info.class_names[:classes]
    drawn = tasks.sample(model, np.repeat(np.arange(classes), COLUMNS), seed=seed)
    plots.image_grid(
        folder / "samples.png",
        drawn.reshape(classes, COLUMNS, *info.shape),
        names,
        "Samples: z_s from the class's component, z_u from N(0, I)",
    )
    first = np.array([np.flatnonzero(test.label == c)[0] for c in np.unique(test.label)[:classes]])
    last = np.array([np.flatnonzero(test.label == c)[-1] for c in np.unique(test.label)[:classes]])
    x_s, x_u = test.x[first], test.x[last]
    names_s = [info.class_names[label] for label in test.label[first]]
    names_u = [info.class_names[label] for label in test.label[last]]
    plots.swap_grid(folder / "swap.png", x_s, x_u, tasks.swap(model, x_s, x_u), names_s, names_u)
    plots.image_grid(
        folder / "reconstruction.png",
        np.stack([tasks.outward(x_s), tasks.reconstruct(model, x_s)]),
        ["held-out image", "reconstruction"],
        "Reconstructions of images that the model has not seen",
        names_s,
    )


def _point_pictures(folder, model, test, info, seed):
    x, label = test.x[:MOST_POINTS], test.label[:MOST_POINTS]
    partner = np.random.default_rng(seed).permutation(len(x))
    others = {
        "samples": ("samples of the model", tasks.sample(model, label, seed=seed)),
        "reconstruction": ("their reconstructions", tasks.reconstruct(model, x)),
        "swap": (
            "with the z_u of another point; colour: class of z_s",
            tasks.swap_pairs(model, x, x[partner]),
        ),
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


def _same(points):
    return points


def _plane(points):
    """Returns a function that puts points of any dimension onto a plane (principal components)."""
    from sklearn.decomposition import PCA

    if points.shape[1] == 2:
        return _same
    if points.shape[1] == 1:
        return lambda values: np.concatenate([values, np.zeros_like(values)], axis=1)
    return PCA(2).fit(points).transform
