"""A client for TF Serving, and an embedded server that speaks the same for laptops and tests."""

from dvae_tf.serving.client import Client, ServerError

__all__ = ["Client", "ServerError"]
