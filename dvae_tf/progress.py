"""A progress bar for long jobs."""

import contextlib
from collections.abc import Sequence

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


@contextlib.contextmanager
def steps(what: str, names: Sequence[str], console: Console | None = None):
    """Shows how far a job of named steps has come and how long the rest will take.

    Shows nothing if the output is not a terminal.

    Args:
        what: str, the job, such as "measuring".
        names: sequence of str, its steps in order.
        console: rich.console.Console. Defaults to standard output.

    Yields:
        iterator of str, the names; the bar advances each time the next one is taken.

    Examples:
        >>> with steps("counting", ["one", "two"]) as names:
        ...     list(names)
        ['one', 'two']
    """
    console = console or Console()
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )

    def each(task):
        for done, name in enumerate(names):
            bar.update(task, completed=done, description=f"{what}: {name}")
            yield name

    with bar:
        yield each(bar.add_task(what, total=len(names)))
