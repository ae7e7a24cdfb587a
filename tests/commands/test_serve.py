import signal
import urllib.request

import pytest
from rich.console import Console

from dvae_tf.commands.serve import serve
from dvae_tf.commands.settings import ServingSettings
from dvae_tf.runs import shipped

server = pytest.importorskip("dvae_tf.serving.server")


@pytest.fixture
def served(monkeypatch):
    """Serves for the length of one request; returns what is printed and the answer."""
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    answers = []

    def ask(self):
        address = f"http://127.0.0.1:{self.port}/v1/models/digits"
        answers.append(urllib.request.urlopen(address).read().decode())
        raise KeyboardInterrupt

    monkeypatch.setattr(server.Server, "wait", ask)

    def run(model):
        console = Console(width=200)
        with console.capture() as printed:
            serve(ServingSettings(model, "digits", port=0, grpc_port=0), console)
        return printed.get(), *answers

    return run


@pytest.mark.slow
def test_the_model_is_served_until_it_is_stopped(served):
    printed, answer = served(str(shipped.find()))
    rest, rpc = printed.splitlines()
    assert rest.startswith("REST on http://127.0.0.1:")
    assert rest.endswith("/v1/models/digits")
    assert rpc.endswith("Ctrl-C ends it.")
    assert "AVAILABLE" in answer


def test_a_folder_without_a_model_is_named(served, tmp_path):
    with pytest.raises(ValueError, match="holds no version of a SavedModel"):
        served(str(tmp_path))
