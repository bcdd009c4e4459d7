"""Settings: recipes, options that are given, and what is refused."""

from __future__ import annotations

import shlex
from dataclasses import asdict
from typing import Any

import pytest

from pellucid.errors import ArgumentError
from pellucid.training import Settings, choose
from pellucid.training.build import DATA, MODELS, OPTIMIZERS
from pellucid.training.settings import LEARNING_RATES, RECIPES, option


def test_every_recipe_names_what_there_is() -> None:
    assert set(RECIPES) == set(DATA)
    assert set(LEARNING_RATES) == set(OPTIMIZERS)
    for recipe in RECIPES.values():
        assert recipe.model in MODELS
        assert recipe.optimizer in OPTIMIZERS


def test_the_digits_are_the_default() -> None:
    assert choose() == choose("digits")
    assert choose().model == "digits_cnn"
    assert (choose("mnist").model, choose("mnist").epochs) == ("lenet", 2)


def test_what_is_given_wins_and_none_is_not_given() -> None:
    given = {"model": "lenet", "epochs": 7, "batch_size": 3, "lr": 0.5, "optimizer": "sgd"}
    assert asdict(choose("mnist", **given, seed=9, data_dir=None)) == {
        "data": "mnist", **given, "seed": 9, "data_dir": None,
    }  # fmt: skip
    assert choose("mnist", epochs=None) == choose("mnist")


def test_another_optimizer_brings_a_rate_of_its_own() -> None:
    for data, recipe in RECIPES.items():
        for optimizer, rate in LEARNING_RATES.items():
            expected = recipe.lr if optimizer == recipe.optimizer else rate
            assert choose(data, optimizer=optimizer).lr == expected
            assert choose(data, optimizer=optimizer, lr=0.5).lr == 0.5


def test_the_command_names_every_option_and_comes_back() -> None:
    settings = choose("mnist", data_dir="a folder", seed=3)
    program, command, *words = shlex.split(settings.command())
    assert (program, command) == ("pellucid", "train")
    given = dict(zip(words[::2], words[1::2], strict=True))
    assert given == {option(name): str(value) for name, value in asdict(settings).items()}
    assert "--data-dir" not in choose("mnist").command()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"data": "cifar"}, "train: there is no data set 'cifar'\n"
         "  fix: use one of digits, mnist, fashion-mnist"),
        ({"optimizer": "lion"}, "train: there is no optimizer 'lion'\n"
         "  fix: use one of sgd, adam, adamw, adagrad, rmsprop"),
        ({"epochs": 0}, "train: --epochs is 0\n  fix: use 1 or more"),
        ({"batch_size": -1}, "train: --batch-size is -1\n  fix: use 1 or more"),
        ({"seed": -1}, "train: --seed is -1\n  fix: use 0 or more"),
        ({"lr": 0.0}, "train: --lr is 0.0\n  fix: use a number above 0"),
        ({"lr": float("nan")}, "train: --lr is nan\n  fix: use a number above 0"),
        ({"lr": float("inf")}, "train: --lr is inf\n  fix: use a number above 0"),
    ],
)  # fmt: skip
def test_what_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError) as raised:
        choose(**given)
    assert str(raised.value) == message


def test_settings_are_checked_however_they_are_made() -> None:
    with pytest.raises(ArgumentError, match="--epochs is 0"):
        Settings(**{**asdict(choose()), "epochs": 0})
