"""What a script does before anything else of the package is imported."""

import contextlib
import os
import sys


def import_tensorflow_quietly():
    """Imports TensorFlow without its start-up notices.

    They come from C++, partly before any log level holds, so standard error is closed meanwhile.
    Whoever sets TF_CPP_MIN_LOG_LEVEL sees them all.
    """
    if "TF_CPP_MIN_LOG_LEVEL" in os.environ:
        return
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    with _closed_stderr():
        import tensorflow  # noqa: F401


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
