"""CONTRIBUTING.md, "Add a loss", followed with a toy."""

import pytest
import tensorflow as tf
from toys import batches, changed, moons, snapshot

from dvae_tf import DisentangledVAE
from dvae_tf.models import Recipe
from dvae_tf.models.objectives import Loss


def size(mean):
    """1. The formula, as in losses.py: tensors in, one value an example out."""
    return tf.reduce_sum(mean**2, axis=-1)


class WithSize(DisentangledVAE):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        # 2. A row in the table of the joint step.
        row = Loss("size", trains=("encoder_u",), in_total=True)
        self.joint_objectives = self.joint_objectives.with_losses(row)
        self._complete()

    def _joint_losses(self, x, label, seed, training):
        # 3. Its value beside the others.
        values = super()._joint_losses(x, label, seed, training)
        return values | {"size": size(self.encoder_u(x, training=training)[0])}


# 4. Its weight in a recipe.
SILENT = dict.fromkeys(Recipe.named("paper").weights, 0.0)
RECIPE = Recipe.named("paper").replace(n_gm=1, **SILENT, weights={"size": 0.5})


def test_it_trains_what_it_says_and_nothing_else():
    model = WithSize((2,), 3, preset="toy", recipe=RECIPE)
    before = snapshot(model)
    logs = model.train_step(tuple(map(tf.constant, moons(16))))
    assert changed(model, before) == {"encoder_u"}
    assert float(logs["loss"]) == pytest.approx(0.5 * float(logs["size"]))


@pytest.mark.slow
def test_it_is_reported_and_falls():
    model = WithSize((2,), 3, preset="toy", recipe=RECIPE)
    model.compile("sgd", run_eagerly=True)
    history = model.fit(batches(), validation_data=batches(48), epochs=3, verbose=0).history
    assert history["size"][-1] < history["size"][0]
    assert "val_size" in history


def test_a_recipe_without_its_weight_is_refused():
    with pytest.raises(ValueError, match="The recipe has no weight for the loss 'size'; give"):
        WithSize((2,), 3, preset="toy", recipe="paper")
