"""The embedded server: REST and gRPC for one SavedModel, for laptops and tests.

In production use TF Serving itself (deploy/tf-serving): this server does not batch requests.
"""

import os
import socket
import threading

import uvicorn
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from dvae_tf.serving.model_versions import ModelVersions
from dvae_tf.serving.rest import application
from dvae_tf.serving.rpc import make_server

GRACE_SECONDS = 5.0
MOST_CONNECTIONS = 256


class Server:
    """Serves the newest version of a model until it is closed.

    Args:
        folder: str or pathlib.Path with a folder for each version.
        name: str, the model's name. Defaults to "dvae".
        host: str. Defaults to "127.0.0.1": reachable only from this machine.
        port: int, of REST. Defaults to 8501; 0 means any free one.
        grpc_port: int, of gRPC. Defaults to 8500; 0 means any free one.
        most_requests: float, requests a second that are answered, REST and gRPC together; others
            are refused as UNAVAILABLE. Defaults to None: all.

    Raises:
        ValueError: if there is no version of a model, a port is taken, or the rate is not above 0.
    """

    def __init__(
        self,
        folder: str | os.PathLike,
        name: str = "dvae",
        host: str = "127.0.0.1",
        port: int = 8501,
        grpc_port: int = 8500,
        most_requests: float | None = None,
    ):
        for number in (port, grpc_port):
            if not 0 <= number < 2**16:
                raise ValueError(f"There is no port {number}; give 0 to 65535.")
        self.versions = ModelVersions(name, folder, most_requests)
        page = self.versions.folder / "web"
        routes = [Mount("/", StaticFiles(directory=page, html=True))] if page.is_dir() else []
        self._socket = _listen(host, port)
        self.port = self._socket.getsockname()[1]
        try:
            self._rpc, self.grpc_port = make_server(self.versions, f"{host}:{grpc_port}")
        except ValueError:
            self._socket.close()
            raise
        self._http = uvicorn.Server(
            uvicorn.Config(
                application(self.versions, routes),
                log_level="warning",
                limit_concurrency=MOST_CONNECTIONS,
                timeout_graceful_shutdown=int(GRACE_SECONDS),
            )
        )
        self._thread = threading.Thread(
            target=self._http.run, kwargs={"sockets": [self._socket]}, daemon=True
        )

    def start(self):
        """Starts REST and gRPC; returns once they accept requests.

        Returns:
            Server, itself.
        """
        self._rpc.start()
        self._thread.start()
        while not self._http.started:
            self._thread.join(0.02)
        return self

    def wait(self) -> None:
        """Waits until the server ends (Ctrl-C included)."""
        self._thread.join()

    def close(self) -> None:
        """Waits for running requests to end, then stops."""
        self._http.should_exit = True
        self._rpc.stop(GRACE_SECONDS).wait()
        if self._thread.ident:
            self._thread.join()
        self.versions.close()

    def __enter__(self):
        return self.start()

    def __exit__(self, *error):
        self.close()


def _listen(host, port):
    try:
        return socket.create_server((host, port))
    except OSError as error:
        raise ValueError(
            f"{host}:{port} cannot be listened on ({error.strerror}); give another --port."
        ) from error
