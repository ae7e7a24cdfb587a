#!/usr/bin/env python3
"""Serves an exported model on this machine, with TF Serving's own REST and gRPC interfaces.

For a laptop and for tests; in production use TF Serving itself (deploy/tf-serving). A newer
version that scripts/export.py puts beside the served one is taken up without a pause.
"""

import contextlib
import signal

from dvae_tf.commands.command_line import Parser, run


def parse_arguments():
    parser = Parser(description=__doc__)
    parser.add_argument(
        "model",
        nargs="?",
        help="folder with a folder for each version: the --output of scripts/export.py "
        "(default: the export of the newest run, or the model that ships)",
    )
    parser.add_argument("--name", default="dvae", help="what the model is called (default: dvae)")
    parser.add_argument("--port", type=int, default=8501, help="of REST (default: 8501)")
    parser.add_argument("--grpc-port", type=int, default=8500, help="of gRPC (default: 8500)")
    parser.add_argument(
        "--host", default="127.0.0.1", help="0.0.0.0 for other machines (default: 127.0.0.1)"
    )
    parser.add_argument(
        "--most-requests",
        type=float,
        metavar="NUMBER",
        help="requests a second that are answered (default: all)",
    )
    return parser.parse_args()


def main(arguments):
    from dvae_tf import runs
    from dvae_tf.extras import needed_for

    with needed_for("The server", "serve"):
        from dvae_tf.serving.server import Server

    folder = arguments.model or runs.exported()
    server = Server(
        folder,
        arguments.name,
        arguments.host,
        arguments.port,
        arguments.grpc_port,
        arguments.most_requests,
    )
    # A stop from outside ends it as Ctrl-C does: requests under way are answered first.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    server.start()
    print(f"REST on http://{arguments.host}:{server.port}/v1/models/{arguments.name}")
    print(f"gRPC on {arguments.host}:{server.grpc_port}. Ctrl-C ends it.", flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        server.wait()
    server.close()


if __name__ == "__main__":
    run(parse_arguments, main)
