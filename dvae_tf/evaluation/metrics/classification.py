"""How well the class is predicted from z_s, and how well its probabilities are calibrated."""

import numpy as np

from dvae_tf.evaluation.bench import Bench
from dvae_tf.evaluation.estimate import Estimate, mean_estimate, resampled_estimate
from dvae_tf.evaluation.metric import Metric, Row

BINS = 15


def accuracy(probabilities: np.ndarray, label: np.ndarray) -> Estimate:
    """The share of examples whose true class is the most probable one.

    Args:
        probabilities: float array [n, C].
        label: int array [n].

    Returns:
        Estimate.

    Examples:
        >>> accuracy(np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([0, 0])).value
        0.5
    """
    return mean_estimate(probabilities.argmax(axis=-1) == label)


def calibration_error(probabilities: np.ndarray, label: np.ndarray) -> Estimate:
    """The expected calibration error.

    sum_b n_b / n |accuracy_b - confidence_b| over 15 equal bins of the highest probability (Guo et
    al., "On Calibration of Modern Neural Networks", ICML 2017, equation 3).

    Args:
        probabilities: float array [n, C].
        label: int array [n].

    Returns:
        Estimate in [0, 1]; 0 means calibrated.

    Examples:
        >>> calibration_error(np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([0, 1])).value
        0.5
    """
    confidence = probabilities.max(axis=-1).astype(np.float64)
    excess = (probabilities.argmax(axis=-1) == label) - confidence
    box = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)

    def error(index):
        return np.abs(np.bincount(box[index], excess[index], BINS)).sum() / len(index)

    return resampled_estimate(error, len(label))


def mutual_information(probabilities: np.ndarray, label: np.ndarray) -> Estimate:
    """A lower bound on the mutual information of z_s and the class.

    I(z_s; c) >= H(c) + E[log q(c | z_s)], with q the mixture posterior and H(c) the entropy of
    `label` (Barber & Agakov, "The IM Algorithm", NeurIPS 2003, equation 3). It is at most H(c),
    which is log C for equally frequent classes. Probabilities are clipped at 1e-38 from below.

    Args:
        probabilities: float array [n, C].
        label: int array [n].

    Returns:
        Estimate in nats.

    Examples:
        >>> round(mutual_information(np.eye(2), np.array([0, 1])).value, 4)
        0.6931
    """
    own = np.take_along_axis(probabilities, np.asarray(label)[:, np.newaxis], axis=-1)[:, 0]
    share = np.bincount(label, minlength=probabilities.shape[-1]) / len(label)
    tiny = np.finfo(np.float32).tiny
    return mean_estimate(np.log(np.maximum(own, tiny)) - np.log(share[label]))


def _measure(bench: Bench) -> dict:
    probabilities = bench.probabilities
    return {
        "zs_accuracy": accuracy(probabilities, bench.test.label),
        "zs_calibration_error": calibration_error(probabilities, bench.test.label),
        "mi_zs_label_nats": mutual_information(probabilities, bench.test.label),
    }


METRIC = Metric(
    name="classification",
    group="The class in z_s",
    needs=("classify",),
    quick=True,
    measure=_measure,
    meanings={
        "zs_accuracy": "share of test examples whose class is the most probable one under the "
        "mixture posterior p(c | z_s)",
        "zs_calibration_error": "expected calibration error of p(c | z_s), 15 bins; 0 is best",
        "mi_zs_label_nats": "lower bound H(c) + E log p(c | z_s) of the mutual information of z_s "
        "and the class; at most H(c)",
    },
    rows=(Row("zs_accuracy", "class predicted from z_s ↑"),),
    card={"zs_accuracy": "accuracy of the class predicted from z_s"},
)
