"""Matrix products against PyTorch."""

from __future__ import annotations

import numpy as np
import pytest

import pellucid
from pellucid import ops

torch = pytest.importorskip("torch")
from ops.torch_peer import assert_like_torch  # noqa: E402

rng = np.random.default_rng(2)
SHAPES = [
    ((3,), (3,)), ((3,), (3, 4)), ((2, 3), (3,)), ((2, 3), (3, 4)), ((5, 2, 3), (3, 4)),
    ((2, 3), (5, 3, 4)), ((5, 2, 3), (5, 3, 4)), ((6, 1, 2, 3), (5, 3, 4)), ((3,), (5, 3, 4)),
    ((5, 2, 3), (3,)), ((0, 3), (3, 4)), ((2, 0), (0, 4)), ((5, 0, 3), (3, 4)),
]  # fmt: skip


@pytest.mark.parametrize(("a", "b"), SHAPES)
def test_matmul(a, b):
    assert_like_torch(ops.matmul, torch.matmul, rng.standard_normal(a), rng.standard_normal(b))


@pytest.mark.parametrize("shape", [(3,), (2, 3), (4, 2, 3), (0, 3), (2, 0, 3)])
def test_linear(shape):
    x, w, b = rng.standard_normal(shape), rng.standard_normal((5, 3)), rng.standard_normal(5)
    assert_like_torch(ops.linear, torch.nn.functional.linear, x, w, b)
    assert_like_torch(ops.linear, torch.nn.functional.linear, x, w)


@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8"])
def test_integer_products(dtype):
    a, b = rng.integers(0, 99, (3, 4)).astype(dtype), rng.integers(0, 99, (4, 2)).astype(dtype)
    found = ops.matmul(pellucid.Tensor(a), pellucid.Tensor(b)).numpy()
    wanted = torch.matmul(torch.tensor(a), torch.tensor(b)).numpy()
    assert found.dtype == wanted.dtype
    np.testing.assert_array_equal(found, wanted)


def test_dtypes_are_not_mixed_as_in_pytorch():
    names = ["float32", "float64", "int64"]
    for first in names:
        for second in set(names) - {first}:
            with pytest.raises(RuntimeError):
                torch.ones(2, 2, dtype=getattr(torch, first)) @ torch.ones(
                    2, 2, dtype=getattr(torch, second)
                )
            with pytest.raises(pellucid.errors.DTypeError):
                pellucid.ones(2, 2, dtype=first) @ pellucid.ones(2, 2, dtype=second)
