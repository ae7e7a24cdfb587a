"""The command `dvae`: arguments made from the settings, errors in one line with an exit code."""

import argparse
import dataclasses
import importlib
import inspect
import json
import os
import pathlib
import sys
import types
import typing

from dvae_tf.commands import settings as all_settings
from dvae_tf.commands.startup import import_tensorflow_quietly

# Each is a function of the module of the same name in dvae_tf.commands.
COMMANDS = {
    "train": all_settings.TrainingSettings,
    "evaluate": all_settings.EvaluationSettings,
    "generate": all_settings.GenerationSettings,
    "explore": all_settings.ExplorationSettings,
    "encode": all_settings.EncodingSettings,
    "gallery": all_settings.GallerySettings,
    "compare": all_settings.ComparisonSettings,
    "tune": all_settings.SearchSettings,
    "export": all_settings.ExportSettings,
    "serve": all_settings.ServingSettings,
    "ship": all_settings.ShippingSettings,
}
# The times in the table of formats are those of one thread.
ENVIRONMENT = {"export": {"TF_NUM_INTRAOP_THREADS": "1"}}

MISSING = dataclasses.MISSING
FAILED, MISTAKE, NOT_FINITE, STOPPED = 1, 2, 3, 130
# The first that fits holds: a lost connection is an OSError as well.
EXIT_CODES = {
    ConnectionError: FAILED,
    FloatingPointError: NOT_FINITE,
    ValueError: MISTAKE,
    ModuleNotFoundError: MISTAKE,
    OSError: MISTAKE,
}
DEBUG = "--debug"
# What TensorFlow's own variable calls them.
LOG_LEVELS = {"none": "3", "error": "2", "warning": "1", "info": "0"}


def main(*words: str) -> None:
    """Runs a command and ends the process with an exit code.

    0: done. 2: something given does not fit, or a file cannot be read or written. 3: a loss is no
    finite number any more. 1: another machine is gone. 130: the user stopped it. With --debug an
    error shows where it came up.

    Args:
        *words: str, what comes before the arguments of the shell, such as the command's name.

    Raises:
        SystemExit: always, but for an error with --debug.
    """
    try:
        name, settings = parsed([*words, *sys.argv[1:]])
        for variable, value in ENVIRONMENT.get(name, {}).items():
            os.environ.setdefault(variable, value)
        import_tensorflow_quietly()
        # Not before: TensorFlow takes seconds, and --help shall not.
        getattr(importlib.import_module(f"dvae_tf.commands.{name}"), name)(settings)
        sys.exit(0)
    except KeyboardInterrupt:
        sys.exit(STOPPED)
    except tuple(EXIT_CODES) as error:
        if DEBUG in sys.argv:
            raise
        print(f"error: {error}", file=sys.stderr)
        sys.exit(next(code for kind, code in EXIT_CODES.items() if isinstance(error, kind)))


def parsed(words: list[str]) -> tuple:
    """Reads the arguments of the shell.

    Args:
        words: list of str, the command's name and its arguments.

    Returns:
        (str, dataclass): the command's name and its settings.

    Raises:
        ValueError: if a setting does not fit.
        SystemExit: if arguments cannot be read, or help was asked for.

    Examples:
        >>> parsed(["generate", "--label", "3"])[1].label
        ('3',)
    """
    parser = argparse.ArgumentParser(
        prog="dvae", description="Supervised disentanglement: splits label from the rest."
    )
    choices = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    script = pathlib.Path(sys.argv[0])
    for name, kind in COMMANDS.items():
        about = inspect.getdoc(kind) or ""
        summary, *_ = about.splitlines()
        command = choices.add_parser(
            name,
            help=summary,
            description=about,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            prog=f"{script.parent.name}/{script.name}" if script.parent.name == "scripts" else None,
        )
        if words[:1] == [name]:
            add_arguments(command, kind)
    given = vars(parser.parse_args(words))
    name = given.pop("command")
    given.pop("debug", None)
    level = given.pop("log_level", None)
    if level:
        os.environ["TF_CPP_MIN_LOG_LEVEL"] = LOG_LEVELS[level]
    kind, file = COMMANDS[name], given.get("settings")
    try:
        return name, kind(**_from_file(kind, file) | given)
    except TypeError as error:  # The shell's own values have their types.
        raise ValueError(f"{file}: a setting has a value of another kind ({error}).") from error


def as_arguments(settings) -> list[str]:
    """Writes settings as arguments of the shell: what `parsed` reads them from.

    Values that are the defaults are left out.

    Args:
        settings: dataclass of `dvae_tf.commands.settings`.

    Returns:
        list of str, for `shlex.join`.

    Examples:
        >>> as_arguments(all_settings.TrainingSettings("shapes", changes={"flow": False}))
        ['--dataset', 'shapes', '--set', 'flow=false']
        >>> as_arguments(all_settings.TrainingSettings("table:a.csv", recipe="balanced"))
        ['--dataset', 'table:a.csv', '--recipe', 'balanced']
    """
    kind = type(settings)
    types_of, defaults = typing.get_type_hints(kind), _defaults(settings)
    positional: list[str] = []
    options: list[str] = []
    # From behind: what stands before a value that is given must be there, default or not.
    for field in reversed(dataclasses.fields(kind)):
        value = getattr(settings, field.name)
        given = value is not None and value != getattr(defaults, field.name)
        if field.metadata["positional"]:
            if given or positional:
                values = value if isinstance(value, tuple) else (value,)
                positional = [*map(str, values), *positional]
        elif given:
            flag = field.metadata["flag"] or _flag(field.name)
            options = [*_words(flag, value, types_of[field.name]), *options]
    return positional + options


def _defaults(settings):
    """The values of settings of which none was given: some of them suit the data set."""
    defaults = type(settings)()
    if not hasattr(settings, "dataset"):
        return defaults
    of_data = type(settings)(dataset=settings.dataset)
    object.__setattr__(of_data, "dataset", defaults.dataset)
    return of_data


def _words(flag, value, kind):
    """An option with its value, as `_options` says that it is read."""
    if value is True:
        return [flag]
    if kind == dict[str, dict]:
        return [word for name, pairs in value.items() for word in (flag, name, *_as_pairs(pairs))]
    if isinstance(value, dict):
        return [flag, *_as_pairs(value)]
    return [flag, *map(str, value if isinstance(value, tuple) else (value,))]


def _as_pairs(values):
    return [f"{name}={json.dumps(value)}" for name, value in values.items()]


def add_arguments(parser: argparse.ArgumentParser, kind) -> None:
    """Makes an argument of every field of some settings; what is not given stays away.

    Args:
        parser: argparse.ArgumentParser.
        kind: dataclass of `dvae_tf.commands.settings`.
    """
    types_of = typing.get_type_hints(kind)
    for field in dataclasses.fields(kind):
        positional = field.metadata["positional"]
        name = field.name if positional else field.metadata["flag"] or _flag(field.name)
        options = _options(types_of[field.name], field)
        if not positional:
            options["dest"] = field.name
        parser.add_argument(name, help=_help(field), default=argparse.SUPPRESS, **options)
    parser.add_argument(
        DEBUG,
        action="store_true",
        default=argparse.SUPPRESS,
        help="show where in the code an error came up",
    )
    parser.add_argument(
        "--log-level",
        choices=LOG_LEVELS,
        default=argparse.SUPPRESS,
        help="what TensorFlow says of itself (default: none)",
    )


def _flag(name):
    return f"--{name.replace('_', '-')}"


def _options(kind, field):
    """What `add_argument` needs for a type: bool, tuple, dict, or one value."""
    metavar, choices = field.metadata["metavar"], field.metadata["choices"] or None
    single = {"metavar": metavar} if metavar else {}
    origin = typing.get_origin(kind) or kind
    if origin is types.UnionType:  # Such as int | None.
        kind = origin = typing.get_args(kind)[0]
    if origin is bool:
        return {"action": "store_true"}
    if kind == dict[str, dict]:
        return {"action": _NamedPairs, "nargs": "+", "metavar": (metavar, "NAME=VALUE")}
    if origin is dict:
        return {"action": _Pairs, "nargs": "+", "type": _pair, **single}
    if origin is tuple:
        many = "*" if field.metadata["positional"] else "+"
        item, _ = typing.get_args(kind)
        return {"action": _Tuple, "nargs": many, "type": item, "choices": choices, **single}
    if field.metadata["positional"]:
        # Without choices: argparse would look for the missing value among them.
        return {"type": kind, "nargs": "?", **single}
    return {"type": kind, "choices": choices, **single}


def _help(field):
    text, default = field.metadata["text"], field.default
    if "(default:" in text or any(default is none for none in (None, (), False, MISSING)):
        return text
    shown = ", ".join(map(str, default)) if isinstance(default, tuple) else f"{default}"
    return f"{text} (default: {shown})"


class _Tuple(argparse.Action):
    """Keeps the values of every time that the option comes as a tuple; none are as not given."""

    def __call__(self, parser, namespace, values, option_string=None):
        if values:
            setattr(namespace, self.dest, (*getattr(namespace, self.dest, ()), *values))


class _Pairs(argparse.Action):
    """Keeps NAME=VALUE pairs as a dict."""

    def __call__(self, parser, namespace, values, option_string=None):
        setattr(namespace, self.dest, getattr(namespace, self.dest, {}) | dict(values))


class _NamedPairs(argparse.Action):
    """Keeps a name and its NAME=VALUE pairs, each time that the option comes."""

    def __call__(self, parser, namespace, values, option_string=None):
        name, *pairs = values
        try:
            found = {name: dict(map(_pair, pairs))}
        except argparse.ArgumentTypeError as error:
            raise argparse.ArgumentError(self, str(error)) from error
        setattr(namespace, self.dest, getattr(namespace, self.dest, {}) | found)


def _pair(text):
    name, sign, value = text.partition("=")
    try:
        if sign:
            return name, json.loads(value)
    except json.JSONDecodeError:
        pass
    raise argparse.ArgumentTypeError(
        f"{text!r} is no NAME=VALUE with a value in JSON, such as kl=0.5 or flow=false"
    )


def _from_file(kind, path):
    """The settings that a JSON file holds."""
    if path is None:
        return {}
    try:
        found = dict(json.loads(pathlib.Path(path).read_text()))
        unknown = sorted(set(found) - {field.name for field in dataclasses.fields(kind)})
    except (OSError, ValueError, TypeError) as error:
        raise ValueError(
            f"{path} is no JSON file of settings; give one as `dvae tune` writes: {error}"
        ) from error
    if unknown:
        raise ValueError(f"{path}: there is no setting {unknown[0]!r}; see dvae train --help.")
    return found
