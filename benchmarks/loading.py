"""Measures how much memory `load_arrays`, and what a run measures, take for many faces.

    python benchmarks/loading.py --images 8000

Each is measured in a process of its own: the peak of its resident memory less what it held before,
as a multiple of the images' own bytes.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

SIDE, CLASSES = 64, 10
DOORS = ("npz", "folder", "run")


def write(folder, count):
    """The same images as a .npz file and as a folder."""
    from PIL import Image

    x = np.random.default_rng(0).integers(0, 256, (count, SIDE // 8, SIDE // 8, 3), np.uint8)
    x = x.repeat(8, axis=1).repeat(8, axis=2)
    np.savez(folder / "faces.npz", x=x, label=np.arange(count) % CLASSES)
    for number, image in enumerate(x):
        path = folder / "faces" / str(number % CLASSES) / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path, compress_level=1)


def most_resident():
    """The most bytes that this program held; that of `resource` counts its parent's as well."""
    status = pathlib.Path("/proc/self/status").read_text()
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])


def measured(door, folder):
    """The bytes that loading takes."""
    from dvae_tf import data, runs

    name = f"npz:{folder}/faces.npz" if door == "npz" else f"folder:{folder}/faces"
    data.load_arrays("three_moons", "test", count=9)  # What TensorFlow takes once.
    before = most_resident()
    if door == "run":
        runs.data.MOST_VALUES = 2**24
        arguments = {"dataset": name, "size": SIDE, "seed": 0, "labelled": 1.0, "batch_size": 96}
        runs.Data(arguments).arrays("train")
    else:
        data.load_arrays(name, "train", size=SIDE)
    return most_resident() - before


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=8000)
    parser.add_argument("--door", choices=DOORS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=pathlib.Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def main():
    options = parse_arguments()
    if options.door:
        print(measured(options.door, options.folder))
        return
    size = options.images * SIDE * SIDE * 3
    with tempfile.TemporaryDirectory() as folder:
        write(pathlib.Path(folder), options.images)
        for door in DOORS:
            call = [sys.executable, __file__, "--door", door, "--folder", folder]
            found = subprocess.run(call, check=True, stdout=subprocess.PIPE, text=True).stdout
            print(f"{door:8s} {int(found) / 1e6:8.0f} MB, {int(found) / size:.2f} of the images")


if __name__ == "__main__":
    main()
