"""The command as the user types it, for messages and files."""

import pathlib
import sys


def invocation(command: str) -> str:
    """Returns a command as the user types it.

    Args:
        command: str, such as "train".

    Returns:
        str: "python scripts/train.py" if a script of the checkout is running, else "dvae train".

    Examples:
        >>> invocation("train")
        'dvae train'
    """
    of_checkout = pathlib.Path(sys.argv[0]).parent.name == "scripts"
    return f"python scripts/{command}.py" if of_checkout else f"dvae {command}"
