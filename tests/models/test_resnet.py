"""ResNets: torchvision's names, known numbers of parameters, shortcuts, initialisation."""

import math

import numpy as np
import pytest

import pellucid
from pellucid import models
from pellucid.kernels.layout import as_channels_last, is_channels_last
from pellucid.models.resnet import BasicBlock, Bottleneck, ResNet, SmallResNet, Widened
from pellucid.nn import functional


def count(net):
    return sum(parameter.numel() for parameter in net.parameters())


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("resnet20", 269_722),
        ("resnet18", 11_689_512),
        ("resnet34", 21_797_672),
        ("resnet50", 25_557_032),
    ],
)
def test_numbers_of_parameters(name, parameters):
    assert count(getattr(models, name)()) == parameters


def test_names_are_those_of_torchvision():
    net = ResNet(BasicBlock, (1, 2, 1, 1), num_classes=5, width=4)
    norm = ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]
    block = [
        "conv1.weight",
        *[f"bn1.{x}" for x in norm],
        "conv2.weight",
        *[f"bn2.{x}" for x in norm],
    ]
    down = [*block, "downsample.0.weight", *[f"downsample.1.{x}" for x in norm]]
    expected = ["conv1.weight", *[f"bn1.{x}" for x in norm]]
    expected += [f"layer1.0.{x}" for x in block]
    expected += [f"layer2.0.{x}" for x in down] + [f"layer2.1.{x}" for x in block]
    expected += [f"layer{k}.0.{x}" for k in (3, 4) for x in down]
    assert list(net.state_dict()) == [*expected, "fc.weight", "fc.bias"]


def test_shapes_of_a_bottleneck_network():
    net = ResNet(Bottleneck, (1, 1, 1, 2), num_classes=5, width=4)
    shapes = {name: p.shape for name, p in net.named_parameters()}
    assert shapes["layer1.0.downsample.0.weight"] == (16, 4, 1, 1)
    assert shapes["layer4.0.conv1.weight"] == (32, 64, 1, 1)
    assert shapes["layer4.0.conv2.weight"] == (32, 32, 3, 3)
    assert shapes["layer4.0.conv3.weight"] == (128, 32, 1, 1)
    assert shapes["layer4.1.conv1.weight"] == (32, 128, 1, 1)
    assert shapes["fc.weight"] == (5, 128)
    # as in torchvision, and not as in the paper, the stride is that of the 3x3 convolution
    assert net.layer4[0].conv1.stride == (1, 1)
    assert net.layer4[0].conv2.stride == (2, 2)
    assert net(pellucid.ones(2, 3, 33, 40)).shape == (2, 5)


def test_option_a_takes_every_second_pixel_between_zeros():
    x = pellucid.randn(2, 4, 5, 6)
    y = Widened()(x).numpy()
    assert y.shape == (2, 8, 3, 3)
    np.testing.assert_array_equal(y[:, 2:6], x.numpy()[:, :, ::2, ::2])
    assert not y[:, :2].any()
    assert not y[:, 6:].any()


def test_option_a_keeps_the_layout():
    x = pellucid.from_numpy(as_channels_last(np.ones((2, 4, 5, 6), np.float32)))
    x.requires_grad_()
    y = Widened()(x)
    (gx,) = pellucid.autograd.grad(y.sum(), x)
    assert is_channels_last(y.array)
    assert is_channels_last(gx.array)


def test_the_shortcut_is_added():
    block = BasicBlock(4, 4).eval()
    pellucid.nn.init.zeros_(block.bn2.weight)
    x = pellucid.randn(2, 4, 5, 5)
    np.testing.assert_array_equal(block(x).detach().numpy(), np.maximum(x.numpy(), 0))


def test_weights_start_with_the_variance_of_fan_out():
    net = models.resnet18(num_classes=10)
    assert float(net.layer3[1].conv1.weight.detach().numpy().std()) == pytest.approx(
        math.sqrt(2 / (256 * 9)), rel=0.01
    )
    assert float(net.conv1.weight.detach().numpy().std()) == pytest.approx(
        math.sqrt(2 / (64 * 49)), rel=0.05
    )


@pytest.mark.parametrize(
    "net",
    [
        SmallResNet(2, num_classes=4, width=4),
        ResNet(BasicBlock, (1, 1, 1, 1), num_classes=4, width=4),
        ResNet(Bottleneck, (1, 1, 1, 1), num_classes=4, width=4),
    ],
    ids=["small", "basic", "bottleneck"],
)
def test_every_parameter_gets_a_gradient(net):
    x, target = pellucid.randn(8, 3, 32, 32), pellucid.arange(8) % 4
    functional.cross_entropy(net(x), target).backward()
    assert [name for name, p in net.named_parameters() if not p.grad.array.any()] == []
