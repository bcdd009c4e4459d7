"""Flatten as a layer."""

import pytest

import pellucid
from pellucid import nn
from pellucid.errors import ShapeError


def test_shapes():
    x = pellucid.ones(2, 3, 4, 5)
    assert nn.Flatten()(x).shape == (2, 60)
    assert nn.Flatten(0, 2)(x).shape == (24, 5)


def test_no_axis_to_flatten():
    with pytest.raises(ShapeError, match="dim=1 is not an axis of a tensor with 1 axes"):
        nn.Flatten()(pellucid.ones(3))
