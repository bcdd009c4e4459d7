"""Linear and Identity: parameters, shapes, messages."""

import numpy as np
import pytest

import pellucid
from pellucid import nn
from pellucid.errors import ArgumentError, ShapeError


def test_numbers():
    layer = nn.Linear(2, 3)
    layer.load_state_dict({"weight": [[1, 2], [3, 4], [5, 6]], "bias": [0.5, 0, -0.5]})
    assert layer(pellucid.tensor([[1.0, 10.0]])).tolist() == [[21.5, 43.0, 64.5]]
    assert layer(pellucid.ones(4, 5, 2)).shape == (4, 5, 3)


def test_parameters():
    layer = nn.Linear(64, 32, dtype="float64")
    assert (layer.weight.shape, layer.bias.shape) == ((32, 64), (32,))
    assert layer.weight.dtype == layer.bias.dtype == pellucid.float64
    assert 0.9 / 8 < np.abs(layer.weight.array).max() <= 1 / 8
    assert np.abs(layer.bias.array).max() <= 1 / 8
    assert nn.Linear(2, 3, bias=False).bias is None
    before = layer.weight.tolist()
    layer.reset_parameters()
    assert layer.weight.tolist() != before


def test_the_seed_decides():
    weights = []
    for seed in (3, 3, 4):
        pellucid.manual_seed(seed)
        weights.append(nn.Linear(4, 4).weight.tolist())
    assert weights[0] == weights[1] != weights[2]


def test_no_features():
    assert nn.Linear(0, 2)(pellucid.ones(3, 0)).shape == (3, 2)
    assert nn.Linear(2, 0)(pellucid.ones(3, 2)).shape == (3, 0)


def test_messages():
    with pytest.raises(ArgumentError) as caught:
        nn.Linear(2, -1)
    assert str(caught.value) == "Linear: out_features=-1 is less than 0\n  fix: use 0 or more"
    with pytest.raises(ShapeError, match="x has I=3 features, but w expects I=2"):
        nn.Linear(2, 1)(pellucid.ones(1, 3))


def test_identity():
    x = pellucid.ones(2)
    assert nn.Identity(3, unused=True)(x) is x
