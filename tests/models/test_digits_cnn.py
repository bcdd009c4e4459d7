"""The network for the digits: its layers, its two modes, and that its parameters all learn."""

import pytest

import pellucid
from pellucid.errors import ShapeError
from pellucid.models import digits_cnn
from pellucid.nn import functional


def test_layers():
    shapes = {name: x.shape for name, x in digits_cnn().named_parameters()}
    assert shapes == {
        "conv1.weight": (16, 1, 3, 3),
        "conv1.bias": (16,),
        "norm1.weight": (16,),
        "norm1.bias": (16,),
        "conv2.weight": (32, 16, 3, 3),
        "conv2.bias": (32,),
        "norm2.weight": (32,),
        "norm2.bias": (32,),
        "linear1.weight": (64, 512),
        "linear1.bias": (64,),
        "linear2.weight": (10, 64),
        "linear2.bias": (10,),
    }
    assert digits_cnn(num_classes=3)(pellucid.ones(2, 1, 8, 8)).shape == (2, 3)


def test_training_is_random_and_evaluation_is_not():
    net, x = digits_cnn(), pellucid.randn(4, 1, 8, 8)
    assert net(x).tolist() != net(x).tolist()
    assert net.eval()(x).tolist() == net(x).tolist()


def test_every_parameter_gets_a_gradient():
    net = digits_cnn()
    x, target = pellucid.randn(16, 1, 8, 8), pellucid.arange(16) % 10
    functional.cross_entropy(net(x), target).backward()
    assert all(parameter.grad.array.any() for parameter in net.parameters())


def test_other_sizes():
    with pytest.raises(ShapeError, match="DigitsCNN: the network is built for images of C=1 H=8"):
        digits_cnn()(pellucid.ones(2, 1, 28, 28))
