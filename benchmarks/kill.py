#!/usr/bin/env python3
"""Kills commands with SIGKILL at random moments, restarts them, and compares their results.

Each must end like one that was never killed: a training with the same weights, bit for bit, all
others with the same numbers, and no half-written file may be left. Otherwise the exit code is 1.
"""

import argparse
import json
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
SHIPPED = ROOT / "saved_models" / "digits"
TOY = "--preset toy --batch-size 32"
# The command and its arguments; {out} is its output folder.
COMMANDS = {
    "train": f"train --dataset {{dataset}} {TOY} --epochs {{epochs}} --output {{out}}",
    "evaluate": "evaluate {out}",
    "compare": f"compare --dataset three_moons {TOY} --epochs 2 --output {{out}} "
    "--models cvae disentangled_vae",
    "export": f"export {SHIPPED} --saved-model --onnx --output {{out}}",
}
# The same, where resuming needs different arguments.
AGAIN = COMMANDS | {"train": "train --resume --output {out}"}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--what", choices=COMMANDS, default="train", help="command to kill (default: train)"
    )
    parser.add_argument("--times", type=int, default=20, help="how often (default: 20)")
    parser.add_argument("--dataset", default="digits", help="to train on (default: digits)")
    parser.add_argument("--epochs", type=int, default=6, help="to train for (default: 6)")
    parser.add_argument("--seed", type=int, default=0, help="for the moments (default: 0)")
    return parser.parse_args()


def prepare(what, out):
    """Prepares the folder: `evaluate` starts with a copy of the model that ships."""
    if what == "evaluate":
        shutil.copytree(SHIPPED, out)
        (out / "report.json").unlink()


def start(what, out, training, again=False):
    given = (AGAIN if again else COMMANDS)[what].format(out=out, **training)
    command = [sys.executable, "-m", "dvae_tf", *given.split(" ")]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def finish(process):
    _, error = process.communicate()
    if process.returncode:
        raise RuntimeError(f"{process.args[3]} ended with {process.returncode}: {error}")


def outcome(what, out):
    """The result that must be the same at the end.

    Weights without their names, which differ from load to load; numbers; or the file names of the
    newest version of an export.
    """
    if what == "train":
        from dvae_tf import runs

        return [weight.numpy().tobytes() for weight in runs.load(out).weights]
    if what == "export":
        versions = sorted(path for path in out.iterdir() if path.name.isdecimal())
        files = [path.relative_to(out) for path in out.iterdir() if path not in versions]
        return {*files, *(path.relative_to(versions[-1]) for path in versions[-1].rglob("*"))}
    return json.loads((out / ("report.json" if what == "evaluate" else "table.json")).read_text())


def killed(what, out, training, moment):
    """Starts a command, kills it after `moment` seconds, and starts it again.

    Returns:
        int, the number of files when it was killed.
    """
    prepare(what, out)
    process = start(what, out, training)
    time.sleep(moment)
    process.kill()
    process.communicate()
    files = sum(path.is_file() for path in out.rglob("*"))
    begun = what != "train" or (out / "run.json").exists()
    finish(start(what, out, training, again=begun))
    return files


def main():
    arguments = parse_arguments()
    from dvae_tf.commands.startup import import_tensorflow_quietly

    import_tensorflow_quietly()
    what = arguments.what
    training = {"dataset": arguments.dataset, "epochs": arguments.epochs}
    moments, different = random.Random(arguments.seed), 0
    with tempfile.TemporaryDirectory() as folder:
        whole = pathlib.Path(folder) / "whole"
        prepare(what, whole)
        begin = time.monotonic()
        finish(start(what, whole, training))
        seconds = time.monotonic() - begin
        wanted = outcome(what, whole)
        print(f"{what}: {seconds:.0f} s without being killed", flush=True)
        for number in range(arguments.times):
            moment, out = moments.uniform(0.0, seconds), pathlib.Path(folder) / f"killed-{number}"
            files = killed(what, out, training, moment)
            same = outcome(what, out) == wanted and not list(out.rglob(".*"))
            different += not same
            row = {"killed_after_s": round(moment, 1), "files_then": files, "same": same}
            print(json.dumps(row), flush=True)
    print(f"{arguments.times - different} of {arguments.times} ended as if not killed")
    sys.exit(bool(different))


if __name__ == "__main__":
    main()
