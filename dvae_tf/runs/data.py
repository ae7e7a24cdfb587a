"""The data of a run."""

import functools
import math
import os
from collections.abc import Sequence

from dvae_tf import data
from dvae_tf.data.catalog import expect_split
from dvae_tf.data.image_files import BACKGROUND
from dvae_tf.files import read_json
from dvae_tf.models import Recipe
from dvae_tf.runs.run import class_names, columns, find

# An epoch passes over small data several times, so that it has at least this many steps and the
# work between epochs takes only a small part of the time.
LEAST_STEPS = 100
TRAIN, VALIDATION = "train[:90%]", "train[90%:]"
# What measuring and drawing look at, a random sample of larger splits: at most so many values, of
# a byte each in images, and so many examples. All of MNIST, CIFAR-10 and SVHN are smaller.
MOST_VALUES = 2**28
MOST_EXAMPLES = 100_000


class Data:
    """The splits of a run, each read when it is first asked for.

    The data's own validation split is used, if there is one; else nine tenths of "train" are for
    training and a tenth is for validation.

    Args:
        arguments: dict, as under "arguments" in run.json.
        class_names: sequence of str, the model's, which the data's classes are matched to. Defaults
            to the data's own.
        columns: Columns, the model's, of a table. Defaults to the data's own.
        targets: sequence of str, columns of a table that become factors. Defaults to none.
    """

    def __init__(
        self,
        arguments: dict,
        class_names: Sequence[str] | None = None,
        columns: data.Columns | None = None,
        targets: Sequence[str] = (),
    ):
        self.name = arguments["dataset"]
        self.options = {
            "seed": arguments["seed"],
            "size": arguments["size"],
            "background": arguments.get("background", BACKGROUND),
            "class_names": class_names,
            "label": arguments.get("label"),
            "drop": [name for name in arguments.get("drop", ()) if name not in targets],
            "targets": targets,
            "columns": columns,
        }
        self.batch_size = arguments["batch_size"]
        self.labelled = arguments["labelled"]
        changes = arguments.get("changes", {})
        # Only then is the recipe looked up: that of an old run may be written in another way.
        self.pairs = (
            "exemplars" in changes
            and Recipe.named(arguments["recipe"]).replace(**changes).exemplars > 0.0
        )

    @classmethod
    def of(
        cls,
        folder: str | os.PathLike | None = None,
        name: str | None = None,
        targets: Sequence[str] = (),
    ) -> "Data":
        """The data of a run that is trained.

        Args:
            folder: str or pathlib.Path. Defaults to the newest run.
            name: str, where the data lies now, as `dvae_tf.data.load` takes it. Defaults to where
                it lay when the run was trained.
            targets: sequence of str, columns of a table that become factors. Defaults to none.

        Returns:
            Data.

        Raises:
            ValueError: if it cannot be read, or has another shape or other classes than the model.
        """
        folder = find(folder)
        description = read_json(folder / "run.json")
        arguments = description["arguments"] | ({"dataset": name} if name else {})
        found = cls(arguments, class_names(folder), columns(folder), targets)
        try:
            shape = found.info.shape
        except ValueError as error:
            at = found.name.partition(":")[2]
            if name or os.path.exists(at):  # It lies where it was.
                raise
            raise ValueError(
                f"{error} {folder} was trained on this data; if it lies elsewhere now, say where: "
                "--data, such as --data folder:PATH."
            ) from error
        if list(shape) != description["data"]["shape"]:
            raise ValueError(
                f"{found.name} has examples of shape {shape}, but the model of {folder} takes "
                f"{tuple(description['data']['shape'])}; give data like that which it was trained "
                "on."
            )
        return found

    @functools.cached_property
    def _train(self):
        found = self._load(TRAIN, pairs=self.pairs)
        if "validation" in found[1].splits:
            return self._load("train", pairs=self.pairs)
        return found

    def _load(self, split, **options):
        options |= {"batch_size": self.batch_size, "labelled": self.labelled}
        return data.load(self.name, split, **options, **self.options)

    @functools.cached_property
    def train(self):
        """The training data in random order: tf.data.Dataset of batches."""
        # A test split that is missing or does not fit shall not come to light after the training.
        expect_split(self.name, "test", **self.options)
        return self._train[0]

    @property
    def info(self) -> data.Info:
        """Info of the training data."""
        return self._train[1]

    @property
    def training(self) -> str:
        """The name of the split that is trained on."""
        return self.info.split

    @property
    def validating(self) -> str:
        """The name of the split for validation."""
        return "validation" if "validation" in self.info.splits else VALIDATION

    @property
    def passes(self) -> int:
        """How often an epoch passes over the training data."""
        return math.ceil(LEAST_STEPS / self._batches)

    @property
    def steps_per_epoch(self) -> int:
        """How many batches an epoch has."""
        return self.passes * self._batches

    @property
    def _batches(self):
        return math.ceil(self.info.count / self.batch_size)

    @functools.cached_property
    def validation(self):
        """The validation data in its fixed order: tf.data.Dataset of batches."""
        return data.load(
            self.name, self.validating, shuffle=False, pairs=self.pairs, **self.options
        )[0]

    def in_order(self):
        """The training data in a fixed order, so that its codes are the same every time.

        Returns:
            tf.data.Dataset of batches, as `train`.
        """
        return self._load(self.training, shuffle=False)[0]

    def arrays(self, split: str) -> data.Arrays:
        """Loads labelled examples of a split into memory: all, or a random sample of very many.

        Args:
            split: str, such as "test".

        Returns:
            Arrays.
        """
        most = min(MOST_EXAMPLES, max(1, MOST_VALUES // math.prod(self.info.shape)))
        found = data.load_arrays(self.name, split, most=most, **self.options)[0]
        known = found.label >= 0
        if known.all():
            return found
        return data.Arrays(*(None if column is None else column[known] for column in found))
