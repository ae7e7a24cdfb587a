"""Seeds that differ give what differs, in whatever thread, graph or process."""

import threading

import keras
import numpy as np
import pytest
import tensorflow as tf

from dvae_tf import DisentangledVAE, tasks
from dvae_tf.models import ConditionalGAN, Recipe

RECIPE = Recipe.named("balanced").replace(flow=False)


def toy(model=DisentangledVAE, **options):
    return model((2,), 3, preset="toy", recipe=RECIPE, **options)


@pytest.fixture(scope="module")
def model():
    return toy()


@pytest.mark.parametrize("seed", [2**32, -1, 1.5, "one"])
@pytest.mark.parametrize("kind", [DisentangledVAE, ConditionalGAN])
def test_seeds_of_a_model_that_cannot_be(kind, seed):
    with pytest.raises(ValueError, match=r"seed is .*; give an integer from 0 to 2\*\*32 - 1"):
        toy(kind, seed=seed)


@pytest.mark.parametrize("seed", [2**64, -1, 1.5, "one"])
def test_seeds_of_generate_that_cannot_be(model, seed):
    for call in (model.generate, lambda label, seed: tasks.sample(model, label, seed=seed)):
        with pytest.raises(ValueError, match=r"seed is .*; give an integer from 0"):
            call([0], seed=seed)


def test_large_seeds_differ(model):
    seeds = [0, 1, 2**31, 2**31 + 1, 2**32 - 1, 2**32, 2**32 + 1, 2**63, 2**64 - 1]
    drawn = {model.generate([0], seed=seed).numpy().tobytes() for seed in seeds}
    assert len(drawn) == len(seeds)


@pytest.mark.parametrize("given", [None, 3], ids=["not given", "given"])
def test_the_seed_of_keras_decides_where_none_is_given(given):
    try:
        keras.utils.set_random_seed(1)
        assert toy(seed=given).seed == (1 if given is None else 3)
    finally:
        keras.backend.clear_session()
        tf.random.set_seed(None)  # TensorFlow's own would change the order of shuffled data.
    assert toy().seed == 0


def test_every_thread_draws_its_own(model):
    drawn = []
    model.generate([0])

    def draw():
        drawn.extend(model.generate([0]).numpy().tobytes() for _ in range(25))

    threads = [threading.Thread(target=draw) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(drawn) == len(set(drawn)) == 200


def test_generate_works_within_a_function_of_the_user(model):
    generate = tf.function(lambda label, seed: model.generate(label, seed=seed))
    for seed in (5, 2**33 + 5):
        found = generate(tf.constant([0, 1]), tf.constant(seed, tf.int64))
        np.testing.assert_allclose(found, model.generate([0, 1], seed=seed), atol=1e-6)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"label 7 is outside \[0, 3\)"):
        generate(tf.constant([7, 1]), tf.constant(5, tf.int64))


def test_the_other_doors_work_within_a_function_of_the_user(model):
    x = np.random.default_rng(0).normal(size=(4, 2)).astype(np.float32)
    for ask in (model, model.classify, lambda x: model.encode(x).z_s, lambda x: model.decode(x, x)):
        np.testing.assert_allclose(tf.function(ask)(x), ask(x), atol=1e-5)
