"""How well the class is read from z_s, and how far the stated probabilities can be trusted."""

import numpy as np

from dvae_tf.evaluation.estimate import mean_figure, resampled_figure

BINS = 15


def accuracy(probabilities: np.ndarray, label: np.ndarray):
    """The share of examples whose class is the most probable one.

    Args:
        probabilities: float array [n, C].
        label: int array [n].

    Returns:
        Figure.

    Examples:
        >>> accuracy(np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([0, 0])).value
        0.5
    """
    return mean_figure(probabilities.argmax(axis=-1) == label)


def calibration_error(probabilities: np.ndarray, label: np.ndarray):
    """The expected calibration error.

    sum_b n_b / n |accuracy_b - confidence_b| over 15 equal bins of the highest probability (Guo et
    al., "On Calibration of Modern Neural Networks", ICML 2017, equation 3).

    Args:
        probabilities: float array [n, C].
        label: int array [n].

    Returns:
        Figure in [0, 1]; 0 is calibrated.

    Examples:
        >>> calibration_error(np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([0, 1])).value
        0.5
    """
    confidence = probabilities.max(axis=-1).astype(np.float64)
    excess = (probabilities.argmax(axis=-1) == label) - confidence
    box = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)

    def error(index):
        return np.abs(np.bincount(box[index], excess[index], BINS)).sum() / len(index)

    return resampled_figure(error, len(label))


def mutual_information(probabilities: np.ndarray, label: np.ndarray):
    """A lower bound of the mutual information of z_s and the class.

    I(z_s; c) >= H(c) + E[log q(c | z_s)], with q the mixture posterior and H(c) the entropy of the
    labels at hand (Barber & Agakov, "The IM Algorithm", NeurIPS 2003, equation 3). Its ceiling is
    H(c), log C for equally frequent classes. Probabilities below 1e-38 count as that.

    Args:
        probabilities: float array [n, C].
        label: int array [n].

    Returns:
        Figure in nats.

    Examples:
        >>> round(mutual_information(np.eye(2), np.array([0, 1])).value, 4)
        0.6931
    """
    own = np.take_along_axis(probabilities, np.asarray(label)[:, np.newaxis], axis=-1)[:, 0]
    share = np.bincount(label, minlength=probabilities.shape[-1]) / len(label)
    tiny = np.finfo(np.float32).tiny
    return mean_figure(np.log(np.maximum(own, tiny)) - np.log(share[label]))
