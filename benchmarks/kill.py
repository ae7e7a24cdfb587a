#!/usr/bin/env python3
"""Kills trainings with SIGKILL at random moments, resumes them, and compares the weights.

Each ends with the weights, bit for bit, of a training that was never killed; exit code 1 says that
one did not.
"""

import argparse
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
ARGUMENTS = ("--preset", "toy", "--batch-size", "32")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=20, help="trainings to kill (default: 20)")
    parser.add_argument("--epochs", type=int, default=40, help="of digits (default: 40)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments (default: 0)")
    return parser.parse_args()


def start(folder, *arguments):
    script = ROOT / "scripts" / "train.py"
    command = [sys.executable, script, "--output", folder, *arguments]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def finish(process):
    _, error = process.communicate()
    if process.returncode:
        raise RuntimeError(f"train.py ended with {process.returncode}: {error}")


def weights(folder):
    """Every array of a run's last model: list of bytes. (Names differ from load to load.)"""
    from dvae_tf import runs

    return [weight.numpy().tobytes() for weight in runs.load(folder).weights]


def killed(folder, training, moment):
    """Trains, kills the training after `moment` seconds, and resumes it, or begins anew.

    Returns:
        int, the epochs that had been saved.
    """
    process = start(folder, *training)
    time.sleep(moment)
    process.kill()
    process.communicate()
    history = folder / "history.csv"
    saved = len(history.read_text().splitlines()) - 1 if history.exists() else 0
    begun = (folder / "run.json").exists()
    finish(start(folder, "--resume") if begun else start(folder, *training))
    return saved


def main():
    arguments = parse_arguments()
    from dvae_tf.startup import import_tensorflow_quietly

    import_tensorflow_quietly()
    training = (*ARGUMENTS, "--epochs", str(arguments.epochs))
    moments, different = random.Random(arguments.seed), 0
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        begin = time.monotonic()
        finish(start(folder / "whole", *training))
        seconds = time.monotonic() - begin
        whole = weights(folder / "whole")
        print(f"{arguments.epochs} epochs, {seconds:.0f} s when nothing is killed")
        for number in range(arguments.times):
            moment = moments.uniform(0.0, seconds)
            run = folder / f"killed-{number}"
            saved = killed(run, training, moment)
            same = weights(run) == whole
            different += not same
            told = {"killed_after_s": round(moment, 1), "epochs_saved": saved, "same": same}
            print(json.dumps(told), flush=True)
    print(f"{arguments.times - different} of {arguments.times} ended with the same weights")
    sys.exit(bool(different))


if __name__ == "__main__":
    main()
