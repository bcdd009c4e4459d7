"""DataLoader: the same bits for any number of workers, and any batch can be the first."""

from __future__ import annotations

import multiprocessing
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid.data import (
    Augmented,
    Compose,
    DataLoader,
    Digits,
    RandomCrop,
    RandomHorizontalFlip,
    Subset,
    TensorDataset,
    default_collate,
)
from pellucid.errors import ArgumentError, DTypeError

AUGMENT = Compose([RandomCrop(8, padding=2), RandomHorizontalFlip()])


class Recorder:
    """A dataset that notes which samples are asked for."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.read: list[int] = []

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> int:
        self.read.append(index)
        return index


def numbers(loader: DataLoader) -> list[list[int]]:
    return [batch.tolist() for batch in loader]


def digits() -> Augmented:
    return Augmented(Subset(Digits(), range(100, 143)), AUGMENT, seed=4)


def bits(**options: Any) -> list[tuple[bytes, list[int]]]:
    """Return two epochs from the second batch of epoch 3 on."""
    loader = DataLoader(digits(), batch_size=8, shuffle=True, seed=9, **options)
    loader.set_epoch(3, batch=1)
    return [(x.array.tobytes(), y.tolist()) for _ in range(2) for x, y in loader]


def test_batches_in_order() -> None:
    assert numbers(DataLoader(range(5), 2)) == [[0, 1], [2, 3], [4]]
    assert numbers(DataLoader(range(5), 2, drop_last=True)) == [[0, 1], [2, 3]]
    assert numbers(DataLoader(range(2), 5)) == [[0, 1]]
    assert numbers(DataLoader([], 5)) == []
    assert [len(DataLoader(range(5), n)) for n in (1, 2, 5, 6)] == [5, 3, 1, 1]
    assert [len(DataLoader(range(5), n, drop_last=True)) for n in (1, 2, 5, 6)] == [5, 2, 1, 0]


def test_a_shuffled_epoch_has_every_sample_once_and_depends_on_seed_and_epoch() -> None:
    loader = DataLoader(range(50), 8, shuffle=True, seed=1)
    epochs = [numbers(loader) for _ in range(3)]
    orders = [[i for batch in epoch for i in batch] for epoch in epochs]
    assert all(sorted(order) == list(range(50)) for order in orders)
    assert orders[0] != orders[1] != orders[2] != orders[0]
    again = DataLoader(range(50), 8, shuffle=True, seed=1)
    again.set_epoch(2)
    assert numbers(again) == epochs[2]
    assert numbers(DataLoader(range(50), 8, shuffle=True, seed=2)) != epochs[0]
    pellucid.manual_seed(1)
    assert numbers(DataLoader(range(50), 8, shuffle=True)) == epochs[0]


def test_the_order_is_no_secret() -> None:
    order = pellucid.random.keyed_generator(1, 2, 0, 1).permutation(10)
    loader = DataLoader(range(10), 10, shuffle=True, seed=1)
    loader.set_epoch(2)
    assert numbers(loader) == [order.tolist()]


@pytest.mark.parametrize("num_workers", [1, 3])
def test_threads_give_the_same_bits(num_workers: int) -> None:
    assert bits(num_workers=num_workers) == bits(num_workers=0)


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # pytest may have threads
def test_processes_give_the_same_bits(method: str) -> None:
    assert bits(num_workers=2, multiprocessing_context=method) == bits(num_workers=0)
    context = multiprocessing.get_context(method)
    loader = DataLoader(range(3), 2, num_workers=1, multiprocessing_context=context)
    assert numbers(loader) == [[0, 1], [2]]


@pytest.mark.parametrize("num_workers", [0, 2])
def test_an_epoch_can_start_in_its_middle(num_workers: int) -> None:
    def loader(data: Any = None) -> DataLoader:
        return DataLoader(data or range(20), 3, shuffle=True, seed=0, num_workers=num_workers)

    whole = loader()
    first, second = numbers(whole), numbers(whole)
    for batch in range(8):
        data = Recorder(20)
        resumed = loader(data)
        resumed.set_epoch(0, batch)
        assert (resumed.epoch, resumed.batch) == (0, batch)
        assert numbers(resumed) == first[batch:]
        assert sorted(data.read) == sorted(i for b in first[batch:] for i in b)
        assert (resumed.epoch, resumed.batch) == (1, 0)
        assert numbers(resumed) == second


def test_two_passes_at_once_do_not_disturb_each_other() -> None:
    loader = DataLoader(digits(), 10, shuffle=True, seed=0)
    alone = [[x.array.tobytes() for x, _ in loader] for _ in range(2)]
    loader.set_epoch(0)
    both = list(zip(loader, loader, strict=True))
    assert [x.array.tobytes() for (x, _), _ in both] == alone[0]
    assert [x.array.tobytes() for _, (x, _) in both] == alone[1]


def test_reading_a_batch_at_once_gives_what_collating_gives() -> None:
    for data in (Digits(), Subset(Digits(), range(9, 0, -1)), TensorDataset(np.eye(9))):
        assert hasattr(data, "read_batch")
        at_once = DataLoader(data, 7)
        one_by_one = DataLoader(data, 7, collate_fn=default_collate)
        for a, b in zip(at_once, one_by_one, strict=True):
            for found, expected in zip(a, b, strict=True):
                assert found.dtype == expected.dtype
                assert np.array_equal(found.array, expected.array)


def test_collate_fn_gets_the_list_of_samples() -> None:
    loader = DataLoader(range(5), 2, collate_fn=lambda samples: (type(samples), sum(samples)))
    assert list(loader) == [(list, 1), (list, 5), (list, 4)]


def test_batches_are_plain_tensors() -> None:
    for x, y in DataLoader(Digits(), 64):
        assert (x.dtype, y.dtype) == (pellucid.float32, pellucid.int64)
        assert x.shape[1:] == (1, 8, 8)
        assert x.is_leaf
        assert not x.requires_grad


MESSAGES = [
    (
        {"dataset": 3},
        DTypeError,
        "int is no dataset: it lacks __len__ or __getitem__\n"
        "  fix: give it both, or put the samples into a list",
    ),
    (
        {"batch_size": 0},
        ArgumentError,
        "batch_size is 0, not an integer of at least 1\n  fix: use batch_size=1 or more",
    ),
    (
        {"batch_size": None},
        ArgumentError,
        "batch_size is None, not an integer of at least 1\n  fix: use batch_size=1 or more",
    ),
    (
        {"num_workers": -1},
        ArgumentError,
        "num_workers is -1, not an integer of at least 0\n  fix: use num_workers=0 or more",
    ),
    (
        {"prefetch_factor": 0},
        ArgumentError,
        "prefetch_factor is 0, not an integer of at least 1\n  fix: use prefetch_factor=1 or more",
    ),
    (
        {"multiprocessing_context": "thread"},
        ArgumentError,
        "multiprocessing_context is 'thread', which this system does not have\n"
        f"  fix: use one of {', '.join(multiprocessing.get_all_start_methods())}, or None for "
        "threads",
    ),
    (
        {"multiprocessing_context": "spawn", "num_workers": 0},
        ArgumentError,
        "multiprocessing_context is given, but num_workers=0 starts no process\n"
        "  fix: use num_workers=1 or more",
    ),
]


@pytest.mark.parametrize(("options", "error", "message"), MESSAGES)
def test_messages(options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        DataLoader(**{"dataset": range(5), **options})
    assert str(caught.value) == f"DataLoader: {message}"


@pytest.mark.parametrize(("epoch", "batch"), [(-1, 0), (0, -1), (2, 4)])
def test_a_place_outside_the_epochs(epoch: int, batch: int) -> None:
    loader = DataLoader(range(5), 2)
    with pytest.raises(ArgumentError) as caught:
        loader.set_epoch(epoch, batch)
    assert str(caught.value) == (
        f"DataLoader: there is no batch {batch} of epoch {epoch}; each epoch has 3 batches\n"
        "  fix: use epoch >= 0 and 0 <= batch <= 3"
    )
    assert (loader.epoch, loader.batch) == (0, 0)


def test_which_samples_are_in_a_batch() -> None:
    loader = DataLoader(range(10), 4, shuffle=True, seed=3)
    for epoch in range(2):
        loader.set_epoch(epoch)
        read = numbers(loader)
        assert [loader.samples(epoch, batch) for batch in range(3)] == read
    with pytest.raises(ArgumentError) as refused:
        loader.samples(0, 3)
    assert str(refused.value) == (
        "DataLoader: there is no batch 3 of epoch 0; each epoch has 3 batches\n"
        "  fix: use epoch >= 0 and 0 <= batch < 3"
    )
