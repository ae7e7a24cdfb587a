"""The figures of a trained model, measured on data that it has not seen."""

import numpy as np

from dvae_tf import tasks
from dvae_tf.data.three_moons import arc_distance
from dvae_tf.evaluation.judge import train_judge

DRAWS = 1000


def report(model, train, test, info, seed=0):
    """Measures a model.

    Args:
        model: DisentangledVAE.
        train: Arrays, real examples that the judge is trained on.
        test: Arrays, held-out examples.
        info: Info of the data.
        seed: int, of samples, swaps and the judge. Defaults to 0.

    Returns:
        dict of
            zs_accuracy: share of `test` whose class the mixture posterior p(c | z_s) names;
            sample_consistency: share of 1,000 samples whose asked class an independent classifier
            names, the classes in equal parts;
            swap_consistency: the same of 1,000 swaps between random pairs of `test`, for the class
            of the donor of z_s;
            judge_accuracy: the independent classifier's accuracy on `test`, the ceiling of both;
            reconstruction_mse: mean squared error on `test`, values in the package's range;
            arc_distance (three moons): mean distance of the samples to their class's arc;
            test_examples, samples, swaps: how many each figure rests on.
    """
    random = np.random.default_rng(seed)
    judge = train_judge(train.x, train.label, info.num_classes, seed)
    asked = np.arange(DRAWS) % info.num_classes
    samples = tasks.sample(model, asked, seed=seed)
    donor_s, donor_u = random.integers(0, len(test.label), (2, DRAWS))
    swaps = tasks.swap_pairs(model, test.x[donor_s], test.x[donor_u])
    reconstruction = tasks.inward(tasks.reconstruct(model, test.x))
    probabilities = tasks.classify(model, test.x)
    figures = {
        "zs_accuracy": float(np.mean(probabilities.argmax(axis=-1) == test.label)),
        "sample_consistency": judge.accuracy(samples, asked),
        "swap_consistency": judge.accuracy(swaps, test.label[donor_s]),
        "judge_accuracy": judge.accuracy(test.x, test.label),
        "reconstruction_mse": float(np.mean((reconstruction - test.x) ** 2)),
        "test_examples": len(test.label),
        "samples": DRAWS,
        "swaps": DRAWS,
    }
    if info.name == "three_moons":
        figures["arc_distance"] = float(np.mean(arc_distance(samples, asked)))
    return figures
