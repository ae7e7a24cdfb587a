"""The base class of the feature extractors: a stack of layers."""

import keras


class Body(keras.layers.Layer):
    """A feature extractor that is a stack of layers.

    A subclass makes the layers in its constructor and passes them to `set_stack`.
    """

    def set_stack(self, layers) -> None:
        """Sets the layers, in order: a list of keras.layers.Layer."""
        # In files the layers belong to a Sequential. It is neither built nor called: it would trace
        # every layer once more, which takes several times as long.
        self.stack = keras.Sequential(layers)

    def build(self, input_shape):
        for layer in self.stack.layers:
            if not layer.built:
                layer.build(input_shape)
            input_shape = layer.compute_output_shape(input_shape)

    def compute_output_shape(self, input_shape):
        for layer in self.stack.layers:
            input_shape = layer.compute_output_shape(input_shape)
        return input_shape

    def call(self, inputs, training=False):
        for layer in self.stack.layers:
            inputs = layer(inputs)  # Keras hands `training` down.
        return inputs
