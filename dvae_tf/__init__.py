"""Supervised disentanglement: splits what a label explains from what it does not."""

import importlib

__version__ = "0.1.0"

# TensorFlow takes seconds to import, so names are imported when they are first used.
_HOMES = {
    "DisentangledVAE": "dvae_tf.models",
    "DisentangledVAEGAN": "dvae_tf.models",
    "GaussianMixturePrior": "dvae_tf.priors",
    "load_pretrained": "dvae_tf.runs",
}
_MODULES = (
    "commands",
    "data",
    "drawing",
    "evaluation",
    "export",
    "losses",
    "models",
    "networks",
    "priors",
    "runs",
    "serving",
    "tasks",
)

__all__ = [*_HOMES, *_MODULES]


def __getattr__(name):
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *__all__])
