"""What the user types to run a command: messages and files name it as it is there."""

import pathlib
import sys


def invocation(command: str) -> str:
    """Says how the user starts a command.

    Args:
        command: str, such as "train".

    Returns:
        str: "python scripts/train.py" where a script of the checkout runs, else "dvae train".

    Examples:
        >>> invocation("train")
        'dvae train'
    """
    of_checkout = pathlib.Path(sys.argv[0]).parent.name == "scripts"
    return f"python scripts/{command}.py" if of_checkout else f"dvae {command}"
