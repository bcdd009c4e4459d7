"""Settings: all that a run depends on, and how each data set is trained unless told otherwise.

The recipes were chosen on a validation split of the training images (tools/choose_recipe.py); the
test images had no part in it. Not here: the objects that the names stand for (build.py).
Next room: build.py.
"""

from __future__ import annotations

import math
import shlex
from dataclasses import asdict, dataclass
from typing import Any

from pellucid.errors import ArgumentError

DEFAULT_DATA = "digits"


@dataclass(frozen=True)
class Recipe:
    """How a data set is trained by default; `shift` is how far images are moved at random."""

    model: str
    epochs: int
    batch_size: int
    optimizer: str
    lr: float
    shift: int = 0


RECIPES = {
    "digits": Recipe("digits_cnn", epochs=20, batch_size=32, optimizer="adamw", lr=3e-3, shift=1),
    "mnist": Recipe("lenet", epochs=2, batch_size=64, optimizer="sgd", lr=0.1),
    "fashion-mnist": Recipe("lenet", epochs=5, batch_size=64, optimizer="sgd", lr=0.1),
}
# The highest learning rate of the schedule where an optimizer is chosen and no rate.
LEARNING_RATES = {"sgd": 0.1, "adam": 3e-3, "adamw": 3e-3, "adagrad": 1e-2, "rmsprop": 1e-3}


@dataclass(frozen=True)
class Settings:
    """The options of `pellucid train`, all of them decided; equal settings give equal bits.

    `data_dir` says where the data lie, not what they are.

    Raises: ArgumentError for a number out of range.
    """

    data: str
    model: str
    epochs: int
    batch_size: int
    lr: float
    optimizer: str
    seed: int = 0
    data_dir: str | None = None

    def __post_init__(self) -> None:
        for name, least in (("epochs", 1), ("batch_size", 1), ("seed", 0)):
            value = getattr(self, name)
            if value < least:
                raise ArgumentError(
                    "train", f"{option(name)} is {value}", fix=f"use {least} or more"
                )
        if not 0 < self.lr < math.inf:
            raise ArgumentError("train", f"--lr is {self.lr}", fix="use a number above 0")

    @property
    def shift(self) -> int:
        """How many pixels the training images are moved at random, at most."""
        return RECIPES[self.data].shift

    def command(self) -> str:
        """Return the command that makes the same run again.

        >>> choose("mnist", seed=3).command().partition(" --epochs ")[0]
        'pellucid train --data mnist --model lenet'
        """
        given = {name: value for name, value in asdict(self).items() if value is not None}
        words = [word for name, value in given.items() for word in (option(name), str(value))]
        return shlex.join(["pellucid", "train", *words])


def choose(data: str | None = None, **given: Any) -> Settings:
    """Return the settings of a data set's recipe with the options that are given (not None).

    Raises: ArgumentError for an unknown data set or optimizer, and for numbers out of range.

    >>> choose("digits", epochs=3).epochs
    3
    """
    data = DEFAULT_DATA if data is None else data
    recipe = RECIPES[known("data set", data, RECIPES)]
    given = {name: value for name, value in given.items() if value is not None}
    optimizer = known("optimizer", given.get("optimizer", recipe.optimizer), LEARNING_RATES)
    lr = recipe.lr if optimizer == recipe.optimizer else LEARNING_RATES[optimizer]
    chosen: dict[str, Any] = {
        "model": recipe.model,
        "epochs": recipe.epochs,
        "batch_size": recipe.batch_size,
        "lr": lr,
        "optimizer": optimizer,
    }
    return Settings(data, **{**chosen, **given})


def known(kind: str, name: str, table: dict[str, Any]) -> str:
    """Return `name` if the table has it.

    Raises: ArgumentError that lists what there is.
    """
    if name not in table:
        raise ArgumentError(
            "train", f"there is no {kind} {name!r}", fix=f"use one of {', '.join(table)}"
        )
    return name


def option(name: str) -> str:
    """Return the name of a setting as the command line has it.

    >>> option("batch_size")
    '--batch-size'
    """
    return "--" + name.replace("_", "-")
