"""Evaluation: what a model says of images it was not trained on, and how often it is right.

Not here: who asks it and when (trainer.py). Next room: trainer.py.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pellucid.backend import Array
from pellucid.data import DataLoader
from pellucid.grad_mode import no_grad
from pellucid.nn import Module, functional
from pellucid.tensor import Tensor


class Evaluation:
    """The answers for a data set, batch by batch in its order.

    `predicted` (N,) holds the classes that the model named, `confidence` (N,) the probability that
    it gave them, `confusion` (classes, classes) how often a true class (row) was taken for another
    (column).

    >>> found = Evaluation(classes=2)
    >>> found.add(Tensor(np.float32([[2, 0], [3, 0]])), Tensor(np.array([0, 1])))
    >>> found.accuracy, found.confusion.tolist()
    (0.5, [[1, 0], [1, 0]])
    """

    def __init__(self, classes: int) -> None:
        self.confusion = np.zeros((classes, classes), np.int64)
        self._loss_sum = 0.0
        self._predicted: list[Array] = []
        self._confidence: list[Array] = []

    def add(self, scores: Tensor, targets: Tensor) -> None:
        """Count one batch: scores (N, classes), targets (N,)."""
        self._loss_sum += functional.cross_entropy(scores, targets, reduction="sum").item()
        probabilities = functional.softmax(scores, dim=1).array
        predicted = probabilities.argmax(axis=1)
        np.add.at(self.confusion, (targets.array, predicted), 1)
        self._predicted.append(predicted)
        self._confidence.append(probabilities.max(axis=1))

    @property
    def count(self) -> int:
        """How many images were looked at."""
        return int(self.confusion.sum())

    @property
    def loss(self) -> float:
        """The mean cross entropy."""
        return self._loss_sum / max(self.count, 1)

    @property
    def accuracy(self) -> float:
        """The share of the images whose class was named, 0 to 1."""
        return int(self.confusion.trace()) / max(self.count, 1)

    @property
    def predicted(self) -> Array:
        """The class that was named for each image."""
        return np.concatenate([np.zeros(0, np.int64), *self._predicted])

    @property
    def confidence(self) -> Array:
        """The probability that was given to it."""
        return np.concatenate([np.zeros(0, np.float32), *self._confidence])


def evaluate(model: Module, loader: DataLoader, found: Evaluation) -> Iterator[Evaluation]:
    """Add every batch of the loader to `found`, which is yielded after each.

    The model is in evaluation mode meanwhile, and then as it was.
    """
    mode = model.training
    model.eval()
    try:
        for x, targets in loader:
            with no_grad():
                found.add(model(x), targets)
            yield found
    finally:
        model.train(mode)
