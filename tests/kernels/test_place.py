"""Arrays set into larger ones: native against NumPy, layouts, steps and borders."""

from __future__ import annotations

import numpy as np
import pytest
from kernels.conv.native import needs_native

import pellucid
from pellucid.kernels import place as placing
from pellucid.kernels.place import place

rng = np.random.default_rng(0)

# The sizes of the result, and where x goes along each axis.
CASES = {
    "steps": ((3, 7, 9, 8), [range(3), range(7), range(0, 9, 2), range(1, 8, 3)]),
    "frame": ((4, 9, 6, 7), [range(1, 3), range(2, 8), range(1, 6), range(7)]),
    "all": ((2, 17, 3), [range(2), range(17), range(3)]),
    "none": ((2, 3, 4, 5), [range(2), range(3), range(4, 4), range(5)]),
    "nowhere": ((0, 3, 4), [range(0), range(3), range(4)]),
    "steps of channels": ((2, 7, 3), [range(2), range(0, 7, 2), range(3)]),
    "a line": ((7,), [range(2, 5)]),
    "five axes": ((2, 3, 4, 5, 6), [range(2), range(1, 3), range(0, 4, 2), range(5), range(1, 4)]),
}


def filled(case, channels_last, dtype="float32", value=0.0):
    shape, places = CASES[case]
    x = rng.standard_normal([len(p) for p in places]).astype(dtype)
    wanted = np.full(shape, value, dtype)
    wanted[np.ix_(*places)] = x
    if channels_last:
        x = np.moveaxis(np.moveaxis(x, 1, -1).copy(), -1, 1)
    return x, shape, places, wanted


@pytest.mark.parametrize("native", [pytest.param(True, marks=needs_native), False])
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
@pytest.mark.parametrize("channels_last", [True, False])
@pytest.mark.parametrize("value", [0, 2.5])
def test_like_numpy(monkeypatch, native, case, dtype, channels_last, value):
    if not native:
        monkeypatch.setattr(placing, "module", None)
    channels_last = channels_last and len(CASES[case][0]) > 2
    x, shape, places, wanted = filled(case, channels_last, dtype, value)
    y = place(x, shape, places, value, channels_last)
    np.testing.assert_array_equal(y, wanted, strict=True)
    assert (np.moveaxis(y, 1, -1) if channels_last else y).flags.c_contiguous


@needs_native
def test_pixels_with_gaps_are_native(monkeypatch):
    x = rng.standard_normal((2, 9, 9, 5)).astype("float32").transpose(0, 3, 1, 2)[:, :, ::2, 1::3]
    places = [range(2), range(2, 7), range(5), range(3)]
    wanted = place(x.copy(), (2, 9, 5, 3), places, 0, channels_last=True)
    monkeypatch.setattr(placing, "np", type("none", (), {"asarray": np.asarray}))
    np.testing.assert_array_equal(place(x, (2, 9, 5, 3), places, 0, channels_last=True), wanted)


@needs_native
def test_nothing_is_written_outside():
    module = placing.module
    x = np.ones((2, 3), "float32")
    for starts, steps in (([0, -1], [1, 1]), ([0, 2], [1, 1]), ([0, 0], [0, 1]), ([3, 0], [1, 1])):
        assert module.place(x, [4, 4], starts, steps, 0.0, False) is None
    assert module.place(x, [4, 4], [0], [1], 0.0, False) is None


@needs_native
def test_threads():
    x = rng.standard_normal((8, 40, 40, 33)).astype("float32").transpose(0, 3, 1, 2)
    places = [range(8), range(1, 34), range(0, 80, 2), range(1, 80, 2)]
    before = pellucid.get_num_threads()
    wanted = np.zeros((8, 35, 80, 81), "float32")
    wanted[np.ix_(*places)] = x
    try:
        for threads in (1, 2, 3, 5):
            pellucid.set_num_threads(threads)
            np.testing.assert_array_equal(place(x, wanted.shape, places, 0, True), wanted)
    finally:
        pellucid.set_num_threads(before)
