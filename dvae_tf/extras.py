"""Optional packages."""

import contextlib


@contextlib.contextmanager
def needed_for(purpose, extra):
    """Names the extra to install if an import inside the block fails.

    Args:
        purpose: str, what needs the package, the beginning of the message.
        extra: str, the extra of setup.cfg that brings it.

    Raises:
        ModuleNotFoundError: if a package is missing; says which, and how to install it.

    Examples:
        >>> with needed_for("Flying", "wings"):
        ...     import no_such_package
        Traceback (most recent call last):
        ModuleNotFoundError: Flying needs no_such_package: pip install 'dvae_tf[wings]'
    """
    try:
        yield
    except ModuleNotFoundError as error:
        message = f"{purpose} needs {error.name}: pip install 'dvae_tf[{extra}]'"
        raise ModuleNotFoundError(message, name=error.name) from error


def pandas_of_extra():
    """Imports pandas, which reads, holds and writes tables.

    Returns:
        the module.

    Raises:
        ModuleNotFoundError: if it is not installed; names the extra.
    """
    with needed_for("Working with tables", "tables"):
        import pandas
        import pyarrow  # noqa: F401  Reads and writes Parquet, and holds text.
    return pandas
