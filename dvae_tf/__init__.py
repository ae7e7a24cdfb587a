"""Supervised disentanglement: splits what a label explains from what it does not."""

import importlib
import importlib.abc
import importlib.util
import sys

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
# The classes of saved files that Keras may be asked for before their modules are imported.
_SAVED = {
    "dvae_tf.models": (
        "ConditionalGAN",
        "ConditionalVAE",
        "ConditionalVAEGAN",
        "DisentangledVAE",
        "DisentangledVAEGAN",
    ),
    "dvae_tf.priors": ("GaussianMixturePrior",),
    "dvae_tf.networks": (
        "ConditionalFlow",
        "Decoder",
        "Discriminator",
        "Downsampler",
        "EncoderS",
        "EncoderU",
        "LatentClassifier",
        "LayerStack",
        "MLP",
        "Upsampler",
    ),
}

__all__ = [*_HOMES, *_MODULES]


def __getattr__(name):
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *__all__])


class _Later:
    """Stands in Keras's registry for a class, and imports its module when Keras loads one."""

    def __init__(self, module, name):
        self._module, self._name = module, name

    def from_config(self, config):
        return getattr(importlib.import_module(self._module), self._name).from_config(config)


def _meet(keras):
    """Checks which backend Keras has, and registers the classes of saved files."""
    if keras.config.backend() != "tensorflow":
        raise ImportError(
            f"Keras's backend is {keras.config.backend()}, but dvae_tf needs the TensorFlow "
            "backend: set KERAS_BACKEND=tensorflow before Keras is imported."
        )
    registry = keras.saving.get_custom_objects()
    for module, names in _SAVED.items():
        for name in names:
            registry.setdefault(f"{__name__}>{name}", _Later(module, name))


class _WhenKerasIsImported(importlib.abc.MetaPathFinder):
    """Has `_meet` run after Keras was imported, whoever imports it."""

    looking = False

    def find_spec(self, name, path=None, target=None):
        if name != "keras" or self.looking:
            return None
        self.looking = True
        try:
            spec = importlib.util.find_spec(name)
        finally:
            self.looking = False
        if spec is None:
            return None
        execute = spec.loader.exec_module

        def execute_and_meet(module):
            try:
                execute(module)
            except ModuleNotFoundError as error:
                raise ImportError(
                    f"Keras's backend needs {error.name}, but dvae_tf needs the TensorFlow "
                    "backend: set KERAS_BACKEND=tensorflow before Keras is imported."
                ) from error
            _meet(module)
            sys.meta_path.remove(self)

        spec.loader.exec_module = execute_and_meet
        return spec


if "keras" in sys.modules:
    _meet(sys.modules["keras"])
else:
    sys.meta_path.insert(0, _WhenKerasIsImported())
