"""From names to objects: the data sets, models and optimizers of the command line, made and fitted.

Not here: which names go together by default (settings.py). Next room: evaluation.py.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from pellucid.data import (
    MNIST,
    Augmented,
    DataLoader,
    Dataset,
    Digits,
    FashionMNIST,
    ImageDataset,
    RandomCrop,
)
from pellucid.errors import ArgumentError, ShapeError
from pellucid.grad_mode import no_grad
from pellucid.models import digits_cnn, lenet
from pellucid.nn import Module
from pellucid.optim import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop
from pellucid.optim.lr_scheduler import OneCycleLR
from pellucid.random import manual_seed
from pellucid.tensor import Tensor
from pellucid.training.settings import Settings, known
from pellucid.training.trainer import Trainer

TEST_BATCH = 500


def _digits(folder: str | None, train: bool) -> Digits:
    if folder is not None:
        raise ArgumentError(
            "train",
            f"--data-dir is {folder}, but the digits come with the package",
            fix="leave --data-dir out, or choose --data mnist",
        )
    return Digits(train)


DATA: dict[str, Callable[[str | None, bool], ImageDataset]] = {
    "digits": _digits,
    "mnist": MNIST,
    "fashion-mnist": FashionMNIST,
}
MODELS: dict[str, Callable[[int], Module]] = {"digits_cnn": digits_cnn, "lenet": lenet}
OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {
    "sgd": partial(SGD, momentum=0.9, nesterov=True, weight_decay=5e-4),
    "adam": Adam,
    "adamw": AdamW,
    "adagrad": Adagrad,
    "rmsprop": RMSprop,
}


def load_data(settings: Settings, train: bool) -> ImageDataset:
    """Return the training or the test images.

    Raises: DataError where the files are missing or damaged; ArgumentError for an unknown data set,
    or a folder that the data set does not read.
    """
    return DATA[known("data set", settings.data, DATA)](settings.data_dir, train)


def make_model(settings: Settings, data: ImageDataset) -> Module:
    """Return a new model for such images.

    Raises: ArgumentError for an unknown model, and for one that does not take them.
    """
    make, classes = MODELS[known("model", settings.model, MODELS)], len(data.classes)
    x, _ = data.read_batch([0])
    if not _takes(make(classes), x):
        able = [name for name, other in MODELS.items() if _takes(other(classes), x)]
        raise ArgumentError(
            "train",
            f"the model '{settings.model}' does not take the images of '{settings.data}', which "
            f"are {described(x.shape[1:])}",
            fix=f"use --model {' or '.join(able)}" if able else "choose another data set",
        )
    manual_seed(settings.seed)
    return make(classes)


def _takes(model: Module, x: Tensor) -> bool:
    try:
        with no_grad():
            model.eval()(x)
    except ShapeError:
        return False
    return True


def described(shape: tuple[int, ...]) -> str:
    """Return the shape of an image in words.

    >>> described((1, 28, 28))
    '28x28 with 1 channel'
    """
    C, H, W = shape
    return f"{H}x{W} with {C} channel{'s' if C > 1 else ''}"


def make_loader(settings: Settings, data: ImageDataset) -> DataLoader:
    """Return what reads the training images: shuffled and shifted by seed and epoch alone."""
    seen: Dataset = data
    if settings.shift:
        _, H, W = data.data.shape
        seen = Augmented(data, RandomCrop((H, W), padding=settings.shift), settings.seed)
    return DataLoader(seen, settings.batch_size, shuffle=True, seed=settings.seed)


def make_trainer(settings: Settings, data: ImageDataset, test_data: ImageDataset) -> Trainer:
    """Return a trainer that stands before the first batch.

    The learning rate goes up and down once, over all batches (OneCycleLR).

    Raises: as `make_model`.
    """
    model = make_model(settings, data)
    make_optimizer = OPTIMIZERS[known("optimizer", settings.optimizer, OPTIMIZERS)]
    optimizer = make_optimizer(model.parameters(), lr=settings.lr)
    loader = make_loader(settings, data)
    scheduler = OneCycleLR(
        optimizer, settings.lr, settings.epochs * len(loader), cycle_momentum=False
    )
    test_loader = DataLoader(test_data, TEST_BATCH)
    classes = len(data.classes)
    return Trainer(model, optimizer, scheduler, loader, test_loader, classes, settings.epochs)
