"""Convolution layers: options, parameters, the padding of each mode, and what makes no layer."""

import numpy as np
import pytest

import pellucid
from pellucid import nn, ops
from pellucid.errors import ArgumentError, DTypeError, ShapeError

LAYERS = [nn.Conv1d, nn.Conv2d, nn.Conv3d]
BORDERS = {"zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def test_the_worked_example():
    layer = nn.Conv2d(1, 1, 3, stride=2)
    x = pellucid.arange(25.0).reshape(1, 1, 5, 5)
    layer.weight.detach().copy_(np.arange(1.0, 10.0).reshape(1, 1, 3, 3))
    layer.bias.detach().fill_(0.5)
    assert layer(x).tolist() == [[[[366.5, 456.5], [816.5, 906.5]]]]


@pytest.mark.parametrize(("axes", "layer"), [*enumerate(LAYERS, 1)])
def test_parameters(axes, layer):
    conv = layer(4, 6, 3, groups=2, dtype="float64")
    assert conv.weight.shape == (6, 2) + (3,) * axes
    assert conv.bias.shape == (6,)
    assert conv.weight.dtype == conv.bias.dtype == pellucid.float64
    assert layer(4, 6, 3, bias=False).bias is None
    bound = 1 / np.sqrt(2 * 3**axes)
    assert 0.8 * bound < np.abs(conv.weight.array).max() <= bound
    assert np.abs(conv.bias.array).max() <= bound


@pytest.mark.parametrize(("axes", "layer"), [*enumerate(LAYERS, 1)])
def test_same_padding_with_any_stride(axes, layer):
    for size in range(4, 9):
        for stride in (1, 2, 3):
            conv = layer(1, 1, 4, stride=stride, padding="same", dilation=2)
            y = conv(pellucid.ones(1, 1, *[size] * axes))
            assert y.shape[2:] == (-(-size // stride),) * axes


def test_padding_pairs():
    x = pellucid.randn(2, 3, 5, 6)
    conv = nn.Conv2d(3, 4, 3, padding_pairs=((0, 2), [1, 0]))
    framed = ops.pad(x, (1, 0, 0, 2))
    np.testing.assert_allclose(
        conv(x).array, ops.conv2d(framed, conv.weight, conv.bias).array, atol=1e-6
    )
    assert conv.padding_pairs == ((0, 2), (1, 0))


@pytest.mark.parametrize("mode", BORDERS)
@pytest.mark.parametrize(
    ("options", "pairs"),
    [
        ({"padding": 2}, ((2, 2), (2, 2))),
        ({"padding": (0, 1)}, ((0, 0), (1, 1))),
        ({"padding": "valid"}, ((0, 0), (0, 0))),
        ({"padding": "same"}, ((1, 1), (1, 1))),
        ({"padding": "same", "stride": 2}, ((1, 1), (0, 1))),
        ({"padding_pairs": ((0, 2), (1, 0))}, ((0, 2), (1, 0))),
    ],
    ids=str,
)
def test_padding_modes(mode, options, pairs):
    x = pellucid.randn(2, 3, 5, 6, dtype="float64")
    conv = nn.Conv2d(3, 4, 3, padding_mode=mode, dtype="float64", **options)
    framed = np.pad(x.array, ((0, 0), (0, 0), *pairs), mode=BORDERS[mode])
    wanted = ops.conv2d(pellucid.tensor(framed), conv.weight, conv.bias, conv.stride)
    np.testing.assert_allclose(conv(x).array, wanted.array, atol=1e-12)


@pytest.mark.parametrize("axes", [1, 3])
def test_a_border_in_1d_and_3d(axes):
    x = pellucid.randn(1, 2, *[4] * axes, dtype="float64")
    conv = LAYERS[axes - 1](2, 2, 3, padding=1, padding_mode="circular", dtype="float64")
    framed = np.pad(x.array, ((0, 0), (0, 0), *[(1, 1)] * axes), mode="wrap")
    op = [ops.conv1d, ops.conv2d, ops.conv3d][axes - 1]
    wanted = op(pellucid.tensor(framed), conv.weight, conv.bias)
    np.testing.assert_allclose(conv(x).array, wanted.array, atol=1e-12)


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        (
            nn.Conv2d(3, 16, (5, 3), stride=2, padding_pairs=((0, 1), (2, 0))),
            "Conv2d(3, 16, kernel_size=(5, 3), stride=(2, 2), padding_pairs=((0, 1), (2, 0)))",
        ),
        (
            nn.Conv2d(3, 3, 3, 2, "same", 1, 3, False, "circular"),
            "Conv2d(3, 3, kernel_size=(3, 3), stride=(2, 2), padding=same, groups=3, bias=False, "
            "padding_mode=circular)",
        ),
    ],
)
def test_repr_where_pytorch_has_none(layer, text):
    assert repr(layer) == text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"in_channels": 0}, "in_channels=0 is less than 1\n  fix: use 1 or more"),
        ({"groups": 0}, "groups=0 is less than 1\n  fix: use 1 or more"),
        (
            {"groups": 3},
            "in_channels=4 does not divide into groups=3\n"
            "  fix: choose groups that divide both numbers of channels",
        ),
        (
            {"out_channels": 3, "groups": 2},
            "out_channels=3 does not divide into groups=2\n"
            "  fix: choose groups that divide both numbers of channels",
        ),
        (
            {"kernel_size": (3, 3, 3)},
            "kernel_size=(3, 3, 3) is neither a whole number nor 2 of them\n"
            "  fix: give kernel_size one number, or one for each spatial axis",
        ),
        (
            {"stride": 1.5},
            "stride=1.5 is neither a whole number nor 2 of them\n"
            "  fix: give stride one number, or one for each spatial axis",
        ),
        ({"dilation": (1, 0)}, "dilation=(1, 0) is less than 1\n  fix: use 1 or more"),
        ({"padding": -1}, "padding=-1 is less than 0\n  fix: use 0 or more"),
        (
            {"padding": ((0, 1), (0, 1))},
            "padding=((0, 1), (0, 1)) is neither a whole number nor 2 of them\n"
            "  fix: give padding one number, or one for each spatial axis",
        ),
        (
            {"padding": "full"},
            "there is no padding 'full'\n  fix: use 'same', 'valid' or numbers",
        ),
        (
            {"padding_mode": "constant"},
            "there is no padding_mode 'constant'\n"
            "  fix: use one of zeros, reflect, replicate, circular",
        ),
        (
            {"padding": 1, "padding_pairs": ((0, 1), (0, 1))},
            "padding=(1, 1) and padding_pairs=((0, 1), (0, 1)) are both given\n"
            "  fix: give one of them",
        ),
        (
            {"padding_pairs": (0, 1)},
            "padding_pairs=(0, 1) are not 2 pairs of whole numbers, 0 or more\n"
            "  fix: give each spatial axis a (low, high)",
        ),
        (
            {"padding_pairs": ((0, 1),)},
            "padding_pairs=((0, 1),) are not 2 pairs of whole numbers, 0 or more\n"
            "  fix: give each spatial axis a (low, high)",
        ),
        (
            {"padding_pairs": ((0, 1), (-1, 0))},
            "padding_pairs=((0, 1), (-1, 0)) are not 2 pairs of whole numbers, 0 or more\n"
            "  fix: give each spatial axis a (low, high)",
        ),
    ],
    ids=str,
)
def test_what_makes_no_layer(options, message):
    with pytest.raises(ArgumentError) as caught:
        nn.Conv2d(**{"in_channels": 4, "out_channels": 6, "kernel_size": 3, **options})
    assert str(caught.value) == f"Conv2d: {message}"


def test_channels_that_do_not_fit():
    with pytest.raises(ShapeError) as caught:
        nn.Conv2d(4, 16, 3)(pellucid.ones(8, 3, 32, 32))
    assert str(caught.value) == (
        "conv2d: x has C=3 channels, but w expects C=4 (groups=1)\n"
        "  x (N=8, C=3, H=32, W=32)    w (O=16, C/G=4, KH=3, KW=3)    n8 c3 i32x32 o16 k3x3\n"
        "  fix: build the layer with in_channels=3, or move the channel axis of x to position 1"
    )


@pytest.mark.parametrize("mode", ["zeros", "reflect"])
def test_an_image_without_a_batch(mode):
    with pytest.raises(ShapeError, match="x has 3 axes and w 4, but both must have 4"):
        nn.Conv2d(3, 4, 3, padding="same", padding_mode=mode)(pellucid.ones(3, 8, 8))


def test_mixed_dtypes():
    with pytest.raises(DTypeError, match="float64"):
        nn.Conv2d(1, 1, 1)(pellucid.ones(1, 1, 2, 2, dtype="float64"))


def test_numpy_integers_are_numbers():
    sizes = np.array([3, 2])
    conv = nn.Conv2d(1, 1, tuple(sizes), stride=np.int64(2))
    assert (conv.kernel_size, conv.stride) == ((3, 2), (2, 2))
    assert repr(conv) == "Conv2d(1, 1, kernel_size=(3, 2), stride=(2, 2))"
