import dataclasses
import json
import typing

import pytest

from dvae_tf.commands import settings
from dvae_tf.commands.command_line import COMMANDS
from dvae_tf.models import MODELS, RECIPES


@pytest.mark.parametrize("name", COMMANDS)
def test_defaults_are_of_the_declared_types(name):
    kind = COMMANDS[name]
    for field, hint in typing.get_type_hints(kind).items():
        origin = typing.get_origin(hint) or hint
        allowed = origin if isinstance(origin, type) else typing.get_args(hint)
        allowed = (hint, type(None)) if allowed is type(int | None) else allowed
        assert isinstance(getattr(kind(), field), allowed), (field, hint)


@pytest.mark.parametrize("name", COMMANDS)
def test_settings_are_frozen_and_their_dicts_are_their_own(name):
    made = COMMANDS[name]()
    for field in dataclasses.fields(made):
        value = getattr(made, field.name)
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(made, field.name, value)
        if isinstance(value, dict):
            assert value is not getattr(COMMANDS[name](), field.name)


@pytest.mark.parametrize("name", COMMANDS)
def test_what_is_recorded_is_json_and_makes_the_settings_again(name):
    made = COMMANDS[name]()
    kept = settings.recorded(made)
    assert json.loads(json.dumps(kept)).keys() == kept.keys()
    assert dataclasses.replace(made, **kept) == made


def test_choices_are_what_there_is():
    assert set(settings.MODELS) == set(MODELS)
    assert settings.TrainingSettings().recipe in RECIPES


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        (settings.TrainingSettings, {"epochs": 0}, "epochs is 0; give at least 1"),
        (settings.TrainingSettings, {"batch_size": -5}, "batch_size is -5"),
        (settings.TrainingSettings, {"size": 0}, "size is 0"),
        (settings.TrainingSettings, {"latent_dim_u": 0}, "latent_dim_u is 0"),
        (settings.TrainingSettings, {"width": 0.0}, "width is 0.0; give a factor above 0"),
        (settings.TrainingSettings, {"width": float("inf")}, "width is inf"),
        (settings.TrainingSettings, {"labelled": 0.0}, "labelled is 0.0"),
        (settings.TrainingSettings, {"labelled": float("nan")}, "labelled is nan"),
        (settings.ComparisonSettings, {"epochs": 0}, "epochs is 0"),
        (settings.SearchSettings, {"trials": 0}, "trials is 0"),
        (settings.SearchSettings, {"minimise": "a", "maximise": "b"}, "give one figure"),
        (settings.GenerationSettings, {"count": 0}, "count is 0"),
        (settings.ExplorationSettings, {"steps": 0}, "steps is 0"),
        (settings.ExplorationSettings, {"picture": "dance"}, "No picture is called 'dance'"),
        (settings.TrainingSettings, {"model": "gan"}, "No model is called 'gan'; choose one of"),
        (settings.ComparisonSettings, {"models": ("cvae", "gan")}, "No model is called 'gan'"),
        (settings.SearchSettings, {"algorithm": "guess"}, "No algorithm is called 'guess'"),
    ],
)
def test_what_does_not_fit_is_named(kind, options, message):
    with pytest.raises(ValueError, match=message):
        kind(**options)


def test_epochs_of_a_resumed_run_are_its_own():
    assert settings.TrainingSettings(resume=True).epochs is None
    assert settings.TrainingSettings().epochs == settings.ComparisonSettings().epochs == 40
    assert settings.ComparisonSettings(dataset="table:a.csv").epochs == 8


def test_formats_of_an_export():
    assert settings.ExportSettings().formats == ("saved_model",)
    assert settings.ExportSettings(web=True, tflite=True).formats == ("tflite", "web")
