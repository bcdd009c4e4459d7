"""ConvSpec: the size formula, the one-line name, and every message."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernels.conv.problems import PROBLEMS, conv_fields, conv_specs, has_windows

from pellucid.errors import ArgumentError, ShapeError
from pellucid.kernels.conv.spec import ConvSpec, count_pixels, count_windows, same_padding

# ---- sizes ---------------------------------------------------------------------------------------


@given(st.integers(1, 30), st.integers(0, 4), st.integers(0, 4), *[st.integers(1, 5)] * 3)
def test_windows_are_counted_as_they_are_laid(size, low, high, kernel, stride, dilation):
    """Lay windows one after the other until one sticks out of the padded input."""
    windows = 0
    while windows * stride + dilation * (kernel - 1) < low + size + high:
        windows += 1
    counted = count_windows(size, (low, high), kernel, stride, dilation)
    assert max(counted, 0) == windows


@given(st.integers(1, 9), st.integers(-3, 4), st.integers(-3, 4), *[st.integers(1, 5)] * 3)
def test_pixels_are_the_sizes_that_have_so_many_windows(windows, low, high, k, s, d):
    sizes = [count_pixels(windows, (low, high), k, s, d, leftover) for leftover in range(s)]
    assert sizes == list(range(sizes[0], sizes[0] + s))
    counts = [count_windows(n, (low, high), k, s, d) for n in range(sizes[0] - 1, sizes[-1] + 2)]
    assert counts == [windows - 1, *[windows] * s, windows + 1]


def test_the_worked_example_has_four_windows_and_no_leftover():
    spec = ConvSpec.parse("c1 i5x5 o1 k3x3 s2")
    assert spec.out_size == (2, 2)
    assert spec.leftover == (0, 0)
    assert (spec.macs, spec.flops) == (36, 72)


def test_shapes_of_all_arrays():
    spec = ConvSpec.parse("n2 c6 i5x7 o9 k3x2 s2x1 p1x0:1 g3")
    assert spec.x_shape == (2, 6, 5, 7)
    assert spec.w_shape == (9, 2, 3, 2)
    assert spec.b_shape == (9,)
    assert spec.bx_shape == (6,)
    assert spec.y_shape == (2, 9, 3, 7)
    assert spec.axes == 2
    assert spec.macs == 2 * 9 * 3 * 7 * 2 * 3 * 2


@given(conv_specs())
def test_the_leftover_is_what_the_last_window_does_not_reach(spec):
    for axis in range(spec.axes):
        reach = (spec.out_size[axis] - 1) * spec.stride[axis]
        reach += spec.dilation[axis] * (spec.kernel[axis] - 1) + 1
        padded = spec.in_size[axis] + sum(spec.padding[axis])
        assert padded - reach == spec.leftover[axis]
        assert 0 <= spec.leftover[axis] < spec.stride[axis]


def test_products_are_python_integers_beyond_32_bits():
    spec = ConvSpec.parse("n65536 c4096 i224x224 o4096 k3x3 p1")
    assert spec.macs == 65536 * 4096 * 224 * 224 * 4096 * 9


@given(st.integers(1, 40), st.integers(1, 7), st.integers(1, 5), st.integers(1, 3))
def test_same_padding_gives_the_ceiling_and_pads_no_more_than_it_needs(size, k, s, d):
    ((low, high),) = same_padding((size,), (k,), (s,), (d,))
    assert count_windows(size, (low, high), k, s, d) == -(-size // s)
    assert 0 <= high - low <= 1
    if high > 0:
        assert count_windows(size, (low, high - 1), k, s, d) < -(-size // s)


def test_same_padding_of_an_odd_total_puts_the_rest_high():
    assert same_padding((6, 5), (2, 4), (1, 2), (1, 1)) == ((0, 1), (1, 2))


# ---- a value -------------------------------------------------------------------------------------


def test_a_spec_is_a_frozen_hashable_value():
    a, b = ConvSpec.parse("c1 i5 o1 k3"), ConvSpec.from_shapes((1, 1, 5), (1, 1, 3))
    assert a == b
    assert hash(a) == hash(b)
    assert a != ConvSpec.parse("c1 i5 o1 k3 s2")
    assert pickle.loads(pickle.dumps(a)) == copy.copy(a) == a
    with pytest.raises(AttributeError):
        a.batch = 2


def test_what_follows_from_a_spec_is_made_once():
    spec = ConvSpec.parse("n8 c4 i5x6 o2 k3x3 g2")
    assert spec.shapes["x"] == spec.shapes["gx"] == (8, 4, 5, 6)
    assert spec.shapes["w"] == spec.shapes["gw"] == (2, 2, 3, 3)
    assert spec.shapes["y"] == spec.shapes["gy"] == (8, 2, 3, 4)
    assert (spec.shapes["b"], spec.shapes["bx"]) == ((2,), (4,))
    assert spec.of_one_image == ConvSpec.parse("c4 i5x6 o2 k3x3 g2")
    for name in ("x_shape", "w_shape", "y_shape", "shapes", "of_one_image", "op"):
        assert getattr(spec, name) is getattr(spec, name)


# ---- the one-line name ---------------------------------------------------------------------------


@given(conv_specs())
def test_a_name_reads_back_as_the_same_spec(spec):
    assert ConvSpec.parse(str(spec)) == spec
    assert eval(repr(spec), {"ConvSpec": ConvSpec}) == spec


@pytest.mark.parametrize("spec", PROBLEMS, ids=str)
def test_names_of_the_problems_read_back(spec):
    assert str(ConvSpec.parse(str(spec))) == str(spec)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("n1 c3 i8x8 o4 k3 s1 p0 d1 g1", "c3 i8x8 o4 k3x3"),
        ("k3 o4 i8x8 c3", "c3 i8x8 o4 k3x3"),
        ("c3  i8x8 o4 k3x3 s2x2 p1x1 d2x2", "c3 i8x8 o4 k3x3 s2 p1 d2"),
        ("c3 i8x8 o4 k3 s2x1 p0x2", "c3 i8x8 o4 k3x3 s2x1 p0x2"),
        ("c3 i8x8 o4 k3 p0:1x2:1", "c3 i8x8 o4 k3x3 p0:1x2:1"),
        ("c3 i8x8 o4 k3 p0:1", "c3 i8x8 o4 k3x3 p0:1"),
        ("c3 i8x8 o4 k3 p2:2x-1:3", "c3 i8x8 o4 k3x3 p2x-1:3"),
        ("n0 c6 i9 o4 k3 p-1 g2", "n0 c6 i9 o4 k3 p-1 g2"),
        ("c1 i4x5x6 o1 k2x1x3", "c1 i4x5x6 o1 k2x1x3"),
    ],
)
def test_the_canonical_name(text, canonical):
    assert str(ConvSpec.parse(text)) == canonical


# ---- from shapes ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({}, "n2 c4 i9x8 o6 k3x2"),
        ({"stride": 2, "padding": 1}, "n2 c4 i9x8 o6 k3x2 s2 p1"),
        ({"stride": [2, 1], "dilation": [1, 3]}, "n2 c4 i9x8 o6 k3x2 s2x1 d1x3"),
        ({"padding": (1, 2)}, "n2 c4 i9x8 o6 k3x2 p1x2"),
        ({"padding": ((0, 1), 2)}, "n2 c4 i9x8 o6 k3x2 p0:1x2"),
        ({"padding": [[0, 1], [-1, 1]]}, "n2 c4 i9x8 o6 k3x2 p0:1x-1:1"),
        ({"padding": "valid"}, "n2 c4 i9x8 o6 k3x2"),
        ({"padding": "same"}, "n2 c4 i9x8 o6 k3x2 p1x0:1"),
        ({"padding": "same", "stride": 2, "dilation": 2}, "n2 c4 i9x8 o6 k3x2 s2 p2x0:1 d2"),
        ({"stride": np.int32(2)}, "n2 c4 i9x8 o6 k3x2 s2"),
    ],
)
def test_options_are_pytorchs(options, name):
    assert str(ConvSpec.from_shapes((2, 4, 9, 8), (6, 4, 3, 2), **options)) == name


def test_groups_are_read_from_the_shape_of_w():
    assert str(ConvSpec.from_shapes((1, 6, 5), (9, 2, 3), groups=3)) == "c6 i5 o9 k3 g3"


@given(conv_specs())
def test_from_shapes_gives_the_spec_of_those_shapes(spec):
    again = ConvSpec.from_shapes(
        spec.x_shape, spec.w_shape, spec.stride, spec.padding, spec.dilation, spec.groups
    )
    assert again == spec


def test_the_numbers_of_a_spec_are_python_integers():
    spec = ConvSpec.from_shapes((1, 1, 5), (1, 1, 3), np.int64(2), np.int64(1), (np.int8(1),))
    assert {type(n) for n in (*spec.stride, *spec.padding[0], *spec.dilation)} == {int}


# ---- messages ------------------------------------------------------------------------------------


@given(conv_fields())
def test_a_kernel_that_does_not_fit_is_a_shape_error(fields):
    if has_windows(fields):
        ConvSpec(**fields)
    else:
        with pytest.raises(ShapeError, match="the kernel is larger than the padded input along "):
            ConvSpec(**fields)


def from_shapes(*arguments: object, **options: object) -> Callable[[], object]:
    return lambda: ConvSpec.from_shapes(*arguments, **options)


def parse(text: str) -> Callable[[], object]:
    return lambda: ConvSpec.parse(text)


X, W = (8, 3, 32, 32), (16, 3, 3, 3)

MESSAGES = [
    (
        from_shapes(X, (16, 4, 3, 3), padding=1),
        ShapeError,
        "conv2d: x has C=3 channels, but w expects C=4 (groups=1)\n"
        "  x (N=8, C=3, H=32, W=32)    w (O=16, C/G=4, KH=3, KW=3)    n8 c3 i32x32 o16 k3x3 p1\n"
        "  fix: build the layer with in_channels=3, or move the channel axis of x to position 1",
    ),
    (
        from_shapes((8, 6, 32), (9, 2, 5), groups=2),
        ShapeError,
        "conv1d: x has C=6 channels, but w expects C=4 (groups=2)\n"
        "  x (N=8, C=6, W=32)    w (O=9, C/G=2, KW=5)    n8 c6 i32 o9 k5 g2\n"
        "  fix: build the layer with in_channels=6, or move the channel axis of x to position 1",
    ),
    (
        from_shapes((2, 4, 8, 8, 8), (6, 1, 3, 3, 3), groups=4),
        ShapeError,
        "conv3d: O=6 channels do not divide into groups=4 (6 % 4 = 2)\n"
        "  n2 c4 i8x8x8 o6 k3x3x3 g4\n"
        "  fix: choose groups that divide both C and O",
    ),
    (
        parse("c6 i8x8 o8 k3 g4"),
        ShapeError,
        "conv2d: C=6 channels do not divide into groups=4 (6 % 4 = 2)\n"
        "  c6 i8x8 o8 k3x3 g4\n"
        "  fix: choose groups that divide both C and O",
    ),
    (
        from_shapes((1, 3, 5, 2), W, padding=((0, 0), (0, 1)), dilation=2),
        ShapeError,
        "conv2d: the kernel is larger than the padded input along W: "
        "d (k - 1) + 1 = 5 > 3 = in + p_low + p_high\n"
        "  x (N=1, C=3, H=5, W=2)    w (O=16, C/G=3, KH=3, KW=3)    "
        "c3 i5x2 o16 k3x3 p0x0:1 d2\n"
        "  fix: pad x more, or use a smaller kernel or dilation",
    ),
    (
        from_shapes((3, 32, 32), W),
        ShapeError,
        "conv2d: x has 3 axes, but w has 4\n"
        "  x (3, 32, 32)    w (O=16, C/G=3, KH=3, KW=3)\n"
        "  fix: give x the axes (N, C, H, W); one image becomes a batch with x[None]",
    ),
    (
        from_shapes(X, (16, 3)),
        ShapeError,
        "conv: w has 2 axes, but a kernel has 3, 4 or 5\n"
        "  x (8, 3, 32, 32)    w (16, 3)\n"
        "  fix: give w the axes (O, C/G, KW), (O, C/G, KH, KW) or (O, C/G, KD, KH, KW)",
    ),
    (
        from_shapes(X, W, stride=(1, 2, 3)),
        ShapeError,
        "conv2d: stride=(1, 2, 3) has 3 numbers, but x has 2 spatial axes\n"
        "  fix: give stride one number for each spatial axis of x",
    ),
    (
        from_shapes((1, 3, 9), (4, 3, 3), dilation=(1, 1)),
        ShapeError,
        "conv1d: dilation=(1, 1) has 2 numbers, but x has 1 spatial axis\n"
        "  fix: give dilation one number for each spatial axis of x",
    ),
    (
        from_shapes(X, W, padding=((1, 2, 3), 0)),
        ShapeError,
        "conv2d: padding=(1, 2, 3) of one axis has 3 numbers\n"
        "  fix: give each axis one number, or a pair (low, high)",
    ),
    (
        from_shapes(X, W, stride=0),
        ShapeError,
        "conv2d: stride=(0, 0), but it must be at least 1\n"
        "  n8 c3 i32x32 o16 k3x3 s0\n"
        "  fix: give stride numbers of 1 or more",
    ),
    (
        from_shapes(X, W, stride=0, padding="same"),
        ShapeError,
        "same_padding: stride=(0, 0), but it must be at least 1\n"
        "  fix: give stride numbers of 1 or more",
    ),
    (
        from_shapes(X, W, groups=0),
        ShapeError,
        "conv2d: groups=0, but it must be at least 1\n  fix: give groups numbers of 1 or more",
    ),
    (
        from_shapes((8, 3, 0, 32), W),
        ShapeError,
        "conv2d: in_size=(0, 32), but it must be at least 1\n"
        "  n8 c3 i0x32 o16 k3x3\n"
        "  fix: give in_size numbers of 1 or more",
    ),
    (
        lambda: ConvSpec(-1, 1, (5,), 1, (3,), (1,), ((0, 0),), (1,), 1),
        ShapeError,
        "conv1d: batch=-1 is less than 0\n  n-1 c1 i5 o1 k3\n  fix: use 0 or more",
    ),
    (
        lambda: ConvSpec(1, 1, (), 1, (), (), (), (), 1),
        ShapeError,
        "conv: in_size=() has 0 numbers, but there are 1 to 3 axes\n"
        "  fix: give in_size one number for each spatial axis of x",
    ),
    (
        from_shapes(X, W, stride=1.5),
        ArgumentError,
        "conv2d: stride=1.5 is not a whole number\n  fix: give stride whole numbers",
    ),
    (
        from_shapes(X, W, dilation=(1, "2")),
        ArgumentError,
        "conv2d: dilation='2' is not a whole number\n  fix: give dilation whole numbers",
    ),
    (
        from_shapes(X, W, padding=None),
        ArgumentError,
        "conv2d: padding=None is not a whole number\n  fix: give padding whole numbers",
    ),
    (
        from_shapes(X, W, padding="full"),
        ArgumentError,
        "conv2d: padding='full' is not a padding\n  fix: use 'same', 'valid' or whole numbers",
    ),
    (
        parse("n8 c3 h32 o16 k3"),
        ArgumentError,
        "ConvSpec.parse: 'h32' begins with no known key\n"
        "  'n8 c3 h32 o16 k3'\n"
        "  fix: the keys are n c i o k s p d g",
    ),
    (
        parse("c3 i32 o16 k3 s1 s2"),
        ArgumentError,
        "ConvSpec.parse: key 's' comes twice, 's1' and 's2'\n"
        "  'c3 i32 o16 k3 s1 s2'\n"
        "  fix: keep one of them",
    ),
    (
        parse("c3 i32 o16"),
        ArgumentError,
        "ConvSpec.parse: key 'k' is missing\n"
        "  'c3 i32 o16'\n"
        "  fix: give at least c, i, o and k, as in c3 i32x32 o16 k3x3",
    ),
    (
        parse("c3 i32x32 o16 k3y3"),
        ArgumentError,
        "ConvSpec.parse: 'k3y3' is not 'k' and what belongs behind it\n"
        "  'c3 i32x32 o16 k3y3'\n"
        "  fix: write it like k3 or k3x5",
    ),
    (
        parse("c3x3 i32x32 o16 k3"),
        ArgumentError,
        "ConvSpec.parse: 'c3x3' is not 'c' and what belongs behind it\n"
        "  'c3x3 i32x32 o16 k3'\n"
        "  fix: write it like c8",
    ),
    (
        parse("c3 i32x32 o16 k3 p1:2:3"),
        ArgumentError,
        "ConvSpec.parse: 'p1:2:3' is not 'p' and what belongs behind it\n"
        "  'c3 i32x32 o16 k3 p1:2:3'\n"
        "  fix: write it like p1 or p0x2 or p0:1x-2:1",
    ),
    (
        parse("c3 i32x32 o16 k3 s1x2x3"),
        ShapeError,
        "conv2d: stride=(1, 2, 3) has 3 numbers, but x has 2 spatial axes\n"
        "  fix: give stride one number for each spatial axis of x",
    ),
]


@pytest.mark.parametrize(
    ("call", "kind", "message"), MESSAGES, ids=[m.splitlines()[0] for *_, m in MESSAGES]
)
def test_messages_word_for_word(call, kind, message):
    with pytest.raises(kind) as caught:
        call()
    assert str(caught.value) == message


@pytest.mark.parametrize("part", ["c", "k-3", "s+1", "n1.5", "i3x", "ix3", "p1x", "p--1", "d٣"])
def test_text_that_is_no_number_is_refused(part):
    fields = {"c": "c3", "i": "i8", "o": "o4", "k": "k3", part[0]: part}
    with pytest.raises(ArgumentError, match=r"is not '.' and what belongs behind it"):
        ConvSpec.parse(" ".join(fields.values()))
