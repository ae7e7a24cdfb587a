"""Adam in one operation a variable."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("dvae_tf")
class FusedAdam(keras.optimizers.Adam):
    """`keras.optimizers.Adam`, each update in TensorFlow's one operation for it.

    The same numbers up to round-off: Keras takes a dozen small operations for each variable, which
    is a good part of a step of small networks.

    Args:
        *args, **kwargs: of `keras.optimizers.Adam`, without `amsgrad`.

    Raises:
        ValueError: if `amsgrad` is set.

    Examples:
        >>> weight = keras.Variable([1.0])
        >>> FusedAdam(0.1).apply([tf.constant([2.0])], [weight])
        >>> round(float(weight[0]), 4)
        0.9
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.amsgrad:
            raise ValueError("FusedAdam knows no amsgrad; take keras.optimizers.Adam.")

    def apply(self, grads, trainable_variables=None) -> None:
        """Moves variables along their gradients, the powers of both betas taken once for all."""
        steps = tf.cast(self.iterations.value + 1, tf.float32)
        self._powers = self.beta_1**steps, self.beta_2**steps
        super().apply(grads, trainable_variables)

    def update_step(self, gradient, variable, learning_rate) -> None:
        """Moves a variable along its gradient: Kingma & Ba (ICLR 2015), algorithm 1."""
        index = self._get_variable_index(variable)
        moments = self._momentums[index], self._velocities[index]
        beta_1, beta_2 = (tf.cast(beta, variable.dtype) for beta in (self.beta_1, self.beta_2))
        power_1, power_2 = (tf.cast(power, variable.dtype) for power in self._powers)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=moments[0].value.handle,
            v=moments[1].value.handle,
            beta1_power=power_1,
            beta2_power=power_2,
            lr=tf.cast(learning_rate, variable.dtype),
            beta1=beta_1,
            beta2=beta_2,
            epsilon=tf.cast(self.epsilon, variable.dtype),
            grad=tf.cast(tf.convert_to_tensor(gradient), variable.dtype),
        )
