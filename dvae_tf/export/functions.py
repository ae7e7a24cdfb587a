"""What an exported model can be asked, as functions of named tensors.

Images are float32 in [0, 1] here, as every platform holds them; other data is as it was trained on.
"""

import dataclasses
import math
from collections.abc import Callable

import tensorflow as tf
from PIL import ImageColor

from dvae_tf.export.image_files import images_of_files
from dvae_tf.priors import noise

INPAINTING_ITERATIONS = 10
HALF = 0.5


@dataclasses.dataclass(frozen=True)
class Function:
    """One function of an exported model.

    Args:
        call: function of tensors that returns a dict of name to tensor.
        inputs: list of tf.TensorSpec, named, in the order of `call`'s arguments.
    """

    call: Callable
    inputs: list

    def __call__(self, inputs: dict) -> dict:
        """Calls it with inputs by name; returns a dict of output name to tensor."""
        return self.call(*(inputs[spec.name] for spec in self.inputs))


class Functions:
    """The functions of a trained model.

    Args:
        model: DisentangledVAE. Under any dtype policy, its functions compute in float32.

    Raises:
        ValueError: if the model has no codes.
    """

    def __init__(self, model):
        if not model.has_codes:
            raise ValueError(
                f"A {type(model).__name__} has no codes and is not exported; give a "
                "DisentangledVAE or a DisentangledVAEGAN."
            )
        model = self.model = model.in_float32()
        self.is_image = len(model.sample_shape) == 3
        # One graph each, which every function that needs it calls.
        self._codes = tf.function(model.codes, autograph=False)
        self._x_of_codes = tf.function(model.decoded, autograph=False)
        self._x_of_x = tf.function(lambda x: model(x), autograph=False)
        self._drawn = tf.function(self._generate_from_noise, autograph=False)

    # From seeds, for platforms that draw random numbers.

    def served(self) -> dict:
        """The functions of a SavedModel.

        Returns:
            dict of signature name to Function. "generate" takes seeds and refuses labels outside
            [0, C) and temperatures below 0. Those that take images have a sibling that takes files,
            such as "classify_image".
        """
        generate = [
            tf.TensorSpec([None], tf.int32, "label"),
            tf.TensorSpec([2], tf.int32, "seed"),
            tf.TensorSpec([], tf.float32, "temperature"),
        ]
        masks = [self._spec(), tf.TensorSpec([None, *self._mask_shape()], tf.float32, "mask")]
        functions = {"generate": Function(self._generate, generate)} | self._of_codes()
        functions["inpaint"] = Function(self._inpaint, masks)
        if self.is_image:
            functions |= self._of_files(functions)
            functions["generate_png"] = Function(self._generate_png, generate)
        return functions

    def _of_files(self, functions):
        """The same functions with PNG or JPEG files in the place of images and masks."""
        return {
            f"{name}_image": self._of_file(function)
            for name, function in functions.items()
            if any(spec.name.startswith("image") for spec in function.inputs)
        }

    def _of_file(self, function):
        def call(*contents):
            return function.call(*map(self._read, contents, function.inputs))

        files = [tf.TensorSpec([None], tf.string, f"{spec.name}_bytes") for spec in function.inputs]
        return Function(call, files)

    def _read(self, contents, spec):
        """Files as images, or as the masks that they are."""
        height, width, *channels = spec.shape[1:]
        background = ImageColor.getrgb(self.model.background)
        image = images_of_files(contents, (height, width, *(channels or [1])), background)
        return image if channels else image[..., 0]

    def _generate(self, label, seed, temperature):
        seed_s, seed_u = tf.unstack(tf.random.split(seed, 2))
        count, classes = tf.size(label), self.model.num_classes
        known = tf.reduce_all((label >= 0) & (label < classes))
        # Written so that NaN is refused, too.
        warm = (temperature >= 0.0) & (temperature < math.inf)
        checks = [
            tf.debugging.Assert(
                known,
                [f"label must be in [0, {classes}): the model knows {classes} classes", label],
            ),
            tf.debugging.Assert(warm, ["temperature must be 0 or more", temperature]),
        ]
        with tf.control_dependencies(checks):
            label = tf.identity(label)
        return self._drawn(
            label,
            noise((count, self.model.latent_dim_s), seed_s),
            noise((count, self.model.latent_dim_u), seed_u),
            temperature,
        )

    def _generate_png(self, label, seed, temperature):
        image = self._generate(label, seed, temperature)["image"]
        pixels = tf.cast(tf.round(image * 255.0), tf.uint8)
        return {"image_bytes": tf.map_fn(tf.io.encode_png, pixels, fn_output_signature=tf.string)}

    # From noise, for all others: the same noise gives the same image on every platform.

    def portable(self) -> dict:
        """The functions of the formats without random numbers.

        Returns:
            dict of signature name to Function. "generate" takes noise ~ N(0, I).
        """
        generate = [
            tf.TensorSpec([None], tf.int32, "label"),
            tf.TensorSpec([None, self.model.latent_dim_s], tf.float32, "noise_s"),
            tf.TensorSpec([None, self.model.latent_dim_u], tf.float32, "noise_u"),
            tf.TensorSpec([], tf.float32, "temperature"),
        ]
        return {"generate": Function(self._generate_from_noise, generate)} | self._of_codes()

    def _generate_from_noise(self, label, noise_s, noise_u, temperature):
        means = tf.convert_to_tensor(self.model.prior_s.means)
        deviations = tf.sqrt(self.model.prior_s.variances())
        z_s = tf.gather(means, label) + temperature * tf.gather(deviations, label) * noise_s
        z_u = temperature * noise_u
        return {"image": self._decoded(z_s, z_u), "z_s": z_s, "z_u": z_u}

    def _of_codes(self):
        codes = [
            tf.TensorSpec([None, self.model.latent_dim_s], tf.float32, "z_s"),
            tf.TensorSpec([None, self.model.latent_dim_u], tf.float32, "z_u"),
        ]
        return {
            "encode": Function(self._encode, [self._spec()]),
            "decode": Function(self._decode, codes),
            "classify": Function(self._classify, [self._spec()]),
            "reconstruct": Function(self._reconstruct, [self._spec()]),
            "swap": Function(self._swap, [self._spec("image_s"), self._spec("image_u")]),
        }

    def _encode(self, image):
        x = self._inward(image)
        return self._codes(x)._asdict()

    def _decode(self, z_s, z_u):
        return {"image": self._decoded(z_s, z_u)}

    def _classify(self, image):
        z_s = self.model.encoder_s(self._inward(image), training=False)
        probabilities = self.model.prior_s.probabilities(z_s)
        label = tf.argmax(probabilities, axis=-1, output_type=tf.int32)
        return {"probabilities": probabilities, "label": label}

    def _reconstruct(self, image):
        return {"image": self._outward(self._x_of_x(self._inward(image)))}

    def _swap(self, image_s, image_u):
        z_s = self._codes(self._inward(image_s)).z_s
        z_u = self._codes(self._inward(image_u)).z_u_mean
        return {"image": self._decoded(z_s, z_u)}

    def _inpaint(self, image, mask):
        hole = mask > HALF
        if self.is_image:
            hole = hole[..., tf.newaxis]
        (filled,) = tf.while_loop(
            lambda filled: True,
            lambda filled: [tf.where(hole, self._reconstruct(filled)["image"], filled)],
            [tf.where(hole, HALF if self.is_image else 0.0, image)],
            maximum_iterations=INPAINTING_ITERATIONS,
        )
        return {"image": filled}

    def _decoded(self, z_s, z_u):
        return self._outward(self._x_of_codes(z_s, z_u))

    def _outward(self, x):
        return (x + 1.0) * HALF if self.is_image else x

    def _inward(self, image):
        return image * 2.0 - 1.0 if self.is_image else image

    def _spec(self, name="image"):
        return tf.TensorSpec([None, *self.model.sample_shape], tf.float32, name)

    def _mask_shape(self):
        return self.model.sample_shape[:2] if self.is_image else self.model.sample_shape
