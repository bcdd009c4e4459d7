"""Activations: the native functions against NumPy, for arrays that lie in any way."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest
from kernels.conv.native import needs_native

import pellucid
from pellucid.kernels import activation, conv
from pellucid.kernels.activation import (
    add_relu_,
    relu,
    relu6,
    relu6_gradient,
    relu_gradient,
    relu_gradient_sums,
)
from pellucid.kernels.conv.spec import ConvSpec

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


@needs_native
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(4, 7, 9, 11), (2, 1, 30, 30), (2, 300, 5, 6)])
def test_sums_beside_the_gradient_are_those_made_after_it(dtype, shape):
    y, gy = (rng.standard_normal(shape).astype(dtype) for _ in range(2))
    y.flat[3] = np.nan
    y = np.moveaxis(np.moveaxis(y, 1, -1).copy(), -1, 1)
    spec = ConvSpec.from_shapes(shape, (shape[1], shape[1], 1, 1))
    wanted = relu_gradient(gy, y)
    before = pellucid.get_num_threads()
    try:
        for threads in (1, 2, 3, 5):
            pellucid.set_num_threads(threads)
            gx, sums = relu_gradient_sums(gy, y)
            np.testing.assert_array_equal(gx, wanted, strict=True)
            np.testing.assert_array_equal(sums, conv.grad_bias(wanted, spec), strict=True)
            assert gx.strides == y.strides
    finally:
        pellucid.set_num_threads(before)


def test_no_sums_beside_the_gradient_in_another_layout():
    assert relu_gradient_sums(np.ones((2, 3, 4, 4)), np.ones((2, 3, 4, 4))) is None
