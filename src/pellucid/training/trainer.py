"""Trainer: the loop over epochs and batches, as a stream of events that may stop after any of them.

`for event in trainer.events()` trains: after each batch, of training images and of test images,
the loop hands over what it knows and stands still. Whoever listens may show it, save the trainer's
state or leave the loop; a trainer that was given that state goes on from there to the same bits.
Not here: files (run.py) and what is drawn on a terminal (cli/). Next room: run.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

from pellucid.data import DataLoader
from pellucid.nn import Module, functional
from pellucid.optim import Optimizer
from pellucid.optim.lr_scheduler import LRScheduler
from pellucid.tensor import Tensor
from pellucid.training.evaluation import Evaluation, evaluate


class BatchDone(NamedTuple):
    """A batch of `images` is done, the `batch`-th of `batches`; epochs and batches count from 1."""

    epoch: int
    training: bool  # False: a batch of test images
    batch: int
    batches: int
    images: int
    loss: float  # the mean over the epoch's batches so far


class EpochDone(NamedTuple):
    """What an epoch has come to: a line of metrics.jsonl."""

    epoch: int
    train_loss: float
    test_loss: float
    test_accuracy: float


Event: TypeAlias = "BatchDone | EpochDone"


class Trainer:
    """A model, what changes it, and the images that it learns from and is tested on.

    The scheduler takes a step after each batch. `epoch` counts the epochs that are done, `batch`
    the batches of the present one, `history` has a line for each epoch, and `evaluation` the
    answers after the last one (None when the trainer has not come to the end of an epoch itself).

    The train loss is the mean over the epoch's images while the model changes, the test loss that
    after its last batch.
    """

    def __init__(
        self,
        model: Module,
        optimizer: Optimizer,
        scheduler: LRScheduler,
        loader: DataLoader,
        test_loader: DataLoader,
        classes: int,
        epochs: int,
    ) -> None:
        self.model = model
        self.optimizer = optimizer
        self.scheduler = scheduler
        self.loader = loader
        self.test_loader = test_loader
        self.classes = classes
        self.epochs = epochs
        self.epoch = 0
        self.batch = 0
        self.history: list[EpochDone] = []
        self.evaluation: Evaluation | None = None
        self._loss_sum = 0.0
        self._images = 0

    def events(self) -> Iterator[Event]:
        """Train on from where the trainer is, and yield after each batch and each epoch."""
        while self.epoch < self.epochs:
            yield from self._train()
            yield from self._test()
            yield self.history[-1]

    def _train(self) -> Iterator[BatchDone]:
        """Take a step for each batch that the epoch has left."""
        self.model.train()
        self.loader.set_epoch(self.epoch, self.batch)
        for x, targets in self.loader:
            self._loss_sum += self._step(x, targets) * len(targets)
            self._images += len(targets)
            self.batch += 1
            yield self._done(True, self.batch, self.loader, len(targets), self.train_loss)

    def _step(self, x: Tensor, targets: Tensor) -> float:
        """Change the model a little for one batch; return the loss that it had before."""
        loss = functional.cross_entropy(self.model(x), targets)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.scheduler.step()
        return float(loss)

    def _test(self) -> Iterator[BatchDone]:
        """Ask for every test image, and close the epoch."""
        found = Evaluation(self.classes)
        before = 0
        for batch, _ in enumerate(evaluate(self.model, self.test_loader, found), 1):
            yield self._done(False, batch, self.test_loader, found.count - before, found.loss)
            before = found.count
        self.evaluation = found
        self.history.append(EpochDone(self.epoch + 1, self.train_loss, found.loss, found.accuracy))
        self.epoch, self.batch, self._loss_sum, self._images = self.epoch + 1, 0, 0.0, 0

    def _done(
        self, training: bool, batch: int, loader: DataLoader, images: int, loss: float
    ) -> BatchDone:
        return BatchDone(self.epoch + 1, training, batch, len(loader), images, loss)

    @property
    def train_loss(self) -> float:
        """The mean loss of the present epoch's images so far."""
        return self._loss_sum / max(self._images, 1)

    @property
    def share(self) -> float:
        """How much of the training is done, 0 to 1."""
        return (self.epoch + self.batch / max(len(self.loader), 1)) / self.epochs

    # Where it is, for checkpoints

    def state_dict(self) -> dict[str, Any]:
        """Return the place in the training and the sums of the present epoch: plain numbers."""
        return {
            "epoch": self.epoch,
            "batch": self.batch,
            "loss_sum": self._loss_sum,
            "images": self._images,
            "history": [line._asdict() for line in self.history],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        self.epoch, self.batch = state["epoch"], state["batch"]
        self._loss_sum, self._images = state["loss_sum"], state["images"]
        self.history = [EpochDone(**line) for line in state["history"]]
