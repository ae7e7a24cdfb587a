"""The metrics of a server, for Prometheus."""

import contextlib

import prometheus_client

from dvae_tf.serving.protocol import RequestError


class Metrics:
    """Counts requests by status and measures how long they take.

    Args:
        entry: str, the API that receives them: "rest" or "grpc".
    """

    registry = prometheus_client.CollectorRegistry()
    requests = prometheus_client.Counter(
        "dvae_requests", "Requests by entry and status.", ["entry", "status"], registry=registry
    )
    seconds = prometheus_client.Histogram(
        "dvae_request_seconds", "Time of a request.", ["entry"], registry=registry
    )

    def __init__(self, entry: str):
        self.entry = entry

    @contextlib.contextmanager
    def request(self):
        """Counts and times one request."""
        status = "INTERNAL"
        with self.seconds.labels(self.entry).time():
            try:
                yield
                status = "OK"
            except RequestError as error:
                status = error.code
                raise
            finally:
                self.requests.labels(self.entry, status).inc()

    def text(self):
        """Returns all metrics in Prometheus' text format, bytes."""
        return prometheus_client.generate_latest(self.registry)
