"""Dropout: the native function against NumPy's draws, bit for bit, however x lies."""

from __future__ import annotations

import numpy as np
import pytest
from kernels.conv.native import needs_native

import pellucid
from pellucid.kernels import dropout as room
from pellucid.kernels.dropout import dropout
from pellucid.kernels.layout import as_channels_last, like
from pellucid.random import RngState

rng = np.random.default_rng(0)

SHAPES = [
    (), (1,), (7,), (8,), (9,), (0, 3), (3, 5), (40_000,), (2, 3, 4, 5), (3, 17, 7, 9),
    (2, 1, 5, 5), (2, 300, 3, 5), (1, 700, 1, 2), (2, 16, 40, 41), (2, 4, 3, 3, 3),
]  # fmt: skip
KEYS = [RngState(3, 0), RngState((1 << 64) - 1, (1 << 63) + 5)]


@pytest.mark.parametrize("p", [1e-9, 0.1, 0.5, 1 - 2**-24, 1.0])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_like_numpy(monkeypatch, shape, dtype, p):
    x = rng.standard_normal(shape).astype(dtype)
    x.reshape(-1)[:3] = np.array([np.nan, np.inf, -np.inf])[: min(3, x.size)]
    views = {"rows": x, "gaps": np.repeat(x, 2, -1)[..., ::2] if x.ndim else x}
    if x.ndim > 2:
        views["channels last"] = as_channels_last(x)
        views["turned"] = x.transpose().copy().transpose()
    for key in KEYS:
        with monkeypatch.context() as patch, np.errstate(invalid="ignore"):
            patch.setattr(room, "module", None)
            wanted = dropout(x, p, key)
        for name, view in views.items():
            with np.errstate(invalid="ignore"):
                y = dropout(view, p, key)
            np.testing.assert_array_equal(y, wanted, name, strict=True)
            signs = np.signbit(y) == np.signbit(wanted)
            assert (signs | np.isnan(wanted)).all(), name
            if name in ("rows", "channels last"):
                assert like(y, view) is y


@needs_native
@pytest.mark.parametrize("last", [False, True])
def test_threads_change_no_bit(last):
    x = rng.standard_normal((3, 33, 65, 31)).astype("float32")
    x = as_channels_last(x) if last else x
    before = pellucid.get_num_threads()
    try:
        found = []
        for threads in (1, 2, 3, 5):
            pellucid.set_num_threads(threads)
            found.append(dropout(x, 0.3, RngState(1, 2)).tobytes())
    finally:
        pellucid.set_num_threads(before)
    assert len(set(found)) == 1


def test_the_first_numbers_of_a_key():
    """What 100 steps with this seed gave stays what it is, whoever computes it."""
    y = dropout(np.ones(20), 0.5, RngState(7, 9))
    drawn = np.random.Generator(np.random.Philox(key=np.array([7, 9], np.uint64)))
    np.testing.assert_array_equal(y != 0, drawn.random(20, np.float32) >= np.float32(0.5))
