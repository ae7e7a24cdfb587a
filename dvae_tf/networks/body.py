"""The base class of the feature extractors: a stack of layers."""

import keras


class Body(keras.layers.Layer):
    """A feature extractor that is a stack of layers.

    A subclass makes the layers in its constructor and passes them to `set_stack`.
    """

    def set_stack(self, layers) -> None:
        """Sets the layers, in order: a list of keras.layers.Layer."""
        self.stack = keras.Sequential(layers)

    def build(self, input_shape):
        self.stack.build(input_shape)

    def compute_output_shape(self, input_shape):
        return self.stack.compute_output_shape(input_shape)

    def call(self, inputs, training=False):
        return self.stack(inputs, training=training)
