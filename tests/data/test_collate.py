"""Collation: forms are kept, dtypes are right, and what does not fit is named."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest

from pellucid.data import default_collate
from pellucid.data.collate import collate
from pellucid.errors import DataError, DTypeError, ShapeError, UnsupportedError
from pellucid.tensor import Tensor


class Pair(NamedTuple):
    x: Any
    y: Any


@pytest.mark.parametrize(
    ("samples", "dtype"),
    [
        ([1, 2], "int64"),
        ([True, False], "bool"),
        ([1.5, 2.5], "float32"),
        ([np.float64(1), np.float64(2)], "float32"),
        ([np.uint8(1), np.uint8(2)], "int64"),
        ([np.bool_(True)], "bool"),
        ([1, np.int32(2)], "int64"),
        ([np.array(1.5)], "float64"),
        ([np.zeros(2, ">f4")], "float32"),
        ([Tensor(np.zeros(2, np.int32))], "int32"),
        ([Tensor(np.zeros(2)), np.zeros(2)], "float64"),
    ],
)
def test_dtypes(samples: list[Any], dtype: str) -> None:
    batch = default_collate(samples)
    assert batch.array.dtype == np.dtype(dtype)
    assert batch.array.dtype.isnative
    assert batch.array.tolist() == [np.asarray(getattr(s, "array", s)).tolist() for s in samples]


def test_arrays_of_any_strides_are_stacked_into_new_memory() -> None:
    x = np.arange(24.0).reshape(2, 3, 4)
    batch = default_collate([x.transpose(2, 0, 1), x[..., ::-1].transpose(2, 0, 1)])
    assert batch.shape == (2, 4, 2, 3)
    assert (batch.array[1, 0] == x[..., 3]).all()
    assert not np.shares_memory(batch.array, x)


def test_a_batch_never_requires_grad() -> None:
    assert not default_collate([Tensor(np.zeros(2), requires_grad=True)]).requires_grad


def test_forms_are_kept() -> None:
    samples = [{"x": (np.zeros(2), [i, 0.5]), "name": f"n{i}", "pair": Pair(i, True)}
               for i in range(3)]  # fmt: skip
    batch = default_collate(samples)
    assert list(batch) == ["x", "name", "pair"]
    x, numbers = batch["x"]
    assert isinstance(batch["x"], tuple)
    assert isinstance(numbers, list)
    assert x.shape == (3, 2)
    assert [numbers[0].tolist(), numbers[1].tolist()] == [[0, 1, 2], [0.5, 0.5, 0.5]]
    assert batch["name"] == ["n0", "n1", "n2"]
    assert isinstance(batch["pair"], Pair)
    assert batch["pair"].x.tolist() == [0, 1, 2]
    assert default_collate([b"a", b"b"]) == [b"a", b"b"]


FIX = "  fix: bring the samples to one form in the dataset, or give the loader a collate_fn"
MISFITS = [
    (
        [(np.zeros((1, 8, 8)), 0), (np.zeros((1, 8, 8)), 0), (np.zeros((1, 8, 9)), 0)],
        ShapeError,
        "all samples of a batch must have one shape, but sample[0] differs\n"
        "  sample 5: (1, 8, 8)    sample 3: (1, 8, 9)\n",
    ),
    (
        [{"y": 1}, {"y": 2.5}],
        DTypeError,
        "all samples of a batch must have one dtype, but sample['y'] differs\n"
        "  sample 5: int64    sample 9: float32\n",
    ),
    (
        [(1, 2), (1, 2, 3)],
        DataError,
        "all samples of a batch must have one form, but sample differs\n"
        "  sample 5: tuple of 2    sample 9: tuple of 3\n",
    ),
    (
        [((1, {"a": 1, "b": 2}),), ((1, {"a": 1}),)],
        DataError,
        "all samples of a batch must have one form, but sample[0][1] differs\n"
        "  sample 5: dict with the keys 'a', 'b'    sample 9: dict with the keys 'a'\n",
    ),
    (
        [(np.zeros(2), 1), (np.zeros(2), None)],
        DataError,
        "all samples of a batch must have one form, but sample[1] differs\n"
        "  sample 5: numbers    sample 9: NoneType\n",
    ),
    ([(1, None), (1, None)], DataError, "sample[1] is of type NoneType, of which no batch can be "
     "made\n"),
]  # fmt: skip


@pytest.mark.parametrize(("samples", "error", "message"), MISFITS)
def test_messages(samples: list[Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        collate(samples, [5, 9, 3][: len(samples)])
    assert type(caught.value) is error
    assert str(caught.value) == f"DataLoader: {message}{FIX}"


def test_without_a_loader_samples_are_named_by_position() -> None:
    with pytest.raises(ShapeError, match="sample 0: \\(2,\\)    sample 1: \\(3,\\)"):
        default_collate([np.zeros(2), np.zeros(3)])


def test_float16_says_that_it_is_not_there() -> None:
    with pytest.raises(UnsupportedError, match="there is no float16 arithmetic"):
        default_collate([np.zeros(2, np.float16)])
