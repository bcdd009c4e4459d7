"""How tensors are made."""

import numpy as np
import pytest

import pellucid
from pellucid.errors import ArgumentError, DTypeError, ShapeError


def test_tensor_copies_and_from_numpy_shares():
    a = np.zeros(2, np.float32)
    copied, shared = pellucid.tensor(a), pellucid.from_numpy(a)
    a[0] = 5
    assert (copied.tolist(), shared.tolist()) == ([0.0, 0.0], [5.0, 0.0])
    assert pellucid.tensor(shared) is not shared


def test_dtypes_of_data():
    found = [pellucid.tensor(v).dtype for v in ([1.0], [1], [True], np.ones(1), 2.5, 3)]
    assert [str(d) for d in found] == ["float32", "int64", "bool", "float64", "float32", "int64"]
    assert pellucid.tensor([1, 2], dtype="float64").dtype == np.float64
    assert pellucid.tensor([pellucid.tensor(1.0), pellucid.tensor(2.0)]).tolist() == [1.0, 2.0]


def test_foreign_arrays():
    assert pellucid.from_numpy(np.array([1, 2], ">f4")).tolist() == [1.0, 2.0]
    raw = np.zeros(9, np.uint8)
    odd = raw[1:].view(np.float32)
    assert pellucid.from_numpy(odd).array.flags.aligned


def test_filled():
    assert pellucid.zeros(2, 3).shape == pellucid.ones((2, 3)).shape == (2, 3)
    assert pellucid.empty(0, 3).shape == (0, 3)
    assert pellucid.full((2,), 7).dtype == np.int64
    assert pellucid.full((2,), 7.0, dtype="float64").tolist() == [7.0, 7.0]
    x = pellucid.Tensor(np.zeros((4, 3)).T)
    assert pellucid.ones_like(x).array.strides == x.array.strides
    assert pellucid.zeros_like(x, dtype="float32").dtype == np.float32
    assert pellucid.eye(2).tolist() == [[1.0, 0.0], [0.0, 1.0]]


def test_ranges():
    assert pellucid.arange(3).tolist() == [0, 1, 2]
    assert pellucid.arange(1, 7, 2).dtype == np.int64
    assert pellucid.arange(0.0, 1.0, 0.5).tolist() == [0.0, 0.5]
    assert pellucid.arange(0).shape == (0,)
    assert pellucid.linspace(0, 1, 3).tolist() == [0.0, 0.5, 1.0]


def test_random_numbers():
    pellucid.manual_seed(0)
    assert pellucid.rand(1000).array.min() >= 0
    assert abs(pellucid.randn(10_000).mean().item()) < 0.05
    drawn = pellucid.randint(2, 5, (1000,))
    assert set(drawn.tolist()) == {2, 3, 4}
    assert sorted(pellucid.randperm(10).tolist()) == list(range(10))
    assert pellucid.randn(2, dtype="float64", requires_grad=True).requires_grad


ERRORS = {
    "ragged": (
        lambda: pellucid.tensor([[1.0], [1.0, 2.0]]),
        ShapeError,
        "tensor: the nested lists have different lengths\n  fix: make all rows equally long",
    ),
    "no-array": (
        lambda: pellucid.from_numpy([1.0]),
        DTypeError,
        "from_numpy: list is no NumPy array\n  fix: use pellucid.tensor, which copies",
    ),
    "text": (
        lambda: pellucid.tensor(["a"]),
        DTypeError,
        "tensor: tensors cannot hold <U1\n"
        "  fix: use one of float32, float64, int64, int32, int16, int8, uint8, bool",
    ),
    "negative-size": (
        lambda: pellucid.zeros(2, -1),
        ShapeError,
        "zeros: shape (2, -1) has a negative size\n  fix: use sizes of 0 or more",
    ),
    "half-a-size": (
        lambda: pellucid.zeros(2, 2.5),
        ShapeError,
        "zeros: shape (2, 2.5) is not made of whole numbers\n  fix: use whole numbers",
    ),
    "a-name-for-a-size": (
        lambda: pellucid.randn("two"),
        ShapeError,
        "randn: shape ('t', 'w', 'o') is not made of whole numbers\n  fix: use whole numbers",
    ),
    "no-step": (
        lambda: pellucid.arange(0, 3, 0),
        ArgumentError,
        "arange: step=0 goes nowhere\n  fix: use another step",
    ),
    "no-integer": (
        lambda: pellucid.randint(3, 3, (1,)),
        ArgumentError,
        "randint: there is no integer from 3 to below 3\n  fix: use high > low",
    ),
}


@pytest.mark.parametrize(("call", "error", "message"), list(ERRORS.values()), ids=list(ERRORS))
def test_error(call, error, message):
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == message
