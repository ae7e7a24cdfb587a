"""What all scripts share: --debug, and errors in one line with an exit code."""

import argparse
import sys

FAILED, MISTAKE, NOT_FINITE, STOPPED = 1, 2, 3, 130
DEBUG = "--debug"


class Parser(argparse.ArgumentParser):
    """`argparse.ArgumentParser` with the option --debug, which `run` looks at.

    Args:
        **kwargs: of `argparse.ArgumentParser`.

    Examples:
        >>> vars(Parser(description="Nothing.").parse_args(["--debug"]))
        {}
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.add_argument(
            DEBUG,
            action="store_true",
            default=argparse.SUPPRESS,
            help="show where in the code an error came up",
        )

    def parse_args(self, args=None, namespace=None):
        """`argparse.ArgumentParser.parse_args`, without `debug`."""
        found = super().parse_args(args, namespace)
        vars(found).pop("debug", None)
        return found


def run(main):
    """Runs a script and ends it with an exit code.

    0: done. 2: something given does not fit, or a file cannot be read or written. 3: a loss is no
    finite number any more. 1: another machine is gone. 130: the user stopped it. With --debug an
    error shows where it came up.

    Args:
        main: function without arguments that returns the exit code, or None for 0.

    Raises:
        SystemExit: always, but for an error with --debug.
    """
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(STOPPED)
    except tuple(EXIT_CODES) as error:
        if DEBUG in sys.argv:
            raise
        print(f"error: {error}", file=sys.stderr)
        sys.exit(next(code for kind, code in EXIT_CODES.items() if isinstance(error, kind)))


# The first that fits holds: a lost connection is an OSError as well.
EXIT_CODES = {
    ConnectionError: FAILED,
    FloatingPointError: NOT_FINITE,
    ValueError: MISTAKE,
    ModuleNotFoundError: MISTAKE,
    OSError: MISTAKE,
}
