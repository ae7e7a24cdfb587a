"""The published toy data set: three half circles in the plane.

Zheng & Sun (CVPR 2019), section 4.1.
"""

import numpy as np

from dvae_tf.data.examples import Arrays, Info, check_count

RADIUS = 1.0
CENTRES = np.array([[-2.2, 0.0], [0.0, 0.0], [2.2, 0.0]], np.float32)
NOISE = 0.15
COUNTS = {"train": 6000, "test": 1500}


def three_moons(name: str, count: int | None = None, seed: int = 0) -> tuple[Arrays, Info]:
    """Points on three upper half circles of radius 1 with centres at x = -2.2, 0 and 2.2.

    Args:
        name: str, "train" or "test": different points from the same distribution.
        count: int, number of points. Defaults to 6,000 (train) or 1,500 (test).
        seed: int. Defaults to 0. Same seed, same points.

    Returns:
        (Arrays, Info): x float32 [count, 2], Gaussian noise of standard deviation 0.15 on both
        axes; one factor, the angle on the half circle in radians in [0, pi].

    Raises:
        ValueError: if `count` is smaller than the number of classes.

    Examples:
        >>> examples, info = three_moons("train", count=30)
        >>> examples.x.shape, info.class_names
        ((30, 2), ('left', 'middle', 'right'))
    """
    count = COUNTS[name] if count is None else count
    check_count("three_moons", count, len(CENTRES))
    random = np.random.default_rng([seed, name == "test"])
    label = np.arange(count, dtype=np.int32) % len(CENTRES)
    angle = random.uniform(0.0, np.pi, count)
    arc = RADIUS * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    x = CENTRES[label] + arc + random.normal(0.0, NOISE, (count, 2))
    info = Info(
        name="three_moons",
        split=name,
        shape=(2,),
        class_names=("left", "middle", "right"),
        count=count,
        factor_names=("angle",),
    )
    factors = angle[:, np.newaxis].astype(np.float32)
    return Arrays(x.astype(np.float32), label, factors), info


def arc_distance(x: np.ndarray, label: np.ndarray) -> np.ndarray:
    """The distance of points to the noise-free half circle of their class.

    Args:
        x: float array [n, 2].
        label: int array [n].

    Returns:
        float array [n].

    Examples:
        >>> arc_distance([[0.0, 1.5]], [1]).tolist()
        [0.5]
    """
    offset = np.asarray(x, np.float64) - CENTRES[np.asarray(label)]
    to_circle = np.abs(np.linalg.norm(offset, axis=-1) - RADIUS)
    ends = np.array([[-RADIUS, 0.0], [RADIUS, 0.0]])
    to_end = np.linalg.norm(offset[:, np.newaxis, :] - ends, axis=-1).min(axis=-1)
    return np.where(offset[:, 1] >= 0.0, to_circle, to_end)
