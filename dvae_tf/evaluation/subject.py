"""The subject of a report: functions that generate, encode, decode or classify."""

import dataclasses
from collections.abc import Callable

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
        )
