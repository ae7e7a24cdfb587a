"""Runs: folders with a trained model and everything that belongs to it."""

from dvae_tf.runs.data import Data
from dvae_tf.runs.examples import keep_examples, kept_examples
from dvae_tf.runs.history import read_history, write_history
from dvae_tf.runs.invocation import invocation
from dvae_tf.runs.run import (
    class_names,
    class_number,
    columns,
    expect_no_table,
    exported,
    find,
    label_column,
    load,
    load_pretrained,
    new_folder,
    results,
)

__all__ = [
    "Data",
    "class_names",
    "class_number",
    "columns",
    "expect_no_table",
    "exported",
    "find",
    "invocation",
    "keep_examples",
    "kept_examples",
    "label_column",
    "load",
    "load_pretrained",
    "new_folder",
    "read_history",
    "results",
    "write_history",
]
