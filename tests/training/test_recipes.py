"""The accuracies that the README claims: each recipe over several seeds, on the test images.

The recipes were chosen without these images (tools/choose_recipe.py).
"""

from __future__ import annotations

import os
import statistics

import pytest

from pellucid.data.mnist import ENVIRONMENT
from pellucid.training import choose
from pellucid.training.build import load_data, make_trainer

needs_mnist = pytest.mark.skipif(
    not os.environ.get(ENVIRONMENT), reason=f"{ENVIRONMENT} does not say where MNIST is"
)


def accuracies(data: str, seeds: int) -> list[float]:
    """Train by the recipe of the data set, once for each seed."""
    found = []
    for seed in range(seeds):
        settings = choose(data, seed=seed)
        parts = (load_data(settings, train) for train in (True, False))
        trainer = make_trainer(settings, *parts)
        for _ in trainer.events():
            pass
        found.append(trainer.history[-1].test_accuracy)
    print(f"{data}: {found}")
    return found


@pytest.mark.slow
def test_digits_over_five_seeds() -> None:
    found = accuracies("digits", seeds=5)
    assert statistics.median(found) >= 0.985
    assert min(found) >= 0.975


@pytest.mark.slow
@needs_mnist
def test_one_seed_of_mnist() -> None:
    assert accuracies("mnist", seeds=1)[0] >= 0.986


@pytest.mark.full
@needs_mnist
def test_mnist_over_three_seeds() -> None:
    found = accuracies("mnist", seeds=3)
    assert statistics.median(found) >= 0.988
    assert min(found) >= 0.986
