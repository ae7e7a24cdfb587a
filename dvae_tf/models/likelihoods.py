"""Likelihoods of the decoder, p(x | z_s, z_u): what a reconstruction costs, and draws of x."""

import abc
import math
from collections.abc import Sequence

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from dvae_tf import losses
from dvae_tf.data.columns import FURTHEST, Columns

tfd = tfp.distributions

# How slowly a column's deviation follows its errors, and its least value: that of a column which is
# known exactly would fall to 0, and outweigh all others.
DECAY = 0.98
LEAST_DEVIATION = 0.1
# Probabilities are kept this far from 0 and 1.
LEAST_PROBABILITY = 1e-6


class Likelihood(keras.layers.Layer):
    """What models ask of a likelihood; a user's own derives from it.

    Implement `loss`, and whatever else differs from a Gaussian around the decoder's output.
    """

    @abc.abstractmethod
    def loss(self, x: tf.Tensor, decoded: tf.Tensor, training: bool) -> tf.Tensor:
        """L_rec: minus the log-density of x, up to constants and a factor.

        Args:
            x: float32 tensor [batch, *shape].
            decoded: float32 tensor [batch, *shape], the decoder's output.
            training: bool, whether what the likelihood learns of its errors is updated.

        Returns:
            float32 tensor [batch].
        """

    def calibrated(self, mean: tf.Tensor) -> tf.Tensor:
        """The mean of `loss` over a batch, as a `calibrated` recipe minimises it.

        Args:
            mean: float32 scalar.

        Returns:
            float32 scalar.
        """
        return mean

    def values(self, shape: Sequence[int]) -> float:
        """How many values one loss counts for: a `calibrated` recipe divides KL by it.

        Args:
            shape: sequence of int, of one x.

        Returns:
            float.
        """
        return math.prod(shape)

    def draw(self, decoded: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Draws x where samples show more than the decoder's output: by default they do not.

        Args:
            decoded: float32 tensor [batch, *shape].
            seed: int32 tensor [2].

        Returns:
            float32 tensor [batch, *shape].
        """
        return decoded


@keras.saving.register_keras_serializable("dvae_tf")
class SharedGaussian(Likelihood):
    """A Gaussian around the decoder's output whose one variance all values share: for images.

    Examples:
        >>> SharedGaussian().loss(tf.zeros((1, 2)), tf.constant([[1.0, 3.0]]), False).numpy()
        array([5.], dtype=float32)
    """

    def loss(self, x, decoded, training):
        return losses.reconstruction(x, decoded)

    def calibrated(self, mean):
        return losses.calibrated(mean)

    def values(self, shape):
        # The errors of an input's values are correlated: they count as the root of their number.
        return math.sqrt(math.prod(shape))


@keras.saving.register_keras_serializable("dvae_tf")
class ColumnLikelihood(Likelihood):
    """The likelihood of the columns of a table, each its own.

    A number is Gaussian, with a variance that follows the column's error in training, which
    maximises the likelihood (Rybkin, Daniilidis & Levine, "Simple and Effective VAE Training with
    Calibrated Decoders", ICML 2021, section 3, for each column); a value of two is Bernoulli, a
    category one-hot categorical. Of a missing number only that it is missing counts.

    Args:
        columns: Columns, or a list of dicts of them.

    Examples:
        >>> from dvae_tf.data import Column
        >>> likelihood = ColumnLikelihood([Column("age", "numeric", "int64")])
        >>> float(likelihood.loss(tf.zeros((1, 1)), tf.zeros((1, 1)), False)[0])  # N(0; 0, 1)
        0.9189385175704956
    """

    def __init__(self, columns: Columns | Sequence, **kwargs):
        super().__init__(**kwargs)
        self.columns = columns if isinstance(columns, Columns) else Columns(columns)
        self.numeric = [
            (block.start, block.stop - 1 if column.missing else None)
            for column, block in zip(self.columns, self.columns.blocks(), strict=True)
            if column.kind == "numeric"
        ]
        # The mean squared errors of numeric columns, as training went.
        self.variances = self.add_weight(
            name="variances",
            shape=(len(self.numeric),),
            initializer="ones",
            trainable=False,
            aggregation="mean",
        )

    def deviations(self) -> tf.Tensor:
        """The deviation of each numeric column, of standardised values: float32 tensor."""
        return tf.maximum(tf.sqrt(tf.convert_to_tensor(self.variances)), LEAST_DEVIATION)

    def loss(self, x, decoded, training):
        if self.numeric and training:
            self._follow(x, decoded)
        return -tf.reduce_mean(self.log_prob(x, decoded), axis=-1)

    def values(self, shape):
        return float(len(self.columns))

    def log_prob(self, x: tf.Tensor, decoded: tf.Tensor) -> tf.Tensor:
        """The log-likelihood of each column.

        Args:
            x: float32 tensor [batch, width], wide rows.
            decoded: float32 tensor [batch, width]: of numbers the mean, else probabilities.

        Returns:
            float32 tensor [batch, columns], in nats of the standardised values.
        """
        found, number = [], 0
        for column, block in zip(self.columns, self.columns.blocks(), strict=True):
            given, by = x[:, block], decoded[:, block]
            if column.kind == "numeric":
                deviation = self.deviations()[number]
                log_prob = tfd.Normal(by[:, 0], deviation).log_prob(given[:, 0])
                if column.missing:
                    log_prob = (1.0 - given[:, 1]) * log_prob
                    log_prob += _bernoulli(by[:, 1]).log_prob(given[:, 1])
                number += 1
            elif column.kind == "binary":
                log_prob = _bernoulli(by[:, 0]).log_prob(given[:, 0])
            else:
                log_prob = _one_hot(by).log_prob(given)
            found.append(log_prob)
        return tf.stack(found, axis=-1)

    def draw(self, decoded, seed):
        parts, number = [], 0
        seeds = tf.unstack(tf.random.split(seed, 2 * len(self.columns)))
        for column, block in zip(self.columns, self.columns.blocks(), strict=True):
            by, first, second = decoded[:, block], seeds.pop(), seeds.pop()
            if column.kind == "numeric":
                part = tfd.Normal(by[:, :1], self.deviations()[number]).sample(seed=first)
                part = tf.clip_by_value(part, -FURTHEST, FURTHEST)
                if column.missing:
                    gap = tf.cast(_bernoulli(by[:, 1:]).sample(seed=second), tf.float32)
                    part = tf.concat([part, gap], axis=-1)
                number += 1
            elif column.kind == "binary":
                part = tf.cast(_bernoulli(by).sample(seed=first), tf.float32)
            else:
                part = tf.cast(_one_hot(by).sample(seed=first), tf.float32)
            parts.append(part)
        return tf.concat(parts, axis=-1)

    def _follow(self, x, decoded):
        """Moves the variances towards the mean squared errors of a batch."""
        errors = []
        for at, gap in self.numeric:
            error = tf.math.squared_difference(x[:, at], decoded[:, at])
            known = tf.ones_like(error) if gap is None else 1.0 - x[:, gap]
            count = tf.reduce_sum(known)
            mean = tf.math.divide_no_nan(tf.reduce_sum(known * error), count)
            errors.append(tf.where(count > 0.0, mean, self.variances[len(errors)]))
        before = tf.convert_to_tensor(self.variances)
        self.variances.assign(DECAY * before + (1.0 - DECAY) * tf.stop_gradient(tf.stack(errors)))

    def get_config(self):
        return super().get_config() | {"columns": self.columns.as_dicts()}


def likelihood_of(shape: Sequence[int], columns: Columns | None) -> Likelihood:
    """The likelihood of data of which no other is given.

    Args:
        shape: sequence of int, the shape of one x.
        columns: Columns of a table, or None.

    Returns:
        ColumnLikelihood of a table, else SharedGaussian.

    Raises:
        ValueError: if the shape is not that of the columns.

    Examples:
        >>> likelihood_of((8, 8, 1), None).name
        'shared_gaussian'
    """
    if columns is None:
        return SharedGaussian(name="shared_gaussian")
    if tuple(shape) != (columns.width,):
        raise ValueError(
            f"shape is {tuple(shape)}, but the columns take {columns.width} values a row; give "
            "info.shape and info.columns of the same table."
        )
    return ColumnLikelihood(columns, name="column_likelihood")


def _bernoulli(probability):
    low = LEAST_PROBABILITY
    return tfd.Bernoulli(probs=tf.clip_by_value(probability, low, 1.0 - low))


def _one_hot(probabilities):
    # Missing values of a column that has no category for them are all zeros, and cost nothing.
    return tfd.OneHotCategorical(logits=tf.math.log(probabilities + LEAST_PROBABILITY))
