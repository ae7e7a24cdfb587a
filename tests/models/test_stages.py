import math

import numpy as np
from toys import moons

from dvae_tf import DisentangledVAE
from dvae_tf.models import Recipe


def test_an_epoch_without_a_joint_step_says_that_its_losses_are_not_computed():
    model = DisentangledVAE((2,), 3, "toy", Recipe.named("balanced").replace(n_gm=2), seed=0)
    x, label = moons(8)
    history = model.fit(x, label, batch_size=8, epochs=2, verbose=0, fit_flow=False).history
    assert np.isnan(history["reconstruction"]).tolist() == [True, False]
    assert np.isnan(history["equivariance"] if "equivariance" in history else 0.0) == 0.0
    assert all(map(math.isfinite, history["loss"] + history["classification"]))
