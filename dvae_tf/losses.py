"""The losses of Zheng & Sun (CVPR 2019), section 3: tensors in, one value per example out.

None of them averages over the batch. Which networks a loss trains is up to the models.
"""

import tensorflow as tf
import tensorflow_probability as tfp

from dvae_tf.priors import standard_normal

tfd = tfp.distributions


def classification(log_prob: tf.Tensor, label: tf.Tensor) -> tf.Tensor:
    """L_cls: minus the log-posterior of the true class under the mixture.

    -log [p(c=y) N(z_s; mu_y, Sigma_y) / sum_k p(k) N(z_s; mu_k, Sigma_k)], equal p(k).

    Args:
        log_prob: float tensor [batch, C], log-density of z_s under each component.
        label: int tensor [batch].

    Returns:
        float32 tensor [batch].

    Examples:
        >>> round(float(classification(tf.math.log([[0.25, 0.75]]), [1])[0]), 3)
        0.288
    """
    return tf.nn.sparse_softmax_cross_entropy_with_logits(label, log_prob)


def likelihood(log_prob: tf.Tensor, label: tf.Tensor) -> tf.Tensor:
    """L_lkd: minus the log-density of z_s under its class, -log N(z_s; mu_y, Sigma_y).

    Args:
        log_prob: float tensor [batch, C], log-density of z_s under each component.
        label: int tensor [batch].

    Returns:
        float32 tensor [batch], in nats, summed over the dimensions of z_s.

    Examples:
        >>> likelihood(tf.constant([[-1.0, -2.0]]), [1]).numpy().tolist()
        [2.0]
    """
    return -tf.gather(log_prob, label, batch_dims=1)


def marginal_likelihood(log_prob: tf.Tensor) -> tf.Tensor:
    """L_lkd of an input without a label: minus the log-density of z_s under the whole mixture.

    -log sum_k p(k) N(z_s; mu_k, Sigma_k), equal p(k).

    Args:
        log_prob: float tensor [batch, C], log-density of z_s under each component.

    Returns:
        float32 tensor [batch], in nats, summed over the dimensions of z_s.

    Examples:
        >>> marginal_likelihood(tf.constant([[-1.0, -1.0]])).numpy().tolist()
        [1.0]
    """
    num_classes = tf.cast(tf.shape(log_prob)[-1], log_prob.dtype)
    return tf.math.log(num_classes) - tf.reduce_logsumexp(log_prob, axis=-1)


def kl(posterior, prior) -> tf.Tensor:
    """L_kl: KL(q(z_u | x) : p(z_u)), the mean over the dimensions of z_u.

    Args:
        posterior: tfd.Distribution, as of `priors.gaussian`, batch shape [batch], event shape
            [latent].
        prior: tfd.Distribution of the same kind, event shape [latent].

    Returns:
        float32 tensor [batch], in nats per dimension.

    Examples:
        >>> prior = tfd.MultivariateNormalDiag([0.0, 0.0], [1.0, 1.0])
        >>> kl(tfd.MultivariateNormalDiag([[1.0, 1.0]], [[1.0, 1.0]]), prior).numpy().tolist()
        [0.5]
    """
    return tfd.kl_divergence(posterior, prior) / tf.cast(prior.event_shape[-1], tf.float32)


def reconstruction(x: tf.Tensor, decoded: tf.Tensor) -> tf.Tensor:
    """L_rec: the squared error, the mean over all values (pixels and channels) of an example.

    Args:
        x, decoded: float tensors [batch, ...] of one shape.

    Returns:
        float32 tensor [batch].

    Examples:
        >>> reconstruction(tf.zeros((1, 2)), tf.constant([[1.0, 3.0]])).numpy().tolist()
        [5.0]
    """
    error = tf.math.squared_difference(x, decoded)
    return tf.reduce_mean(error, axis=range(1, error.shape.rank))


def calibrated(error: tf.Tensor) -> tf.Tensor:
    """The decoder's -log N(x; x', variance) per value, at the variance that minimises it.

    The best variance is the mean squared error itself; up to a constant, the loss is half its
    logarithm (Rybkin, Daniilidis & Levine, "Simple and Effective VAE Training with Calibrated
    Decoders", ICML 2021, section 3).

    Args:
        error: float scalar, the mean squared error over batch and values.

    Returns:
        float32 scalar, in nats.

    Examples:
        >>> round(float(calibrated(tf.constant(0.01))), 3)
        -2.303
    """
    return 0.5 * tf.math.log(error)


def latent_classification(logits: tf.Tensor, label: tf.Tensor) -> tf.Tensor:
    """L_C: cross entropy of the adversarial classifier Q(c | z_u) with the true label.

    Args:
        logits: float tensor [batch, C].
        label: int tensor [batch].

    Returns:
        float32 tensor [batch], in nats.

    Examples:
        >>> round(float(latent_classification(tf.zeros((1, 4)), [2])[0]), 3)
        1.386
    """
    return tf.nn.sparse_softmax_cross_entropy_with_logits(label, logits)


def latent_confusion(logits: tf.Tensor) -> tf.Tensor:
    """L_E: cross entropy of Q(c | z_u) with the uniform distribution 1/C.

    Its minimum, log C, is reached when Q is uniform.

    Args:
        logits: float tensor [batch, C].

    Returns:
        float32 tensor [batch], in nats.

    Examples:
        >>> round(float(latent_confusion(tf.zeros((1, 4)))[0]), 3)
        1.386
    """
    return -tf.reduce_mean(tf.nn.log_softmax(logits), axis=-1)


def flow_likelihood(z_u: tf.Tensor, log_det: tf.Tensor) -> tf.Tensor:
    """Minus the log-density of a code under the flow, -log N(T(code); 0, I) - log |det dT/dcode|.

    Dinh, Sohl-Dickstein & Bengio, "Density estimation using Real NVP" (ICLR 2017), equation 2.

    Args:
        z_u: float tensor [batch, latent], T(code).
        log_det: float tensor [batch], the logarithm of the Jacobian's determinant.

    Returns:
        float32 tensor [batch], in nats per dimension.

    Examples:
        >>> round(float(flow_likelihood(tf.zeros((1, 3)), tf.zeros(1))[0]), 3)
        0.919
    """
    latent_dim = z_u.shape[-1]
    log_prob = standard_normal(latent_dim).log_prob(z_u) + log_det
    return -log_prob / latent_dim


def kl_of_draw(code: tf.Tensor, z_u: tf.Tensor, posterior, log_det: tf.Tensor) -> tf.Tensor:
    """A one-sample estimate of KL(q(code | x) : N(0, I)), q a Gaussian transformed by the flow.

    log q(z_u | x) + log |det dT/dcode| - log N(code; 0, I), z_u = T(code): if T is the identity,
    its mean over draws is `kl`. The prior is the same for every class, so class information in
    the code costs as much as any other.

    Args:
        code: float tensor [batch, latent], T's inverse of z_u.
        z_u: float tensor [batch, latent], a draw of the posterior.
        posterior: tfd.Distribution q(z_u | x), batch shape [batch], event shape [latent].
        log_det: float tensor [batch], of T at the code.

    Returns:
        float32 tensor [batch], in nats per dimension.

    Examples:
        >>> one = tfd.MultivariateNormalDiag([[0.0]], [[1.0]])
        >>> kl_of_draw(tf.ones((1, 1)), tf.ones((1, 1)), one, tf.zeros(1)).numpy().tolist()
        [0.0]
    """
    latent_dim = code.shape[-1]
    log_ratio = posterior.log_prob(z_u) + log_det - standard_normal(latent_dim).log_prob(code)
    return log_ratio / latent_dim


def cycle(z_u: tf.Tensor, encoded: tf.Tensor) -> tf.Tensor:
    """How far z_u of a sample is from what E_U finds in the sample.

    |z_u - E[q(z_u | G(z_s, z_u))]|^2 / 2, the mean over the dimensions: up to a constant, minus the
    log-density of z_u under a posterior of unit variance (Chen et al., "InfoGAN", NeurIPS 2016,
    section 5). What comes back from a sample of every class tells no class to a reader that
    decodes and encodes with the model.

    Args:
        z_u: float tensor [batch, latent], of the samples.
        encoded: float tensor [batch, latent], the posterior's mean of the decoded samples.

    Returns:
        float32 tensor [batch].

    Examples:
        >>> cycle(tf.zeros((1, 2)), tf.constant([[1.0, 3.0]])).numpy().tolist()
        [2.5]
    """
    return 0.5 * tf.reduce_mean(tf.math.squared_difference(z_u, encoded), axis=-1)


def equivariance(pose: tf.Tensor, expected: tf.Tensor) -> tf.Tensor:
    """How far the poses found in moved pictures are from the poses before, moved likewise.

    The squared differences of the shifts and of the logarithm of the scale, and 2 - 2 cos of the
    difference of the turns: the squared distance of two directions, so that a full turn is none.

    Args:
        pose: float tensor [batch, 4], found in the moved pictures.
        expected: float tensor [batch, 4].

    Returns:
        float32 tensor [batch].

    Examples:
        >>> one = tf.constant([[1.0, 0.0, 0.0, 0.0]])
        >>> equivariance(one, tf.zeros((1, 4))).numpy().tolist()
        [1.0]
    """
    difference = pose - expected
    squares = tf.reduce_sum(difference[:, :3] ** 2, axis=-1)
    return squares + 2.0 - 2.0 * tf.cos(difference[:, 3])


def discrimination(real: tf.Tensor, *generated, averaged: bool = False) -> tf.Tensor:
    """L_D: the hinge loss of the discriminator.

    max(0, 1 - D(x, y)) + max(0, 1 + D(x', y)) + max(0, 1 + D(x_p, y_p)): one term for inputs and
    one for each kind of generated input. Once reconstructions look like inputs, two generated
    terms against one real term make D = -1 everywhere optimal; their mean does not.

    Args:
        real: float tensor [batch], D's logits of inputs.
        *generated: float tensors [batch], D's logits of reconstructions, of samples of the model,
            or of both.
        averaged: bool, whether the generated terms are averaged. Defaults to False: summed, as
            published.

    Returns:
        float32 tensor [batch].

    Examples:
        >>> one = tf.ones(1)
        >>> discrimination(one, -one, -one).numpy().tolist()
        [0.0]
    """
    on_generated = tf.add_n([tf.nn.relu(1.0 + logits) for logits in generated])
    share = 1.0 / len(generated) if averaged else 1.0
    return tf.nn.relu(1.0 - real) + share * on_generated


def generation(*generated) -> tf.Tensor:
    """L_G: the hinge loss of the decoder, -D(x', y) - D(x_p, y_p).

    Args:
        *generated: float tensors [batch], D's logits of reconstructions, of samples, or of both.

    Returns:
        float32 tensor [batch].

    Examples:
        >>> generation(tf.constant([0.5]), tf.constant([1.0])).numpy().tolist()
        [-1.5]
    """
    return -tf.add_n(generated)
