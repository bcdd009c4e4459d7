"""Keeping elements by a mask."""

from __future__ import annotations

import numpy as np
import pytest

from pellucid.kernels.mask import keep

rng = np.random.default_rng(0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_like_where_for_any_shape_and_strides(dtype):
    x = rng.standard_normal((4, 6, 8)).astype(dtype)
    x[0], x[1] = np.nan, np.inf
    mask = rng.random(x.shape) < 0.5
    for view in (
        lambda a: a,
        lambda a: a[::-1, ::2, 1::3],
        lambda a: a.transpose(1, 2, 0),
        lambda a: a[2, 3, 4],
        lambda a: a[:0],
    ):
        found = keep(view(x), view(mask))
        np.testing.assert_array_equal(found, np.where(view(mask), view(x), 0))
        assert found.dtype == np.dtype(dtype)
