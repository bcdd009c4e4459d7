"""Activation layers call the op of their name with their options."""

import numpy as np
import pytest

import pellucid
from pellucid import nn, ops

LAYERS = [
    (nn.ReLU(), ops.relu),
    (nn.ReLU(inplace=True), ops.relu),
    (nn.ReLU6(), ops.relu6),
    (nn.LeakyReLU(0.3), lambda x: ops.leaky_relu(x, 0.3)),
    (nn.ELU(0.7), lambda x: ops.elu(x, 0.7)),
    (nn.SiLU(), ops.silu),
    (nn.Sigmoid(), ops.sigmoid),
    (nn.Tanh(), ops.tanh),
    (nn.GELU(), ops.gelu),
    (nn.GELU(approximate="tanh"), lambda x: ops.gelu(x, "tanh")),
    (nn.Softmax(dim=0), lambda x: ops.softmax(x, 0)),
    (nn.LogSoftmax(dim=-1), lambda x: ops.log_softmax(x, -1)),
]


@pytest.mark.parametrize(("layer", "op"), LAYERS, ids=[repr(layer) for layer, _ in LAYERS])
def test_numbers(layer, op):
    x = pellucid.tensor(np.linspace(-8.0, 8.0, 15).reshape(3, 5))
    before = x.array.copy()
    np.testing.assert_array_equal(layer(x).array, op(x).array)
    np.testing.assert_array_equal(x.array, before)
    assert list(layer.state_dict()) == []


@pytest.mark.parametrize("layer", [nn.Softmax, nn.LogSoftmax])
def test_the_axis_must_be_given(layer):
    with pytest.raises(TypeError, match="dim"):
        layer()
