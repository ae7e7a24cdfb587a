"""What all scripts share: --debug, --log-level, and errors in one line with an exit code."""

import argparse
import os
import sys

from dvae_tf.commands.startup import import_tensorflow_quietly

FAILED, MISTAKE, NOT_FINITE, STOPPED = 1, 2, 3, 130
DEBUG = "--debug"
# What TensorFlow's own variable calls them.
LOG_LEVELS = {"none": "3", "error": "2", "warning": "1", "info": "0"}


class Parser(argparse.ArgumentParser):
    """`argparse.ArgumentParser` with --debug, which `run` looks at, and TensorFlow's --log-level.

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
        self.add_argument(
            "--log-level",
            choices=LOG_LEVELS,
            default=argparse.SUPPRESS,
            help="what TensorFlow says of itself (default: none)",
        )

    def parse_args(self, args=None, namespace=None):
        """`argparse.ArgumentParser.parse_args`, without `debug` and `log_level`: that is set."""
        found = super().parse_args(args, namespace)
        vars(found).pop("debug", None)
        level = vars(found).pop("log_level", None)
        if level:
            os.environ["TF_CPP_MIN_LOG_LEVEL"] = LOG_LEVELS[level]
        return found


def run(parse_arguments, main):
    """Runs a script and ends it with an exit code; TensorFlow comes once the arguments are right.

    0: done. 2: something given does not fit, or a file cannot be read or written. 3: a loss is no
    finite number any more. 1: another machine is gone. 130: the user stopped it. With --debug an
    error shows where it came up.

    Args:
        parse_arguments: function that returns an argparse.Namespace.
        main: function of that which returns the exit code, or None for 0.

    Raises:
        SystemExit: always, but for an error with --debug.
    """
    try:
        arguments = parse_arguments()
        import_tensorflow_quietly()
        sys.exit(main(arguments))
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
