"""Joining and parting: native against NumPy, layouts, and parts without gaps."""

from __future__ import annotations

import numpy as np
import pytest
from kernels.conv.native import needs_native

import pellucid
from pellucid.kernels import join as joining
from pellucid.kernels.join import join, part

rng = np.random.default_rng(0)


def rows(array):
    return array


def channels_last(array):
    return np.moveaxis(np.moveaxis(array, 1, -1).copy(), -1, 1)


def some(channels, dtype="float32", sizes=(5, 6)):
    return rng.standard_normal((2, channels, *sizes)).astype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
@pytest.mark.parametrize("layout", [rows, channels_last])
@pytest.mark.parametrize("sizes", [(3, 5), (1, 17, 2), (4,), (0, 3), (0, 0)])
def test_join_and_part_like_numpy(monkeypatch, sizes, layout, dtype):
    for spatial in ((5, 6), (7,), (0, 3)):
        parts = [layout(some(C, dtype, spatial)) for C in sizes]
        x = join(parts, 1)
        np.testing.assert_array_equal(x, np.concatenate(parts, 1), strict=True)
        for found, wanted in zip(part(layout(x), sizes, 1), parts, strict=True):
            np.testing.assert_array_equal(found, wanted, strict=True)


def test_other_axes_and_mixed_layouts():
    a, b = some(3), channels_last(some(3))
    np.testing.assert_array_equal(join([a, b], 1), np.concatenate([a, b], 1))
    for axis in (0, 2, 3):
        x = join([b, b], axis)
        np.testing.assert_array_equal(x, np.concatenate([b, b], axis))
        for found in part(x, [b.shape[axis]] * 2, axis):
            np.testing.assert_array_equal(found, b)


@needs_native
def test_channels_last_is_native(monkeypatch):
    monkeypatch.setattr(joining, "np", None)
    parts = [channels_last(some(C)) for C in (3, 4)]
    x = join(parts, 1)
    assert x.strides == channels_last(some(7)).strides
    assert [p.strides for p in part(x, [3, 4], 1)] == [p.strides for p in parts]


@needs_native
def test_threads():
    parts = [channels_last(some(C, "float32", (70, 70))) for C in (30, 41)]
    before = pellucid.get_num_threads()
    try:
        for threads in (1, 2, 3, 5):
            pellucid.set_num_threads(threads)
            x = join(parts, 1)
            np.testing.assert_array_equal(x, np.concatenate(parts, 1))
            for found, wanted in zip(part(x, [30, 41], 1), parts, strict=True):
                np.testing.assert_array_equal(found, wanted)
    finally:
        pellucid.set_num_threads(before)
