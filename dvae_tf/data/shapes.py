"""Drawn shapes with known factors of variation."""

import numpy as np

from dvae_tf.data.examples import Arrays, Info, check_count

SIZE = 32
COUNTS = {"train": 40_000, "test": 10_000}
CHUNK = 512


def _arc(start, stop, radius, centre=(0.0, 0.0), points=13):
    angle = np.linspace(start, stop, points)
    return [(centre[0] + radius * np.cos(a), centre[1] + radius * np.sin(a)) for a in angle]


# No rotation of less than a full turn maps any of these onto itself.
CORNERS = {
    "triangle": [(0.0, 1.0), (-0.55, -0.8), (0.55, -0.8)],
    "half_disc": [(x, y - 0.4) for x, y in _arc(0.0, np.pi, 0.9)],
    "ell": [(-0.6, 0.8), (-0.6, -0.8), (0.6, -0.8), (0.6, -0.3), (-0.1, -0.3), (-0.1, 0.8)],
    "tee": [
        (-0.75, 0.75), (-0.75, 0.25), (-0.25, 0.25), (-0.25, -0.9),
        (0.25, -0.9), (0.25, 0.25), (0.75, 0.25), (0.75, 0.75),
    ],
    "arrow": [
        (0.0, 1.0), (-0.8, 0.15), (-0.25, 0.15), (-0.25, -0.9),
        (0.25, -0.9), (0.25, 0.15), (0.8, 0.15),
    ],
    "heart": [(0.0, -0.9), *_arc(-0.6, np.pi, 0.42, (0.42, 0.3)),
              *_arc(0.0, np.pi + 0.6, 0.42, (-0.42, 0.3))],
}  # fmt: skip


def _standardised(corners):
    """Moves an outline's centroid to 0 and gives it area 1 (Green's theorem).

    Position and size then mean the same for every class.
    """
    start, stop = np.array(corners), np.roll(corners, -1, axis=0)
    cross = start[:, 0] * stop[:, 1] - start[:, 1] * stop[:, 0]
    area = 0.5 * np.sum(cross)
    centroid = np.sum((start + stop) * cross[:, np.newaxis], axis=0) / (6.0 * area)
    return (start - centroid) / np.sqrt(abs(area))


OUTLINES = {name: _standardised(corners) for name, corners in CORNERS.items()}

# name: lowest, highest. The hue ends before it wraps from violet to red; no shape leaves the
# image.
FACTORS = {
    "hue": (0.0, 0.75),  # of the HSV circle, saturation and value 1
    "scale": (5.5, 8.2),  # root of the area, in pixels
    "rotation": (-1.2, 1.2),  # radians, anticlockwise
    "x": (11.0, 21.0),  # centroid in pixels from the left
    "y": (11.0, 21.0),  # centroid in pixels from the top
    "background": (0.0, 0.5),  # grey, 0 black, 1 white
}


def shapes(name: str, count: int | None = None, seed: int = 0) -> tuple[Arrays, Info]:
    """Draws images of one coloured shape on grey: the shape is the class, the rest are factors.

    The factors are drawn independently and uniformly: hue, scale, rotation, x, y, background (see
    `FACTORS` for ranges and units). Edges are antialiased.

    Args:
        name: str, "train" or "test": different images from the same distribution.
        count: int, number of images. Defaults to 40,000 (train) or 10,000 (test). A smaller set
            equals the first images of a larger one.
        seed: int. Defaults to 0. Same seed, same bytes.

    Returns:
        (Arrays, Info): images uint8 [count, 32, 32, 3], factors float32 [count, 6].

    Raises:
        ValueError: if `count` is smaller than the number of classes.

    Examples:
        >>> examples, info = shapes("train", count=12)
        >>> examples.x.shape, info.factor_names[:2]
        ((12, 32, 32, 3), ('hue', 'scale'))
    """
    count = COUNTS[name] if count is None else count
    check_count("shapes", count, len(OUTLINES))
    random = np.random.default_rng([seed, name == "test"])
    lowest, highest = np.array(list(FACTORS.values())).T
    factors = random.uniform(lowest, highest, (count, len(FACTORS)))
    label = (np.arange(count) % len(OUTLINES)).astype(np.int32)
    image = np.empty((count, SIZE, SIZE, 3), np.uint8)
    for number, outline in enumerate(OUTLINES.values()):
        members = np.flatnonzero(label == number)
        for chunk in np.array_split(members, -(-len(members) // CHUNK) or 1):
            image[chunk] = draw(outline, factors[chunk])
    info = Info(
        name="shapes",
        split=name,
        shape=(SIZE, SIZE, 3),
        class_names=tuple(OUTLINES),
        count=count,
        factor_names=tuple(FACTORS),
    )
    return Arrays(image, label, factors.astype(np.float32)), info


def draw(outline: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Draws one outline for many values of the factors.

    Args:
        outline: float array [corners, 2] around 0, area 1, y upwards.
        factors: float array [n, 6] in the order of `FACTORS`.

    Returns:
        uint8 array [n, 32, 32, 3].
    """
    hue, scale, rotation, x, y, background = np.asarray(factors, np.float64).T[..., None, None]
    row, column = np.mgrid[0:SIZE, 0:SIZE] + 0.5
    across, up = (column - x) / scale, (y - row) / scale
    turned = np.stack(
        [
            np.cos(rotation) * across + np.sin(rotation) * up,
            -np.sin(rotation) * across + np.cos(rotation) * up,
        ],
        axis=-1,
    )
    coverage = np.clip(0.5 - signed_distance(outline, turned) * scale, 0.0, 1.0)[..., None]
    channel = hue[..., None] * 6.0 + np.array([0.0, 4.0, 2.0])
    colour = np.clip(np.abs(channel % 6.0 - 3.0) - 1.0, 0.0, 1.0)  # HSV with S = V = 1
    image = coverage * colour + (1.0 - coverage) * background[..., None]
    return np.rint(image * 255.0).astype(np.uint8)


def signed_distance(outline: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The distance of points to a polygon, negative inside.

    Args:
        outline: float array [corners, 2].
        points: float array [..., 2].

    Returns:
        float array [...].

    Examples:
        >>> square = np.array([(1, 1), (-1, 1), (-1, -1), (1, -1)])
        >>> signed_distance(square, np.array([[0.0, 0.0], [3.0, 0.0]])).tolist()
        [-1.0, 2.0]
    """
    distance = np.full(points.shape[:-1], np.inf)
    inside = np.zeros(points.shape[:-1], bool)
    for start, stop in zip(outline, np.roll(outline, -1, axis=0), strict=True):
        edge, offset = stop - start, points - start
        along = np.clip(offset @ edge / (edge @ edge), 0.0, 1.0)[..., None]
        distance = np.minimum(distance, np.linalg.norm(offset - along * edge, axis=-1))
        crosses = (start[1] <= points[..., 1]) != (stop[1] <= points[..., 1])
        slope = edge[0] / edge[1] if edge[1] else 0.0
        inside ^= crosses & (offset[..., 0] < slope * offset[..., 1])
    return np.where(inside, -distance, distance)
