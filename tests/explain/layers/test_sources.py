"""Which derivation belongs to which layer and tensor (each layer's own test has the details)."""

import pytest

import pellucid
from pellucid import nn
from pellucid.explain import derive, layers

MADE = [
    (nn.Linear(2, 2), (3, 2), layers.LinearDerivation),
    (nn.ReLU(), (3, 2), layers.ReLUDerivation),
    (nn.Sigmoid(), (3, 2), layers.SigmoidDerivation),
    (nn.MaxPool2d(2), (1, 1, 2, 2), layers.MaxPoolDerivation),
    (nn.AvgPool2d(2), (1, 1, 2, 2), layers.AvgPoolDerivation),
    (nn.BatchNorm1d(2), (3, 2), layers.BatchNormDerivation),
    (nn.BatchNorm1d(2).eval(), (3, 2), layers.BatchNormDerivation),
]


@pytest.mark.parametrize(("layer", "shape", "kind"), MADE)
def test_a_layer_and_what_it_makes(layer, shape, kind):
    y = layer(pellucid.randn(*shape, requires_grad=True))
    of_layer, of_tensor = derive(layer, shape), derive(y)
    assert type(of_layer) is type(of_tensor) is kind
    assert repr(of_layer) == repr(of_tensor)
    assert of_layer.parts.keys() == of_tensor.parts.keys()
    for name in of_layer.parts:
        assert list(map(str, of_layer.parts[name])) == list(map(str, of_tensor.parts[name]))


def test_losses_are_layers_alone():
    assert type(derive(nn.MSELoss(), (2,))) is layers.MSELossDerivation
    assert type(derive(nn.CrossEntropyLoss(), (2, 3))) is layers.CrossEntropyDerivation
