"""Pooling: adjoint pairs exact in small integers, layouts kept, native like NumPy."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from kernels.conv.native import needs_native

import pellucid
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
def test_mean_and_its_adjoint(spec):
    divisor = rng.integers(1, 3, spec.out_size)
    # Multiples of all divisors, so that their parts are integers
    x, gy = integers(2, 3, *spec.in_size) * 2, integers(2, 3, *spec.out_size) * 2
    y, gx = pool.mean_forward(x, divisor, spec), pool.mean_scatter(gy, divisor, spec)
    assert dot(y, gy) == dot(x, gx)


@each_spec
def test_pick_and_its_adjoint(spec):
    x, gy = integers(2, 3, *spec.in_size), integers(2, 3, *spec.out_size)
    taps = pool.max_with_taps(x, spec)[1]
    picked, scattered = pool.max_pick(x, taps, spec), pool.max_scatter(gy, taps, spec)
    np.testing.assert_array_equal(picked, pool.max_forward(x, spec))
    assert dot(picked, gy) == dot(x, scattered)


@each_spec
def test_taps_and_indices_name_the_same_element(spec):
    x = rng.permutation(2 * 3 * 42).reshape(2, 3, *spec.in_size).astype(float)
    y, taps = pool.max_with_taps(x, spec)
    indices = pool.max_indices(taps, spec)
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
        assert pool.max_with_taps(x, spec)[1].item() == tap


def test_more_taps_than_a_byte_holds():
    spec = PoolSpec((17, 17), (17, 17), (1, 1), (0, 0), (1, 1), False)
    x = np.zeros((1, 1, 17, 17))
    x[..., -1, -1] = 1
    taps = pool.max_with_taps(x, spec)[1]
    assert pool.max_indices(taps, spec).item() == 17 * 17 - 1
    x[..., -1, -1] = np.nan
    assert pool.max_with_taps(x, spec)[1].item() == 17 * 17 - 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("layout", [np.ascontiguousarray, channels_last])
def test_results_lie_as_the_input(layout, dtype):
    spec = PoolSpec((8, 8), (2, 2), (2, 2), (0, 0), (1, 1), False)
    x = layout(rng.standard_normal((2, 3, 8, 8)).astype(dtype))
    y, taps = pool.max_with_taps(x, spec)
    small = layout(np.zeros((2, 3, 4, 4), dtype))
    other = np.ascontiguousarray(y)  # a gradient may come in another layout
    divisor = spec.counts(True)
    assert y.strides == pool.mean_forward(x, divisor, spec).strides == small.strides
    assert pool.adaptive_mean(x, (4, 4)).strides == small.strides
    assert pool.max_scatter(other, taps, spec).strides == x.strides
    assert pool.mean_scatter(y, divisor, spec).strides == x.strides
    assert y.dtype == pool.max_scatter(y, taps, spec).dtype == np.dtype(dtype)


# --- native against NumPy -------------------------------------------------------------------------

# Overlapping windows, gaps, leftovers, windows without a tap inside of x, one axis.
AWKWARD = [
    *SPECS,
    PoolSpec((9, 9), (3, 3), (2, 2), (1, 1), (1, 1), False),
    PoolSpec((2, 9), (2, 2), (1, 1), (1, 0), (3, 1), False),
    PoolSpec((0, 5), (2, 2), (1, 1), (1, 1), (1, 1), False),
    PoolSpec((17, 15), (17, 15), (1, 1), (0, 0), (1, 1), False),
    PoolSpec((21, 21), (17, 17), (1, 1), (0, 0), (1, 1), False),
    PoolSpec((40,), (3,), (2,), (1,), (1,), False),
]

VIEWS = {
    "rows": np.ascontiguousarray,
    "channels last": lambda a: channels_last(a) if a.ndim > 2 else a,
    "gaps": lambda a: np.repeat(a, 2, axis=0)[::2],
    "backwards": lambda a: a[::-1].copy()[::-1],
}


def some(shape, dtype, view):
    """Few different numbers, so that there are equals, and what is not a number."""
    x = rng.integers(-4, 5, shape).astype(dtype)
    x[rng.random(shape) < 0.02] = np.nan
    x[rng.random(shape) < 0.05] = -np.inf
    return VIEWS[view](x)


def by_numpy(compute):
    """Call `compute` with no native module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pool, "module", None)
        return compute()


def assert_same(compute):
    found, wanted = compute(), by_numpy(compute)
    np.testing.assert_array_equal(found, wanted, strict=True)
    return found


@needs_native
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("spec", AWKWARD, ids=str)
def test_the_largest_like_numpy(spec, dtype):
    for C, view in itertools.product((1, 3, 7, 17, 70), VIEWS):
        x, gy = some((2, C, *spec.in_size), dtype, view), some((2, C, *spec.out_size), dtype, view)
        y, taps = pool.max_with_taps(x, spec)
        numpy_y, numpy_taps = by_numpy(lambda x=x: pool.max_with_taps(x, spec))
        np.testing.assert_array_equal(y, numpy_y, strict=True)
        np.testing.assert_array_equal(taps, numpy_taps, strict=True)
        np.testing.assert_array_equal(pool.max_forward(x, spec), y, strict=True)
        assert_same(lambda gy=gy, taps=taps: pool.max_scatter(gy, taps, spec))


@needs_native
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("spec", AWKWARD, ids=str)
def test_the_mean_like_numpy(spec, dtype):
    """Integers and powers of two, so that the order of a sum changes nothing."""
    divisor = 2 ** rng.integers(0, 4, spec.out_size)
    for C, view in itertools.product((1, 3, 7, 17, 70), VIEWS):
        x, gy = some((2, C, *spec.in_size), dtype, view), some((2, C, *spec.out_size), dtype, view)
        assert_same(lambda x=x: pool.mean_forward(x, divisor, spec))
        assert_same(lambda gy=gy: pool.mean_scatter(gy, divisor, spec))


@needs_native
@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize(
    "sizes", [((7, 7), (1, 1)), ((5, 8), (3, 5)), ((4, 4), (9, 4)), ((6,), (4,))]
)
def test_adaptive_means_like_numpy(sizes, view):
    in_size, out_size = sizes
    for C in (1, 3, 7, 17, 70):
        x, gy = VIEWS[view](integers(2, C, *in_size)), VIEWS[view](integers(2, C, *out_size))
        wanted = by_numpy(lambda x=x: pool.adaptive_mean(x, out_size))
        np.testing.assert_allclose(pool.adaptive_mean(x, out_size), wanted, 1e-14, 1e-14)
        wanted = by_numpy(lambda gy=gy: pool.adaptive_spread(gy, in_size))
        np.testing.assert_allclose(pool.adaptive_spread(gy, in_size), wanted, 1e-14, 1e-14)


@needs_native
@pytest.mark.parametrize("layout", [np.ascontiguousarray, channels_last])
def test_native_computes_what_lies_without_gaps(layout, monkeypatch):
    spec = PoolSpec((7, 6), (3, 2), (2, 2), (1, 1), (1, 1), False)
    x, gy = layout(integers(2, 3, 7, 6)), layout(integers(2, 3, 4, 4))
    monkeypatch.setattr(pool, "_zeros_like", None)  # with which NumPy begins
    _, taps = pool.max_with_taps(x, spec)
    pool.max_scatter(gy, taps, spec)
    pool.max_forward(x, spec)
    pool.mean_scatter(pool.mean_forward(x, spec.counts(True), spec), spec.counts(True), spec)
    pool.adaptive_spread(pool.adaptive_mean(x, (1, 1)), (7, 6))


@needs_native
def test_without_a_batch_axis_and_without_elements():
    spec = PoolSpec((7, 6), (3, 2), (2, 2), (1, 1), (1, 1), False)
    for shape in ((3, 7, 6), (0, 3, 7, 6), (2, 0, 7, 6)):
        x = integers(*shape)
        assert_same(lambda x=x: pool.max_forward(x, spec))
        assert_same(lambda x=x: pool.mean_forward(x, spec.counts(False), spec))


@needs_native
@pytest.mark.parametrize("shape", [(3, 65, 40, 40), (1, 16, 120, 120)])
def test_no_bit_depends_on_the_number_of_threads(shape):
    spec = PoolSpec(shape[2:], (3, 3), (2, 2), (1, 1), (1, 1), False)
    x = channels_last(rng.standard_normal(shape).astype("float32"))
    divisor = spec.counts(True)

    def compute():
        y, taps = pool.max_with_taps(x, spec)
        mean = pool.mean_forward(x, divisor, spec)
        return (
            y,
            taps,
            mean,
            pool.max_scatter(mean, taps, spec),
            pool.mean_scatter(y, divisor, spec),
        )

    before, wanted = pellucid.get_num_threads(), by_numpy(compute)
    try:
        runs = []
        for threads in (1, 2, 3, 5):
            pellucid.set_num_threads(threads)
            runs.append(compute())
    finally:
        pellucid.set_num_threads(before)
    for run in runs:
        for found, first, twin in zip(run, runs[0], wanted, strict=True):
            np.testing.assert_array_equal(found, first)
            np.testing.assert_allclose(found, twin, 1e-5, 1e-6)
