"""A transposed convolution, said as the `ConvSpec` of the convolution whose grad_input it is.

That convolution goes the other way, from the O channels and the size of y to the C channels and the
size of x: our x is its gy, our y its gx, and w (C, O/G, KH, KW) has the shape that it has there.

    y[n,o,h,w] = b[o] + sum over c,u,v and the i,j with  h = i s + u d - p,  w = j s + v d - p,
                 of  x[n,c,i,j] w[c,o,u,v]

Several sizes of y lead to one size of x (docs/maths.md, 9); `output_padding` chooses among them.
Not here: arithmetic, which is `grad_input`. Next room: spec.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

from pellucid.errors import ArgumentError, ShapeError, named_shape
from pellucid.kernels.conv.spec import (
    LETTERS,
    ConvSpec,
    Pads,
    Sizes,
    SizesLike,
    check_count,
    check_positive,
    count_pixels,
    hashable,
    pads_per_axis,
    per_axis,
    whole,
)

# What a caller may write for the padding: no 'same', since y is not held to the size of x.
PairsLike: TypeAlias = int | Sequence[int | Sequence[int]]


def transposed_spec(
    x_shape: Iterable[int],
    w_shape: Iterable[int],
    stride: SizesLike = 1,
    padding: PairsLike = 0,
    output_padding: SizesLike = 0,
    groups: int = 1,
    dilation: SizesLike = 1,
) -> ConvSpec:
    """Return the spec whose grad_input is the transposed convolution of x with w.

    Shapes: x (N, C, H, W), w (C, O/G, KH, KW), or with one or three spatial axes; the spec has
    C output channels, O input channels, and as its in_size the spatial size of y.
    Maths: OH = (H - 1) s - p_low - p_high + d (KH - 1) + 1 + output_padding. What output_padding
    has beyond a leftover, which is less than s, makes p_high smaller (docs/maths.md, 9).
    Cost: a dictionary look-up for the shapes of the last thousand calls.
    Raises: ShapeError for sizes that do not fit together, ArgumentError for options that are no
    sizes; they name the op conv_transpose1d, 2d or 3d, and arrays as its caller does.

    >>> str(transposed_spec((8, 64, 7, 7), (64, 32, 3, 3), stride=2, padding=1, output_padding=1))
    'n8 c32 i14x14 o64 k3x3 s2 p1'
    """
    return _transposed_spec(
        tuple(x_shape),
        tuple(w_shape),
        hashable(stride),
        hashable(padding),
        hashable(output_padding),
        hashable(groups),
        hashable(dilation),
    )


def output_padding_for(
    x_shape: Sequence[int],
    output_size: Sequence[int],
    kernel: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
) -> Sizes:
    """Return the output_padding with which a transposed convolution has that output size.

    Shapes: x (N, C, H, W); output_size (OH, OW), or (N, O, OH, OW), of which the last are taken.
    Maths: output_size less the size without output_padding, from 0 to s - 1 (docs/maths.md, 9).
    Raises: ShapeError for a size out of this reach.

    >>> output_padding_for((8, 64, 7, 7), (14, 13), (3, 3), (2, 2), (1, 1), (1, 1))
    (1, 0)
    """
    axes = len(kernel)
    op, sizes = f"conv_transpose{axes}d", tuple(output_size)
    sizes = sizes[2:] if len(sizes) == axes + 2 else sizes
    check_count(op, "output_size", sizes, axes)
    found = []
    for axis, (size, windows, k, s, p, d) in enumerate(
        zip(sizes, x_shape[2:], kernel, stride, padding, dilation, strict=True)
    ):
        least = count_pixels(windows, (p, p), k, s, d)
        if not least <= size < least + s:
            reach = f"{least}" if s == 1 else f"{least} to {least + s - 1}"
            raise ShapeError(
                op,
                f"output_size={size} along {_letter(axis, axes)}, where {windows} pixels of x "
                f"become {reach}",
                named_transposed("x", x_shape),
                fix="ask for a size in that range, or change stride, padding or kernel",
            )
        found.append(size - least)
    return tuple(found)


# The cache finds a key by ==, so a number that equals an integer counts as that integer (`whole`).
@lru_cache(maxsize=1024)
def _transposed_spec(
    x_shape: Sizes,
    w_shape: Sizes,
    stride: Any,
    padding: Any,
    output_padding: Any,
    groups: Any,
    dilation: Any,
) -> ConvSpec:
    axes = len(w_shape) - 2
    op, facts = (
        f"conv_transpose{axes}d",
        (named_transposed("x", x_shape), named_transposed("w", w_shape)),
    )
    assert len(x_shape) == len(w_shape), facts  # the op has held both to its number of axes
    strides, dilations = (
        per_axis(op, name, option, axes)
        for name, option in (("stride", stride), ("dilation", dilation))
    )
    G = whole(op, "groups", groups)
    for name, numbers in (("stride", strides), ("dilation", dilations), ("groups", (G,))):
        check_positive(op, name, numbers)
    _check_channels(op, x_shape, w_shape, G, facts)
    extra = per_axis(op, "output_padding", output_padding, axes)
    _check_output_padding(op, extra, strides, dilations)
    if isinstance(padding, str):
        raise ArgumentError(
            op,
            f"padding={padding!r} is not for a transposed convolution",
            fix="give whole numbers; output_padding chooses among the sizes that y may have",
        )
    pads = tuple(
        (low, high - (more - more % s))
        for (low, high), more, s in zip(
            pads_per_axis(op, padding, axes), extra, strides, strict=True
        )
    )
    y_size = _y_size(op, x_shape[2:], w_shape[2:], pads, extra, strides, dilations, facts)
    N, C = x_shape[:2]
    return ConvSpec(N, w_shape[1] * G, y_size, C, w_shape[2:], strides, pads, dilations, G)


def _check_channels(
    op: str, x_shape: Sizes, w_shape: Sizes, G: int, facts: tuple[str, ...]
) -> None:
    """Hold w to the channels of x, these to whole groups, and all sizes to at least 1."""
    for name, sizes in (("x", x_shape[1:]), ("w", w_shape)):
        if 0 in sizes:
            raise ShapeError(
                op,
                f"{name} has an axis of size 0, which only the batch may be",
                *facts,
                fix=f"give {name} sizes of 1 or more",
            )
    C = x_shape[1]
    if w_shape[0] != C:
        raise ShapeError(
            op,
            f"x has C={C} channels, but w expects C={w_shape[0]}",
            *facts,
            fix=f"build the layer with in_channels={C}, "
            "or move the channel axis of x to position 1",
        )
    if rest := C % G:
        raise ShapeError(
            op,
            f"C={C} channels do not divide into groups={G} ({C} % {G} = {rest})",
            *facts,
            fix="choose groups that divide C",
        )


def _check_output_padding(op: str, extra: Sizes, strides: Sizes, dilations: Sizes) -> None:
    """Hold output_padding to what PyTorch allows: from 0, and below the stride or the dilation."""
    for axis, (more, s, d) in enumerate(zip(extra, strides, dilations, strict=True)):
        if not 0 <= more < max(s, d):
            raise ShapeError(
                op,
                f"output_padding={more} along {_letter(axis, len(extra))} is not from 0 to "
                f"{max(s, d) - 1}, below the larger of stride={s} and dilation={d}",
                fix="use a smaller output_padding, or ops.pad for a border",
            )


def _y_size(
    op: str,
    x_size: Sizes,
    kernel: Sizes,
    pads: Pads,
    extra: Sizes,
    strides: Sizes,
    dilations: Sizes,
    facts: tuple[str, ...],
) -> Sizes:
    """The spatial size of y, by the size formula; p_high is already smaller for output_padding."""
    sizes = []
    for axis, (windows, k, pad, more, s, d) in enumerate(
        zip(x_size, kernel, pads, extra, strides, dilations, strict=True)
    ):
        sizes.append(count_pixels(windows, pad, k, s, d, more % s))
        if sizes[-1] < 1:
            raise ShapeError(
                op,
                f"y would have {sizes[-1]} pixels along {_letter(axis, len(kernel))}: "
                "(in - 1) s - p_low - p_high + d (k - 1) + 1 + output_padding",
                *facts,
                fix="pad less, or use a larger kernel, stride or output_padding",
            )
    return tuple(sizes)


def named_transposed(name: str, shape: Sequence[int]) -> str:
    """Return the shape of x or w with the letters that they have in a transposed convolution.

    >>> named_transposed("w", (64, 32, 3, 3))
    'w (C=64, O/G=32, KH=3, KW=3)'
    """
    spatial = LETTERS[2 - len(shape) :]
    letters = {"x": ["N", "C", *spatial], "w": ["C", "O/G", *(f"K{axis}" for axis in spatial)]}
    return named_shape(name, " ".join(letters[name]), shape)


def _letter(axis: int, axes: int) -> str:
    return LETTERS[axis - axes]
