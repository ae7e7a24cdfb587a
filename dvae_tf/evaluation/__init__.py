"""Figures that say how good a model is."""

from dvae_tf.evaluation.estimate import Figure
from dvae_tf.evaluation.judge import Judge, train_judge
from dvae_tf.evaluation.report import PARTS, QUICK_PARTS, measurable, parts_of, report
from dvae_tf.evaluation.subject import Subject

__all__ = [
    "PARTS",
    "QUICK_PARTS",
    "Figure",
    "Judge",
    "Subject",
    "measurable",
    "parts_of",
    "report",
    "train_judge",
]
