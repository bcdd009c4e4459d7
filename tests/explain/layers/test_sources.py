"""Which derivation belongs to which layer and tensor (each layer's own test has the details)."""

import pytest

import pellucid
from pellucid import nn
from pellucid.errors import UnsupportedError
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


@pytest.mark.parametrize("layer", [nn.Conv2d(2, 2, 1), nn.BatchNorm2d(2)])
def test_what_a_fused_op_makes_is_what_its_relu_makes(layer):
    x = pellucid.randn(2, 2, 3, 3, requires_grad=True)
    y = nn.Sequential(layer, nn.ReLU())(x)
    assert y.grad_fn.name in ("ConvReLU", "BatchNormReLU")
    assert repr(derive(y)) == repr(derive(nn.ReLU(), y.shape))
    y = nn.Sequential(nn.BatchNorm2d(2), nn.ReLU6())(x)
    with pytest.raises(UnsupportedError, match="BatchNormReLU made this tensor"):
        derive(y)


def test_a_mean_square_is_a_layer_alone():
    assert type(derive(nn.MSELoss(), (2,))) is layers.MSELossDerivation


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_a_cross_entropy_and_what_it_makes(reduction):
    x = pellucid.randn(2, 3, requires_grad=True)
    layer, target = nn.CrossEntropyLoss(reduction=reduction), pellucid.tensor([2, 0])
    of_layer, of_tensor = derive(layer, (2, 3)), derive(layer(x, target))
    assert type(of_layer) is type(of_tensor) is layers.CrossEntropyDerivation
    assert repr(of_layer) == repr(of_tensor)
    for name in of_layer.parts:
        assert list(map(str, of_layer.parts[name])) == list(map(str, of_tensor.parts[name]))


@pytest.mark.parametrize(
    "options", [{"weight": pellucid.tensor([1.0, 2.0, 3.0])}, {"ignore_index": 0}]
)
def test_a_cross_entropy_without_a_derivation(options):
    x = pellucid.randn(2, 3, requires_grad=True)
    y = nn.functional.cross_entropy(x, pellucid.tensor([2, 0]), **options)
    with pytest.raises(UnsupportedError) as raised:
        derive(y)
    assert str(raised.value) == (
        "derive: a cross entropy with weights of classes or targets that are left out has no "
        "derivation here\n  fix: derive it without them"
    )
