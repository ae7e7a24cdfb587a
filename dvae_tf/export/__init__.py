"""A trained model in the formats in which it leaves Python."""

from dvae_tf.export.export import FORMATS, export

__all__ = ["FORMATS", "export"]
