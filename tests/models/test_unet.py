"""U-Net: its parts, its size, what it keeps for the way up, and sizes that it refuses."""

import numpy as np
import pytest

import pellucid
from pellucid.errors import ShapeError
from pellucid.models import unet
from pellucid.models.unet import UNet
from pellucid.nn import functional


def test_number_of_parameters():
    def double(C, O):
        return 9 * C * O + O + 9 * O * O + O

    widths = [64, 128, 256, 512]
    expected = double(3, 64) + sum(double(w, 2 * w) for w in widths)
    expected += sum(2 * w * w * 4 + w + double(2 * w, w) for w in widths) + 64 * 5 + 5
    net = unet(in_channels=3, num_classes=5)
    assert sum(parameter.numel() for parameter in net.parameters()) == expected


def test_layers():
    shapes = {name: x.shape for name, x in UNet(1, 2, base=4, levels=2).named_parameters()}
    weights = {name: shape for name, shape in shapes.items() if name.endswith("weight")}
    assert weights == {
        "down.0.0.weight": (4, 1, 3, 3),
        "down.0.2.weight": (4, 4, 3, 3),
        "down.1.0.weight": (8, 4, 3, 3),
        "down.1.2.weight": (8, 8, 3, 3),
        "bottom.0.weight": (16, 8, 3, 3),
        "bottom.2.weight": (16, 16, 3, 3),
        "up.0.weight": (16, 8, 2, 2),
        "up.1.weight": (8, 4, 2, 2),
        "join.0.0.weight": (8, 16, 3, 3),
        "join.0.2.weight": (8, 8, 3, 3),
        "join.1.0.weight": (4, 8, 3, 3),
        "join.1.2.weight": (4, 4, 3, 3),
        "out.weight": (2, 4, 1, 1),
    }
    assert len(shapes) == 2 * len(weights)


def test_every_parameter_gets_a_gradient_and_y_has_the_size_of_x():
    net = UNet(2, 3, base=4)
    y = net(pellucid.randn(2, 2, 32, 48))
    assert y.shape == (2, 3, 32, 48)
    functional.cross_entropy(y, pellucid.randint(0, 3, (2, 32, 48))).backward()
    assert [name for name, p in net.named_parameters() if not p.grad.array.any()] == []


def test_what_the_way_down_made_reaches_the_output_at_full_size():
    """Without its lower half, the network is two doubles at full size, which a shift passes."""
    net = UNet(1, 1, base=4, levels=1)
    pellucid.nn.init.zeros_(net.up[0].weight)
    x = pellucid.randn(1, 1, 16, 16)
    y, shifted = net(x), net(x[:, :, :, 1:-1].contiguous())
    np.testing.assert_allclose(
        y.detach().numpy()[..., 6:-6], shifted.detach().numpy()[..., 5:-5], atol=1e-5
    )


def test_sizes_that_cannot_be_halved():
    with pytest.raises(ShapeError) as caught:
        unet()(pellucid.ones(1, 1, 40, 32))
    assert str(caught.value) == (
        "UNet: H and W must be multiples of 16, to be halved 4 times\n"
        "  x (N=1, C=1, H=40, W=32)\n"
        "  fix: pad or crop x"
    )
