"""What any adversary could read of samples of z_u, estimated from densities.

Balunovic, Ruoss & Vechev, "Fair Normalizing Flows" (ICLR 2022), section 4: where the density of
the code is known for each class, no classifier is better than Bayes' rule on these densities, so
that its accuracy bounds that of every adversary. Their encoders are flows, and so is the last step
to z_u here: a posterior N(mean, stddev^2) of the model is a density in the space of z_u, and a
class's density is the mixture of the posteriors of its images.

The assumption: the densities are estimated from finitely many training examples, as a mixture of
their posteriors, widened by what makes other training samples most likely, or as one Gaussian a
class if that makes them likelier. Of few examples in many dimensions such densities are far too
sure of themselves, so the posterior is tempered until it fits other training samples (Guo et al.,
"On Calibration of Modern Neural Networks", ICML 2017): of codes that are independent of the class
it then says what guessing does. The bound holds for codes with these densities. Where the true
ones have finer detail than the estimate, an adversary who knows it reads more: the cycle probe
does, on a flow that has learnt its codes by heart. So the bound is no proof: it stands beside the
probes, not in their place. The flow's own density, without an estimate, would not do: it is N(0, I)
for every class by construction, and the bound always chance.
"""

import numpy as np
from scipy.special import logsumexp, softmax
from scipy.stats import multivariate_normal

from dvae_tf.evaluation.bench import Bench
from dvae_tf.evaluation.estimate import Estimate, mean_estimate
from dvae_tf.evaluation.metric import Metric, Row

MOST_COMPONENTS = 10_000
MOST_SAMPLES = 1_000
WIDTHS = (0.0, 0.1, 0.2, 0.35, 0.5, 0.75)
# What log-densities are divided by; the last leaves nothing but the shares of the classes.
TEMPERATURES = (1.0, 1.5, 2.0, 3.0, 5.0, 8.0, 13.0, 20.0, 50.0, np.inf)
CHUNK = 500


def mixture_log_density(
    z: np.ndarray, mean: np.ndarray, variance: np.ndarray, label: np.ndarray, num_classes: int
) -> np.ndarray:
    """The log-density of each class's mixture of Gaussians with equal weights.

    Args:
        z: float array [m, D].
        mean, variance: float arrays [n, D], of the components.
        label: int array [n], the class of each.
        num_classes: int, C.

    Returns:
        float array [m, C]; minus infinity for a class without components.

    Examples:
        >>> zero, one = np.zeros((1, 1)), np.ones((1, 1))
        >>> density = mixture_log_density(zero, zero, one, np.array([0]), 1)
        >>> round(float(density[0, 0]), 4)
        -0.9189
    """
    found = np.full((len(z), num_classes), -np.inf)
    for value in np.unique(label):
        m, v = mean[label == value], variance[label == value]
        constant = np.sum(m**2 / v + np.log(2.0 * np.pi * v), axis=-1)
        for at in range(0, len(z), CHUNK):
            part = z[at : at + CHUNK]
            distance = part**2 @ (1.0 / v).T - 2.0 * part @ (m / v).T + constant
            found[at : at + CHUNK, value] = logsumexp(-0.5 * distance, axis=-1) - np.log(len(m))
    return found


def gaussian_log_density(
    z: np.ndarray, samples: np.ndarray, label: np.ndarray, num_classes: int
) -> np.ndarray:
    """The log-density of a Gaussian with the mean and the covariance of each class's samples.

    Args:
        z: float array [m, D].
        samples: float array [n, D].
        label: int array [n].
        num_classes: int, C.

    Returns:
        float array [m, C]; minus infinity for a class of fewer than two samples.
    """
    found = np.full((len(z), num_classes), -np.inf)
    for value, count in zip(*np.unique(label, return_counts=True), strict=True):
        if count > 1:
            own = samples[label == value]
            covariance = np.atleast_2d(np.cov(own, rowvar=False))
            covariance = covariance + 1e-6 * np.eye(z.shape[1])
            found[:, value] = multivariate_normal(own.mean(axis=0), covariance).logpdf(z)
    return found


def density_bound(codes, z_u, label, asked_z_u, asked_label, num_classes: int, seed: int = 0):
    """Estimates what the best adversary could read of samples.

    Args:
        codes: Codes of training data, at most 10,000 of which become components.
        z_u: float array [n, D], a posterior sample of each.
        label: int array [n].
        asked_z_u: float array [m, D], posterior samples of test data, at most 1,000 of which are
            asked about.
        asked_label: int array [m].
        num_classes: int, C.
        seed: int, for the choice of examples. Defaults to 0.

    Returns:
        dict of Estimate: "optimal", E max_c p(c | z_u), the accuracy of the best adversary if
        the estimated densities are the true ones; "reached", the share of test samples whose class
        Bayes' rule on these densities predicts.
    """
    random = np.random.default_rng(seed)
    order = random.permutation(len(label))
    held = order[: min(MOST_SAMPLES, max(1, len(label) // 5))]
    kept = order[len(held) :][:MOST_COMPONENTS]
    asked = random.permutation(len(asked_label))[:MOST_SAMPLES]
    z_u, asked_z_u = np.asarray(z_u, np.float64), np.asarray(asked_z_u, np.float64)
    mean, stddev = (np.asarray(code[kept], np.float64) for code in codes[1:])
    known, variance = label[kept], stddev**2

    def likelihood(density):
        own = density(z_u[held])[np.arange(len(held)), label[held]]
        return np.mean(np.maximum(own, -1e6))

    def mixture(width):
        return lambda at: mixture_log_density(at, mean, variance + width**2, known, num_classes)

    # Components of no width have no density.
    widths = [width for width in WIDTHS if variance.min() + width**2 > 0.0]
    candidates = [mixture(width) for width in widths]
    candidates.append(lambda at: gaussian_log_density(at, z_u[kept], known, num_classes))
    density = max(candidates, key=likelihood)
    share = np.bincount(known, minlength=num_classes) / len(known)
    temperature = calibrated_temperature(density(z_u[held]), share, label[held])
    posterior = tempered(density(asked_z_u[asked]), share, temperature)
    return _bound(posterior, asked_label[asked], seed)


def tempered(log_density: np.ndarray, share: np.ndarray, temperature: float) -> np.ndarray:
    """The posterior of the classes, with densities to the power of 1 / temperature.

    Args:
        log_density: float array [n, C]; minus infinity where a class has no density.
        share: float array [C], of the classes.
        temperature: float; infinity for `share` itself.

    Returns:
        float array [n, C].

    Examples:
        >>> tempered(np.array([[9.0, 1.0]]), np.array([0.5, 0.5]), np.inf).tolist()
        [[0.5, 0.5]]
    """
    possible = np.isfinite(log_density)
    scaled = np.where(possible, np.where(possible, log_density, 0.0) / temperature, -np.inf)
    with np.errstate(divide="ignore"):
        return softmax(scaled + np.log(share), axis=-1)


def calibrated_temperature(log_density: np.ndarray, share: np.ndarray, label: np.ndarray) -> float:
    """The temperature that makes the classes of other examples most likely.

    Args:
        log_density: float array [n, C], of examples that the densities were not estimated from.
        share: float array [C], of the classes.
        label: int array [n].

    Returns:
        float, one of `TEMPERATURES`.
    """

    def likelihood(temperature):
        own = tempered(log_density, share, temperature)[np.arange(len(label)), label]
        return np.mean(np.log(np.maximum(own, 1e-12)))

    return max(TEMPERATURES, key=likelihood)


def _bound(posterior, label, seed) -> dict[str, Estimate]:
    return {
        "optimal": mean_estimate(posterior.max(axis=-1), seed),
        "reached": mean_estimate(posterior.argmax(axis=-1) == label, seed),
    }


def _measure(bench: Bench) -> dict:
    found = density_bound(
        bench.learnt_codes,
        bench.learnt_z_u["sample"],
        bench.learnt.label,
        bench.z_u["sample"],
        bench.test.label,
        bench.info.num_classes,
        bench.seed,
    )
    return {"zu_density_bound": found}


METRIC = Metric(
    name="density_bound",
    group="The class in z_u",
    needs=("encode",),
    measure=_measure,
    meanings={
        "zu_density_bound.optimal": "accuracy of the best adversary that predicts the class from "
        "samples of z_u, if the densities estimated from the training data's posteriors are the "
        "true ones; 1 / C is best",
        "zu_density_bound.reached": "share of test samples whose class Bayes' rule on these "
        "densities predicts",
    },
    rows=(
        Row(
            "zu_density_bound.optimal",
            "class by estimated densities of samples of z_u, best adversary ↓",
        ),
    ),
)
