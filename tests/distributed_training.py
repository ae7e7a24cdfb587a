"""Trains a small model without noise, alone or as one of several replicas, and keeps its weights.

python distributed_training.py OUTPUT.npz mirrored
python distributed_training.py OUTPUT.npz multi_worker HOST:PORT,HOST:PORT INDEX
"""

import sys

import keras
import numpy as np
import tensorflow as tf
from toys import moons

STEPS, BATCH_SIZE = 20, 16


def model_without_noise():
    """A model with batch normalisation and a small flow."""
    from dvae_tf import DisentangledVAEGAN
    from dvae_tf.models import Recipe
    from dvae_tf.networks import ConditionalFlow
    from dvae_tf.networks.batch_normalization import BatchNormalization
    from dvae_tf.networks.seeding import seeded_initializers

    with seeded_initializers(0):
        flow = ConditionalFlow(2, 2, couplings=2, units=16)
        x = keras.Input((2,))
        features = keras.layers.LeakyReLU()(BatchNormalization()(keras.layers.Dense(32)(x)))
        stddev = keras.layers.Dense(2, "softplus")(features)
        encoder_u = keras.Model(x, [keras.layers.Dense(2)(features), stddev])
    recipe = Recipe.named("balanced").replace(n_gm=2)
    return DisentangledVAEGAN((2,), 3, "toy", recipe, flow=flow, encoder_u=encoder_u)


def sampled_of_class_0(model, count, seed, training):
    label = tf.zeros([count], tf.int32)
    return model.decoder(model.draw_codes(label, (seed, seed)), training=training), label


def examples():
    """Points and labels, and a last batch that is no whole one."""
    count = STEPS * BATCH_SIZE - 6
    return tf.data.Dataset.from_tensor_slices(moons(count)).batch(BATCH_SIZE)


def trained_weights(strategy):
    """Trains for 20 steps.

    Returns:
        list of arrays, the weights and running statistics of all networks.
    """
    from dvae_tf import priors
    from dvae_tf.commands.devices import by_example
    from dvae_tf.models import disentangled_vae, two_codes

    kept = priors.noise, disentangled_vae.sampled
    try:
        # All replicas draw the same as one device: nothing, and samples of class 0.
        priors.noise = two_codes.noise = lambda shape, seed: tf.zeros(shape)
        disentangled_vae.sampled = sampled_of_class_0
        with strategy.scope():
            model = model_without_noise()
            # Adam makes whole steps of round-off where a gradient is 0.
            model.compile(keras.optimizers.SGD(0.01, momentum=0.9))
        model.fit(by_example(examples()), epochs=1, fit_flow=False, verbose=0)
        networks = [*model.networks().values(), model.prior_s]
        weights = [weight.numpy() for network in networks for weight in network.weights]
        found = model.fit_flow(by_example(examples()), steps=4, verbose=0)
        assert found["after"] < found["before"]
    finally:
        priors.noise, disentangled_vae.sampled = kept
        two_codes.noise = priors.noise
    return weights


def main():
    from dvae_tf.commands.devices import make_strategy

    path, name, *workers = sys.argv[1:]
    if name == "mirrored":
        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(
            cpu, [tf.config.LogicalDeviceConfiguration()] * 2
        )
        strategy = make_strategy(name)
    else:
        strategy = make_strategy(name, workers[0].split(","), int(workers[1]))
    assert strategy.num_replicas_in_sync == 2
    np.savez(path, *trained_weights(strategy))


if __name__ == "__main__":
    main()
