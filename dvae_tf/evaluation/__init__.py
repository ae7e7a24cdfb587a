"""Figures that say how good a model is."""

from dvae_tf.evaluation.judge import Judge, train_judge
from dvae_tf.evaluation.report import report

__all__ = ["Judge", "report", "train_judge"]
