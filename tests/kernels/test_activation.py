"""Activations: the native functions against NumPy, for arrays that lie in any way."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest

from pellucid.kernels import activation
from pellucid.kernels.activation import add_relu_, relu, relu6, relu6_gradient, relu_gradient

rng = np.random.default_rng(0)

VIEWS = {
    "rows": lambda a: a,
    "channels last": lambda a: a.transpose(0, 3, 1, 2),
    "gaps": lambda a: a[:, ::2, 1:],
    "backwards": lambda a: a[::-1],
    "one element": lambda a: a[2, 3, 4, 1],
    "none": lambda a: a[:0],
    "broadcast": lambda a: np.broadcast_to(a[:1], (5, *a.shape[1:])),
}


def some(dtype: str, view: str) -> np.ndarray:
    x = rng.standard_normal((4, 7, 9, 67)).astype(dtype)
    x *= 3
    x[0, 0, 0, :5] = np.nan, np.inf, -np.inf, 6, 0
    return VIEWS[view](x)


@pytest.mark.parametrize(("function", "gradient"), [(relu, relu_gradient), (relu6, relu6_gradient)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("view", VIEWS)
def test_like_numpy(monkeypatch, dtype, view, function, gradient):
    x, gy = some(dtype, view), some(dtype, view)
    y, gx = function(x), gradient(gy, function(x))
    monkeypatch.setattr(activation, "module", None)
    np.testing.assert_array_equal(y, function(x), strict=True)
    np.testing.assert_array_equal(gx, gradient(gy, y), strict=True)


def test_a_gradient_lies_like_y_whatever_gy_does():
    y = relu(some("float32", "channels last"))
    gy = np.ascontiguousarray(some("float32", "channels last"))
    gx = relu_gradient(gy, y)
    assert gx.strides == y.strides
    np.testing.assert_array_equal(gx, np.where(~(y <= 0), gy, 0))


def test_zeros_have_no_sign():
    assert not np.signbit(relu(np.array([-0.0, -1.0], "float32"))).any()


@pytest.mark.parametrize("ceiling", [inf, 6.0, 1.5])
@pytest.mark.parametrize("residual", [None, "alike", "rows"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "view", [view for view in VIEWS if view not in ("broadcast", "one element")]
)
def test_a_residual_and_a_ceiling_in_place(monkeypatch, dtype, view, residual, ceiling):
    y, r = some(dtype, view), None if residual is None else some(dtype, view)
    r = np.ascontiguousarray(r) if residual == "rows" else r
    twin = y.copy()
    assert add_relu_(y, r, ceiling) is y
    monkeypatch.setattr(activation, "module", None)
    add_relu_(twin, r, ceiling)
    np.testing.assert_array_equal(y, twin, strict=True)
    assert not (y < 0).any()
    assert not (y > ceiling).any()
