"""The error function against the math module's, and what it does at the edges."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pellucid.kernels.erf import erfc, normal_cdf

# Across the three pieces, and close to where they meet
X = np.concatenate([np.linspace(-8, 26, 4001), 0.46875 + np.arange(-3, 4) * 1e-16, [4.0, -4.0]])


@pytest.mark.parametrize(("dtype", "units"), [("float64", 8), ("float32", 8)])
def test_erfc_to_a_few_units_of_its_last_place(dtype, units):
    x = X.astype(dtype)
    wanted = np.array([math.erfc(float(value)) for value in x])
    normal = wanted > np.finfo(dtype).tiny
    found = erfc(x)
    assert found.dtype == np.dtype(dtype)
    np.testing.assert_allclose(found[normal], wanted[normal], rtol=units * np.finfo(dtype).eps)


def test_edges():
    x = np.array([np.inf, -np.inf, np.nan, 0.0, -0.0, 30.0, 1e300])
    np.testing.assert_array_equal(erfc(x), [0, 2, np.nan, 1, 1, 0, 0])
    np.testing.assert_array_equal(normal_cdf(x[:5]), [1, 0, np.nan, 0.5, 0.5])


def test_any_shape_and_strides():
    x = np.linspace(-5, 5, 24).reshape(2, 3, 4)
    for view in (x[:, ::-1, ::2], x.transpose(2, 0, 1), x[0, 0, 0], x[:0]):
        np.testing.assert_array_equal(erfc(view), erfc(view.copy()))
        assert erfc(view).shape == view.shape


def test_the_lower_tail_of_the_normal_distribution():
    x = -np.arange(1.0, 38.0)
    wanted = [math.erfc(-value / math.sqrt(2)) / 2 for value in x]
    np.testing.assert_allclose(normal_cdf(x), wanted, rtol=1e-12)
