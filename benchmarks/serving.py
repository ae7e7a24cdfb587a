#!/usr/bin/env python3
"""Puts the embedded server under load: many clients at once, and a new version meanwhile.

Half of the clients use REST, half gRPC; others (--bad-clients) send randomly damaged bodies, JSON
and PNG. Reports requests, failures and the server's memory over time. The exit code is 1 if a good
request failed or a bad one was not refused.
"""

import argparse
import base64
import json
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
# A grey image of 16x16 pixels.
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAAAAAA6mKC9AAAAEUlEQVR4nGNsYEAFTAwjWgAAmZAAoC0n"
    "3a4AAAAASUVORK5CYII="
)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "model",
        nargs="?",
        type=pathlib.Path,
        default=ROOT / "saved_models" / "digits",
        help="folder of an exported model (default: the model that ships)",
    )
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--bad-clients", type=int, default=0, help="(default: 0)")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--port", type=int, default=18501)
    parser.add_argument("--grpc-port", type=int, default=18500)
    return parser.parse_args()


class Load:
    """The clients and their results so far.

    Args:
        arguments: argparse.Namespace.
    """

    def __init__(self, arguments):
        self.arguments = arguments
        self.until = time.monotonic() + arguments.seconds
        self.latencies, self.failures, self.refused = [], [], 0

    def request(self, number):
        """A client that sends requests until the time is over."""
        from dvae_tf.serving import Client

        grpc = f"127.0.0.1:{self.arguments.grpc_port}"
        address = grpc if number % 2 else f"http://127.0.0.1:{self.arguments.port}"
        with Client(address, retries=0) as client:
            while time.monotonic() < self.until:
                begin = time.monotonic()
                try:
                    assert client.generate([number % 10], seed=number).ndim == 4
                    self.latencies.append(time.monotonic() - begin)
                except Exception as error:  # Any error is a failed request.
                    self.failures.append(repr(error))

    def disturb(self, number):
        """A client that sends damaged bodies until the time is over."""
        import httpx

        chance = random.Random(number)
        url = f"http://127.0.0.1:{self.arguments.port}/v1/models/dvae:predict"
        with httpx.Client(timeout=30.0) as client:
            while time.monotonic() < self.until:
                body = damaged_body(chance)
                try:
                    answer = client.post(url, content=body)
                    content = answer.json()
                    # A damaged body may still be a valid request.
                    fits = answer.status_code == 200 or "error" in content
                    assert answer.status_code in (200, 400, 404, 413), content
                    assert fits, content
                    self.refused += answer.status_code != 200
                except Exception as error:  # Any error is not a proper refusal.
                    self.failures.append(f"{error!r} to {body[:200]!r}")


def damaged_body(chance):
    """A request with wrong values, or with bytes cut out, repeated or overwritten: bytes."""
    png = base64.b64encode(PNG if chance.random() < 0.5 else damaged(PNG, chance)).decode()
    values = chance.choice([[3], [-1], [1e99], ["a"], None, {}, [[3]], [True], 3, [{"b64": png}]])
    signature = chance.choice(["generate", "generate_png", "encode", "decode", "swap", "", "x", 7])
    names = chance.sample(["label", "seed", "temperature", "image", "z_s", "z_u", "mask"], 3)
    inputs = {name: chance.choice([values, [0, 0], 1.0, [[[[0.5]]]]]) for name in names}
    request = {"signature_name": signature, chance.choice(["inputs", "instances"]): inputs}
    body = json.dumps(request).encode()
    return damaged(body, chance) if chance.random() < 0.5 else body


def damaged(content, chance):
    """The bytes of `content` with a piece cut out, repeated, or overwritten at random."""
    start = chance.randrange(len(content))
    stop = min(len(content), start + chance.randrange(1, 30))
    kind = chance.randrange(3)
    piece = [b"", content[start:stop] * 50, chance.randbytes(stop - start)][kind]
    return content[:start] + piece + content[stop:]


def resident_megabytes(process):
    """Returns the resident memory of a process in MB (Linux)."""
    status = pathlib.Path(f"/proc/{process}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1000


def start_server(folder, arguments):
    command = [sys.executable, str(ROOT / "scripts" / "serve.py"), str(folder)]
    ports = ["--port", str(arguments.port), "--grpc-port", str(arguments.grpc_port)]
    server = subprocess.Popen([*command, *ports], stdout=subprocess.PIPE, text=True)
    server.stdout.readline()  # It accepts requests now.
    return server


def main():
    arguments = parse_arguments()
    with tempfile.TemporaryDirectory() as served:
        served = pathlib.Path(served)
        (version,) = [path for path in arguments.model.iterdir() if path.name.isdecimal()][-1:]
        shutil.copytree(version, served / "1")
        server = start_server(served, arguments)
        try:
            result = put_under_load(server, served, arguments)
        finally:
            server.terminate()
            server.wait()
    print(json.dumps(result, indent=2))
    sys.exit(bool(result["failures"]) or result["version_at_the_end"] != 2)


def put_under_load(server, served, arguments):
    import numpy as np

    load = Load(arguments)
    clients = [threading.Thread(target=load.request, args=[n]) for n in range(arguments.clients)]
    bad = range(arguments.bad_clients)
    clients += [threading.Thread(target=load.disturb, args=[number]) for number in bad]
    for client in clients:
        client.start()
    memory = []
    while time.monotonic() < load.until:
        time.sleep(arguments.seconds / 12)
        memory.append(round(resident_megabytes(server.pid)))
        if len(memory) == 6:
            shutil.copytree(served / "1", served / "aside")
            (served / "aside").rename(served / "2")
    for client in clients:
        client.join()
    return {
        "clients": arguments.clients,
        "seconds": arguments.seconds,
        "requests": len(load.latencies),
        "refused": load.refused,
        "failures": load.failures[:10],
        "requests_a_second": round(len(load.latencies) / arguments.seconds, 1),
        "milliseconds_median": round(1000 * float(np.median(load.latencies)), 1),
        "milliseconds_99_percent": round(1000 * float(np.quantile(load.latencies, 0.99)), 1),
        "resident_megabytes": memory,
        "version_at_the_end": version_of(arguments),
    }


def version_of(arguments):
    import httpx

    return httpx.get(f"http://127.0.0.1:{arguments.port}/healthz").json()["version"]


if __name__ == "__main__":
    main()
