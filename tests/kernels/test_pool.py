"""Pooling kernels: adjoint pairs exact in small integers, layouts kept, taps named right."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from pellucid.kernels import pool
from pellucid.kernels.pool import PoolSpec

SPECS = [
    PoolSpec((7, 6), kernel, stride, padding, dilation, ceil_mode)
    for kernel, stride, padding, dilation, ceil_mode in itertools.product(
        [(2, 2), (3, 2)], [(2, 2), (1, 3)], [(0, 0), (1, 1)], [(1, 1), (2, 1)], [False, True]
    )
]
each_spec = pytest.mark.parametrize("spec", SPECS, ids=str)
rng = np.random.default_rng(0)


def integers(*shape):
    return rng.integers(-9, 10, shape).astype(np.float64)


def channels_last(array):
    return np.moveaxis(np.moveaxis(array, 1, -1).copy(), -1, 1)


def dot(a, b):
    return float((a * b).sum())


@each_spec
def test_sum_and_its_adjoint(spec):
    x, gy = integers(2, 3, *spec.in_size), integers(2, 3, *spec.out_size)
    assert dot(pool.sum_forward(x, spec), gy) == dot(x, pool.sum_scatter(gy, spec))


@each_spec
def test_pick_and_its_adjoint(spec):
    x, gy = integers(2, 3, *spec.in_size), integers(2, 3, *spec.out_size)
    taps = pool.max_taps(x, pool.max_forward(x, spec), spec)
    picked, scattered = pool.max_pick(x, taps, spec), pool.max_scatter(gy, taps, spec)
    np.testing.assert_array_equal(picked, pool.max_forward(x, spec))
    assert dot(picked, gy) == dot(x, scattered)


@each_spec
def test_taps_and_indices_name_the_same_element(spec):
    x = rng.permutation(2 * 3 * 42).reshape(2, 3, *spec.in_size).astype(float)
    y = pool.max_forward(x, spec)
    indices = pool.max_indices(pool.max_taps(x, y, spec), spec)
    flat = np.take_along_axis(x.reshape(2, 3, -1), indices.reshape(2, 3, -1), 2)
    np.testing.assert_array_equal(flat.reshape(y.shape), y)


@pytest.mark.parametrize("out_size", [(1, 1), (3, 4), (7, 6), (9, 2)])
def test_adaptive_mean_and_its_adjoint(out_size):
    # Multiples of all counts of a window, so that the means of integers are integers
    x, gy = integers(2, 3, 7, 6) * 27720, integers(2, 3, *out_size) * 27720
    y, gx = pool.adaptive_mean(x, out_size), pool.adaptive_spread(gy, (7, 6))
    assert dot(y, gy) == dot(x, gx)


def test_counts_by_hand():
    """Size 5, kernel 3, stride 2, padding 1 in ceil mode: windows at -1, 1, 3; 5 is beyond."""
    spec = PoolSpec((5,), (3,), (2,), (1,), (1,), True)
    assert spec.out_size == (3,)
    np.testing.assert_array_equal(spec.counts(include_pad=True), [3, 3, 3])
    np.testing.assert_array_equal(spec.counts(include_pad=False), [2, 3, 2])
    beyond = PoolSpec((4,), (3,), (2,), (0,), (1,), True)
    np.testing.assert_array_equal(beyond.counts(include_pad=True), [3, 2])


def test_the_first_of_equals_and_the_last_nan():
    spec = PoolSpec((4,), (4,), (1,), (0,), (1,), False)
    for values, tap in (([1, 5, 5, 2], 1), ([-np.inf] * 4, 0), ([1, np.nan, np.nan, 9], 2)):
        x = np.array([[values]], float)
        assert pool.max_taps(x, pool.max_forward(x, spec), spec).item() == tap


def test_more_taps_than_a_byte_holds():
    spec = PoolSpec((17, 17), (17, 17), (1, 1), (0, 0), (1, 1), False)
    x = np.zeros((1, 1, 17, 17))
    x[..., -1, -1] = 1
    taps = pool.max_taps(x, pool.max_forward(x, spec), spec)
    assert pool.max_indices(taps, spec).item() == 17 * 17 - 1
    x[..., -1, -1] = np.nan
    assert pool.max_taps(x, pool.max_forward(x, spec), spec).item() == 17 * 17 - 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("layout", [np.ascontiguousarray, channels_last])
def test_results_lie_as_the_input(layout, dtype):
    spec = PoolSpec((8, 8), (2, 2), (2, 2), (0, 0), (1, 1), False)
    x = layout(rng.standard_normal((2, 3, 8, 8)).astype(dtype))
    y = pool.max_forward(x, spec)
    taps = pool.max_taps(x, y, spec)
    small = layout(np.zeros((2, 3, 4, 4), dtype))
    other = np.ascontiguousarray(y)  # a gradient may come in another layout
    assert y.strides == pool.sum_forward(x, spec).strides == small.strides
    assert pool.adaptive_mean(x, (4, 4)).strides == small.strides
    assert pool.max_scatter(other, taps, spec).strides == x.strides
    assert pool.sum_scatter(y, spec).strides == x.strides
    assert y.dtype == pool.max_scatter(y, taps, spec).dtype == np.dtype(dtype)
