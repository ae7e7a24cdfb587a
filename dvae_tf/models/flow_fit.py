"""Fits the flow separately, after the last epoch, to codes of encoders that no longer change.

While the encoders are trained, the flow follows codes that keep changing. Afterwards it is fitted
to the fixed codes of all training data, with early stopping on the likelihood of held-out codes.
"""

import math
import time
from collections.abc import Iterator

import keras
import numpy as np
import tensorflow as tf

from dvae_tf import losses
from dvae_tf.models import replicas
from dvae_tf.models.batch_check import check_batch
from dvae_tf.priors import draw, gaussian

ENCODING_BATCH_SIZE = 256
# The share of the codes that is held out for early stopping if there is no validation data.
HELD_OUT = 0.1
# Codes that agree to so many digits are of the same input.
CODE_DIGITS = 4
# How many times the held-out codes are evaluated.
EVALUATIONS = 20


class FlowFit(keras.Model):
    """Trains a flow on codes by maximum likelihood.

    Args:
        flow: dvae_tf.networks.ConditionalFlow.
        noise: float in [0, 1], the noise of the codes as a share of the posterior's.
        seed: int, for the noise.
    """

    def __init__(self, flow, noise: float, seed: int):
        super().__init__(dtype="float32")
        self.flow = flow
        self.noise = noise
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.mean_loss = keras.metrics.Mean(name="loss")
        self.built = True

    def train_step(self, data):
        """One step: data is (mean, stddev, z_s), a batch of codes."""
        code, z_s = self._draw(data, replicas.step_seed(self.seed_generator))
        with tf.GradientTape() as tape:
            values = losses.flow_likelihood(*self.flow(code, z_s))
            count = tf.cast(tf.size(values), tf.float32)
            sums, counts = replicas.sums([tf.reduce_sum(values)], [count])
            loss = sums[0] / counts[0]
        weights = self.flow.trainable_variables
        self.optimizer.apply(tape.gradient(loss, weights), weights)
        return self._reported(values)

    def test_step(self, data):
        """The loss of held-out codes, with the same noise every time."""
        noisy = self._draw(data, replicas.TEST_SEED)
        return self._reported(losses.flow_likelihood(*self.flow(*noisy)))

    def _draw(self, data, seed):
        """A draw of the posterior, as the code before the flow."""
        mean, stddev, z_s = data
        z_u = draw(gaussian(self.flow(mean, z_s)[0], self.noise * stddev), seed)
        return tf.stop_gradient(self.flow.inverse(z_u, z_s)[0]), z_s

    def _reported(self, values):
        self.mean_loss.update_state(values)
        return replicas.logs({"loss": self.mean_loss.result()})

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        """Does nothing: the flow is already built."""


def fit_flow(
    model,
    x,
    y=None,
    validation_data=None,
    steps: int | None = None,
    most_batches: int | None = None,
    validation_steps: int | None = None,
    callbacks=None,
    verbose: str | int = "auto",
) -> dict:
    """Fits the flow of a model to the codes of a data set; the best weights are kept.

    Args:
        model: DisentangledVAE with a flow.
        x: tf.data.Dataset of (x, label) batches, or array [n, *shape].
        y: int array [n], the labels, where x is an array.
        validation_data: tf.data.Dataset or (x, y), whose codes decide when to stop. Defaults to a
            tenth of the codes, which is held out.
        steps: int, the largest number of steps. Defaults to the recipe's share of the batches that
            the model was trained on.
        most_batches: int, the number of batches to encode of an infinite dataset.
        validation_steps: int, the same of infinite validation data.
        callbacks: list of keras.callbacks.Callback for this fit. Defaults to none.
        verbose: str or int, as in `keras.Model.fit`. Defaults to "auto".

    Returns:
        dict of "steps" and "seconds" taken, and "before" and "after": minus the log-likelihood of
        the held-out codes, in nats per dimension.

    Raises:
        ValueError: if the data cannot be read again.
    """
    recipe, started = model.recipe, time.monotonic()
    if steps is None:
        steps = math.ceil(recipe.flow_share * int(model.batches_trained.numpy()))
    codes = codes_of(model, as_dataset(model.as_rows(x), y, most_batches))
    if validation_data is None:
        codes, held_out = _split(codes, model.seed)
    else:
        pair = isinstance(validation_data, tuple | list)
        x, y = validation_data[:2] if pair else (validation_data, None)
        held_out = codes_of(model, as_dataset(model.as_rows(x), y, validation_steps))
    interval = math.ceil(steps / EVALUATIONS)
    with model.distribute_strategy.scope():
        fit = FlowFit(model.flow, recipe.flow_noise, model.seed)
        rate = keras.optimizers.schedules.CosineDecay(recipe.flow_learning_rate, steps, 0.01)
        fit.compile(
            keras.optimizers.Adam(rate, recipe.beta_1, recipe.beta_2),
            # Splines are many small operations, which XLA makes three times as fast on a CPU too.
            jit_compile=model.jit_compile or bool(getattr(model.flow, "bins", 0)),
            run_eagerly=model.run_eagerly,
        )
        # Variables made within a step over several devices are not initialised in all of them.
        fit.optimizer.build(model.flow.trainable_variables)
    held_out = batches(held_out, recipe.flow_batch_size)
    weights = model.flow.get_weights()
    before = fit.evaluate(held_out, verbose=0, return_dict=True)["loss"]
    if verbose:
        print(f"The flow is fitted to {len(codes[0]):,} codes, {steps:,} steps at most.")
    best = keras.callbacks.EarlyStopping(
        "val_loss", patience=recipe.flow_patience, restore_best_weights=True
    )
    history = fit.fit(
        batches(codes, recipe.flow_batch_size, seed=model.seed),
        steps_per_epoch=interval,
        epochs=math.ceil(steps / interval),
        validation_data=held_out,
        callbacks=[best, *(callbacks or [])],
        shuffle=False,
        verbose=verbose,
    )
    after = min(history.history["val_loss"])
    if not after < before:
        model.flow.set_weights(weights)
    model.flow_fitted_at.assign(model.batches_trained)
    return {
        "steps": len(history.epoch) * interval,
        "seconds": round(time.monotonic() - started, 1),
        "before": float(before),
        "after": float(min(after, before)),
    }


def _is_dataset(data):
    return isinstance(data, tf.data.Dataset)


def as_dataset(x, y=None, most_batches: int | None = None):
    """Turns the data that `fit` takes into a finite dataset.

    Args:
        x: tf.data.Dataset, keras.utils.PyDataset, or array [n, *shape].
        y: array [n], where x is an array.
        most_batches: int, the number of batches to take of an infinite dataset.

    Returns:
        iterable of batches (x, label).

    Raises:
        ValueError: if it can be read only once, as a generator, or is infinite.
    """
    if _is_dataset(x):
        if x.cardinality() == tf.data.INFINITE_CARDINALITY:
            if not most_batches:
                raise ValueError(
                    "The dataset is infinite; give fit steps_per_epoch (validation_steps for "
                    "validation data)."
                )
            return x.take(most_batches)
        return x
    expect_readable_again(x)
    if isinstance(x, keras.utils.PyDataset):
        return (x[number] for number in range(len(x)))
    if y is None:
        return x
    return tf.data.Dataset.from_tensor_slices((x, y)).batch(ENCODING_BATCH_SIZE)


def expect_readable_again(x) -> None:
    """Refuses data that can be read only once.

    Args:
        x: as in `fit`.

    Raises:
        ValueError: if the data is a generator or similar.
    """
    if isinstance(x, Iterator):
        raise ValueError(
            "The flow is fitted after the last epoch, on data that can be read again, but a "
            f"{type(x).__name__} was given. Give a tf.data.Dataset or arrays, or fit_flow=False "
            "and call model.fit_flow with such data."
        )


def split_as_keras(x, y, validation_split: float):
    """Splits arrays as `fit` does: the last ones are the validation data.

    Args:
        x, y: arrays [n, ...].
        validation_split: float in (0, 1), the share of the validation data.

    Returns:
        (x, y) of the first examples, (x, y) of the last.

    Examples:
        >>> split_as_keras([1, 2, 3, 4], [5, 6, 7, 8], 0.25)
        (([1, 2, 3], [5, 6, 7]), ([4], [8]))
    """
    cut = math.floor(len(x) * (1.0 - validation_split))
    return (x[:cut], y[:cut]), (x[cut:], y[cut:])


def codes_for_flow(model, x: tf.Tensor, label: tf.Tensor):
    """The codes that the flow is fitted to, as part of a graph.

    Args:
        model: DisentangledVAE.
        x: float32 tensor [batch, *shape].
        label: int32 tensor [batch], -1 for a missing label.

    Returns:
        tuple of float32 tensors: mean and deviation of E_U [batch, latent_dim_u], and the z_s that
        the flow sees [batch, latent_dim_s].
    """
    z_s = model.encoder_s(x, training=False)
    if model.recipe.decodes_class_vectors:
        z_s = model.prior_s.component(model.label_or_prediction(x, label)).mean()
    return *model.encoder_u(x, training=False), z_s


def codes_of(model, dataset):
    """Encodes a data set once.

    Args:
        model: DisentangledVAE.
        dataset: iterable of (x, label) batches.

    Returns:
        tuple of float32 arrays: means and deviations of E_U [n, latent_dim_u], and the z_s that
        the flow sees [n, latent_dim_s].
    """
    parts = []
    for data in dataset:
        x, label = check_batch(data, model.sample_shape, model.num_classes)
        parts.append([code.numpy() for code in model.traced_codes_for_flow(x, label)])
    return tuple(np.concatenate(column) for column in zip(*parts, strict=True))


def _split(codes, seed):
    """Holds some codes out; if there is only one, it is in both parts.

    The codes of inputs that come several times, as of `dataset.repeat(4)`, are taken once: in both
    parts, they would hide that the flow learns codes by heart.
    """
    # Batches of another size give the same code but for rounding.
    _, first = np.unique(np.round(codes[0], CODE_DIGITS), axis=0, return_index=True)
    count = len(first)
    order = np.sort(first)[np.random.default_rng(seed).permutation(count)]
    cut = min(max(1, round(HELD_OUT * count)), count)
    fitted = order[cut:] if count > 1 else order
    return tuple(code[fitted] for code in codes), tuple(code[order[:cut]] for code in codes)


def batches(codes, batch_size: int, seed: int | None = None):
    """Makes batches of codes.

    Args:
        codes: tuple of arrays [n, ...].
        batch_size: int.
        seed: int; the dataset is then infinite, with a new random order in every pass. Defaults to
            None: one pass in the order of the arrays.

    Returns:
        tf.data.Dataset of tuples of tensors [batch, ...].
    """
    index = tf.data.Dataset.range(len(codes[0]))
    if seed is not None:
        index = index.shuffle(len(codes[0]), seed=seed).repeat()
    columns = tuple(map(tf.constant, codes))
    dataset = index.batch(batch_size).map(
        lambda chosen: tuple(tf.gather(column, chosen) for column in columns)
    )
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    return dataset.with_options(options)
