"""MobileNetV2: torchvision's names and numbers, where x is added, initialisation."""

import math

import numpy as np
import pytest

import pellucid
from pellucid.models import mobilenet_v2
from pellucid.models.mobilenet import InvertedResidual
from pellucid.nn import functional

NORM = ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]


def test_number_of_parameters():
    assert sum(parameter.numel() for parameter in mobilenet_v2().parameters()) == 3_504_872


def test_names_are_those_of_torchvision():
    names = list(mobilenet_v2(num_classes=5).state_dict())
    first = ["features.0.0.weight", *[f"features.0.1.{x}" for x in NORM]]
    without_expansion = ["0.0.weight", *[f"0.1.{x}" for x in NORM]]
    without_expansion += ["1.weight", *[f"2.{x}" for x in NORM]]
    expected = first + [f"features.1.conv.{x}" for x in without_expansion]
    block = ["0.0.weight", *[f"0.1.{x}" for x in NORM], "1.0.weight", *[f"1.1.{x}" for x in NORM]]
    block += ["2.weight", *[f"3.{x}" for x in NORM]]
    expected += [f"features.{k}.conv.{x}" for k in range(2, 18) for x in block]
    expected += ["features.18.0.weight", *[f"features.18.1.{x}" for x in NORM]]
    assert names == [*expected, "classifier.1.weight", "classifier.1.bias"]


def test_shapes():
    net = mobilenet_v2(num_classes=5, dropout=0.5)
    shapes = {name: p.shape for name, p in net.named_parameters()}
    assert shapes["features.2.conv.0.0.weight"] == (96, 16, 1, 1)
    assert shapes["features.2.conv.1.0.weight"] == (96, 1, 3, 3)
    assert shapes["features.17.conv.2.weight"] == (320, 960, 1, 1)
    assert shapes["classifier.1.weight"] == (5, 1280)
    assert net.classifier[0].p == 0.5
    strides = [
        m.stride[0] for m in net.modules() if isinstance(m, pellucid.nn.Conv2d) and m.groups > 1
    ]
    assert [k for k, stride in enumerate(strides) if stride == 2] == [1, 3, 6, 13]
    assert net(pellucid.ones(2, 3, 33, 64)).shape == (2, 5)


@pytest.mark.parametrize(
    ("C", "O", "stride", "added"), [(4, 4, 1, True), (4, 4, 2, False), (4, 8, 1, False)]
)
def test_x_is_added_where_shapes_allow_it(C, O, stride, added):
    block, x = InvertedResidual(C, O, stride, 2).eval(), pellucid.randn(2, C, 6, 6)
    pellucid.nn.init.zeros_(block.conv[-1].weight)
    expected = x.numpy() if added else np.zeros((2, O, 6 // stride, 6 // stride))
    np.testing.assert_array_equal(block(x).detach().numpy(), expected)


def test_weights_start_with_the_variance_of_fan_out():
    std = mobilenet_v2().features[18][0].weight.detach().numpy().std()
    assert float(std) == pytest.approx(math.sqrt(2 / 1280), rel=0.01)


def test_every_parameter_gets_a_gradient():
    net, target = mobilenet_v2(num_classes=4, dropout=0.0), pellucid.arange(4)
    functional.cross_entropy(net(pellucid.randn(4, 3, 32, 32)), target).backward()
    assert [name for name, p in net.named_parameters() if not p.grad.array.any()] == []
