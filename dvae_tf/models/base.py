"""The base class of all models: networks, generation and saving; `Trainer` trains them."""

import math
import threading
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from dvae_tf.data.columns import Columns
from dvae_tf.data.examples import check_seed
from dvae_tf.models import legacy
from dvae_tf.models.batch_check import checked_label
from dvae_tf.models.likelihoods import Likelihood, likelihood_of
from dvae_tf.models.recipe import Recipe
from dvae_tf.models.trainer import Trainer
from dvae_tf.networks.presets import preset as preset_by_name
from dvae_tf.networks.seeding import seeded_initializers

# `SeedGenerator.next` reads and writes its state in two steps; threads take turns.
DRAWING_A_SEED = threading.Lock()
# A seed of `generate` fills two words of a stateless seed.
SEED_BITS = 64
# Folded into that seed, so that x is drawn with other noise than its codes.
SEED_OF_X = 3


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
        seed: int in [0, 2**32), for the initial weights and all noise; None as in `Trainer`.
        class_names: sequence of str, one for each class, in the order of the labels. Defaults to
            "0", "1", ...
        background: str, the colour that transparent images are composited on. Defaults to "white".
        columns: Columns of a table (`info.columns`), for rows of it in place of arrays. Defaults to
            None: x is no table.
        likelihood: Likelihood of the decoder. Defaults to that of the columns, or to a Gaussian
            whose variance all values share.

    Raises:
        ValueError: if a name is unknown, a number is out of range, or Keras is set to another
            order of axes or type of floats than the package's.
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
        seed: int | None,
        class_names: Sequence[str] | None = None,
        background: str = "white",
        columns: Columns | Sequence | None = None,
        likelihood: Likelihood | None = None,
        **kwargs,
    ):
        _check_keras()
        super().__init__(recipe, seed, **kwargs)
        self.sample_shape = tuple(int(side) for side in shape)
        self.num_classes = int(num_classes)
        if self.num_classes < 2:
            raise ValueError(f"num_classes is {num_classes}; there must be at least 2 classes.")
        self.class_names = self._checked_names(class_names)
        self.background = background
        self.columns = Columns(columns) if columns else None
        self.likelihood = likelihood or likelihood_of(self.sample_shape, self.columns)
        self._begin_verbs()
        self.preset, self.width = preset, width
        self.discriminator = None

    # Networks.

    def _preset(self):
        return preset_by_name(self.preset, self.sample_shape, self.width, self.columns)

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
        """The groups of weights that are trained each on its own losses.

        Returns:
            dict of group name to list of trainable variables.
        """
        return {name: network.trainable_variables for name, network in self.networks().items()}

    # Use.

    def generate(self, label, temperature: float = 1.0, seed: int | None = None) -> tf.Tensor:
        """Generates inputs of given classes from codes drawn from the priors.

        Args:
            label: int, or int array or tensor [n]; each in [0, num_classes).
            temperature: float >= 0, factor on the standard deviations of the priors. Defaults
                to 1.
            seed: int in [0, 2**64); the same seed gives the same images. By default every call
                gives new ones, in whatever thread.

        Returns:
            float32 tensor [n, *shape]; images in [-1, 1].

        Raises:
            ValueError: if a label is not an integer in [0, num_classes), the temperature is
                negative, or the seed is no integer in its range.
        """
        label = self._checked_label(label)
        self._expect_temperature(temperature)
        return self._generate(label, self._seed_pair(seed), tf.cast(temperature, tf.float32))

    @tf.function(reduce_retracing=True, autograph=False)
    def _generate(self, label, seed, temperature):
        codes = self.draw_codes(label, tf.unstack(tf.random.split(seed, 2)), temperature)
        return self._drawn(self.decoder(codes, training=False), seed)

    def _drawn(self, decoded, seed):
        """What the likelihood draws, with noise of its own."""
        return self.likelihood.draw(decoded, tf.random.fold_in(seed, SEED_OF_X, alg="philox"))

    @staticmethod
    def _expect_temperature(temperature):
        if tf.is_tensor(temperature) and not tf.executing_eagerly():
            return
        try:
            fine = 0.0 <= float(temperature) < math.inf
        except (TypeError, ValueError):
            fine = False
        if not fine:
            raise ValueError(f"temperature is {temperature}; give a finite number, 0 or more.")

    def _seed_pair(self, seed):
        """A stateless seed: int32 tensor [2]."""
        if seed is None:
            with DRAWING_A_SEED:
                return tf.cast(self.seed_generator.next(), tf.int32)
        if not tf.is_tensor(seed) or tf.executing_eagerly():
            number = check_seed(seed, SEED_BITS)
            words = np.array([number % 2**32, number >> 32], np.uint32)
            return tf.constant(words.astype(np.int32))
        wide = tf.cast(seed, tf.int64)
        return tf.stack(
            [tf.cast(word, tf.int32) for word in (wide, tf.bitwise.right_shift(wide, 32))]
        )

    def _checked_label(self, label):
        if not tf.is_tensor(label):
            label = np.atleast_1d(np.asarray(label))
        if not tf.is_tensor(label) and not label.size:
            raise ValueError("There are no labels; give at least one.")
        dtype = tf.as_dtype(label.dtype) if label.dtype != object else tf.string
        if len(label.shape) > 1 or not dtype.is_integer:
            raise ValueError(
                f"label has dtype {label.dtype} and shape {tuple(label.shape)}; give integers."
            )
        after = f" is outside [0, {self.num_classes}): the model has {self.num_classes} classes."
        return checked_label(tf.reshape(label, [-1]), 0, self.num_classes, "label ", after)

    @staticmethod
    def _code(name, value, shape):
        value = tf.convert_to_tensor(value)
        if value.shape.rank != len(shape) + 1 or not value.shape[1:].is_compatible_with(shape):
            raise ValueError(
                f"{name} has shape {tuple(value.shape)}; give [batch, "
                f"{', '.join(map(str, shape))}]."
            )
        value = tf.cast(value, tf.float32)
        if tf.executing_eagerly() and not np.isfinite(value).all():
            raise ValueError(f"{name} holds NaN or infinite values; give finite ones.")
        return value

    def _checked_names(self, class_names):
        if class_names is None:
            return tuple(str(label) for label in range(self.num_classes))
        names = tuple(class_names)
        if len(set(names)) != self.num_classes or not all(isinstance(n, str) for n in names):
            raise ValueError(
                f"class_names are {names}; give {self.num_classes} different strings, one for each "
                "class."
            )
        return names

    # Saving.

    def in_float32(self):
        """A copy of the model that computes in float32; the model itself, if it does so.

        Returns:
            model of the same class, with the same weights.
        """
        if self.dtype_policy.name == "float32":
            return self
        before = keras.config.dtype_policy()
        keras.config.set_dtype_policy("float32")
        try:
            copy = type(self).from_config(_with_float32(self.get_config()))
        finally:
            keras.config.set_dtype_policy(before)
        copy.set_weights(self.get_weights())
        return copy

    def build(self, input_shape=None) -> None:
        """Does nothing: the constructor builds the networks."""

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        """Does nothing: Keras would call the model on inputs and labels averaged over devices."""

    @property
    def _saved_counters(self):
        """The counters that are saved besides the weights: {name: variable}."""
        return {
            "epochs_trained": self.epochs_trained,
            "passes_trained": self.passes_trained,
            "batches_trained": self.batches_trained,
            "poses_trained": self.poses_trained,
            "progress": self.progress,
            "seed": self.seed_generator.state,
            "rates": self.rates.last,
        }

    def save_own_variables(self, store):
        for name, variable in self._saved_counters.items():
            store[name] = variable.numpy()
        store["optimizers_unbuilt"] = not any(one.built for one in self.optimizers.values())

    def load_own_variables(self, store):
        for name, variable in self._saved_counters.items():
            if name != "rates":
                variable.assign(legacy.counter(store, name))
        self.rates.load(legacy.counter(store, "rates"))
        if not np.any(legacy.counter(store, "optimizers_unbuilt")):
            self._build_optimizers()  # Keras loads their states next.

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
            "class_names": list(self.class_names),
            "background": self.background,
            "columns": self.columns.as_dicts() if self.columns else None,
            "likelihood": keras.saving.serialize_keras_object(self.likelihood),
        }
        return super().get_config() | networks | own

    @classmethod
    def from_config(cls, config):
        config = legacy.model_config(config)
        with seeded_initializers(config["seed"]):
            networks = {
                name: keras.saving.deserialize_keras_object(value)
                for name, value in config.items()
                if isinstance(value, dict) and "class_name" in value and name != "dtype"
            }
        return cls(**config | networks | {"recipe": Recipe(**config["recipe"])})


def _with_float32(config):
    """A configuration in which every dtype policy is float32."""
    if isinstance(config, list | tuple):
        return [_with_float32(part) for part in config]
    if not isinstance(config, dict):
        return config
    if config.get("class_name") == "DTypePolicy":
        return config | {"config": {"name": "float32"}}
    return {name: _with_float32(value) for name, value in config.items()}


def _check_keras():
    """Refuses settings of Keras under which the networks would be others."""
    found = {
        "image_data_format": (keras.config.image_data_format(), "channels_last"),
        "floatx": (keras.config.floatx(), "float32"),
    }
    for name, (value, wanted) in found.items():
        if value != wanted:
            raise ValueError(
                f"Keras's {name} is {value}, but dvae_tf needs {wanted}; set it in "
                f"~/.keras/keras.json or by keras.config.set_{name}({wanted!r})."
            )
