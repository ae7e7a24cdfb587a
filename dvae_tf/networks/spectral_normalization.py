"""Dense, convolution and embedding layers whose kernels have spectral norm one.

Miyato et al., "Spectral Normalization for Generative Adversarial Networks", ICLR 2018. Keras ships
a wrapper of that name, but it overwrites the kernel in the forward pass: a loss that only passes
through the discriminator would change it, and no gradient flows through the norm. Here only the
optimiser changes the stored kernel.
"""

import keras
from keras import ops


class SpectralKernel:
    """Mixin that estimates the largest singular value of a kernel by power iteration.

    One iteration per training call; the left singular vector is kept between calls.
    """

    def add_singular_vector(self, outputs) -> None:
        """Creates the running left singular vector of a kernel with `outputs` columns."""
        self.singular_vector = self.add_weight(  # type: ignore[attr-defined]  # Of the Keras layer.
            name="singular_vector",
            shape=(outputs,),
            initializer="random_normal",
            trainable=False,
        )

    # Keras's layers save only their own weights, by name.

    def save_own_variables(self, store):
        super().save_own_variables(store)
        store["singular_vector"] = self.singular_vector

    def load_own_variables(self, store):
        super().load_own_variables(store)
        self.singular_vector.assign(store["singular_vector"])

    def normalise(self, kernel, training: bool):
        """Divides a kernel by its spectral norm.

        Args:
            kernel: tensor [..., outputs].
            training: bool, whether the singular vector is updated by one iteration.

        Returns:
            Tensor of the kernel's shape; seen as a matrix [prod(...), outputs], its largest
            singular value is close to 1.
        """
        matrix = ops.reshape(kernel, (-1, kernel.shape[-1]))
        frozen = ops.stop_gradient(matrix)
        right = ops.normalize(ops.matmul(frozen, ops.convert_to_tensor(self.singular_vector)))
        left = ops.normalize(ops.matmul(right, frozen))
        if training:
            self.singular_vector.assign(left)
        norm = ops.sum(ops.matmul(right, matrix) * left)
        return kernel / norm


@keras.saving.register_keras_serializable("dvae_tf")
class SpectralDense(SpectralKernel, keras.layers.Dense):
    """`keras.layers.Dense` with a kernel of spectral norm one. Same arguments.

    Examples:
        >>> tuple(SpectralDense(4)(keras.ops.ones((2, 3))).shape)
        (2, 4)
    """

    def build(self, input_shape):
        super().build(input_shape)
        self.add_singular_vector(self.units)

    def call(self, inputs, training=False):
        outputs = ops.matmul(inputs, self.normalise(self.kernel, training))
        if self.use_bias:
            outputs = outputs + self.bias
        return self.activation(outputs)


@keras.saving.register_keras_serializable("dvae_tf")
class SpectralConv2D(SpectralKernel, keras.layers.Conv2D):
    """`keras.layers.Conv2D` with a kernel of spectral norm one. Same arguments.

    The norm is that of the kernel seen as a matrix [height * width * inputs, outputs].

    Examples:
        >>> tuple(SpectralConv2D(4, 3, padding="same")(keras.ops.ones((2, 8, 8, 1))).shape)
        (2, 8, 8, 4)
    """

    def build(self, input_shape):
        super().build(input_shape)
        self.add_singular_vector(self.filters)

    def call(self, inputs, training=False):
        outputs = self.convolution_op(inputs, self.normalise(self.kernel, training))
        if self.use_bias:
            outputs = outputs + self.bias
        return self.activation(outputs)


@keras.saving.register_keras_serializable("dvae_tf")
class SpectralEmbedding(SpectralKernel, keras.layers.Embedding):
    """`keras.layers.Embedding` whose table has spectral norm one. Same arguments.

    Examples:
        >>> tuple(SpectralEmbedding(10, 4)(keras.ops.array([3, 5])).shape)
        (2, 4)
    """

    def build(self, input_shape=None):
        super().build(input_shape)
        self.add_singular_vector(self.output_dim)

    def call(self, inputs, training=False):
        return ops.take(self.normalise(self.embeddings, training), inputs, axis=0)
