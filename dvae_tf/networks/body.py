"""What the feature extractors share: they are a stack of layers."""

import keras


class Body(keras.layers.Layer):
    """A feature extractor made of layers that follow one another.

    A subclass makes the layers in its constructor and hands them to `set_stack`.
    """

    def set_stack(self, layers) -> None:
        """Takes the layers in their order, a list of keras.layers.Layer."""
        self.stack = keras.Sequential(layers)

    def build(self, input_shape):
        self.stack.build(input_shape)

    def compute_output_shape(self, input_shape):
        return self.stack.compute_output_shape(input_shape)

    def call(self, inputs, training=False):
        return self.stack(inputs, training=training)
