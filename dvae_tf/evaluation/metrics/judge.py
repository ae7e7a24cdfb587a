"""The accuracy of the judges themselves."""

import numpy as np

from dvae_tf.evaluation.bench import Bench
from dvae_tf.evaluation.metric import Metric
from dvae_tf.evaluation.metrics.agreement import agreements


def _measure(bench: Bench) -> dict:
    found = agreements(bench.judges, bench.test.x, bench.test.label)
    label = bench.test.label
    return {
        "judge_accuracy": found["first"]["plain"],
        "judge_accuracies": found,
        "judge_majority": float(np.bincount(label).max() / len(label)),
    }


METRIC = Metric(
    name="judge",
    group="The judge",
    quick=True,
    measure=_measure,
    meanings={
        "judge_accuracy": "accuracy of the judge on real test examples; compare its shares of "
        "samples and swaps with it",
        "judge_accuracies.*.plain": "accuracy of the first judge (the same number) and of the "
        "second, which is of another family, on real test examples",
        "judge_accuracies.*.blurred": "the same on slightly blurred images: compare with "
        "`swap_agreement_by`",
        "judge_majority": "share of the most frequent class among test examples: a judge that is "
        "not above it has learnt nothing, and no claim that it judges is kept",
    },
    card={"judge_accuracy": "accuracy of the judge, an independent classifier, on real inputs"},
)
