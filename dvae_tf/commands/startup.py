"""What a script does before anything else of the package is imported."""

import contextlib
import os
import sys

QUIET = "3"


def import_tensorflow_quietly():
    """Imports TensorFlow without its notices, and without its warnings of what it traces again.

    Those of the start come from C++, partly before any log level holds, so standard error is
    closed meanwhile. Whoever sets TF_CPP_MIN_LOG_LEVEL to less than 3 sees them all.
    """
    if os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", QUIET) != QUIET:
        return
    with _closed_stderr():
        import tensorflow as tf
    tf.get_logger().setLevel("ERROR")


@contextlib.contextmanager
def _closed_stderr():
    sys.stderr.flush()
    kept = os.dup(2)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(kept)
