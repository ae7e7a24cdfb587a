"""Metrics of how good a model is, and the report of all of them."""

from dvae_tf.evaluation.bench import Bench
from dvae_tf.evaluation.claims import CLAIMS, claims_as_markdown, verdicts
from dvae_tf.evaluation.estimate import Estimate
from dvae_tf.evaluation.judge import Judge, train_judge, train_second_judge
from dvae_tf.evaluation.keys import entry, flat, number
from dvae_tf.evaluation.metric import Metric, Row
from dvae_tf.evaluation.metrics import METRICS
from dvae_tf.evaluation.metrics.known_classes import OperatingCurve, operating_curve
from dvae_tf.evaluation.presentation import as_markdown, card_lines, meaning, parts_of, table_rows
from dvae_tf.evaluation.report import PARTS, QUICK_PARTS, measurable, report
from dvae_tf.evaluation.subject import Subject

__all__ = [
    "CLAIMS",
    "METRICS",
    "PARTS",
    "QUICK_PARTS",
    "Bench",
    "Estimate",
    "Judge",
    "Metric",
    "OperatingCurve",
    "Row",
    "Subject",
    "as_markdown",
    "card_lines",
    "claims_as_markdown",
    "entry",
    "flat",
    "meaning",
    "measurable",
    "number",
    "operating_curve",
    "parts_of",
    "report",
    "table_rows",
    "train_judge",
    "train_second_judge",
    "verdicts",
]
