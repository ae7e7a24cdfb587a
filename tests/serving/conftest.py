import pytest
from toys import untrained_run

from dvae_tf import runs
from dvae_tf.export.saved_model import write_saved_model
from dvae_tf.serving import Client
from dvae_tf.serving.server import Server


@pytest.fixture(scope="session")
def folder(made_once):
    """The folder of an exported untrained model of 8x8 images in three classes, for all workers."""

    def fill(aside):
        write_saved_model(runs.load(untrained_run(aside / "run")), aside / "versions" / "1")

    return made_once("served", fill) / "versions"


@pytest.fixture(scope="session")
def server(folder):
    with Server(folder, port=0, grpc_port=0) as running:
        yield running


@pytest.fixture(scope="module", params=["rest", "grpc"])
def client(request, server):
    ports = server.port, server.grpc_port
    rest = request.param == "rest"
    address = f"http://127.0.0.1:{ports[0]}" if rest else f"127.0.0.1:{ports[1]}"
    with Client(address, timeout=60.0) as made:
        yield made
