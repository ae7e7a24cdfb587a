"""The embedded server, until somebody stops it."""

import contextlib
import signal

from rich.console import Console

from dvae_tf import runs
from dvae_tf.commands.settings import ServingSettings
from dvae_tf.extras import needed_for


def serve(settings: ServingSettings, console: Console | None = None) -> None:
    """Serves an exported model until Ctrl-C or a stop from outside.

    Args:
        settings: ServingSettings.
        console: rich.console.Console for what is printed. Defaults to standard output.

    Raises:
        ValueError: if there is no version of a model, a port is taken, or a setting does not fit.
        ModuleNotFoundError: if the extra `serve` is not installed.
    """
    with needed_for("The server", "serve"):
        from dvae_tf.serving.server import Server

    console = console or Console()
    server = Server(
        settings.model or runs.exported(),
        settings.name,
        settings.host,
        settings.port,
        settings.grpc_port,
        settings.most_requests,
    )
    # A stop from outside ends it as Ctrl-C does: requests under way are answered first.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    server.start()
    for line in (
        f"REST on http://{settings.host}:{server.port}/v1/models/{settings.name}",
        f"gRPC on {settings.host}:{server.grpc_port}. Ctrl-C ends it.",
    ):
        console.print(line, soft_wrap=True, markup=False)
    console.file.flush()  # Whoever started this process may wait for these lines.
    with contextlib.suppress(KeyboardInterrupt):
        server.wait()
    server.close()
