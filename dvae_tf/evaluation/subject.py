"""The subject of a report: functions that generate, encode, decode or classify."""

import dataclasses
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from dvae_tf import tasks


@dataclasses.dataclass(frozen=True)
class Subject:
    """The functions that are measured; a metric that needs a missing one is left out.

    All take and return arrays with one example per row; images are uint8 or floats in [-1, 1].

    Args:
        generate: function (label int [n], seed int) -> x [n, *shape].
        encode: function x -> Codes(z_s, z_u_mean, z_u_stddev), float arrays [n, latent].
        decode: function (z_s, z_u) -> x.
        classify: function x -> class probabilities [n, C], the mixture posterior of z_s.
        class_codes: function () -> float array [C, latent], the mean mu_c of z_s of each class.
        encode_as: function (x, label int [n]) -> Codes: as `encode`, with z_s of the given class
            where another class was predicted.
        log_det: function (z_u, z_s) -> float array [n], the logarithm of the absolute determinant
            of the flow's Jacobian at the code that it maps to z_u; 0 without a flow.

    Examples:
        >>> from dvae_tf import DisentangledVAE
        >>> subject = Subject.of(DisentangledVAE((2,), 3, preset="toy"))
        >>> subject.generate([0, 1, 2], 0).shape
        (3, 2)
    """

    generate: Callable | None = None
    encode: Callable | None = None
    decode: Callable | None = None
    classify: Callable | None = None
    class_codes: Callable | None = None
    encode_as: Callable | None = None
    log_det: Callable | None = None

    @classmethod
    def of(cls, model) -> "Subject":
        """The Subject of a trained model.

        Args:
            model: one of `dvae_tf.models`. A baseline can only generate.

        Returns:
            Subject.
        """

        def generate(label, seed):
            return tasks.sample(model, label, seed=seed)

        if not model.has_codes:
            return cls(generate)
        return cls(
            generate,
            encode=lambda x: tasks.encode(model, x),
            decode=lambda z_s, z_u: tasks.decode(model, z_s, z_u),
            classify=lambda x: tasks.classify(model, x),
            class_codes=lambda: np.asarray(model.prior_s.means),
            encode_as=lambda x, label: tasks.encode(model, x, label),
            log_det=_log_det_of_flow(model),
        )


def _log_det_of_flow(model):
    """The function `log_det` of a model."""
    if model.flow is None:
        return lambda z_u, z_s: np.zeros(len(z_u), np.float32)
    inverse = tf.function(model.flow.inverse, reduce_retracing=True, autograph=False)

    def log_det(z_u, z_s):
        columns = (np.asarray(code, np.float32) for code in (z_u, z_s))
        return tasks.in_chunks(inverse, *columns)[1]

    return log_det
