"""The spec of a transposed convolution: its sizes, its options, every message."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernels.conv.problems import conv_specs

from pellucid.errors import ArgumentError, ShapeError
from pellucid.kernels.conv.spec import ConvSpec
from pellucid.kernels.conv.transposed import output_padding_for, transposed_spec


@given(conv_specs())
def test_it_is_the_convolution_whose_grad_input_it_is(spec):
    found = transposed_spec(
        spec.y_shape,
        spec.w_shape,
        spec.stride,
        spec.padding,
        spec.leftover,
        spec.groups,
        spec.dilation,
    )
    assert found == spec


numbers = st.integers(1, 5)


@given(numbers, numbers, numbers, numbers, st.integers(0, 2), st.data())
def test_output_padding_adds_rows_and_changes_no_meeting(size, k, s, d, p, data):
    extra = data.draw(st.integers(0, max(s, d) - 1))
    plain = (size - 1) * s - 2 * p + d * (k - 1) + 1
    if plain < 1:
        return
    spec = transposed_spec((1, 1, size), (1, 1, k), s, p, extra, dilation=d)
    assert spec.in_size == (plain + extra,)
    assert spec.out_size == (size,)
    assert spec.padding[0][0] == p  # a window begins where it did
    assert spec.leftover == (extra % s,)


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({}, "n2 c6 i6x9 o4 k3x2"),
        ({"groups": 2}, "n2 c12 i6x9 o4 k3x2 g2"),
        ({"stride": 2, "padding": 1}, "n2 c6 i7x14 o4 k3x2 s2 p1"),
        ({"stride": [2, 1], "dilation": [1, 3]}, "n2 c6 i9x11 o4 k3x2 s2x1 d1x3"),
        ({"padding": ((0, 1), [2, 1])}, "n2 c6 i5x6 o4 k3x2 p0:1x2:1"),
        ({"padding": -1}, "n2 c6 i8x11 o4 k3x2 p-1"),
        ({"stride": 2, "output_padding": (0, 1)}, "n2 c6 i9x17 o4 k3x2 s2"),
        ({"stride": 2, "dilation": 4, "output_padding": 3}, "n2 c6 i18x22 o4 k3x2 s2 p0:-2 d4"),
        ({"stride": np.int32(3)}, "n2 c6 i12x23 o4 k3x2 s3"),
    ],
)
def test_options_are_pytorchs(options, name):
    assert str(transposed_spec((2, 4, 4, 8), (4, 6, 3, 2), **options)) == name


def test_istft():
    spec = transposed_spec((1, 1026, 224), (1026, 1, 1024), stride=256)
    assert spec == ConvSpec.parse("c1 i58112 o1026 k1024 s256")


def test_every_output_size_between_two_has_its_output_padding():
    for extra in range(3):
        spec = transposed_spec((1, 1, 5), (1, 1, 4), 3, 1, extra)
        found = output_padding_for((1, 1, 5), spec.in_size, (4,), (3,), (1,), (1,))
        assert found == (extra,)


X, W = (8, 4, 7, 7), (4, 3, 3, 3)
SHAPES = "  x (N=8, C=4, H=7, W=7)    w (C=4, O/G=3, KH=3, KW=3)\n"

MESSAGES = [
    (
        lambda: transposed_spec((8, 3, 7, 7), W),
        ShapeError,
        "conv_transpose2d: x has C=3 channels, but w expects C=4\n"
        "  x (N=8, C=3, H=7, W=7)    w (C=4, O/G=3, KH=3, KW=3)\n"
        "  fix: build the layer with in_channels=3, or move the channel axis of x to position 1",
    ),
    (
        lambda: transposed_spec(X, W, groups=3),
        ShapeError,
        "conv_transpose2d: C=4 channels do not divide into groups=3 (4 % 3 = 1)\n"
        f"{SHAPES}"
        "  fix: choose groups that divide C",
    ),
    (
        lambda: transposed_spec((8, 4, 0), (4, 3, 3)),
        ShapeError,
        "conv_transpose1d: x has an axis of size 0, which only the batch may be\n"
        "  x (N=8, C=4, W=0)    w (C=4, O/G=3, KW=3)\n"
        "  fix: give x sizes of 1 or more",
    ),
    (
        lambda: transposed_spec(X, (4, 0, 3, 3)),
        ShapeError,
        "conv_transpose2d: w has an axis of size 0, which only the batch may be\n"
        "  x (N=8, C=4, H=7, W=7)    w (C=4, O/G=0, KH=3, KW=3)\n"
        "  fix: give w sizes of 1 or more",
    ),
    (
        lambda: transposed_spec((1, 4, 1, 2, 2), (4, 3, 1, 2, 2), padding=(0, 1, 2)),
        ShapeError,
        "conv_transpose3d: y would have -1 pixels along W: "
        "(in - 1) s - p_low - p_high + d (k - 1) + 1 + output_padding\n"
        "  x (N=1, C=4, D=1, H=2, W=2)    w (C=4, O/G=3, KD=1, KH=2, KW=2)\n"
        "  fix: pad less, or use a larger kernel, stride or output_padding",
    ),
    (
        lambda: transposed_spec(X, W, stride=2, output_padding=(1, 2)),
        ShapeError,
        "conv_transpose2d: output_padding=2 along W is not from 0 to 1, "
        "below the larger of stride=2 and dilation=1\n"
        "  fix: use a smaller output_padding, or ops.pad for a border",
    ),
    (
        lambda: transposed_spec(X, W, dilation=3, output_padding=-1),
        ShapeError,
        "conv_transpose2d: output_padding=-1 along H is not from 0 to 2, "
        "below the larger of stride=1 and dilation=3\n"
        "  fix: use a smaller output_padding, or ops.pad for a border",
    ),
    (
        lambda: transposed_spec(X, W, stride=(2, 0)),
        ShapeError,
        "conv_transpose2d: stride=(2, 0), but it must be at least 1\n"
        "  fix: give stride numbers of 1 or more",
    ),
    (
        lambda: transposed_spec(X, W, dilation=0),
        ShapeError,
        "conv_transpose2d: dilation=(0, 0), but it must be at least 1\n"
        "  fix: give dilation numbers of 1 or more",
    ),
    (
        lambda: transposed_spec(X, W, groups=0),
        ShapeError,
        "conv_transpose2d: groups=0, but it must be at least 1\n"
        "  fix: give groups numbers of 1 or more",
    ),
    (
        lambda: transposed_spec(X, W, output_padding=(0, 0, 0)),
        ShapeError,
        "conv_transpose2d: output_padding=(0, 0, 0) has 3 numbers, but x has 2 spatial axes\n"
        "  fix: give output_padding one number for each spatial axis of x",
    ),
    (
        lambda: transposed_spec(X, W, padding="same"),
        ArgumentError,
        "conv_transpose2d: padding='same' is not for a transposed convolution\n"
        "  fix: give whole numbers; output_padding chooses among the sizes that y may have",
    ),
    (
        lambda: transposed_spec(X, W, stride=1.5),
        ArgumentError,
        "conv_transpose2d: stride=1.5 is not a whole number\n  fix: give stride whole numbers",
    ),
    (
        lambda: output_padding_for(X, (13, 12), (3, 3), (2, 2), (1, 1), (1, 1)),
        ShapeError,
        "conv_transpose2d: output_size=12 along W, where 7 pixels of x become 13 to 14\n"
        "  x (N=8, C=4, H=7, W=7)\n"
        "  fix: ask for a size in that range, or change stride, padding or kernel",
    ),
    (
        lambda: output_padding_for((8, 4, 7), (8, 3, 10), (3,), (1,), (0,), (1,)),
        ShapeError,
        "conv_transpose1d: output_size=10 along W, where 7 pixels of x become 9\n"
        "  x (N=8, C=4, W=7)\n"
        "  fix: ask for a size in that range, or change stride, padding or kernel",
    ),
    (
        lambda: output_padding_for(X, (13,), (3, 3), (2, 2), (1, 1), (1, 1)),
        ShapeError,
        "conv_transpose2d: output_size=(13,) has 1 number, but x has 2 spatial axes\n"
        "  fix: give output_size one number for each spatial axis of x",
    ),
]


@pytest.mark.parametrize(
    ("call", "kind", "message"), MESSAGES, ids=[m.splitlines()[0] for *_, m in MESSAGES]
)
def test_messages_word_for_word(call, kind, message):
    with pytest.raises(kind) as caught:
        call()
    assert str(caught.value) == message
