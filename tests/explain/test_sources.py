"""What a derivation can be made of, and what is refused, word for word."""

import pytest

import pellucid
from pellucid import nn
from pellucid.errors import ArgumentError, ShapeError, UnsupportedError
from pellucid.explain import derive
from pellucid.kernels.conv import ConvSpec


def facts(d):
    return str(d.spec), d.transposed, d.bias


def test_a_spec_or_its_name():
    assert facts(derive("c1 i5x5 o1 k3x3 s2")) == ("c1 i5x5 o1 k3x3 s2", False, True)
    spec = ConvSpec.parse("c1 i5 o1 k3")
    assert derive(spec).spec is spec
    assert facts(derive(spec, transposed=True, bias=False)) == ("c1 i5 o1 k3", True, False)


LAYERS = [
    (nn.Conv2d(4, 6, (3, 2), stride=2, padding=1, dilation=(1, 2), groups=2), (2, 4, 9, 8),
     ("n2 c4 i9x8 o6 k3x2 s2 p1 d1x2 g2", False, True)),
    (nn.Conv1d(1, 1, 3, padding="same", bias=False), (1, 1, 7), ("c1 i7 o1 k3 p1", False, False)),
    (nn.Conv2d(1, 1, 3, padding_pairs=((0, 1), (2, 0))), (1, 1, 5, 5),
     ("c1 i5x5 o1 k3x3 p0:1x2:0", False, True)),
    (nn.Conv3d(1, 2, 2), (1, 1, 3, 3, 3), ("c1 i3x3x3 o2 k2x2x2", False, True)),
    (nn.ConvTranspose2d(6, 4, 3, stride=2, padding=1, output_padding=1, groups=2), (1, 6, 4, 4),
     ("c4 i8x8 o6 k3x3 s2 p1 g2", True, True)),
    (nn.ConvTranspose1d(1, 1, 2, bias=False), (1, 1, 3), ("c1 i4 o1 k2", True, False)),
]  # fmt: skip


@pytest.mark.parametrize(("layer", "shape", "expected"), LAYERS)
def test_a_layer_and_what_it_makes(layer, shape, expected):
    assert facts(derive(layer, shape)) == expected
    y = layer(pellucid.zeros(*shape))
    assert facts(derive(y)) == expected
    assert derive(y).forward.shape == y.shape


def test_a_frozen_bias_is_still_there():
    layer = nn.Conv2d(1, 1, 3)
    layer.bias.requires_grad = False
    assert derive(layer(pellucid.zeros(1, 1, 3, 3))).bias


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((3,), ArgumentError,
         "derive: int is neither a spec, a layer nor a tensor\n"
         "  fix: give a spec as in 'c1 i5x5 o1 k3x3 s2', a layer and its input_shape, or "
         "y = layer(x)"),
        (("c1 i5 o1 k3", (1, 1, 5)), ArgumentError,
         "derive: input_shape=(1, 1, 5) is given, but only a layer needs one\n"
         "  fix: leave it out"),
        ((nn.Conv1d(1, 1, 3),), ArgumentError,
         "derive: Conv1d alone does not say how large its input is\n"
         "  fix: give input_shape, as in derive(layer, (1, 3, 32, 32))"),
        ((nn.Conv1d(2, 1, 3), (1, 1, 5)), ShapeError,
         "derive: input_shape=(1, 1, 5) does not fit Conv1d(2, 1, kernel_size=(3,), stride=(1,))\n"
         "  fix: give N, C=2 and 1 spatial sizes"),
        ((nn.Conv1d(1, 1, 3, padding=1, padding_mode="reflect"), (1, 1, 5)), UnsupportedError,
         "derive: the border of Conv1d(1, 1, kernel_size=(3,), stride=(1,), padding=(1,), "
         "padding_mode=reflect) is made by ops.pad, before the convolution\n"
         "  fix: derive a layer without padding, for the padded shape"),
        ((nn.Flatten(), (1, 1, 5)), UnsupportedError,
         "derive: there is no derivation of Flatten\n"
         "  fix: give a convolution, Linear, MaxPool2d, AvgPool2d, BatchNorm, ReLU, Sigmoid, "
         "MSELoss or CrossEntropyLoss"),
        ((pellucid.zeros(2, 3),), ArgumentError,
         "derive: no recorded op made this tensor of shape (2, 3)\n"
         "  fix: give the output of an op whose x or w requires grad, outside of no_grad"),
        ((pellucid.zeros(2, requires_grad=True) + 1,), UnsupportedError,
         "derive: Add made this tensor\n"
         "  fix: give the output of a convolution, pooling, batch normalisation, linear, relu, "
         "sigmoid or cross_entropy, or a layer and its input_shape"),
    ],
)  # fmt: skip
def test_what_has_no_derivation(arguments, error, message):
    with pytest.raises(error) as raised:
        derive(*arguments)
    assert str(raised.value) == message
