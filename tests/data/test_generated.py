import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingRegressor
from sklearn.metrics import r2_score

from dvae_tf.data import arc_distance
from dvae_tf.data.shapes import FACTORS, OUTLINES, shapes, signed_distance
from dvae_tf.data.three_moons import three_moons


@pytest.mark.parametrize("source", [shapes, three_moons])
def test_same_seed_same_bytes(source):
    first, _ = source("train", count=60, seed=3)
    again, _ = source("train", count=60, seed=3)
    for column in range(3):
        assert first[column].tobytes() == again[column].tobytes()
    assert source("train", count=60, seed=4)[0].x.tobytes() != first.x.tobytes()
    assert source("test", count=60, seed=3)[0].x.tobytes() != first.x.tobytes()


def test_a_small_set_is_the_beginning_of_a_larger_one():
    small, large = shapes("train", count=7)[0], shapes("train", count=50)[0]
    np.testing.assert_array_equal(small.x, large.x[:7])


def test_three_moons_lie_on_their_arcs():
    examples, _ = three_moons("train")
    distance = arc_distance(examples.x, examples.label)
    assert np.mean(distance) == pytest.approx(0.15 * np.sqrt(2 / np.pi), rel=0.1)
    others = arc_distance(examples.x, (examples.label + 1) % 3)
    assert np.mean(others) > 1.0


def test_arc_distance_ends_at_the_ends_of_the_arc():
    points = [[1.0, -0.5], [0.0, 0.0], [0.0, 3.0], [3.2, 0.0]]
    np.testing.assert_allclose(arc_distance(points, [1, 1, 1, 2]), [0.5, 1.0, 2.0, 0.0], atol=1e-6)


def test_shapes_use_the_whole_range_of_every_factor_and_stay_inside():
    examples, info = shapes("train", count=600)
    lowest, highest = np.array([FACTORS[name] for name in info.factor_names]).T
    span = highest - lowest
    assert np.all(examples.factors.min(axis=0) < lowest + 0.05 * span)
    assert np.all(examples.factors.max(axis=0) > highest - 0.05 * span)
    border = np.concatenate(
        [examples.x[:, 0], examples.x[:, -1], examples.x[:, :, 0], examples.x[:, :, -1]], axis=1
    )
    background = np.rint(examples.factors[:, -1] * 255)
    np.testing.assert_array_equal(border, np.broadcast_to(background[:, None, None], border.shape))


def test_place_and_size_mean_the_same_for_every_class():
    examples, info = shapes("train", count=600)
    columns = dict(zip(info.factor_names, examples.factors.T, strict=True))
    saturation = np.ptp(examples.x.astype(float), axis=-1) / 255.0  # 0 on the grey background
    share = saturation / saturation.max(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(share.sum(axis=(1, 2)), columns["scale"] ** 2, rtol=0.06)
    centre = np.arange(32) + 0.5
    mass = share / share.sum(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(mass.sum(axis=1) @ centre, columns["x"], atol=0.1)
    np.testing.assert_allclose(mass.sum(axis=2) @ centre, columns["y"], atol=0.1)


def test_shapes_are_antialiased():
    examples, _ = shapes("train", count=60)
    for image in examples.x:
        assert len(np.unique(image.reshape(-1, 3), axis=0)) > 10


def test_no_outline_looks_the_same_after_a_turn_within_the_range():
    grid = np.stack(np.meshgrid(*[np.linspace(-1, 1, 60)] * 2), axis=-1)
    most = FACTORS["rotation"][1] - FACTORS["rotation"][0]
    for name, outline in OUTLINES.items():
        still = signed_distance(outline, grid) < 0
        for angle in np.linspace(0.25, most, 10):
            turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
            turned = signed_distance(outline @ turn, grid) < 0
            overlap = np.sum(still & turned) / np.sum(still | turned)
            assert overlap < 0.93, (name, angle)


@pytest.mark.slow
def test_every_factor_and_the_class_can_be_read_from_the_image():
    train, info = shapes("train", count=3000)
    test, _ = shapes("test", count=600)
    features_train, features_test = (_moments(part.x) for part in (train, test))
    for column, name in enumerate(info.factor_names):
        regressor = HistGradientBoostingRegressor(random_state=0)
        regressor.fit(features_train, train.factors[:, column])
        score = r2_score(test.factors[:, column], regressor.predict(features_test))
        assert score > (0.5 if name == "rotation" else 0.9), name
    classifier = ExtraTreesClassifier(100, random_state=0).fit(features_train, train.label)
    assert classifier.score(features_test, test.label) > 0.8


def _moments(images):
    """Colour, position, spread and third moments of the shape: what a simple eye would see."""
    image = images.astype(np.float64) / 255.0
    grey = image[:, 0, 0, 0]
    ink = np.abs(image - grey[:, None, None, None]).max(axis=-1)
    ink /= ink.max(axis=(1, 2), keepdims=True)
    total = ink.sum(axis=(1, 2))
    colour = (image * ink[..., None] ** 4).sum(axis=(1, 2)) / (ink**4).sum(axis=(1, 2))[:, None]
    row, column = np.mgrid[0:32, 0:32]
    x, y = ((ink * axis).sum(axis=(1, 2)) / total for axis in (column, row))
    dx, dy = column - x[:, None, None], row - y[:, None, None]
    orders = [(2, 0), (1, 1), (0, 2), (3, 0), (2, 1), (1, 2), (0, 3), (4, 0), (2, 2), (0, 4)]
    moments = [
        (ink * dx**p * dy**q).sum(axis=(1, 2)) / total ** (1 + (p + q) / 2) for p, q in orders
    ]
    return np.column_stack([grey, total, colour, x, y, *moments])


def test_signed_distance_of_a_square():
    square = np.array([(1, 1), (-1, 1), (-1, -1), (1, -1)])
    points = np.array([(0.0, 0.5), (2.0, 2.0), (0.0, -3.0)])
    np.testing.assert_allclose(signed_distance(square, points), [-0.5, np.sqrt(2), 2.0])
