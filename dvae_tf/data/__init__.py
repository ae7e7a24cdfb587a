"""Where (x, label) pairs come from."""

from dvae_tf.data.catalog import from_arrays, from_table, load, load_arrays
from dvae_tf.data.columns import Column, Columns
from dvae_tf.data.examples import Arrays, Info, check_arrays
from dvae_tf.data.table import rows_of_table
from dvae_tf.data.three_moons import arc_distance

__all__ = [
    "Arrays",
    "Column",
    "Columns",
    "Info",
    "arc_distance",
    "check_arrays",
    "from_arrays",
    "from_table",
    "load",
    "load_arrays",
    "rows_of_table",
]
