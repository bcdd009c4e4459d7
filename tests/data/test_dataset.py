"""Datasets: samples, subsets and splits."""

from __future__ import annotations

import numpy as np
import pytest

import pellucid
from pellucid.data import (
    Augmented,
    DataLoader,
    Dataset,
    Normalize,
    Subset,
    TensorDataset,
    random_split,
)
from pellucid.data.dataset import at_epoch, read_batch
from pellucid.errors import ArgumentError, ShapeError, UnsupportedError
from pellucid.tensor import Tensor


def rows() -> TensorDataset:
    return TensorDataset(np.arange(12.0).reshape(4, 3), Tensor(np.arange(4)))


def test_a_dataset_needs_both_methods() -> None:
    class Half(Dataset):
        def __len__(self) -> int:
            return 1

    with pytest.raises(TypeError, match="__getitem__"):
        Half()  # type: ignore[abstract]


def test_tensor_dataset_gives_rows() -> None:
    data = rows()
    x, y = data[2]
    assert len(data) == 4
    assert x.tolist() == [6, 7, 8]
    assert (y.item(), y.ndim, y.dtype) == (2, 0, pellucid.int64)
    assert data[-1][1].item() == 3
    with pytest.raises(IndexError):
        data[4]


def test_tensor_dataset_reads_a_batch_that_is_a_copy_without_grad() -> None:
    source = Tensor(np.arange(12.0).reshape(4, 3), requires_grad=True)
    x, y = TensorDataset(source, np.arange(4)).read_batch([3, 0])
    assert x.tolist() == [[9, 10, 11], [0, 1, 2]]
    assert y.tolist() == [3, 0]
    assert not x.requires_grad
    assert not np.shares_memory(x.array, source.array)


def test_tensor_dataset_messages() -> None:
    with pytest.raises(ShapeError) as caught:
        TensorDataset(np.zeros((4, 3)), np.zeros(5))
    assert str(caught.value) == (
        "TensorDataset: the first axis counts the samples, so all tensors must have the same\n"
        "  tensors[0] (4, 3)    tensors[1] (5,)\n"
        "  fix: give at least one tensor, each with as many rows as there are samples"
    )
    for none in ((), (np.zeros(()),)):
        with pytest.raises(ShapeError):
            TensorDataset(*none)
    with pytest.raises(UnsupportedError):
        TensorDataset(np.zeros(3, np.float16))


def test_subset_maps_indices_and_forwards_what_its_dataset_offers() -> None:
    subset = Subset(rows(), [3, 1])
    assert len(subset) == 2
    assert subset[0][1].item() == 3
    assert [t.item() for t in (subset[k][1] for k in range(2))] == [3, 1]
    x, y = subset.read_batch([1, 0])
    assert y.tolist() == [1, 3]
    assert x.tolist() == [[3, 4, 5], [9, 10, 11]]
    assert read_batch(Subset([1, 2, 3], [0]), [0]) is None
    augmented = Augmented([np.zeros((1, 2, 2))], Normalize(0, 1), seed=0)
    assert at_epoch(Subset(Subset(augmented, [0]), [0]), 5).dataset.dataset.epoch == 5  # type: ignore[attr-defined]
    assert augmented.epoch == 0
    assert at_epoch(subset, 5)[0][1].item() == 3


@pytest.mark.parametrize("index", [3, -1])
def test_subset_messages(index: int) -> None:
    with pytest.raises(ArgumentError) as caught:
        Subset([1, 2, 3], [0, index])
    assert str(caught.value) == (
        f"Subset: index {index} is outside the dataset of 3 samples\n  fix: use indices from 0 to 2"
    )


@pytest.mark.parametrize(
    ("lengths", "sizes"),
    [([7, 3], [7, 3]), ([0.7, 0.3], [7, 3]), ([1 / 3] * 3, [3, 4, 3]), ([0, 10], [0, 10]),
     ([1.0], [10]), ([0.75, 0.25], [8, 2])],
)  # fmt: skip
def test_random_split_deals_every_sample_once(lengths: list[float], sizes: list[int]) -> None:
    parts = random_split(list(range(10)), lengths, seed=1)
    assert [len(part) for part in parts] == sizes
    assert sorted(sample for part in parts for sample in part) == list(range(10))


def test_random_split_is_decided_by_the_seed() -> None:
    def first(seed: int | None) -> list[int]:
        return random_split(range(100), [50, 50], seed)[0].indices

    assert first(1) == first(1)
    assert first(1) != first(2)
    assert first(1) != list(range(50))
    pellucid.manual_seed(1)
    assert first(None) == first(1)


@pytest.mark.parametrize("lengths", [[5, 4], [0.5, 0.4], [11, -1], [1], []])
def test_random_split_messages(lengths: list[float]) -> None:
    with pytest.raises(ArgumentError) as caught:
        random_split(range(10), lengths)
    assert str(caught.value) == (
        f"random_split: lengths {lengths} do not sum to the 10 samples, nor to 1\n"
        "  fix: give sizes that sum to 10, or fractions that sum to 1"
    )


def test_a_split_and_a_shuffle_of_one_seed_are_two_orders() -> None:
    data = list(range(100))
    split = random_split(data, [1.0], seed=1)[0].indices
    (shuffled,) = DataLoader(data, 100, shuffle=True, seed=1)
    assert split != shuffled.tolist()
