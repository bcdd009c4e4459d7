"""Padding that may crop, and the plain correlation, against the oracle."""

import numpy as np
import pytest
from explain.problems import draw, integers

from pellucid.explain.views.arrays import correlate, exchanged, padded
from pellucid.kernels.conv import reference


def test_padding_and_cropping():
    array = np.arange(6).reshape(1, 2, 3)
    assert padded(array, [(1, 0), (-1, 1)]).tolist() == [[[0, 0, 0], [1, 2, 0], [4, 5, 0]]]
    assert padded(array, [(-1, -1)]).tolist() == [[[1], [4]]]
    assert padded(array, [(0, 0)]).dtype == np.float64


@pytest.mark.parametrize("number", range(20))
def test_the_correlation_is_a_forward_pass(number):
    spec = draw(number, seed=5)
    x, w = integers(spec.x_shape, 0), integers(spec.w_shape, 1)
    y = correlate(
        padded(x, spec.padding), w, spec.out_size, spec.dilation, spec.stride, spec.groups
    )
    assert np.array_equal(y, reference.forward(x, w, None, spec))


def test_channels_exchanged_within_their_groups():
    w = np.arange(12).reshape(6, 2, 1)
    found = exchanged(w, 2)
    assert found.shape == (4, 3, 1)
    assert found[:, :, 0].tolist() == [[0, 2, 4], [1, 3, 5], [6, 8, 10], [7, 9, 11]]
