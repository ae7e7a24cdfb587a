"""The data of a run."""

import math

from dvae_tf import data

# An epoch passes over small data several times, so that it has at least this many steps and the
# work between epochs takes only a small part of the time.
LEAST_STEPS = 100
TRAIN, VALIDATION = "train[:90%]", "train[90%:]"


class Data:
    """The splits of a run: nine tenths of "train" for training, a tenth for validation, "test".

    Args:
        arguments: dict, as under "arguments" in run.json.
    """

    def __init__(self, arguments: dict):
        self.name = arguments["dataset"]
        self.options = {"seed": arguments["seed"], "size": arguments["size"]}
        self.labelled = arguments["labelled"]
        self.train, self.info = data.load(
            self.name,
            TRAIN,
            arguments["batch_size"],
            labelled=self.labelled,
            **self.options,
        )
        batches = math.ceil(self.info.count / arguments["batch_size"])
        self.passes = math.ceil(LEAST_STEPS / batches)
        self.steps_per_epoch = self.passes * batches
        self.validation, _ = data.load(self.name, VALIDATION, shuffle=False, **self.options)

    def in_order(self):
        """The training data in a fixed order, so that its codes are the same every time.

        Returns:
            tf.data.Dataset of batches, as `train`.
        """
        return data.load(self.name, TRAIN, shuffle=False, labelled=self.labelled, **self.options)[0]

    def arrays(self, split: str) -> data.Arrays:
        """Loads the labelled examples of a split into memory.

        Args:
            split: str, such as "test" or "train[90%:]".

        Returns:
            Arrays.
        """
        whole = data.load_arrays(self.name, split, **self.options)[0]
        known = whole.label >= 0
        return data.Arrays(*(None if column is None else column[known] for column in whole))
