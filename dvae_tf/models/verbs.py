"""Keras's own verbs: what a user gives them is converted, checked and weighed as `fit` does."""

import contextlib
import inspect
import math
import os
from collections.abc import Mapping

import keras
import numpy as np
import tensorflow as tf

from dvae_tf.data.columns import Columns
from dvae_tf.data.examples import NO_LABEL
from dvae_tf.data.pipeline import damage_named
from dvae_tf.models.batch_check import checked_x, expect_examples, plain_errors
from dvae_tf.models.seen import Seen


class Verbs(keras.Model):
    """A model that takes arrays, lists, datasets and generators in all of Keras's verbs.

    A subclass sets `sample_shape` and `num_classes` and calls `_begin_verbs`.
    """

    sample_shape: tuple[int, ...]
    num_classes: int
    columns: Columns | None
    # Of what the model does between its networks, which compute as the dtype policy says.
    compute_dtype = "float32"

    def _begin_verbs(self):
        """Makes what the verbs keep, once shape and number of classes are known."""
        self.seen = Seen(len(self.sample_shape) == 3, self.num_classes)
        self._class_weight = tf.Variable(tf.ones(self.num_classes), trainable=False)

    def _given(self, verb, args, kwargs):
        """The arguments of one of Keras's verbs by name, lists of examples as arrays."""
        given = dict(inspect.signature(verb).bind(self, *args, **kwargs).arguments)
        given |= given.pop("kwargs", {})  # Keras's own, between its verbs.
        del given["self"]
        if "x" in given:
            given["x"] = self.as_rows(given["x"])
        if isinstance(given.get("validation_data"), tuple | list):
            x, *others = given["validation_data"]
            given["validation_data"] = (self.as_rows(x), *others)
        for name in {"x", "y", "sample_weight"} & set(given):
            expect_examples(name, given[name])
            if isinstance(given[name], list):
                given[name] = self._stacked(name, given[name])
        self.seen.judge_array(given.get("x"))
        return given

    def __call__(self, inputs, *args, **kwargs):
        """`call`, which takes a pandas.DataFrame too where the model is of a table."""
        return super().__call__(self.as_rows(inputs), *args, **kwargs)

    def as_rows(self, x):
        """x as an array, where it is a pandas.DataFrame for a model of a table.

        Args:
            x: what a user gives as inputs.

        Returns:
            float32 array [n, width], or x.

        Raises:
            ValueError: if a column is missing or cannot be read.
        """
        return self.columns.taken(x) if self.columns else x

    def _stacked(self, name, examples):
        # Keras would take a list for the several inputs of a model.
        try:
            stacked = np.asarray(examples)
        except ValueError:
            return examples
        return stacked if name != "x" or stacked.shape[1:] == self.sample_shape else examples

    @staticmethod
    def _expect_end(dataset, steps):
        if steps is None and dataset.cardinality() == tf.data.INFINITE_CARDINALITY:
            raise ValueError(
                "The dataset has no end; give steps_per_epoch, or one that has an end."
            )

    @contextlib.contextmanager
    def _plain(self):
        """Makes plain errors of what a step finds, and judges at the end what it cannot say."""
        self.seen.reset()
        with damage_named(), plain_errors():
            yield
        self.seen.judge()

    @contextlib.contextmanager
    def _classes_weighted(self, class_weight):
        """Weighs the classes within the block: {class: weight}."""
        if not isinstance(class_weight or {}, Mapping):
            raise ValueError(f"class_weight is {class_weight!r}; give a dict of label to weight.")
        weights = np.ones(self.num_classes, np.float32)
        for label, weight in (class_weight or {}).items():
            known = isinstance(label, int | np.integer) and label in range(self.num_classes)
            number = isinstance(weight, int | float | np.number) and 0.0 <= weight < math.inf
            if isinstance(label, bool) or not (known and number):
                raise ValueError(
                    f"class_weight has {label!r}: {weight!r}; give a finite weight of at least 0 "
                    f"to classes in [0, {self.num_classes})."
                )
            weights[label] = weight
        if class_weight:
            self._expect_use_of_weights()
        self._class_weight.assign(weights)
        try:
            yield
        finally:
            self._class_weight.assign(tf.ones(self.num_classes))

    def _expect_use_of_weights(self):
        if not any(row.trains and row.needs_label for row in self._rows.values()):
            raise ValueError(
                "Weights of examples or classes count in the losses that need a label, of which a "
                f"{type(self).__name__} has none; leave out sample_weight and class_weight."
            )

    def evaluate(self, *args, **kwargs):
        """`keras.Model.evaluate`; `loss` comes first.

        Args:
            *args, **kwargs: of `keras.Model.evaluate`, the data as in `fit`.

        Returns:
            list of floats in the order of `metrics_names`, or dict with return_dict=True.

        Raises:
            ValueError: as `fit`.
        """
        given = self._given(keras.Model.evaluate, args, kwargs)
        with self._plain():
            found = super().evaluate(**given)
        alone = self.distribute_strategy.num_replicas_in_sync == 1  # The range is one replica's.
        if alone and any(row.needs_label for row in self._rows.values()):
            self.seen.warn_of_missing_labels()
        return found

    def predict(self, *args, **kwargs):
        """`keras.Model.predict`: what `call` gives, as NumPy arrays.

        Args:
            *args, **kwargs: of `keras.Model.predict`, x as in `fit`.

        Returns:
            float32 array [n, *shape].

        Raises:
            ValueError: as `fit`.
        """
        given = self._given(keras.Model.predict, args, kwargs)
        before = self.seen.range.numpy()  # A callback may predict while `fit` goes on.
        try:
            with self._plain():
                return super().predict(**given)
        finally:
            self.seen.range.assign(before)

    def predict_step(self, data):
        """One step of `predict`: data is what `call` takes, or (x, label)."""
        x, label, _ = keras.utils.unpack_x_y_sample_weight(data)
        called_with = self._called_with(x, label, not self.jit_compile)
        first = tf.nest.flatten(called_with)[0]
        if first.shape[1:] == self.sample_shape:  # Of a cGAN it is z_u.
            self.seen.update(first, NO_LABEL, tf.nest.flatten(x)[0])
        return super().predict_step((called_with,))

    def _called_with(self, x, label=None, values=None):
        """What `call` computes with, checked.

        In a graph, values are checked by `predict` alone: exports of `call` have no such checks.
        """
        return self._inputs(x, tf.executing_eagerly() if values is None else values)

    def _inputs(self, x, values=True):
        """x as the networks take it."""
        x = tf.convert_to_tensor(self.as_rows(x))
        checked = checked_x(x, self.sample_shape, values=values)
        if tf.executing_eagerly() and values and tf.size(x) > 0:
            lowest, highest = (float(end(checked)) for end in (tf.reduce_min, tf.reduce_max))
            self.seen.judge_range(lowest, highest, math.inf if x.dtype == tf.uint8 else lowest)
        return checked

    def predict_on_batch(self, x):
        """`keras.Model.predict_on_batch`, x as in `fit`; see there for arguments and errors."""
        given = self._given(keras.Model.predict_on_batch, (x,), {})
        with plain_errors():
            return super().predict_on_batch(**given)

    def test_on_batch(self, *args, **kwargs):
        """`keras.Model.test_on_batch`: as `evaluate`, of one batch."""
        given = self._given(keras.Model.test_on_batch, args, kwargs)
        with self._plain():
            return super().test_on_batch(**given)

    def save(self, filepath: str | os.PathLike, *args, **kwargs) -> None:
        """`keras.Model.save`, to a file that ends with .keras.

        Args:
            filepath: str or pathlib.Path.
            *args, **kwargs: of `keras.Model.save`.

        Raises:
            ValueError: if the file ends with .h5 or .hdf5; nothing is written.
        """
        if str(filepath).lower().endswith((".h5", ".hdf5")):
            raise ValueError(
                f"{filepath}: a {type(self).__name__} is saved whole as .keras only, since HDF5 "
                "has no place for its optimisers. Give a name that ends with .keras, or save the "
                "weights alone: model.save_weights('model.weights.h5')."
            )
        super().save(filepath, *args, **kwargs)

    def export(self, filepath, *args, input_signature=None, **kwargs) -> None:
        """`keras.Model.export`: what `call` does, for any batch size.

        `dvae_tf.commands.export` writes all functions of a model.

        Args:
            filepath: str or pathlib.Path.
            *args, **kwargs: of `keras.Model.export`, such as format="onnx".
            input_signature: as there. Defaults to what `call` takes.
        """
        if input_signature is None:
            input_signature = self._input_signature()
        super().export(filepath, *args, input_signature=input_signature, **kwargs)

    def _input_signature(self):
        return [keras.InputSpec(shape=(None, *self.sample_shape), dtype="float32", name="x")]
