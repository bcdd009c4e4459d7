"""Batch normalisation kernels: exact statistics, gradients by finite differences, layouts."""

from __future__ import annotations

import numpy as np
import pytest

from pellucid.kernels import norm

rng = np.random.default_rng(0)


def channels_last(array):
    return np.moveaxis(np.moveaxis(array, 1, -1).copy(), -1, 1)


@pytest.mark.parametrize("layout", [np.ascontiguousarray, channels_last])
@pytest.mark.parametrize("shape", [(5, 3), (4, 3, 7), (4, 3, 5, 6)])
def test_statistics(shape, layout):
    x = layout(rng.standard_normal(shape))
    axes = (0, *range(2, x.ndim))
    mean, var = norm.statistics(x)
    np.testing.assert_allclose(mean, x.mean(axis=axes, keepdims=True), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(var, x.var(axis=axes, keepdims=True), rtol=1e-12)


def test_statistics_of_nothing_are_zero():
    mean, var = norm.statistics(np.zeros((0, 3, 4)))
    assert mean.shape == var.shape == (1, 3, 1)
    assert not mean.any()
    assert not var.any()


@pytest.mark.parametrize("layout", [np.ascontiguousarray, channels_last])
def test_a_hundred_thousand_float32_values_far_from_zero(layout):
    x = layout((rng.standard_normal((128, 2, 28, 28)) + 1000).astype(np.float32))
    mean, var = norm.statistics(x)
    exact = x.astype(np.float64)
    np.testing.assert_allclose(mean, exact.mean(axis=(0, 2, 3), keepdims=True), rtol=6e-8)
    np.testing.assert_allclose(var, exact.var(axis=(0, 2, 3), keepdims=True), rtol=1e-6)


def test_gradients_by_finite_differences():
    x, gy = rng.standard_normal((4, 2, 3)), rng.standard_normal((4, 2, 3))
    weight, bias = rng.standard_normal((1, 2, 1)), rng.standard_normal((1, 2, 1))

    def loss(x, weight, bias):
        mean, var = norm.statistics(x)
        return (norm.forward(x, weight, bias, mean, 1 / np.sqrt(var + 0.1)) * gy).sum()

    mean, var = norm.statistics(x)
    found = norm.backward(gy, x, weight, mean, 1 / np.sqrt(var + 0.1))
    for k, point in enumerate((x, weight, bias)):
        for place in np.ndindex(point.shape):
            step = np.zeros_like(point)
            step[place] = 1e-6
            ends = [
                loss(*[p + sign * step if j == k else p for j, p in enumerate((x, weight, bias))])
                for sign in (1, -1)
            ]
            assert found[k][place] == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("layout", [np.ascontiguousarray, channels_last])
def test_results_lie_as_the_input(layout, dtype):
    x = layout(rng.standard_normal((2, 3, 4, 5)).astype(dtype))
    mean, var = norm.statistics(x)
    y = norm.forward(x, None, None, mean, var)
    gx, gw, gb = norm.backward(np.ascontiguousarray(y), x, None, mean, var)
    assert y.strides == gx.strides == x.strides
    assert y.dtype == gx.dtype == gw.dtype == gb.dtype == np.dtype(dtype)
