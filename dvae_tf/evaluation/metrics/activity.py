"""Whether z_u is used: a collapsed code, which the decoder ignores, does not leak either."""

import numpy as np

from dvae_tf.evaluation.bench import Bench
from dvae_tf.evaluation.estimate import Estimate, mean_estimate, resampled_estimate
from dvae_tf.evaluation.metric import Metric, Row
from dvae_tf.evaluation.metrics.reconstruction import squared_error

ACTIVE_VARIANCE = 0.01


def active_units(mean: np.ndarray) -> Estimate:
    """The number of dimensions of a code that vary from input to input.

    A dimension counts if the variance of its posterior mean over the data is above 0.01 (Burda,
    Grosse & Salakhutdinov, "Importance Weighted Autoencoders", ICLR 2016, section 5.2).

    Args:
        mean: float array [n, latent], the posterior means.

    Returns:
        Estimate.

    Examples:
        >>> active_units(np.array([[0.0, 1.0], [0.0, -1.0]])).value
        1.0
    """
    return resampled_estimate(
        lambda index: np.sum(np.var(mean[index], axis=0) > ACTIVE_VARIANCE), len(mean)
    )


def kl_per_dimension(mean: np.ndarray, stddev: np.ndarray) -> np.ndarray:
    """KL(N(mean, stddev^2) : N(0, 1)) of each dimension of each example.

    (stddev^2 + mean^2 - 1) / 2 - log stddev.

    Args:
        mean, stddev: float arrays [n, latent].

    Returns:
        float array [n, latent] in nats.

    Examples:
        >>> kl_per_dimension(np.array([[1.0]]), np.array([[1.0]])).tolist()
        [[0.5]]
    """
    mean, stddev = np.asarray(mean, np.float64), np.asarray(stddev, np.float64)
    return (stddev**2 + mean**2 - 1.0) / 2.0 - np.log(stddev)


def activity(subject, x: np.ndarray, codes, seed: int = 0) -> dict:
    """Measures how much z_u carries.

    Args:
        subject: Subject with `decode`.
        x: array [n, *shape].
        codes: Codes of x.
        seed: int, for the prior's samples and for the pairs. Defaults to 0.

    Returns:
        dict of "active_units" and "kl_nats" (summed over the dimensions), Estimates; "dimensions",
        int; "kl_per_dimension_nats", list of float; "reconstruction_mse", dict of Estimate: with
        z_u of the image itself ("true"), drawn from N(0, I) ("prior"), of another image ("other").
    """
    random = np.random.default_rng(seed)
    mean = codes.z_u_mean
    alternatives = {
        "true": mean,
        "prior": random.normal(size=mean.shape).astype(np.float32),
        # A shift by at least one: no image is paired with itself.
        "other": np.roll(mean, random.integers(1, max(len(mean), 2)), axis=0),
    }
    divergence = kl_per_dimension(mean, codes.z_u_stddev)
    return {
        "active_units": active_units(mean),
        "dimensions": mean.shape[1],
        "kl_nats": mean_estimate(divergence.sum(axis=-1)),
        "kl_per_dimension_nats": divergence.mean(axis=0).tolist(),
        "reconstruction_mse": {
            name: mean_estimate(squared_error(x, subject.decode(codes.z_s, z_u)))
            for name, z_u in alternatives.items()
        },
    }


def _measure(bench: Bench) -> dict:
    return {"zu_alive": activity(bench.subject, bench.test.x, bench.codes, bench.seed)}


METRIC = Metric(
    name="activity",
    group="Whether z_u is used",
    needs=("encode", "decode"),
    measure=_measure,
    meanings={
        "zu_alive.active_units": "dimensions whose posterior mean has a variance above 0.01",
        "zu_alive.dimensions": "dimensions of z_u",
        "zu_alive.kl_nats": "KL(q(z_u | x) : N(0, I)), summed over the dimensions",
        "zu_alive.kl_per_dimension_nats": "the same of each dimension",
        "zu_alive.reconstruction_mse.true": "reconstruction error with the image's own z_u",
        "zu_alive.reconstruction_mse.prior": "with z_u drawn from N(0, I); if it is no higher than "
        "with the image's own z_u, z_u has collapsed and carries nothing",
        "zu_alive.reconstruction_mse.other": "with z_u of another image",
    },
    rows=(
        Row("zu_alive.reconstruction_mse.prior", "reconstruction error with z_u from the prior"),
    ),
)
