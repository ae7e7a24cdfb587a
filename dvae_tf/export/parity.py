"""Whether an exported model gives what the Keras model gives; every format passes through here."""

import dataclasses
import statistics
import time
from collections.abc import Callable

import numpy as np
import tensorflow as tf

# Largest difference of any output from the Keras model's, as a share of the range of the Keras
# model's values. Half-precision weights alone round by 5e-4 of their size, and the flow stretches
# that in z_u: 1e-4 cannot be had with them.
TOLERANCE = {"float32": 1e-4, "float16": 5e-2}
# Of images it may be more, below half a step of 8 bits (1 / 510): a flow that is far from the
# identity stretches the last bits of a code.
IMAGE_TOLERANCE = 1e-3
# Images, probabilities and codes are of this size; where all values of a batch are nearly the same,
# their range says nothing of how exact they can be.
LEAST_RANGE = 1.0
# What integers must keep instead.
MOST_ERROR = 0.05  # Root mean square of an image's or a vector's errors, as a share of the range.
LEAST_AGREEMENT = 0.98
MOST_CONSISTENCY_LOST = 0.02
REMEDIES = {
    "float32": "Use a format that passed, and report this with the run's run.json",
    "float16": "Use the float32 file, or leave this one out: --numbers float32 int8",
    "dynamic_int8": "Use the float16 file, or leave this one out: --numbers float32 float16",
    "int8": "Use the float16 file, or leave this one out: --numbers float32 float16; a model that "
    "was trained for longer, or is wider, often bears int8",
}
CHECKED_EXAMPLES = 256
CONSISTENCY_EXAMPLES = 1000
FILES = 8
TIMED_BATCHES = (1, 64)
TIMED_RUNS = 30


@dataclasses.dataclass(frozen=True)
class Exported:
    """One exported file or folder, ready to run.

    Args:
        name: str, what the table calls it.
        numbers: str, "float32", "float16", "dynamic_int8" or "int8".
        size: int, bytes.
        run: function (function name, dict of inputs) -> dict of arrays.
        functions: list of str, the functions that it has.
    """

    name: str
    numbers: str
    size: int
    run: Callable
    functions: list


def check(exported, functions: dict, inputs: dict, judge) -> float:
    """Compares every function of an exported model with the Keras model's.

    Args:
        exported: Exported.
        functions: dict of name to Function, of the Keras model.
        inputs: dict of function name to dict of arrays.
        judge: function (label, images) -> share of images of that class, or None for data that
            are no images: then integers are held to agreement alone.

    Returns:
        float, the largest difference of any output.

    Raises:
        ValueError: if a function differs by more than its numbers allow; says which, by how much,
            and what to do.
    """
    largest, faults = 0.0, []
    for name in exported.functions:
        wanted = _plain(functions[name](inputs[name]))
        found = exported.run(name, inputs[name])
        errors = {
            key: np.abs(found[key].astype(float) - values)
            for key, values in wanted.items()
            if values.dtype.kind == "f"
        }
        largest = max(largest, *(float(np.max(error)) for error in errors.values()))
        if exported.numbers in TOLERANCE:
            faults += _faults_of_floats(name, wanted, errors, TOLERANCE[exported.numbers])
        else:
            faults += _faults_of_integers(name, wanted, found, errors)
    if exported.numbers not in TOLERANCE and judge:
        faults += _lost_consistency(exported, functions, inputs, judge)
    if faults:
        raise ValueError(
            f"{exported.name} does not give what the Keras model gives: {'; '.join(faults)}. "
            f"{REMEDIES[exported.numbers]}."
        )
    return largest


def _faults_of_floats(name, wanted, errors, tolerance):
    for key, error in errors.items():
        is_image = key == "image" and wanted[key].ndim == 4
        share = max(tolerance, IMAGE_TOLERANCE) if is_image else tolerance
        allowed = share * _range(wanted[key])
        if not np.max(error) <= allowed:  # NaN is a fault, too.
            yield f"{key} of {name} differs by {np.max(error):.2g}, allowed is {allowed:.2g}"


def _faults_of_integers(name, wanted, found, errors):
    if "label" in wanted:
        agreement = np.mean(wanted["label"] == found["label"])
        if agreement < LEAST_AGREEMENT:
            yield f"{name} agrees on {agreement:.1%}, wanted are {LEAST_AGREEMENT:.0%}"
    if "image" in wanted:
        share = np.sqrt(np.mean(errors["image"] ** 2)) / _range(wanted["image"])
        if not share <= MOST_ERROR:
            limit = f"{MOST_ERROR:.0%}"
            yield f"images of {name} differ by {share:.1%} of their range, allowed are {limit}"


def _range(values):
    """The range that a difference is compared with."""
    return max(float(np.ptp(values)), LEAST_RANGE)


def _lost_consistency(exported, functions, inputs, judge):
    wanted = functions["generate"](inputs["generate"])["image"]
    found = exported.run("generate", inputs["generate"])["image"]
    label = inputs["generate"]["label"]
    before, after = judge(label, np.asarray(wanted)), judge(label, found)
    if before - after > MOST_CONSISTENCY_LOST:
        yield f"samples of the class asked for fall from {before:.1%} to {after:.1%}"


def milliseconds(exported, inputs: dict):
    """The median time of `generate` for one image and for a batch of 64.

    Args:
        exported: Exported.
        inputs: dict of input name to array, at least 64 examples.

    Returns:
        list of two floats, milliseconds.
    """
    return [_median_time(exported, first(inputs, count)) for count in TIMED_BATCHES]


def _median_time(exported, inputs):
    exported.run("generate", inputs)
    times = []
    for _ in range(TIMED_RUNS):
        start = time.perf_counter()
        exported.run("generate", inputs)
        times.append(time.perf_counter() - start)
    return 1000.0 * statistics.median(times)


def first(inputs, count):
    """Cuts the inputs of one function to so many examples; returns a dict of the same names."""
    return {
        name: value if np.ndim(value) == 0 or name == "seed" else value[:count]
        for name, value in inputs.items()
    }


def as_files(inputs):
    """Writes the images of a function's inputs as PNG files; returns a dict of NAME_bytes."""
    return {
        f"{name}_bytes": np.array([_png(image) for image in values[:FILES]], object)
        for name, values in inputs.items()
    }


def _png(image):
    pixels = np.rint(image * 255.0).astype(np.uint8)
    return tf.io.encode_png(pixels if pixels.ndim == 3 else pixels[..., np.newaxis]).numpy()


def _plain(outputs):
    return {name: np.asarray(value) for name, value in outputs.items()}
