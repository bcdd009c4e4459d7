"""DataLoader: a dataset in batches, in an order that depends on the seed and the epoch alone.

The order is a permutation keyed by (seed, epoch), so any batch of any epoch can be the first one
that is read: that is how training resumes in the middle of an epoch. The same batches come, bit for
bit, from any number of workers. Not here: how workers run (workers.py). Next room: transforms.py.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from multiprocessing.context import BaseContext
from typing import Any

import numpy as np

from pellucid.data.dataset import Dataset, Stream, at_epoch, seed_or_current
from pellucid.data.workers import Collate, Job, read_ahead
from pellucid.errors import ArgumentError, DTypeError
from pellucid.random import keyed_generator


class DataLoader:
    """Batches of a dataset, read ahead by worker threads.

    Each pass (each `for` loop) is one epoch and shuffles anew: pass 0 uses the permutation keyed by
    (seed, 0), pass 1 that of (seed, 1). `set_epoch` chooses the epoch of the next pass, and the
    batch that it starts with. `seed=None` means that of `manual_seed` when the loader is made.

    `num_workers` threads (0: none) keep `prefetch_factor` batches each ready. Threads suit datasets
    that spend their time in NumPy or in files; `multiprocessing_context` ("fork", "spawn",
    "forkserver") makes them processes, for datasets that compute in Python. Several threads call
    the dataset's methods at the same time.

    A dataset with a method `read_batch(indices)` is read a batch at a time (dataset.py);
    `collate_fn(samples)` replaces `default_collate` and always gets a list of samples.

    Raises: ArgumentError for options out of range; while iterating, DataError that names the sample
    whose reading failed, and ShapeError for samples that do not stack.

    >>> import numpy as np
    >>> from pellucid.data import TensorDataset
    >>> loader = DataLoader(TensorDataset(np.arange(5)), batch_size=2)
    >>> [batch for (batch,) in loader]
    [tensor([0, 1]), tensor([2, 3]), tensor([4])]
    """

    def __init__(
        self,
        dataset: Dataset,
        batch_size: int = 1,
        shuffle: bool = False,
        *,
        seed: int | None = None,
        drop_last: bool = False,
        num_workers: int = 1,
        collate_fn: Collate | None = None,
        multiprocessing_context: str | BaseContext | None = None,
        prefetch_factor: int = 2,
    ) -> None:
        self.dataset = dataset
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.seed = seed_or_current(seed)
        self.drop_last = drop_last
        self.num_workers = num_workers
        self.collate_fn = collate_fn
        self.prefetch_factor = prefetch_factor
        self._check()
        self._context = self._find_context(multiprocessing_context)
        self.set_epoch(0)

    def __len__(self) -> int:
        """Return the number of batches in a whole epoch."""
        count = len(self.dataset)
        return count // self.batch_size if self.drop_last else -(-count // self.batch_size)

    def set_epoch(self, epoch: int, batch: int = 0) -> None:
        """Let the next pass be this epoch, and start with this batch of it.

        The samples of the batches before are not read. The pass after that is the next epoch,
        from its beginning.

        Raises: ArgumentError for a negative epoch, and a batch that the epoch does not have.
        """
        if epoch < 0 or not 0 <= batch <= len(self):
            raise ArgumentError(
                "DataLoader",
                f"there is no batch {batch} of epoch {epoch}; each epoch has {len(self)} batches",
                fix=f"use epoch >= 0 and 0 <= batch <= {len(self)}",
            )
        self.epoch, self.batch = epoch, batch

    def samples(self, epoch: int, batch: int) -> list[int]:
        """Return which samples of the dataset are in a batch of an epoch.

        Raises: ArgumentError for a negative epoch, and a batch that the epoch does not have.
        """
        if epoch < 0 or not 0 <= batch < len(self):
            raise ArgumentError(
                "DataLoader",
                f"there is no batch {batch} of epoch {epoch}; each epoch has {len(self)} batches",
                fix=f"use epoch >= 0 and 0 <= batch < {len(self)}",
            )
        return next(self._batches(epoch, batch))

    def __iter__(self) -> Iterator[Any]:
        epoch, batch = self.epoch, self.batch
        self.set_epoch(epoch + 1)
        return read_ahead(
            Job(at_epoch(self.dataset, epoch), self.collate_fn),
            self._batches(epoch, batch),
            self.num_workers,
            max(1, self.num_workers) * self.prefetch_factor,
            self._context,
        )

    def _batches(self, epoch: int, first: int) -> Iterator[list[int]]:
        """Yield the sample indices of each batch, from the first one that is wanted."""
        order = np.arange(len(self.dataset))
        if self.shuffle:
            order = keyed_generator(self.seed, epoch, 0, Stream.SHUFFLE).permutation(order)
        for batch in range(first, len(self)):
            yield order[batch * self.batch_size : (batch + 1) * self.batch_size].tolist()

    def _check(self) -> None:
        if not (hasattr(self.dataset, "__len__") and hasattr(self.dataset, "__getitem__")):
            raise DTypeError(
                "DataLoader",
                f"{type(self.dataset).__name__} is no dataset: it lacks __len__ or __getitem__",
                fix="give it both, or put the samples into a list",
            )
        for name, least in (("batch_size", 1), ("num_workers", 0), ("prefetch_factor", 1)):
            value = getattr(self, name)
            if not isinstance(value, int) or value < least:
                raise ArgumentError(
                    "DataLoader",
                    f"{name} is {value!r}, not an integer of at least {least}",
                    fix=f"use {name}={least} or more",
                )

    def _find_context(self, context: str | BaseContext | None) -> BaseContext | None:
        if context is not None and self.num_workers == 0:
            raise ArgumentError(
                "DataLoader",
                "multiprocessing_context is given, but num_workers=0 starts no process",
                fix="use num_workers=1 or more",
            )
        if not isinstance(context, str):
            return context
        known = multiprocessing.get_all_start_methods()
        if context not in known:
            raise ArgumentError(
                "DataLoader",
                f"multiprocessing_context is {context!r}, which this system does not have",
                fix=f"use one of {', '.join(known)}, or None for threads",
            )
        return multiprocessing.get_context(context)
