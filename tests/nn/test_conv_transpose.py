"""Transposed convolution layers: options, parameters, output sizes, and what makes no layer."""

import numpy as np
import pytest

import pellucid
from pellucid import nn
from pellucid.errors import ArgumentError, ShapeError

LAYERS = [nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d]


def test_each_pixel_spreads_the_kernel():
    layer = nn.ConvTranspose2d(1, 1, 2, stride=2)
    layer.weight.detach().copy_(np.arange(1.0, 5.0).reshape(1, 1, 2, 2))
    layer.bias.detach().fill_(0.5)
    y = layer(pellucid.tensor([[[[1.0, 10.0]]]]))
    assert y.tolist() == [[[[1.5, 2.5, 10.5, 20.5], [3.5, 4.5, 30.5, 40.5]]]]


@pytest.mark.parametrize(("axes", "layer"), [*enumerate(LAYERS, 1)])
def test_parameters(axes, layer):
    up = layer(4, 6, 3, groups=2, dtype="float64")
    assert up.weight.shape == (4, 3) + (3,) * axes
    assert up.bias.shape == (6,)
    assert up.weight.dtype == up.bias.dtype == pellucid.float64
    assert layer(4, 6, 3, bias=False).bias is None
    bound = 1 / np.sqrt(3 * 3**axes)
    assert 0.8 * bound < np.abs(up.weight.array).max() <= bound
    assert np.abs(up.bias.array).max() <= bound


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_back_to_the_size_that_a_convolution_came_from(axes):
    down = getattr(nn, f"Conv{axes}d")(2, 3, 3, stride=3, padding=1, dilation=2)
    up = LAYERS[axes - 1](3, 2, 3, stride=3, padding=1, dilation=2)
    for size in range(6, 12):
        x = pellucid.ones(1, 2, *[size] * axes)
        assert up(down(x), output_size=x.shape).shape == x.shape
        assert up(down(x), x.shape[2:]).shape == x.shape


def test_an_output_size_stands_for_the_output_padding():
    up = nn.ConvTranspose2d(1, 1, 3, stride=2, output_padding=1)
    x = pellucid.ones(1, 1, 4, 4)
    assert up(x).shape == (1, 1, 10, 10)
    assert up(x, (9, 10)).shape == (1, 1, 9, 10)


def test_repr():
    layer = nn.ConvTranspose2d(4, 6, (5, 3), 2, 1, (1, 0), 2, False, 2)
    assert repr(layer) == (
        "ConvTranspose2d(4, 6, kernel_size=(5, 3), stride=(2, 2), padding=(1, 1), "
        "dilation=(2, 2), output_padding=(1, 0), groups=2, bias=False)"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"in_channels": 0}, "in_channels=0 is less than 1\n  fix: use 1 or more"),
        (
            {"out_channels": 3, "groups": 2},
            "out_channels=3 does not divide into groups=2\n"
            "  fix: choose groups that divide both numbers of channels",
        ),
        (
            {"output_padding": (1, 1, 1)},
            "output_padding=(1, 1, 1) is neither a whole number nor 2 of them\n"
            "  fix: give output_padding one number, or one for each spatial axis",
        ),
        ({"output_padding": -1}, "output_padding=-1 is less than 0\n  fix: use 0 or more"),
        ({"padding": (1, -1)}, "padding=(1, -1) is less than 0\n  fix: use 0 or more"),
        (
            {"padding": "same"},
            "padding='same' is not for transposed convolutions\n"
            "  fix: give numbers, and choose the size by output_padding or forward(x, output_size)",
        ),
        (
            {"padding_mode": "reflect"},
            "padding_mode='reflect' is not for transposed convolutions\n"
            "  fix: leave it out: their padding takes rows away and adds none",
        ),
    ],
    ids=str,
)
def test_what_makes_no_layer(options, message):
    with pytest.raises(ArgumentError) as caught:
        nn.ConvTranspose2d(**{"in_channels": 4, "out_channels": 6, "kernel_size": 3, **options})
    assert str(caught.value) == f"ConvTranspose2d: {message}"


def test_an_output_size_out_of_reach():
    up = nn.ConvTranspose2d(4, 6, 3, stride=2)
    with pytest.raises(ShapeError) as caught:
        up(pellucid.ones(8, 4, 7, 7), output_size=(15, 17))
    assert str(caught.value) == (
        "conv_transpose2d: output_size=17 along W, where 7 pixels of x become 15 to 16\n"
        "  x (N=8, C=4, H=7, W=7)\n"
        "  fix: ask for a size in that range, or change stride, padding or kernel"
    )


@pytest.mark.parametrize("output_size", [None, (8, 8)])
def test_an_image_without_a_batch(output_size):
    with pytest.raises(ShapeError, match="x has 3 axes and w 4, but both must have 4"):
        nn.ConvTranspose2d(3, 4, 3)(pellucid.ones(3, 8, 8), output_size)
