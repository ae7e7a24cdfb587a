"""Whether an exported model gives what the Keras model gives; every format passes through here."""

import dataclasses
import statistics
import time
from collections.abc import Callable

import numpy as np
import tensorflow as tf

# Largest difference of any output from the Keras model's. Half-precision weights alone round by
# 5e-4 of their size, and the flow stretches that in z_u: 1e-4 cannot be had with them.
TOLERANCE = {"float32": 1e-4, "float16": 5e-2}
# What integers must keep instead.
LEAST_SIMILARITY = 0.95
LEAST_AGREEMENT = 0.98
MOST_CONSISTENCY_LOST = 0.02
CHECKED_EXAMPLES = 256
CONSISTENCY_EXAMPLES = 1000
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
        ValueError: if a function differs by more than its numbers allow; says which and by how
            much.
    """
    largest, faults = 0.0, []
    for name in exported.functions:
        wanted = _plain(functions[name].call(**inputs[name]))
        found = exported.run(name, inputs[name])
        difference = max(
            float(np.max(np.abs(found[key].astype(float) - wanted[key])))
            for key in wanted
            if wanted[key].dtype.kind == "f"
        )
        largest = max(largest, difference)
        if exported.numbers in TOLERANCE:
            if not difference <= TOLERANCE[exported.numbers]:
                limit = TOLERANCE[exported.numbers]
                faults.append(f"{name} differs by {difference:.2g}, allowed is {limit:g}")
        else:
            faults += _faults_of_integers(name, wanted, found)
    if exported.numbers not in TOLERANCE and judge:
        faults += _lost_consistency(exported, functions, inputs, judge)
    if faults:
        raise ValueError(
            f"{exported.name} does not give what the Keras model gives: {'; '.join(faults)}."
        )
    return largest


def _faults_of_integers(name, wanted, found):
    if "label" in wanted:
        agreement = np.mean(wanted["label"] == found["label"])
        if agreement < LEAST_AGREEMENT:
            yield f"{name} agrees on {agreement:.1%}, wanted are {LEAST_AGREEMENT:.0%}"
    if wanted.get("image", np.zeros(0)).ndim == 4:
        window = min(11, *wanted["image"].shape[1:3])
        similarity = tf.image.ssim(wanted["image"], found["image"], 1.0, window)
        mean = float(tf.reduce_mean(similarity))
        if mean < LEAST_SIMILARITY:
            yield f"{name} has an SSIM of {mean:.3f}, wanted is {LEAST_SIMILARITY}"


def _lost_consistency(exported, functions, inputs, judge):
    wanted = functions["generate"].call(**inputs["generate"])["image"]
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


def _plain(outputs):
    return {name: np.asarray(value) for name, value in outputs.items()}
