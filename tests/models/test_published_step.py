"""Iterations of the recipe "paper" against the published ones, written down plainly.

Zheng & Sun (CVPR 2019): the losses as formulas, Adam in NumPy with seven states, and for the toy
networks of matrix products, in float64.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf
from toys import moons

from dvae_tf import DisentangledVAEGAN
from dvae_tf.priors import noise

CLASSES, BATCH, N_GM = 3, 16, 3
SEED = 3
GROUPS = {
    "encoder_s",
    "encoder_u",
    "decoder",
    "latent_classifier",
    "discriminator",
    "prior_means",
    "prior_variances",
}


class Adam:
    """Kingma & Ba (ICLR 2015), the form at the end of section 2; beta_1 = 0, beta_2 = 0.9."""

    def __init__(self, rate=5e-4):
        self.rate, self.squares, self.steps = rate, {}, 0

    def step(self, weights, gradients):
        self.steps += 1
        for at, (weight, gradient) in enumerate(zip(weights, gradients, strict=True)):
            g = np.asarray(gradient, np.float64)
            self.squares[at] = 0.9 * self.squares.get(at, 0.0) + 0.1 * g**2
            rate = self.rate * np.sqrt(1.0 - 0.9**self.steps)
            change = rate * g / (np.sqrt(self.squares[at]) + 1e-7)
            weight.assign(weight.numpy().astype(np.float64) - change)


def leaky(x):
    return tf.where(x > 0, x, 0.1 * x)


def dense(x, weights):
    """A layer a pair of kernel and bias, with leaky ReLU."""
    for kernel, bias in zip(weights[::2], weights[1::2], strict=True):
        x = leaky(x @ kernel + bias)
    return x


class ToyNetworks:
    """The published networks for three moons as matrix products in float64."""

    dtype = tf.float64

    def __init__(self, model):
        self.weights = {
            name: [tf.Variable(tf.cast(weight, tf.float64)) for weight in weights]
            for name, weights in model.weight_groups().items()
        }
        vectors = model.discriminator.non_trainable_variables
        self.singular = [tf.cast(vector, tf.float64) for vector in vectors]

    def encoder_s(self, x):
        *hidden, kernel, bias = self.weights["encoder_s"]
        return dense(x, hidden) @ kernel + bias

    def encoder_u(self, x):
        *hidden, kernel, bias, kernel_of_log, bias_of_log = self.weights["encoder_u"]
        features = dense(x, hidden)
        log_variance = features @ kernel_of_log + bias_of_log
        return features @ kernel + bias, tf.exp(log_variance / 2.0)

    def decoder(self, z):
        *hidden, kernel, bias = self.weights["decoder"]
        return dense(z, hidden) @ kernel + bias

    def latent_classifier(self, z_u):
        *hidden, kernel, bias = self.weights["latent_classifier"]
        return dense(z_u, hidden) @ kernel + bias

    def discriminator(self, x, label):
        """D(x, y) = w . phi(x) + (V y) . phi(x), a power iteration of each matrix a call."""
        *hidden, w, bias, v = self.weights["discriminator"]
        kernels = [self._normalised(at, m) for at, m in enumerate([*hidden[::2], w, v])]
        *of_phi, w, v = kernels
        pairs = zip(of_phi, hidden[1::2], strict=True)
        phi = dense(x, [weight for pair in pairs for weight in pair])
        return (phi @ w + bias)[:, 0] + tf.reduce_sum(tf.gather(v, label) * phi, axis=1)

    def _normalised(self, at, matrix):
        right = tf.linalg.normalize(tf.linalg.matvec(matrix, self.singular[at]))[0]
        left = tf.linalg.normalize(tf.linalg.matvec(matrix, right, transpose_a=True))[0]
        right, left = tf.stop_gradient(right), tf.stop_gradient(left)
        self.singular[at] = left
        return matrix / tf.tensordot(right, tf.linalg.matvec(matrix, left), 1)


class KerasNetworks:
    """The networks of a model of ours, which its own optimisers do not touch."""

    dtype = tf.float32

    def __init__(self, model):
        self.model, self.weights = model, model.weight_groups()

    def __getattr__(self, name):
        network = getattr(self.model, name)
        if name == "discriminator":
            return lambda *inputs: network(inputs, training=True)
        return lambda inputs: network(inputs, training=True)


class Published:
    """The published training: n_gm steps on L_GM, then one of everything else."""

    def __init__(self, networks):
        self.nets, self.weights = networks, networks.weights
        self.means, self.raw = self.weights["prior_means"] + self.weights["prior_variances"]
        names = "E_S and mu", "Sigma", "E_S, joint", "E_U", "G", "D", "Q"
        self.adam = {name: Adam() for name in names}
        self.seeds = keras.random.SeedGenerator(SEED)

    def iteration(self, batches):
        for x, label in batches:
            self.mixture_step(tf.cast(x, self.nets.dtype), label)
        self.joint_step(tf.cast(x, self.nets.dtype), label)

    def log_densities(self, z_s):
        precision = tf.math.softplus(tf.convert_to_tensor(self.raw))
        squares = (z_s[:, None] - tf.convert_to_tensor(self.means)) ** 2
        terms = tf.math.log(precision) - np.log(2.0 * np.pi) - precision * squares
        return 0.5 * tf.reduce_sum(terms, axis=2)

    def of_class(self, values, label):
        return tf.reduce_sum(tf.one_hot(label, CLASSES, dtype=values.dtype) * values, axis=1)

    def mixture_step(self, x, label):
        encoder = self.weights["encoder_s"]
        with tf.GradientTape() as tape:
            logs = self.log_densities(self.nets.encoder_s(x))
            own = self.of_class(logs, label)
            of_class = -tf.reduce_mean(own - tf.reduce_logsumexp(logs, axis=1))
            total = of_class - 0.1 * tf.reduce_mean(own)
        found = tape.gradient(total, [*encoder, self.means, self.raw])
        self.adam["E_S and mu"].step([*encoder, self.means], found[:-1])
        self.adam["Sigma"].step([self.raw], found[-1:])

    def joint_step(self, x, label):
        seed = tf.cast(self.seeds.next(), tf.int32)
        with tf.GradientTape(persistent=True) as tape:
            totals = self.joint_totals(x, label, seed)
        groups = {
            "E_S, joint": "encoder_s",
            "E_U": "encoder_u",
            "G": "decoder",
            "D": "discriminator",
            "Q": "latent_classifier",
        }
        found = {name: tape.gradient(totals[name], self.weights[groups[name]]) for name in groups}
        for name, gradients in found.items():
            whole = [tf.convert_to_tensor(gradient) for gradient in gradients]
            self.adam[name].step(self.weights[groups[name]], whole)

    def joint_totals(self, x, label, seed):
        nets, mean_of = self.nets, tf.reduce_mean
        z_s = nets.encoder_s(x)
        mean, stddev = nets.encoder_u(x)
        z_u = mean + stddev * self.noise(mean.shape, seed)
        decoded = nets.decoder(tf.concat([z_s, z_u], axis=1))
        log_q = tf.nn.log_softmax(nets.latent_classifier(z_u))
        sample, drawn = self.sampled(seed, mean.shape[1], z_s.shape[1])
        real = nets.discriminator(x, label)
        both = nets.discriminator(
            tf.concat([decoded, sample], axis=0), tf.concat([label, drawn], axis=0)
        )
        on_decoded, on_sample = tf.split(both, 2)
        reconstruction = 10.0 * mean_of((x - decoded) ** 2)
        kl = mean_of(0.5 * (mean**2 + stddev**2 - 1.0) - tf.math.log(stddev))
        likelihood = -mean_of(self.of_class(self.log_densities(z_s), label))
        hinge = [1.0 - real, 1.0 + on_decoded, 1.0 + on_sample]
        return {
            "E_S, joint": reconstruction + 10.0 * 0.1 * likelihood,
            "E_U": reconstruction + kl - mean_of(log_q),
            "G": reconstruction - mean_of(on_decoded) - mean_of(on_sample),
            "D": tf.add_n([mean_of(tf.nn.relu(margin)) for margin in hinge]),
            "Q": -mean_of(self.of_class(log_q, label)),
        }

    def sampled(self, seed, dim_u, dim_s):
        of_label, of_s, of_u = tf.unstack(tf.random.split(seed, 3))
        label = tf.random.stateless_uniform(
            [BATCH], of_label, maxval=CLASSES, dtype=tf.int32, alg="philox"
        )
        precision = tf.math.softplus(tf.gather(self.raw, label))
        z_s = tf.gather(self.means, label) + self.noise((BATCH, dim_s), of_s) / precision**0.5
        return self.nets.decoder(tf.concat([z_s, self.noise((BATCH, dim_u), of_u)], 1)), label

    def noise(self, shape, seed):
        return tf.cast(noise(shape, seed), self.nets.dtype)


def assert_as_published(model, networks, x, iterations=2):
    """Trains a model and the reference on the same batches: all weights agree to 1e-5."""
    label = np.arange(len(x), dtype=np.int32) % CLASSES
    assert len(x) == iterations * N_GM * BATCH
    before = {name: [w.numpy() for w in ws] for name, ws in model.weight_groups().items()}
    model.compile(run_eagerly=True)
    model.fit(x, label, batch_size=BATCH, shuffle=False, verbose=0)
    reference = Published(networks)
    for first in range(0, len(x), N_GM * BATCH):
        cuts = [slice(at, at + BATCH) for at in range(first, first + N_GM * BATCH, BATCH)]
        reference.iteration([(x[cut], tf.constant(label[cut])) for cut in cuts])
    assert set(before) == GROUPS
    for name, weights in model.weight_groups().items():
        for old, ours, theirs in zip(before[name], weights, reference.weights[name], strict=True):
            moved = np.abs(ours.numpy() - old).max()
            assert moved > 1e-4, f"{name} {ours.path} stands still"
            error = np.abs(ours.numpy() - theirs.numpy()).max()
            assert error < 1e-5, f"{name} {ours.path}: {error}"
    steps = {name: adam.steps for name, adam in reference.adam.items()}
    assert steps == {"E_S and mu": 6, "Sigma": 6} | dict.fromkeys(list(steps)[2:], 2)


@pytest.mark.slow
def test_two_iterations_for_three_moons():
    model = DisentangledVAEGAN((2,), CLASSES, preset="toy", recipe="paper", seed=SEED)
    assert_as_published(model, ToyNetworks(model), moons(2 * N_GM * BATCH)[0])


@pytest.mark.slow
def test_two_iterations_for_images():
    """With batch normalisation, of which every call has its own statistics."""
    models = [
        DisentangledVAEGAN(
            (28, 28, 1), CLASSES, preset="paper", recipe="paper", width=0.06, seed=SEED
        )
        for _ in range(2)
    ]
    x = np.random.default_rng(0).uniform(-1, 1, (2 * N_GM * BATCH, 28, 28, 1)).astype(np.float32)
    assert_as_published(models[0], KerasNetworks(models[1]), x)


@pytest.mark.slow
def test_one_state_for_both_steps_is_another_training():
    """What the reference must be able to tell apart."""
    models = [DisentangledVAEGAN((2,), CLASSES, "toy", "paper", seed=SEED) for _ in range(2)]
    weights = models[1].weight_groups()["encoder_s"]
    shared = keras.optimizers.Adam(5e-4, 0.0, 0.9)
    shared.build(weights)
    models[1].optimizers |= {"encoder_s": shared, "encoder_s_joint": shared}
    x, label = moons(2 * N_GM * BATCH)
    for model in models:
        model.run_eagerly = True
        model.fit(x, label, batch_size=BATCH, shuffle=False, verbose=0)
    apart = [
        np.abs(ours.numpy() - theirs.numpy()).max()
        for ours, theirs in zip(models[0].encoder_s.weights, weights, strict=True)
    ]
    assert min(apart) > 1e-4
