"""The accuracy of the judge itself."""

from dvae_tf.evaluation.bench import Bench
from dvae_tf.evaluation.metric import Metric


def _measure(bench: Bench) -> dict:
    return {"judge_accuracy": bench.judge.accuracy(bench.test.x, bench.test.label)}


METRIC = Metric(
    name="judge",
    group="The judge",
    quick=True,
    measure=_measure,
    meanings={
        "judge_accuracy": "accuracy of the judge on real test examples; compare its shares of "
        "samples and swaps with it",
    },
    card={"judge_accuracy": "accuracy of the judge, an independent classifier, on real inputs"},
)
