"""The base class of all models: networks, generation and saving; `Trainer` trains them."""

import numbers
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from dvae_tf.models import legacy
from dvae_tf.models.recipe import Recipe
from dvae_tf.models.trainer import Trainer
from dvae_tf.networks.presets import preset as preset_by_name
from dvae_tf.networks.seeding import seeded_initializers


class ClassConditionalModel(Trainer):
    """A model of several networks that generates inputs of a given class.

    A subclass makes its networks, names them in `network_names`, draws the codes of a class
    (`draw_codes`) and implements what `Trainer` requires.

    Args:
        shape: sequence of int, the shape of one input.
        num_classes: int, number of classes C.
        preset: str, the family of networks.
        width: float, the factor on the preset's numbers of filters and units.
        recipe: str or dvae_tf.models.Recipe, the numbers of the training.
        seed: int, for the initial weights and all noise.

    Raises:
        ValueError: if a name is unknown or a number is out of range.
    """

    has_codes = False  # Whether it encodes inputs into z_s and z_u.
    network_names: tuple[str, ...]

    def __init__(
        self,
        shape: Sequence[int],
        num_classes: int,
        preset: str,
        recipe: str | Recipe,
        width: float,
        seed: int,
        **kwargs,
    ):
        super().__init__(recipe, seed, **kwargs)
        self.sample_shape = tuple(int(side) for side in shape)
        self.num_classes = int(num_classes)
        if self.num_classes < 2:
            raise ValueError(f"num_classes is {num_classes}; there must be at least 2 classes.")
        self.preset, self.width = preset, width
        self.discriminator = None

    # Networks.

    def _preset(self):
        return preset_by_name(self.preset, self.sample_shape, self.width)

    def _make_discriminator(self, discriminator):
        """Takes the user's discriminator or makes the preset's."""
        with seeded_initializers(self.seed):
            discriminator = discriminator or self._preset().discriminator(
                self.sample_shape, self.num_classes
            )
            x = keras.KerasTensor((None, *self.sample_shape), dtype="float32")
            label = keras.KerasTensor((None,), dtype="int32")
            self._expect("discriminator", discriminator((x, label)), ())
        return discriminator

    @staticmethod
    def _expect_sizes(**latent_dims):
        for name, size in latent_dims.items():
            if size is not None and size < 1:
                raise ValueError(f"{name} is {size}; give at least 1.")

    @staticmethod
    def _expect(name, output, shape):
        if tuple(output.shape[1:]) != shape:
            raise ValueError(
                f"{name} gives an output of shape {tuple(output.shape[1:])}, but {shape} is "
                "needed. Change the network, or latent_dim_s, latent_dim_u, shape or num_classes."
            )

    def networks(self) -> dict:
        """The networks of the model.

        Returns:
            dict of constructor argument (such as "decoder") to keras.layers.Layer.
        """
        found = {name: getattr(self, name) for name in self.network_names}
        return {name: network for name, network in found.items() if network is not None}

    def weight_groups(self) -> dict:
        """The groups of weights, each with its own optimiser.

        Returns:
            dict of group name to list of trainable variables.
        """
        return {name: network.trainable_variables for name, network in self.networks().items()}

    # Use.

    def generate(self, label: int, temperature: float = 1.0, seed: int | None = None) -> tf.Tensor:
        """Generates inputs of given classes from codes drawn from the priors.

        Args:
            label: int, or int array [n]; each in [0, num_classes).
            temperature: float >= 0, factor on the standard deviations of the priors. Defaults
                to 1.
            seed: int; the same seed gives the same images. By default every call gives new ones.

        Returns:
            float32 tensor [n, *shape]; images in [-1, 1].

        Raises:
            ValueError: if a label is not an integer in [0, num_classes) or the temperature is
                negative.
        """
        label = self._checked_label(label)
        if not temperature >= 0.0:
            raise ValueError(f"temperature is {temperature}; give 0 or more.")
        pair = self.seed_generator.next() if seed is None else [seed, 0]
        label, pair = tf.cast(label, tf.int32), tf.cast(pair, tf.int32)
        return self._generate(label, pair, tf.cast(temperature, tf.float32))

    @tf.function(reduce_retracing=True, autograph=False)
    def _generate(self, label, seed, temperature):
        codes = self.draw_codes(label, tf.unstack(tf.random.split(seed, 2)), temperature)
        return self.decoder(codes, training=False)

    def _checked_label(self, label):
        label = np.atleast_1d(np.asarray(label))
        if label.ndim != 1 or not np.issubdtype(label.dtype, np.integer):
            raise ValueError(
                f"label has dtype {label.dtype} and shape {label.shape}; give integers."
            )
        outside = label[(label < 0) | (label >= self.num_classes)]
        if outside.size:
            raise ValueError(
                f"label {outside[0]} is outside [0, {self.num_classes}): the model has "
                f"{self.num_classes} classes."
            )
        return label

    @staticmethod
    def _checked(name, value, shape):
        if isinstance(value, numbers.Number) or np.shape(value)[1:] != shape:
            raise ValueError(
                f"{name} has shape {tuple(np.shape(value))}; give [batch, "
                f"{', '.join(map(str, shape))}]."
            )
        return tf.cast(value, tf.float32)

    # Saving.

    def build(self, input_shape=None) -> None:
        """Does nothing: the constructor builds the networks."""

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        """Does nothing: Keras would call the model on inputs and labels averaged over devices."""

    @property
    def _saved_counters(self):
        """The counters that are saved besides the weights: {name: variable}."""
        return {
            "epochs_trained": self.epochs_trained,
            "batches_trained": self.batches_trained,
            "progress": self.progress,
            "seed": self.seed_generator.state,
        }

    def save_own_variables(self, store):
        for name, variable in self._saved_counters.items():
            store[name] = variable.numpy()

    def load_own_variables(self, store):
        for name, variable in self._saved_counters.items():
            variable.assign(legacy.counter(store, name))

    def get_config(self):
        networks = {
            name: keras.saving.serialize_keras_object(network)
            for name, network in self.networks().items()
        }
        own = {
            "shape": self.sample_shape,
            "num_classes": self.num_classes,
            "preset": self.preset,
            "width": self.width,
            "recipe": self.recipe.as_dict(),
            "seed": self.seed,
        }
        return super().get_config() | networks | own

    @classmethod
    def from_config(cls, config):
        config = legacy.model_config(config)
        networks = {
            name: keras.saving.deserialize_keras_object(value)
            for name, value in config.items()
            if isinstance(value, dict) and "class_name" in value and name != "dtype"
        }
        return cls(**config | networks | {"recipe": Recipe(**config["recipe"])})
