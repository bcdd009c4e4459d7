"""One batch of a run, once more: the same images, moved alike, and the gradients that they give.

Which images a batch has, how they are shifted and which dropout falls out depend on the seed and
the place in the training alone, so any batch can be had again. The weights are those that the
folder keeps: of the last checkpoint, or of the end. Not here: what the gradients are made of
(explain/network). Next room: report.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pellucid.checkpoint import Checkpoint, load
from pellucid.data import ImageDataset
from pellucid.errors import ArgumentError, DataError
from pellucid.explain import Contributions, contributions, record
from pellucid.explain.network import can_record
from pellucid.explain.network.call import Grad
from pellucid.explain.notation import Notation
from pellucid.grad_mode import no_grad
from pellucid.kernels.conv.spec import Sizes
from pellucid.nn import Module, functional
from pellucid.random import RngState, get_rng_state, set_rng_state
from pellucid.tensor import Tensor
from pellucid.training.build import load_data, make_loader, make_model
from pellucid.training.folder import CHECKPOINT, MODEL, read_settings
from pellucid.training.settings import Settings


class Place(NamedTuple):
    """A batch of an epoch, both counted from 0."""

    epoch: int
    batch: int


@dataclass(frozen=True)
class Weights:
    """The weights of a run, and the batch that they learn from next; None at the end."""

    state: Mapping[str, Tensor]
    next: Place | None


@dataclass(frozen=True, eq=False)
class Replay:
    """A batch that passed through the model once more, with one of its layers recorded.

    Epochs and batches count from 1, as a training shows them. `samples` are the numbers of the
    images in the training set, from 0, and `labels` their classes. `exact` says whether the weights
    are those that this batch meets in the training; else they are those after `trained` batches.
    """

    settings: Settings
    name: str  # of the layer
    layer: Module
    recorded: record
    epoch: int
    batch: int
    batches: int  # of an epoch
    samples: list[int]
    labels: list[str]
    exact: bool
    trained: int

    def contributions(
        self, grad: Grad, index: Sizes | None = None, notation: Notation = "textbook"
    ) -> Contributions:
        """Return what an element of a gradient is made of; without an index, the largest one.

        Raises: as `explain.contributions`.
        """
        if index is None:
            sizes = np.abs(self.recorded.calls[0].kernel(grad))
            index = tuple(int(at) for at in np.unravel_index(int(sizes.argmax()), sizes.shape))
        return contributions(self.layer, grad, index, notation=notation)


def replay_folder(
    folder: str | Path, layer: str | None = None, epoch: int | None = None, batch: int | None = None
) -> Replay:
    """Return a batch of the run in a folder, passed through the model once more.

    `layer` is a name as in `model.named_modules()`, that of the first layer that can be recorded if
    None. Epoch and batch count from 1. Without them it is the batch that comes next; in an epoch
    that is done, its last full batch.

    Raises: DataError for a folder without a run, or without weights; ArgumentError for a layer, an
    epoch or a batch that there is not.
    """
    folder = Path(folder)
    settings = read_settings(folder, "explain")
    data = load_data(settings, train=True)
    return replay(settings, data, _read_weights(folder), layer, epoch, batch)


def replay(
    settings: Settings,
    data: ImageDataset,
    weights: Weights,
    layer: str | None = None,
    epoch: int | None = None,
    batch: int | None = None,
) -> Replay:
    """Return a batch of a run, passed once more through a new model with these weights.

    Raises: as `replay_folder`.
    """
    loader = make_loader(settings, data)
    batches = len(loader)
    steps = settings.epochs * batches
    trained = steps if weights.next is None else weights.next.epoch * batches + weights.next.batch
    full = max(len(data) // settings.batch_size, 1)
    place = _place(settings, batches, full, trained, epoch, batch)
    step = place.epoch * batches + place.batch
    with _own_random():
        model = make_model(settings, data)
        name, module = _layer(settings, model, layer)
        model.load_state_dict(weights.state)
        loader.set_epoch(*place)
        x, targets = next(iter(loader))
        kept = _pass(model, module, x, targets, step)
    return Replay(
        settings, name, module, kept, place.epoch + 1, place.batch + 1, batches,
        loader.samples(*place), [data.classes[k] for k in targets.array], step == trained, trained,
    )  # fmt: skip


def _read_weights(folder: Path) -> Weights:
    """Return the weights that a folder keeps."""
    if (folder / CHECKPOINT).exists():
        checkpoint = Checkpoint.load(folder / CHECKPOINT)
        return Weights(checkpoint.model, Place(checkpoint.epoch, checkpoint.batch))
    if (folder / MODEL).exists():
        return Weights(load(folder / MODEL), None)
    raise DataError(
        "explain",
        f"the run in {folder} has no weights yet: it has neither {CHECKPOINT} nor {MODEL}",
        fix=f"let it train a while: pellucid train --resume {folder}",
    )


def _place(
    settings: Settings, batches: int, full: int, trained: int, epoch: int | None, batch: int | None
) -> Place:
    """Return the batch that is meant, which the training must have come to."""
    done = trained == settings.epochs * batches
    # the batch that comes next has its weights as well
    reached = Place(*divmod(trained - done, batches))
    chosen = reached.epoch if epoch is None else epoch - 1
    if not 0 <= chosen <= reached.epoch:
        raise ArgumentError(
            "explain",
            f"there is no epoch {epoch}: the training has come to epoch {reached.epoch + 1} of "
            f"{settings.epochs}",
            fix=_choice("--epoch", reached.epoch + 1),
        )
    present = chosen == reached.epoch and not done
    last = reached.batch if present else batches - 1
    at = (last if present else full - 1) if batch is None else batch - 1
    if not 0 <= at <= last:
        come = f", and the training has come to batch {last + 1}" if present else ""
        raise ArgumentError(
            "explain",
            f"there is no batch {batch} of epoch {chosen + 1}: an epoch has {batches}{come}",
            fix=_choice("--batch", last + 1),
        )
    return Place(chosen, at)


def _choice(option: str, last: int) -> str:
    return f"use {option} 1 .. {last}" if last > 1 else f"use {option} 1"


def _layer(settings: Settings, model: Module, name: str | None) -> tuple[str, Module]:
    """Return the layer of that name, or the first that can be recorded."""
    modules = dict(model.named_modules())
    able = [key for key, module in modules.items() if can_record(module)]
    if name is None and able:
        return able[0], modules[able[0]]
    if name not in able:
        other = modules.get(name or "")
        raise ArgumentError(
            "explain",
            f"{settings.model} has no layer {name!r}"
            if other is None
            else f"{name} of {settings.model} is {other}, neither a convolution nor a Linear",
            fix=f"use one of {', '.join(able)}" if able else "choose a run of another model",
        )
    return name, modules[name]


def _pass(model: Module, layer: Module, x: Tensor, targets: Tensor, step: int) -> record:
    """Pass a batch through a model as that step of the training does; return what was recorded.

    Each step makes equally many random draws, so those of the steps before can be counted.
    """
    model.train()
    begin = get_rng_state()
    with no_grad():
        model(x)
    draws = get_rng_state().calls - begin.calls
    set_rng_state(RngState(begin.seed, begin.calls + step * draws))
    loss = functional.cross_entropy(model(x), targets)
    with record(layer) as kept:
        loss.backward()
    return kept


@contextmanager
def _own_random() -> Iterator[None]:
    """Leave the random numbers of the process as they are."""
    before = get_rng_state()
    try:
        yield
    finally:
        set_rng_state(before)
