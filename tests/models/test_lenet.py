"""LeNet: its layers, its shapes, and that its parameters all learn."""

import pytest

import pellucid
from pellucid.errors import ShapeError
from pellucid.models import lenet
from pellucid.nn import functional


def test_layers():
    shapes = {name: x.shape for name, x in lenet().named_parameters()}
    assert shapes == {
        "conv1.weight": (16, 1, 5, 5),
        "conv1.bias": (16,),
        "conv2.weight": (32, 16, 3, 3),
        "conv2.bias": (32,),
        "linear1.weight": (256, 1152),
        "linear1.bias": (256,),
        "linear2.weight": (10, 256),
        "linear2.bias": (10,),
    }
    assert lenet(num_classes=3)(pellucid.ones(2, 1, 28, 28)).shape == (2, 3)


def test_every_parameter_gets_a_gradient():
    net = lenet()
    x, target = pellucid.randn(4, 1, 28, 28), pellucid.tensor([0, 9, 3, 3])
    functional.cross_entropy(net(x), target).backward()
    assert all(parameter.grad.array.any() for parameter in net.parameters())


def test_other_sizes():
    with pytest.raises(ShapeError, match="LeNet: the network is built for images of C=1 H=28 W=28"):
        lenet()(pellucid.ones(2, 1, 8, 8))
