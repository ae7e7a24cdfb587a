#!/usr/bin/env python3
"""Kills commands with SIGKILL at random moments, starts them again, and compares what they leave.

Each ends as one that was never killed: a training with the same weights, bit for bit, all others
with the same figures, and no half-written file is left. Exit code 1 says that one did not.
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
# The command and its arguments; {out} is the folder of what it makes.
COMMANDS = {
    "train": f"train --dataset {{dataset}} {TOY} --epochs {{epochs}} --output {{out}}",
    "evaluate": "evaluate {out}",
    "compare": f"compare --dataset three_moons {TOY} --epochs 2 --output {{out}} "
    "--models cvae disentangled_vae",
    "export": f"export {SHIPPED} --saved-model --onnx --output {{out}}",
}
# Where going on takes another call.
AGAIN = COMMANDS | {"train": "train --resume --output {out}"}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--what", choices=COMMANDS, default="train", help="what is killed (default: train)"
    )
    parser.add_argument("--times", type=int, default=20, help="how often (default: 20)")
    parser.add_argument("--dataset", default="digits", help="trained on (default: digits)")
    parser.add_argument("--epochs", type=int, default=6, help="of it (default: 6)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments (default: 0)")
    return parser.parse_args()


def prepare(what, out):
    """Puts there what the command begins with: to be measured, a copy of the model that ships."""
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
    """What must be the same in the end.

    Weights without their names, which differ from load to load; figures; names of files, of the
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
    """Starts, kills after `moment` seconds, and starts again.

    Returns:
        int, the files that were there when it was killed.
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
        print(f"{what}: {seconds:.0f} s when nothing is killed", flush=True)
        for number in range(arguments.times):
            moment, out = moments.uniform(0.0, seconds), pathlib.Path(folder) / f"killed-{number}"
            files = killed(what, out, training, moment)
            same = outcome(what, out) == wanted and not list(out.rglob(".*"))
            different += not same
            told = {"killed_after_s": round(moment, 1), "files_then": files, "same": same}
            print(json.dumps(told), flush=True)
    print(f"{arguments.times - different} of {arguments.times} ended as if nothing had been")
    sys.exit(bool(different))


if __name__ == "__main__":
    main()
