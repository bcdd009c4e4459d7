"""Sums of channels: the native function against NumPy, and their precision."""

from __future__ import annotations

import numpy as np
import pytest

import pellucid
from pellucid.kernels import sums
from pellucid.kernels.sums import channel_sums

rng = np.random.default_rng(0)


def lying(way: str, x: np.ndarray) -> np.ndarray:
    if way == "channels last":
        return np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 1, -1)), -1, 1)
    return {"rows": x[:], "gaps": x[:, ::2], "none": x[:0]}[way]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("way", ["channels last", "rows", "gaps", "none"])
@pytest.mark.parametrize("shape", [(5, 17, 9, 30), (3, 1, 50, 50), (2, 300, 3, 3), (400, 7)])
def test_like_numpy(monkeypatch, dtype, way, shape):
    x = lying(way, rng.standard_normal(shape).astype(dtype))
    found = channel_sums(x)
    monkeypatch.setattr(sums, "module", None)
    wanted = channel_sums(x)
    assert found.dtype == wanted.dtype == np.dtype(dtype)
    tolerance = 1e-6 if dtype == "float32" else 1e-14
    np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance * 30)


def test_a_million_values_lose_nothing():
    x = np.full((1000, 2, 1000), 0.1, "float32").transpose(0, 2, 1).copy().transpose(0, 2, 1)
    np.testing.assert_allclose(channel_sums(x), 1e6 * float(np.float32(0.1)), rtol=1e-7)


def test_no_bit_depends_on_the_threads():
    x = lying("channels last", rng.standard_normal((16, 20, 40, 40)).astype("float32"))
    before, found = pellucid.get_num_threads(), []
    try:
        for threads in (1, 2, 3, 5):
            pellucid.set_num_threads(threads)
            found.append(channel_sums(x).tobytes())
    finally:
        pellucid.set_num_threads(before)
    assert len(set(found)) == 1
