"""VGG-11: torchvision's names, shapes and numbers, any size of image, initialisation."""

import numpy as np
import pytest

import pellucid
from pellucid.models import vgg11
from pellucid.models.vgg import VGG
from pellucid.nn import functional

NARROW = ((4,), (4,), (8, 8), (8, 8), (8, 8))


@pytest.mark.slow
def test_number_of_parameters():
    assert sum(parameter.numel() for parameter in vgg11().parameters()) == 132_863_336


def test_names_are_those_of_torchvision():
    net = VGG(NARROW, num_classes=5, hidden=16)
    layers = [*[f"features.{k}" for k in (0, 3, 6, 8, 11, 13, 16, 18)]]
    layers += [f"classifier.{k}" for k in (0, 3, 6)]
    names = [f"{layer}.{x}" for layer in layers for x in ("weight", "bias")]
    assert list(net.state_dict()) == names
    assert net.classifier[0].weight.shape == (16, 8 * 49)
    assert net.classifier[6].weight.shape == (5, 16)


def test_shapes_of_the_whole_network():
    net = vgg11(num_classes=3, dropout=0.25)
    assert [m.weight.shape for m in net.features if hasattr(m, "weight")] == [
        (64, 3, 3, 3),
        (128, 64, 3, 3),
        (256, 128, 3, 3),
        (256, 256, 3, 3),
        (512, 256, 3, 3),
        (512, 512, 3, 3),
        (512, 512, 3, 3),
        (512, 512, 3, 3),
    ]
    assert [layer.p for layer in (net.classifier[2], net.classifier[5])] == [0.25, 0.25]
    assert float(net.classifier[3].weight.detach().numpy().std()) == pytest.approx(0.01, rel=0.01)
    assert not net.features[0].bias.detach().numpy().any()


@pytest.mark.parametrize("size", [(32, 32), (64, 40)], ids=str)
def test_every_parameter_gets_a_gradient(size):
    net = VGG(NARROW, num_classes=4, dropout=0.0, hidden=16)
    y = net(pellucid.randn(8, 3, *size))
    assert y.shape == (8, 4)
    functional.cross_entropy(y, pellucid.arange(8) % 4).backward()
    assert [name for name, p in net.named_parameters() if not p.grad.array.any()] == []


def test_dropout_in_training_alone():
    net, x = VGG(NARROW, num_classes=4, hidden=64), pellucid.randn(2, 3, 32, 32)
    assert (net(x).detach().numpy() != net(x).detach().numpy()).any()
    net.eval()
    np.testing.assert_array_equal(net(x).detach().numpy(), net(x).detach().numpy())
