"""The priors of the two codes: a Gaussian mixture for z_s, the standard normal for z_u.

Zheng & Sun (CVPR 2019), section 3.2.
"""

import math

import keras
import tensorflow as tf
import tensorflow_probability as tfp

tfd = tfp.distributions

LOG_TWO_PI = math.log(2.0 * math.pi)


class _Normal(tfp.distributions.Normal):
    """tfd.Normal with a log-density that stays exact next to the mean of a narrow one."""

    def _log_prob(self, x):
        scale = tf.convert_to_tensor(self.scale)
        return -0.5 * (((x - self.loc) / scale) ** 2 + LOG_TWO_PI) - tf.math.log(scale)


def gaussian(mean: tf.Tensor, stddev: tf.Tensor):
    """The Gaussian q(z_u | x) with a diagonal covariance.

    Args:
        mean: float tensor [..., latent].
        stddev: float tensor [..., latent], positive.

    Returns:
        tfd.Independent of tfd.Normal, with event shape [latent].

    Examples:
        >>> gaussian([[0.0, 0.0]], [[1.0, 1.0]]).event_shape
        TensorShape([2])
    """
    # Quicker than MultivariateNormalDiag, which goes through linear operators.
    return tfd.Independent(_Normal(mean, stddev), reinterpreted_batch_ndims=1)


def standard_normal(latent_dim: int):
    """The prior N(0, I) of z_u.

    Args:
        latent_dim: int, size of z_u.

    Returns:
        tfd.Independent of tfd.Normal, with event shape [latent_dim].

    Examples:
        >>> standard_normal(3).event_shape
        TensorShape([3])
    """
    return gaussian(tf.zeros(latent_dim), tf.ones(latent_dim))


def noise(shape: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Draws from N(0, I), the same with and without XLA.

    TFP and `tf.random.stateless_normal` draw different numbers when XLA compiles them. Philox's
    integers are the same everywhere; the inverse of the normal distribution function turns them
    into normal values.

    Args:
        shape: int tensor or sequence of int.
        seed: int tensor [2], a stateless seed: same seed, same noise.

    Returns:
        float32 tensor of that shape.

    Examples:
        >>> noise((2, 3), seed=(0, 1)).shape
        TensorShape([2, 3])
    """
    bits = tf.random.stateless_uniform(
        shape, seed, minval=None, maxval=None, dtype=tf.int32, alg="philox"
    )
    # 24 bits are exact in float32: uniform in (-1, 1), symmetric, never 0 or an end.
    uniform = (tf.cast(tf.bitwise.right_shift(bits, 8), tf.float32) + 0.5) * 2.0**-23
    return -tf.sign(uniform) * tf.math.ndtri(0.5 * (1.0 - tf.abs(uniform)))


def draw(distribution, seed: tf.Tensor, temperature: float = 1.0) -> tf.Tensor:
    """Draws one sample of each Gaussian of a batch, differentiable in mean and deviation.

    Args:
        distribution: tfd.Distribution, as of `gaussian`, batch shape [n], event shape [latent].
        seed: int tensor [2], a stateless seed.
        temperature: float, factor on the standard deviations. Defaults to 1.

    Returns:
        float32 tensor [n, latent].

    Examples:
        >>> exact = gaussian([[5.0, 6.0]], [[1.0, 1.0]])
        >>> draw(exact, seed=(0, 1), temperature=0.0).numpy().tolist()
        [[5.0, 6.0]]
    """
    mean = distribution.mean()
    return mean + temperature * distribution.stddev() * noise(tf.shape(mean), seed)


@keras.saving.register_keras_serializable("dvae_tf")
class GaussianMixturePrior(keras.layers.Layer):
    """The prior of z_s: p(z_s | c) = N(mu_c, diag(variance_c)), p(c) = 1 / C.

    Zheng & Sun (CVPR 2019), section 3.2. The means are initialised Glorot-uniform. What is stored
    of the variances are weights `raw_spreads`, which start at 0.54: their softplus, 1 at first, is
    the variance or, as published, its inverse, the precision. The density is the same function of
    the variance either way, but gradient steps on the weights move it differently. The model
    trains means and spreads, in float32 under any dtype policy.

    Args:
        num_classes: int, number of components C.
        latent_dim: int, size D of z_s.
        precisions: bool, whether precisions are trained in place of variances. Defaults to False.

    Raises:
        ValueError: if `num_classes` or `latent_dim` is below 1.

    Examples:
        >>> prior = GaussianMixturePrior(num_classes=3, latent_dim=2)
        >>> z_s = prior.sample([0, 1, 2], seed=(0, 1))
        >>> prior.log_prob(z_s).shape
        TensorShape([3, 3])
    """

    # Up to this many weights, the component-wise difference [batch, C, D] is the cheapest way, and
    # it uses only operations that every export format supports.
    DIRECT_WEIGHTS = 2**14

    def __init__(self, num_classes: int, latent_dim: int, precisions: bool = False, **kwargs):
        super().__init__(**{"dtype": "float32"} | kwargs)
        for name, value in (("num_classes", num_classes), ("latent_dim", latent_dim)):
            if value < 1:
                raise ValueError(f"{name} is {value}; a mixture needs at least 1.")
        self.num_classes = num_classes
        self.latent_dim = latent_dim
        self.precisions = precisions
        self.build()

    def build(self, input_shape=None):
        shape = (self.num_classes, self.latent_dim)
        self.means = self.add_weight(name="means", shape=shape, initializer="glorot_uniform")
        self.raw_spreads = self.add_weight(
            name="raw_spreads",
            shape=shape,
            initializer=keras.initializers.Constant(math.log(math.e - 1.0)),
        )
        self.built = True

    def variances(self):
        """Returns the diagonal of every Sigma_c, a float32 tensor [C, D]."""
        return self._variances_of(tf.convert_to_tensor(self.raw_spreads))

    def _variances_of(self, raw_spreads):
        spread = tf.nn.softplus(raw_spreads)
        return 1.0 / spread if self.precisions else spread

    def component(self, label: tf.Tensor):
        """The Gaussians p(z_s | c = label).

        Args:
            label: int tensor [...], each in [0, C).

        Returns:
            tfd.Independent of tfd.Normal, batch shape [...], event shape [D].
        """
        mean = tf.gather(tf.convert_to_tensor(self.means), label)
        return gaussian(mean, tf.sqrt(tf.gather(self.variances(), label)))

    def mixture(self):
        """The marginal p(z_s) = 1/C sum_c p(z_s | c).

        Returns:
            tfd.MixtureSameFamily, batch shape [], event shape [D].
        """
        components = gaussian(tf.convert_to_tensor(self.means), tf.sqrt(self.variances()))
        return tfd.MixtureSameFamily(tfd.Categorical(logits=tf.zeros(self.num_classes)), components)

    def sample(self, label: tf.Tensor, seed: tf.Tensor, temperature: float = 1.0) -> tf.Tensor:
        """Draws z_s of given classes.

        Args:
            label: int tensor [n], each in [0, C).
            seed: int32 tensor [2], a stateless seed: same seed, same codes.
            temperature: float, factor on the standard deviations. Defaults to 1.

        Returns:
            float32 tensor [n, D].
        """
        return draw(self.component(label), seed, temperature)

    def log_prob(self, z_s: tf.Tensor, classes: tf.Tensor | None = None) -> tf.Tensor:
        """The log-density of codes under every component: log N(z_s; mu_c, Sigma_c).

        Memory is O(batch * C), time O(batch * C * D). Small mixtures compute the difference to
        every mean. Large ones expand the square into two matrix products, in float64, where the
        cancellation costs less precision than rounding the codes to float32.

        Args:
            z_s: float tensor [batch, D].
            classes: int tensor [n], the components to take. Defaults to all of them.

        Returns:
            float32 tensor [batch, C], or [batch, n].
        """
        means = tf.convert_to_tensor(self.means)
        raw_spreads = tf.convert_to_tensor(self.raw_spreads)
        if classes is not None:
            means, raw_spreads = tf.gather(means, classes), tf.gather(raw_spreads, classes)
        variances = self._variances_of(raw_spreads)
        if self.num_classes * self.latent_dim <= self.DIRECT_WEIGHTS:
            components = gaussian(means, tf.sqrt(variances))
            return components.log_prob(tf.cast(z_s, tf.float32)[:, tf.newaxis, :])
        return _expanded_log_prob(z_s, means, variances, tf.float64)

    def sampled_log_prob(self, z_s: tf.Tensor, label: tf.Tensor, count: int, seed: tf.Tensor):
        """The log-densities under a random sample of components, to estimate a sum over all.

        The classes of the batch are always in the sample, each other class with the same
        probability q; -log q is added to the log-densities of the others. The sum of exponentials
        over the sample is then an unbiased estimate of that over all components. Its logarithm is
        too small on average, by Jensen's inequality, and so is `losses.classification`: by about
        half the squared relative error of the sum. Jean, Cho, Memisevic & Bengio, "On Using Very
        Large Target Vocabulary for Neural Machine Translation" (ACL 2015), section 3.1.

        Args:
            z_s: float tensor [batch, D].
            label: int tensor [batch], each in [0, C), or -1.
            count: int, the number n of components, at least the number of classes in the batch and
                at most C.
            seed: int32 tensor [2], for the choice of components.

        Returns:
            (float32 tensor [batch, n], int32 tensor [batch]: the position of each label among the
            n; 0 for a label of -1).

        Raises:
            tf.errors.InvalidArgumentError: if the batch has more classes than `count` (not checked
                if XLA compiles the step).
        """
        order = tf.random.stateless_uniform((self.num_classes,), seed, alg="philox")
        known = tf.math.bincount(
            tf.maximum(label + 1, 0), minlength=self.num_classes + 1, maxlength=self.num_classes + 1
        )[1:]
        own = tf.cast(known > 0, tf.float32)
        first, classes = tf.math.top_k(order + own, count)
        of_batch = tf.reduce_sum(own)
        tf.debugging.assert_less_equal(
            of_batch,
            float(count),
            f"The batch has more than {count} classes: set sampled_classes to at least the batch "
            "size.",
        )
        share = (count - of_batch) / (self.num_classes - of_batch)
        correction = tf.where(first >= 1.0, 0.0, -tf.math.log(share))
        position = tf.argmax(label[:, tf.newaxis] == classes, axis=1, output_type=tf.int32)
        return self.log_prob(z_s, classes) + correction, position

    def probabilities(self, z_s: tf.Tensor) -> tf.Tensor:
        """The class posterior p(c | z_s) in operations that every export format supports.

        The densities are those of `log_prob` up to a factor that all components share.

        Args:
            z_s: float tensor [batch, D].

        Returns:
            float32 tensor [batch, C].
        """
        means, variances = tf.convert_to_tensor(self.means), self.variances()
        squares = (z_s[:, tf.newaxis] - means) ** 2
        log_volume = tf.reduce_sum(tf.math.log(variances), axis=-1)
        distance = tf.reduce_sum(squares / variances, axis=-1)
        return tf.nn.softmax(-0.5 * (distance + log_volume))

    def nearest_mean(self, z_s: tf.Tensor) -> tf.Tensor:
        """The mean of the component that a code most likely comes from.

        Computed in float32 with matrix products, which every export format supports.

        Args:
            z_s: float tensor [batch, D].

        Returns:
            float32 tensor [batch, D].
        """
        means = tf.convert_to_tensor(self.means)
        log_prob = _expanded_log_prob(z_s, means, self.variances(), tf.float32)
        return tf.gather(means, tf.argmax(log_prob, axis=-1))

    def posterior(self, z_s: tf.Tensor):
        """The class posterior p(c | z_s) by Bayes' rule.

        Args:
            z_s: float tensor [batch, D].

        Returns:
            tfd.Categorical, batch shape [batch], C classes.
        """
        return tfd.Categorical(logits=self.log_prob(z_s))

    def get_config(self):
        return super().get_config() | {
            "num_classes": self.num_classes,
            "latent_dim": self.latent_dim,
            "precisions": self.precisions,
        }


def _expanded_log_prob(z_s, means, variances, dtype):
    """log N(z_s; mu_c, Sigma_c) with two matrix products: float32 tensor [batch, C]."""
    means, variances = tf.cast(means, dtype), tf.cast(variances, dtype)
    centre = tf.reduce_mean(means, axis=0)
    codes, means = tf.cast(z_s, dtype) - centre, means - centre
    distance = (
        tf.matmul(codes**2, 1.0 / variances, transpose_b=True)
        - 2.0 * tf.matmul(codes, means / variances, transpose_b=True)
        + tf.reduce_sum(means**2 / variances, axis=-1)
    )
    log_volume = tf.reduce_sum(tf.math.log(variances), axis=-1) + means.shape[-1] * LOG_TWO_PI
    return tf.cast(-0.5 * (distance + log_volume), tf.float32)
