"""Datasets: samples that can be counted and indexed, and how to make some out of others.

Any object with `__len__` and `__getitem__` is a dataset. Two more methods are optional:

    read_batch(indices)   the samples of a whole batch at once, as collating them one by one would
                          give them (None: read them one by one)
    at_epoch(epoch)       the dataset as it is in that epoch, for those that change (Augmented)

Not here: the order in which samples are visited (loader.py). Next room: collate.py.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from enum import IntEnum
from typing import Any, Protocol

import numpy as np

from pellucid.backend import Array
from pellucid.dtypes import as_dtype
from pellucid.errors import ArgumentError, ShapeError
from pellucid.random import get_rng_state, keyed_generator
from pellucid.tensor import Tensor


class Stream(IntEnum):
    """The last word of a key, so that two uses of one seed draw different numbers."""

    SHUFFLE = 1
    AUGMENT = 2
    SPLIT = 3


class Dataset(Protocol):
    """Samples that can be counted and indexed; subclassing it is welcome, not required."""

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of samples."""

    @abstractmethod
    def __getitem__(self, index: int, /) -> Any:
        """Return one sample, for example `(x, y)`."""


def seed_or_current(seed: int | None) -> int:
    """Return `seed`, or that of `manual_seed` for None."""
    return get_rng_state().seed if seed is None else int(seed)


def read_batch(dataset: Dataset, indices: Sequence[int]) -> Any:
    """Return the batch that the dataset reads at once, or None where it does not."""
    read = getattr(dataset, "read_batch", None)
    return None if read is None else read(indices)


def at_epoch(dataset: Dataset, epoch: int) -> Dataset:
    """Return the dataset as it is in that epoch."""
    change = getattr(dataset, "at_epoch", None)
    return dataset if change is None else change(epoch)


class TensorDataset(Dataset):
    """Tensors (or arrays) whose first axis counts the samples; a sample is a tuple of rows.

    Raises: ShapeError when the first axes differ; DTypeError for what tensors cannot hold.

    >>> import numpy as np
    >>> data = TensorDataset(np.eye(3), np.arange(3))
    >>> data[1]
    (tensor([0., 1., 0.], dtype=float64), tensor(1))
    """

    def __init__(self, *tensors: Tensor | Array) -> None:
        self.tensors = tuple(Tensor(t.array if isinstance(t, Tensor) else t) for t in tensors)
        for tensor in self.tensors:
            as_dtype(tensor.dtype, "TensorDataset")
        lengths = {t.shape[:1] for t in self.tensors}
        if len(lengths) != 1 or lengths == {()}:
            raise ShapeError(
                "TensorDataset",
                "the first axis counts the samples, so all tensors must have the same",
                *(f"tensors[{k}] {t.shape}" for k, t in enumerate(self.tensors)),
                fix="give at least one tensor, each with as many rows as there are samples",
            )

    def __len__(self) -> int:
        return len(self.tensors[0])

    def __getitem__(self, index: int, /) -> tuple[Tensor, ...]:
        return tuple(Tensor(np.asarray(t.array[index])) for t in self.tensors)

    def read_batch(self, indices: Sequence[int]) -> tuple[Tensor, ...]:
        """Return the rows of all samples: one indexing for each tensor."""
        return tuple(Tensor(t.array[list(indices)]) for t in self.tensors)


class Subset(Dataset):
    """The samples of `dataset` at `indices`, in that order.

    Raises: ArgumentError for an index outside the dataset.

    >>> len(Subset([10, 20, 30], [2, 0])), Subset([10, 20, 30], [2, 0])[0]
    (2, 30)
    """

    def __init__(self, dataset: Dataset, indices: Sequence[int]) -> None:
        self.dataset = dataset
        self.indices = [int(index) for index in indices]
        outside = [index for index in self.indices if not 0 <= index < len(dataset)]
        if outside:
            raise ArgumentError(
                "Subset",
                f"index {outside[0]} is outside the dataset of {len(dataset)} samples",
                fix=f"use indices from 0 to {len(dataset) - 1}",
            )

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int, /) -> Any:
        return self.dataset[self.indices[index]]

    def read_batch(self, indices: Sequence[int]) -> Any:
        """Return what the dataset reads at once."""
        return read_batch(self.dataset, [self.indices[index] for index in indices])

    def at_epoch(self, epoch: int) -> Subset:
        """Return the same samples of the dataset in that epoch."""
        return Subset(at_epoch(self.dataset, epoch), self.indices)


def _split_sizes(count: int, lengths: Sequence[float]) -> list[int]:
    """Turn fractions that sum to 1 into sizes that sum to `count`; check sizes."""
    sizes = [int(length) for length in lengths]
    if any(isinstance(length, float) for length in lengths) and math.isclose(sum(lengths), 1):
        ends = [round(count * sum(lengths[: k + 1])) for k in range(len(lengths))]
        sizes = [end - start for start, end in zip([0, *ends], ends, strict=False)]
    if min(lengths, default=0) < 0 or sum(sizes) != count:
        raise ArgumentError(
            "random_split",
            f"lengths {list(lengths)} do not sum to the {count} samples, nor to 1",
            fix=f"give sizes that sum to {count}, or fractions that sum to 1",
        )
    return sizes


def random_split(
    dataset: Dataset, lengths: Sequence[float], seed: int | None = None
) -> list[Subset]:
    """Deal the samples at random into subsets without overlap; the seed decides how.

    `lengths` are sizes or fractions; `seed=None` means that of `manual_seed`.

    Raises: ArgumentError when the lengths do not sum to the number of samples, or to 1.

    >>> train, validation = random_split(list(range(10)), [0.8, 0.2], seed=0)
    >>> len(train), len(validation), sorted([*train, *validation]) == list(range(10))
    (8, 2, True)
    """
    sizes = _split_sizes(len(dataset), lengths)
    generator = keyed_generator(seed_or_current(seed), 0, 0, Stream.SPLIT)
    order = generator.permutation(len(dataset)).tolist()
    ends = np.cumsum(sizes).tolist()
    return [Subset(dataset, order[end - size : end]) for size, end in zip(sizes, ends, strict=True)]
