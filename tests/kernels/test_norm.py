"""Batch normalisation kernels: exact statistics, gradients by finite differences, layouts.

Native functions are held against NumPy's, whose sums have another order.
"""

from __future__ import annotations

import numpy as np
import pytest
from kernels.conv.native import needs_native

import pellucid
from pellucid.kernels import norm

rng = np.random.default_rng(0)


def channels_last(array):
    return np.moveaxis(np.moveaxis(array, 1, -1).copy(), -1, 1)


def per_channel(value, x):
    return value.reshape((1, -1) + (1,) * (x.ndim - 2))


LAYOUTS = pytest.mark.parametrize("layout", [np.ascontiguousarray, channels_last])
DTYPES = pytest.mark.parametrize("dtype", ["float32", "float64"])


@LAYOUTS
@pytest.mark.parametrize("shape", [(5, 3), (4, 3, 7), (4, 3, 5, 6), (2, 17, 3, 4, 5), (9, 1, 70)])
def test_statistics(shape, layout):
    x = layout(rng.standard_normal(shape))
    axes = (0, *range(2, x.ndim))
    mean, var, scale = norm.statistics(x, 0.1)
    np.testing.assert_allclose(mean, x.mean(axis=axes), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(var, x.var(axis=axes), rtol=1e-12)
    np.testing.assert_allclose(scale, 1 / np.sqrt(var + 0.1), rtol=1e-15)


def test_statistics_of_nothing_are_zero():
    mean, var, _ = norm.statistics(np.zeros((0, 3, 4)), 1e-5)
    assert mean.shape == var.shape == (3,)
    assert not mean.any()
    assert not var.any()


@DTYPES
def test_a_channel_of_one_number_has_no_variance(dtype):
    x = channels_last(np.full((40, 5, 30, 30), 0.1, dtype))
    mean, var, _ = norm.statistics(x, 1e-5)
    np.testing.assert_allclose(mean, x[0, :, 0, 0], rtol=1e-12)
    assert (var < 1e-24).all()


@LAYOUTS
def test_a_hundred_thousand_float32_values_far_from_zero(layout):
    x = layout((rng.standard_normal((128, 2, 28, 28)) + 1000).astype(np.float32))
    mean, var, _ = norm.statistics(x, 1e-5)
    exact = x.astype(np.float64)
    np.testing.assert_allclose(mean, exact.mean(axis=(0, 2, 3)), rtol=6e-8)
    np.testing.assert_allclose(var, exact.var(axis=(0, 2, 3)), rtol=1e-6)


@pytest.mark.parametrize("first", [0.0, 1e6])
def test_no_value_is_the_measure_of_the_others(first):
    """An x at which distances were measured would cost the digits of the others."""
    x = channels_last(rng.standard_normal((16, 3, 40, 40)) + 1000)
    x[0, :, 0, 0] = first
    _, var, _ = norm.statistics(x, 1e-5)
    exact = x.astype(np.longdouble)
    exact = ((exact - exact.mean(axis=(0, 2, 3), keepdims=True)) ** 2).mean(axis=(0, 2, 3))
    np.testing.assert_allclose(var, exact.astype(float), rtol=1e-13)


@pytest.mark.parametrize("rows", [1, 8, 40])
def test_nor_are_the_first_values(rows):
    x = rng.standard_normal((16, 3, 40, 40)).astype(np.float32)
    x[0, :, :rows] += 1000
    x = channels_last(x)
    mean, var, _ = norm.statistics(x, 1e-5)
    exact = x.astype(np.float64)
    np.testing.assert_allclose(mean, exact.mean(axis=(0, 2, 3)), rtol=2e-7)
    np.testing.assert_allclose(var, exact.var(axis=(0, 2, 3)), rtol=3e-6)


@needs_native
@DTYPES
def test_statistics_of_infinity(monkeypatch, dtype):
    x = channels_last(rng.standard_normal((4, 7, 60, 60)).astype(dtype))
    for channel, places in enumerate([(0,), (-1,), (0, -1), (0,), (0, -1)]):
        for value, place in zip((np.inf, -np.inf), places, strict=False):
            x[place, channel, place, place] = value
    x[2, 3, 30, 30] = -np.inf
    x[0, 4, 0, 1] = x[1, 5, 3, 3] = np.nan
    found = norm.statistics(x, 1e-5)
    monkeypatch.setattr(norm, "module", None)
    with np.errstate(all="ignore"):
        wanted = norm.statistics(x, 1e-5)
    for k in range(2):
        np.testing.assert_array_equal(np.isnan(found[k]), np.isnan(wanted[k]))
        np.testing.assert_array_equal(np.isinf(found[k]), np.isinf(wanted[k]))


@pytest.mark.parametrize("constant", [False, True])
def test_gradients_by_finite_differences(constant):
    x, gy = rng.standard_normal((4, 2, 3)), rng.standard_normal((4, 2, 3))
    weight, bias = rng.standard_normal(2), rng.standard_normal(2)
    mean, _, scale = norm.statistics(x, 0.1)

    def loss(x, weight, bias):
        now, _, s = norm.statistics(x, 0.1)
        given = (mean, scale) if constant else (now, s)
        return (norm.forward(x, weight, bias, *given) * gy).sum()

    found = norm.backward(gy, x, weight, mean, scale, constant)
    for k, point in enumerate((x, weight, bias)):
        for place in np.ndindex(point.shape):
            step = np.zeros_like(point)
            step[place] = 1e-6
            ends = [
                loss(*[p + sign * step if j == k else p for j, p in enumerate((x, weight, bias))])
                for sign in (1, -1)
            ]
            assert found[k][place] == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-6, abs=1e-8)


@DTYPES
@LAYOUTS
def test_results_lie_as_the_input(layout, dtype):
    x = layout(rng.standard_normal((2, 3, 4, 5)).astype(dtype))
    mean, var, scale = norm.statistics(x, 1e-5)
    y = norm.forward(x, None, None, mean, scale)
    gx, gw, gb = norm.backward(np.ascontiguousarray(y), x, None, mean, var, False)
    assert y.strides == gx.strides == x.strides
    assert y.dtype == gx.dtype == gw.dtype == gb.dtype == np.dtype(dtype)


SHAPES = [(4, 7, 9, 11), (144, 10), (2, 1, 30, 30), (3, 3, 17, 5), (2, 300, 5, 6), (700, 17, 3, 4)]
EVERY_SHAPE = pytest.mark.parametrize("shape", SHAPES)


def everything(shape, dtype, layout=channels_last, affine=True):
    """All results of the kernels on one case, by name."""
    drawn = np.random.default_rng([3, *shape])
    x, gy, residual = (layout(drawn.standard_normal(shape).astype(dtype)) for _ in range(3))
    weight, bias = (drawn.standard_normal(shape[1]).astype(dtype) for _ in range(2))
    if not affine:
        weight = bias = None
    mean, var, scale = norm.statistics(x, 1e-5)
    results = {"mean": mean, "var": var, "scale": scale}
    # The same for both, so that they may agree to the last bit.
    mean = np.full(shape[1], 0.3, dtype)
    scale = np.full(shape[1], 1.7, dtype)
    given = x, weight, bias, mean, scale
    results["y"] = norm.forward(*given)
    results["y relu"] = norm.forward(*given, relu=True)
    results["y residual"] = norm.forward(*given, residual)
    results["y six"] = six = norm.forward(*given, residual * 5, relu=True, ceiling=6)
    results["y both"] = y = norm.forward(*given, residual, relu=True)
    for constant in (False, True):
        found = (
            *norm.backward(gy, x, weight, mean, scale, constant),
            *norm.backward_relu(gy, *given, constant),
            *norm.backward_add_relu(gy, y, x, weight, mean, scale, constant),
            *norm.backward_relu(gy, *given, constant, ceiling=0.5),
            *norm.backward_add_relu(gy, six, x, weight, mean, scale, constant, ceiling=6),
            *norm.backward_add_relu(gy, y, x, weight, mean, scale, constant, more=residual),
        )
        results |= {f"gradient {k} {constant}": g for k, g in enumerate(found)}
    return results


@needs_native
@EVERY_SHAPE
@DTYPES
@pytest.mark.parametrize("affine", [True, False])
def test_native_is_numpy(monkeypatch, shape, dtype, affine):
    native = everything(shape, dtype, affine=affine)
    monkeypatch.setattr(norm, "module", None)
    for name, wanted in everything(shape, dtype, affine=affine).items():
        found = native[name]
        assert found.dtype == wanted.dtype
        if name.startswith("y"):
            np.testing.assert_array_equal(found, wanted, name)
        else:
            # As of a sum of numbers of size 1, each rounded.
            is_sum = name.startswith("gradient") and wanted.ndim == 1
            count = native["y"].size / shape[1] if is_sum else 1
            largest = max(np.abs(wanted).max(), np.sqrt(count))
            tolerance = 3e-7 if dtype == "float32" else 1e-14
            np.testing.assert_allclose(found, wanted, rtol=0, atol=tolerance * largest,
                                       err_msg=name)  # fmt: skip


@needs_native
@pytest.mark.parametrize("values", [(np.inf,), (np.nan,), (np.inf, -np.inf), (-np.inf, np.nan)])
def test_numbers_that_are_none_in_native_and_numpy(monkeypatch, values):
    x = channels_last(rng.standard_normal((4, 3, 50, 50)))
    for k, value in enumerate(values):
        x[k, 1, 7, 7] = value
    native = norm.statistics(x, 1e-5)
    monkeypatch.setattr(norm, "module", None)
    with np.errstate(all="ignore"):
        numpy = norm.statistics(x, 1e-5)
    for found, wanted in zip(native, numpy, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-12)


@needs_native
def test_native_takes_what_lies_in_rows(monkeypatch):
    def refused(*_):
        raise AssertionError

    monkeypatch.setattr(norm, "_channel_sum", refused)
    monkeypatch.setattr(norm, "_per_channel", refused)
    for shape in SHAPES:
        everything(shape, "float32")


@EVERY_SHAPE
@DTYPES
def test_threads_change_no_bit(shape, dtype):
    before = pellucid.get_num_threads()
    try:
        runs = []
        for threads in (1, 2, 3, 5):
            pellucid.set_num_threads(threads)
            runs.append(everything(shape, dtype))
    finally:
        pellucid.set_num_threads(before)
    for run in runs[1:]:
        for name, wanted in runs[0].items():
            np.testing.assert_array_equal(run[name], wanted, name)


@EVERY_SHAPE
@DTYPES
def test_what_follows_in_the_same_pass_is_what_follows_in_its_own(shape, dtype):
    found = everything(shape, dtype)
    drawn = np.random.default_rng([3, *shape])
    residual = [drawn.standard_normal(shape).astype(dtype) for _ in range(3)][2]
    np.testing.assert_array_equal(found["y relu"], np.maximum(found["y"], 0))
    np.testing.assert_array_equal(found["y residual"], found["y"] + residual)
    np.testing.assert_array_equal(found["y both"], np.maximum(found["y residual"], 0))


@LAYOUTS
def test_a_nan_stays_one_and_passes_its_gradient(layout):
    x, gy = np.ones((2, 3, 2, 2)), layout(np.ones((2, 3, 2, 2)))
    x[0, 0, 0, 0] = np.nan
    x = layout(x)
    mean, scale = np.zeros(3), np.ones(3)
    y = norm.forward(x, None, None, mean, scale, relu=True)
    assert np.isnan(y).sum() == 1
    gx, _, gb = norm.backward_relu(gy, x, None, None, mean, scale, True)
    np.testing.assert_array_equal(gx, gy)
    np.testing.assert_array_equal(gb, [8, 8, 8])


def test_more_axes_than_an_image_of_three_has(monkeypatch):
    x = channels_last(rng.standard_normal((2, 3, 2, 3, 2, 3, 2)))
    mean, var, scale = norm.statistics(x, 1e-5)
    exact = x.mean(axis=(0, 2, 3, 4, 5, 6)), x.var(axis=(0, 2, 3, 4, 5, 6))
    np.testing.assert_allclose(mean, exact[0], rtol=1e-12)
    np.testing.assert_allclose(var, exact[1], rtol=1e-12)
    y = norm.forward(x, None, None, mean, scale)
    found = norm.backward(y, x, None, mean, scale, constant=False)
    monkeypatch.setattr(norm, "module", None)
    for a, b in zip(found, norm.backward(y, x, None, mean, scale, constant=False), strict=True):
        np.testing.assert_array_equal(a, b)
