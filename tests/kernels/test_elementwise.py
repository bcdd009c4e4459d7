"""Sums: the native function against NumPy, for arrays that lie in any way."""

from __future__ import annotations

import numpy as np
import pytest
from kernels.conv.native import needs_native

from pellucid.kernels import elementwise, native
from pellucid.kernels.elementwise import add

rng = np.random.default_rng(0)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
def test_any_arrays(dtype):
    a = (rng.standard_normal((4, 7, 9, 67)) * 9).astype(dtype)
    last = a.transpose(0, 3, 1, 2)
    for x, y in (
        (a, a[::-1]),
        (last, last[::-1].copy("K")),
        (last, np.ascontiguousarray(last)),
        (a, a[:1]),
        (a[:, ::2], a[:, ::2]),
        (a[:0], a[:0]),
        (a[0, 0, 0, 0], a),
    ):
        np.testing.assert_array_equal(add(x, y), x + y, strict=True)


@needs_native
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_large_sum_is_native(monkeypatch, dtype):
    calls = []

    class Module:
        @staticmethod
        def add(a, b):
            calls.append(a.shape)
            return native.module.add(a, b)

    monkeypatch.setattr(elementwise, "module", Module)
    a = np.full((3, 4096), 2, dtype)
    y = add(a.T, a.T)
    assert y.strides == a.T.strides
    assert np.all(y == 4)
    assert calls == [(4096, 3)]
