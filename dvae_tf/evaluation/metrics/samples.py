"""Whether samples are of the class that they were generated for."""

from dvae_tf.data.three_moons import arc_distance
from dvae_tf.evaluation.bench import DRAWS, Bench
from dvae_tf.evaluation.estimate import mean_estimate
from dvae_tf.evaluation.metric import Metric, Row
from dvae_tf.tasks import labels_in_turn


def _measure(bench: Bench) -> dict:
    label = labels_in_turn(DRAWS, bench.info.num_classes)
    samples = bench.subject.generate(label, bench.seed)
    found = {"sample_consistency": bench.judge.accuracy(samples, label)}
    if bench.info.name == "three_moons":
        found["arc_distance"] = mean_estimate(arc_distance(samples, label))
    return found


METRIC = Metric(
    name="samples",
    group="Samples",
    needs=("generate",),
    quick=True,
    measure=_measure,
    meanings={
        "sample_consistency": "share of 1,000 samples that the judge classifies as the class they "
        "were generated for",
        "arc_distance": "mean distance of 1,000 samples to the noise-free arc of their class",
    },
    rows=(
        Row("sample_consistency", "samples of the class asked for ↑", real="judge_accuracy"),
        Row("arc_distance", "distance to the arc of the class ↓"),
    ),
    card={
        "sample_consistency": "samples that the judge classifies as the class they were generated "
        "for",
    },
)
