"""A client for TF Serving, and an embedded server with the same API for laptops and tests."""

from dvae_tf.serving.client import Client, ServerError

__all__ = ["Client", "ServerError"]
