"""The published iteration in its plainest form: the reference for `train_step`.

Zheng & Sun (CVPR 2019), algorithm 1 with n_gm = 1, in float32: every loss from its own call of the
networks, one persistent tape, one gradient per group of weights, and for E_S a second Adam state in
the joint step.
"""

import keras
import tensorflow as tf
import tensorflow_probability as tfp

tfd = tfp.distributions

LIKELIHOOD, RECONSTRUCTION = 0.1, 10.0
MIXTURE = ("encoder_s", "prior_means", "prior_variances")


def make_reference_step(model):
    """Makes a training step for the networks of a model, with separate optimisers.

    Args:
        model: DisentangledVAE or DisentangledVAEGAN.

    Returns:
        function of x float32 [batch, *shape] and label int32 [batch], for tf.function to trace.
    """
    groups = model.weight_groups()
    mixture = adams(groups, MIXTURE)
    joint = adams(groups, set(groups) - {"prior_means", "prior_variances"})

    def apply(tape, totals, optimizers):
        gradients = {name: tape.gradient(total, groups[name]) for name, total in totals.items()}
        for name, gradient in gradients.items():
            optimizers[name].apply(gradient, groups[name])

    def step(x, label):
        with tf.GradientTape(persistent=True) as tape:
            total = mixture_loss(model, x, label)
        apply(tape, dict.fromkeys(MIXTURE, total), mixture)
        with tf.GradientTape(persistent=True) as tape:
            totals = joint_losses(model, x, label)
        apply(tape, totals, joint)

    return step


def adams(groups, names):
    """An Adam state for each of some groups of weights."""
    optimizers = {name: keras.optimizers.Adam(5e-4, 0.0, 0.9) for name in names}
    for name, optimizer in optimizers.items():
        optimizer.build(groups[name])
    return optimizers


def mixture_loss(model, x, label):
    """L_GM of the batch."""
    log_prob = _log_prob(model, model.encoder_s(x, training=True))
    classification = tf.nn.sparse_softmax_cross_entropy_with_logits(label, log_prob)
    likelihood = -tf.gather(log_prob, label, batch_dims=1)
    return tf.reduce_mean(classification) + LIKELIHOOD * tf.reduce_mean(likelihood)


def joint_losses(model, x, label):
    """The totals of all other groups of weights: {group: scalar}."""
    z_s = model.encoder_s(x, training=True)
    mean, stddev = model.encoder_u(x, training=True)
    posterior, prior = tfd.MultivariateNormalDiag(mean, stddev), _standard_normal(model)
    z_u = posterior.sample()
    decoded = model.decoder(tf.concat([z_s, z_u], -1), training=True)
    logits = model.latent_classifier(z_u, training=True)
    reconstruction = RECONSTRUCTION * tf.reduce_mean(tf.square(x - decoded))
    kl = tf.reduce_mean(tfd.kl_divergence(posterior, prior)) / model.latent_dim_u
    confusion = -tf.reduce_mean(tf.nn.log_softmax(logits))
    likelihood = -tf.gather(_log_prob(model, z_s), label, batch_dims=1)
    totals = {
        "encoder_s": reconstruction + RECONSTRUCTION * LIKELIHOOD * tf.reduce_mean(likelihood),
        "encoder_u": reconstruction + kl + confusion,
        "decoder": reconstruction,
        "latent_classifier": tf.reduce_mean(
            tf.nn.sparse_softmax_cross_entropy_with_logits(label, logits)
        ),
    }
    if model.discriminator is not None:
        adversarial = adversarial_losses(model, x, label, decoded)
        totals["discriminator"] = adversarial[0]
        totals["decoder"] += adversarial[1]
    return totals


def adversarial_losses(model, x, label, decoded):
    """L_D and L_G."""
    batch = tf.shape(label)[0]
    drawn = tf.random.uniform([batch], maxval=model.num_classes, dtype=tf.int32)
    scale = tf.sqrt(tf.gather(_variances(model), drawn))
    z_s = tf.gather(model.prior_s.means.value, drawn)
    z_s += scale * tf.random.normal(tf.shape(z_s))
    z = tf.concat([z_s, _standard_normal(model).sample(batch)], -1)
    sample = model.decoder(z, training=True)
    on_real = model.discriminator((x, label), training=True)
    on_decoded = model.discriminator((decoded, label), training=True)
    on_sample = model.discriminator((sample, drawn), training=True)
    discrimination = (
        tf.nn.relu(1 - on_real) + tf.nn.relu(1 + on_decoded) + tf.nn.relu(1 + on_sample)
    )
    return tf.reduce_mean(discrimination), -tf.reduce_mean(on_decoded + on_sample)


def _variances(model):
    return tf.square(model.prior_s.component(tf.range(model.num_classes)).stddev())


def _log_prob(model, z_s):
    components = tfd.MultivariateNormalDiag(model.prior_s.means.value, tf.sqrt(_variances(model)))
    return components.log_prob(z_s[:, tf.newaxis])


def _standard_normal(model):
    return tfd.MultivariateNormalDiag(tf.zeros(model.latent_dim_u))
