"""One convolution, said once: `ConvSpec`, its size formula, and its one-line name.

`str(spec)` is the name of the problem in errors, test ids, benchmarks and on the command line, and
`ConvSpec.parse` reads it back: `n8 c64 i56x56 o64 k3x3 p1`. Its grammar, in EBNF:

    spec    = field { " " field } ;       each key at most once; c i o k must be there
    field   = "n" number                  batch, default 1
            | "c" number                  channels of x
            | "i" numbers                 spatial size of x: as many numbers as spatial axes
            | "o" number                  channels of y
            | "k" numbers                 kernel
            | "s" numbers                 stride, default 1
            | "p" pads                    padding, default 0
            | "d" numbers                 dilation, default 1
            | "g" number ;                groups, default 1
    numbers = number { "x" number } ;     one number means all axes (but i says how many there are)
    pads    = pad { "x" pad } ;           one pad means all axes
    pad     = integer [ ":" integer ] ;   both ends, or low:high; a negative one crops x
    integer = [ "-" ] number ;
    number  = digit { digit } ;

`str` writes the keys in this order, leaves defaults out, and writes s, p and d as one number where
all axes agree. Not here: arrays. Next room: __init__.py, which chooses an algorithm for a spec.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property, lru_cache
from math import prod
from typing import Any, Literal, TypeAlias, TypeVar

from pellucid.errors import ArgumentError, ShapeError, named_shape

Direction: TypeAlias = Literal["forward", "grad_input", "grad_weight"]
Sizes: TypeAlias = tuple[int, ...]
Pads: TypeAlias = tuple[tuple[int, int], ...]

# What a caller may write for one option of all axes: `2`, `(2, 1)`; for padding also 'same',
# 'valid' and `((low, high), ...)`.
SizesLike: TypeAlias = int | Sequence[int]
PadsLike: TypeAlias = int | str | Sequence[int | Sequence[int]]
Entry = TypeVar("Entry")

LETTERS = "DHW"  # the spatial axes; fewer than three are the last ones


def count_windows(size: int, pad: tuple[int, int], kernel: int, stride: int, dilation: int) -> int:
    """Return how many windows lie along one axis; less than 1 where none does.

    Maths: out = floor((in + p_low + p_high - d (k - 1) - 1) / s) + 1     (docs/maths.md, 2)

    >>> count_windows(5, (0, 0), kernel=3, stride=2, dilation=1)
    2
    """
    return (size + pad[0] + pad[1] - dilation * (kernel - 1) - 1) // stride + 1


def count_pixels(
    windows: int, pad: tuple[int, int], kernel: int, stride: int, dilation: int, leftover: int = 0
) -> int:
    """Return how long an axis with so many windows is: `count_windows` solved for `in`.

    Maths: in = (out - 1) s - p_low - p_high + d (k - 1) + 1 + leftover     (docs/maths.md, 9)

    >>> count_pixels(2, (0, 0), kernel=3, stride=2, dilation=1, leftover=1)
    6
    """
    return (windows - 1) * stride - sum(pad) + dilation * (kernel - 1) + 1 + leftover


def same_padding(in_size: Sizes, kernel: Sizes, stride: Sizes, dilation: Sizes) -> Pads:
    """Return the padding with which out = ceil(in / s) along each axis, for any stride.

    Maths: total = max((out - 1) s + d (k - 1) + 1 - in, 0), low = total // 2, high = the rest
    (docs/maths.md, 3).
    Raises: ShapeError for a stride less than 1.

    >>> same_padding((5, 6), kernel=(3, 2), stride=(2, 1), dilation=(1, 1))
    ((1, 1), (0, 1))
    """
    check_positive("same_padding", "stride", stride)
    pads = []
    for size, k, s, d in zip(in_size, kernel, stride, dilation, strict=True):
        out = -(-size // s)
        total = max((out - 1) * s + d * (k - 1) + 1 - size, 0)
        pads.append((total // 2, total - total // 2))
    return tuple(pads)


def named_array(name: str, shape: Sequence[int], axes: int) -> str:
    """Return the shape of x, w, b, bx, y or of their gradients with the letters of its axes.

    >>> named_array("gw", (16, 3, 5, 5), axes=2)
    'gw (O=16, C/G=3, KH=5, KW=5)'
    """
    spatial = LETTERS[-axes:]
    letters = {
        "x": ["N", "C", *spatial],
        "w": ["O", "C/G", *(f"K{axis}" for axis in spatial)],
        "b": ["O"],
        "bx": ["C"],
        "y": ["N", "O", *(f"O{axis}" for axis in spatial)],
    }
    return named_shape(name, " ".join(letters[name.removeprefix("g")]), shape)


@dataclass(frozen=True, repr=False)
class ConvSpec:
    """One convolution: everything that a kernel is told, beside the dtype.

    Shapes: x (N, C, *in_size), w (O, C/G, *kernel), b (O), y (N, O, *out_size), with 1, 2 or 3
    spatial axes. `padding` is ((low, high), ...), negative where x is cropped; `batch` may be 0.
    Cost: what each call asks for is made once and kept with the spec.
    Raises: ShapeError where the numbers do not make a convolution.

    >>> spec = ConvSpec.parse("c1 i5x5 o1 k3x3 s2")
    >>> spec.out_size, spec.leftover, spec.macs
    ((2, 2), (0, 0), 36)
    """

    batch: int
    in_channels: int
    in_size: Sizes
    out_channels: int
    kernel: Sizes
    stride: Sizes
    padding: Pads
    dilation: Sizes
    groups: int
    out_size: Sizes = field(init=False, compare=False)
    elements: int = field(init=False, compare=False)  # of padded x, w and y together

    def __post_init__(self) -> None:
        self._check_axes()
        self._check_signs()
        self._check_groups()
        object.__setattr__(self, "out_size", self._windows())
        padded = (max(i, i + sum(p)) for i, p in zip(self.in_size, self.padding, strict=True))
        padded_x = self.batch * self.in_channels * prod(padded)
        elements = padded_x + prod(self.w_shape) + prod(self.y_shape)
        object.__setattr__(self, "elements", elements)

    @staticmethod
    def from_shapes(
        x_shape: Iterable[int],
        w_shape: Iterable[int],
        stride: SizesLike = 1,
        padding: PadsLike = 0,
        dilation: SizesLike = 1,
        groups: int = 1,
    ) -> ConvSpec:
        """Return the spec of a convolution of two arrays, from their shapes and PyTorch's options.

        Shapes: x (N, C, ...), w (O, C/G, ...). One number stands for all spatial axes; `padding`
        is also 'same', 'valid', or holds a (low, high) pair in place of a number.
        Cost: a dictionary look-up for the shapes of the last thousand calls.
        Raises: ShapeError for shapes that do not fit together, ArgumentError for options that are
        no sizes.

        >>> str(ConvSpec.from_shapes((8, 3, 32, 32), (16, 3, 3, 3), padding="same"))
        'n8 c3 i32x32 o16 k3x3 p1'
        """
        return _from_shapes(
            tuple(x_shape),
            tuple(w_shape),
            hashable(stride),
            hashable(padding),
            hashable(dilation),
            hashable(groups),
        )

    @staticmethod
    def parse(text: str) -> ConvSpec:
        """Return the spec of that one-line name.

        Raises: ArgumentError for text outside the grammar (see the top of this file), ShapeError
        for numbers that do not make a convolution.

        >>> ConvSpec.parse("n8 c3 i32x32 o16 k3 p0:1").padding
        ((0, 1), (0, 1))
        """
        return _parse(text)

    def __str__(self) -> str:
        return _one_line(
            self.batch,
            self.in_channels,
            self.in_size,
            self.out_channels,
            self.kernel,
            self.stride,
            self.padding,
            self.dilation,
            self.groups,
        )

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        """Of what is compared. Caches ask for it in every call."""
        return hash(tuple(getattr(self, part.name) for part in fields(self) if part.compare))

    def __repr__(self) -> str:
        return f"ConvSpec.parse({str(self)!r})"

    @cached_property
    def axes(self) -> int:
        """The number of spatial axes."""
        return len(self.in_size)

    @cached_property
    def op(self) -> str:
        """The name of the op in messages, conv1d, conv2d or conv3d."""
        return f"conv{self.axes}d"

    @cached_property
    def x_shape(self) -> Sizes:
        """(N, C, *in_size)."""
        return (self.batch, self.in_channels, *self.in_size)

    @cached_property
    def w_shape(self) -> Sizes:
        """(O, C/G, *kernel)."""
        return (self.out_channels, self.in_channels // self.groups, *self.kernel)

    @cached_property
    def b_shape(self) -> Sizes:
        """(O,)."""
        return (self.out_channels,)

    @cached_property
    def bx_shape(self) -> Sizes:
        """(C,): the bias of a transposed convolution, which is added to gx."""
        return (self.in_channels,)

    @cached_property
    def y_shape(self) -> Sizes:
        """(N, O, *out_size)."""
        return (self.batch, self.out_channels, *self.out_size)

    @cached_property
    def shapes(self) -> dict[str, Sizes]:
        """The shapes of all arrays by their names, which begin with g where they are gradients."""
        x, w, y = self.x_shape, self.w_shape, self.y_shape
        biases = {"b": self.b_shape, "bx": self.bx_shape}
        return {"x": x, "w": w, "y": y, "gx": x, "gw": w, "gy": y, **biases}

    @cached_property
    def of_one_image(self) -> ConvSpec:
        """The same convolution with the batch 1."""
        return replace(self, batch=1)

    @property
    def leftover(self) -> Sizes:
        """How many last rows of the padded input no window reaches, for each axis.

        Maths: (in + p_low + p_high - d (k - 1) - 1) mod s     (docs/maths.md, 6)
        """
        return tuple(
            (size + low + high - d * (k - 1) - 1) % s
            for size, (low, high), k, s, d in zip(
                self.in_size, self.padding, self.kernel, self.stride, self.dilation, strict=True
            )
        )

    @property
    def macs(self) -> int:
        """Multiply-adds of any one of the three directions, those with padding included."""
        return prod(self.y_shape) * prod(self.w_shape[1:])

    @property
    def flops(self) -> int:
        """Floating-point operations of any one of the three directions: two for a multiply-add."""
        return 2 * self.macs

    def _check_axes(self) -> None:
        """Hold 1 to 3 spatial axes and one number for each of them."""
        if not 1 <= self.axes <= len(LETTERS):
            raise ShapeError(
                "conv",
                f"in_size={self.in_size} has {_count(self.in_size)}, but there are 1 to 3 axes",
                fix="give in_size one number for each spatial axis of x",
            )
        for name in ("kernel", "stride", "padding", "dilation"):
            check_count(self.op, name, getattr(self, name), self.axes)

    def _check_signs(self) -> None:
        """Hold every size to at least 1, and the batch to at least 0."""
        if self.batch < 0:
            raise ShapeError(
                self.op, f"batch={self.batch} is less than 0", str(self), fix="use 0 or more"
            )
        for name in ("in_channels", "out_channels", "groups"):
            check_positive(self.op, name, (getattr(self, name),), self)
        for name in ("in_size", "kernel", "stride", "dilation"):
            check_positive(self.op, name, getattr(self, name), self)

    def _check_groups(self) -> None:
        """Hold both channel counts to whole groups."""
        for letter, channels in (("C", self.in_channels), ("O", self.out_channels)):
            if rest := channels % self.groups:
                raise ShapeError(
                    self.op,
                    f"{letter}={channels} channels do not divide into groups={self.groups} "
                    f"({channels} % {self.groups} = {rest})",
                    str(self),
                    fix="choose groups that divide both C and O",
                )

    def _windows(self) -> Sizes:
        """The spatial size of y, by the size formula."""
        out = []
        for axis, (size, pad, k, s, d) in enumerate(
            zip(self.in_size, self.padding, self.kernel, self.stride, self.dilation, strict=True)
        ):
            count = count_windows(size, pad, k, s, d)
            if count < 1:
                letter = LETTERS[axis - self.axes]
                raise ShapeError(
                    self.op,
                    f"the kernel is larger than the padded input along {letter}: "
                    f"d (k - 1) + 1 = {d * (k - 1) + 1} > {sum(pad, size)} = in + p_low + p_high",
                    named_array("x", self.x_shape, self.axes),
                    named_array("w", self.w_shape, self.axes),
                    str(self),
                    fix="pad x more, or use a smaller kernel or dilation",
                )
            out.append(count)
        return tuple(out)


def check_positive(op: str, name: str, sizes: Sizes, *facts: object) -> None:
    """Hold every one of these numbers to at least 1. Facts are written only where one is less."""
    if min(sizes) < 1:
        raise ShapeError(
            op,
            f"{name}={sizes[0] if len(sizes) == 1 else sizes}, but it must be at least 1",
            *map(str, facts),
            fix=f"give {name} numbers of 1 or more",
        )


def check_count(op: str, name: str, numbers: tuple[Any, ...], axes: int) -> None:
    """Hold an option to one entry for each axis."""
    if len(numbers) != axes:
        raise ShapeError(
            op,
            f"{name}={numbers} has {_count(numbers)}, but x has {axes} spatial "
            f"{'axis' if axes == 1 else 'axes'}",
            fix=f"give {name} one number for each spatial axis of x",
        )


def _count(numbers: tuple[Any, ...]) -> str:
    return "1 number" if len(numbers) == 1 else f"{len(numbers)} numbers"


# From the shapes of two arrays and PyTorch's options.


def hashable(option: object) -> object:
    """Return lists and the like as tuples, so that an option can be a key of the cache."""
    if isinstance(option, (int, str)) or not isinstance(option, Iterable):
        return option
    return tuple(hashable(part) for part in option)


# The cache finds a key by ==, so a number that equals an integer counts as that integer (`whole`).
@lru_cache(maxsize=1024)
def _from_shapes(
    x_shape: Sizes, w_shape: Sizes, stride: Any, padding: Any, dilation: Any, groups: Any
) -> ConvSpec:
    axes = _common_axes(x_shape, w_shape)
    op, in_size, kernel = f"conv{axes}d", x_shape[2:], w_shape[2:]
    strides = per_axis(op, "stride", stride, axes)
    dilations = per_axis(op, "dilation", dilation, axes)
    group_count = whole(op, "groups", groups)
    check_positive(op, "groups", (group_count,))
    if padding == "same":
        pads = same_padding(in_size, kernel, strides, dilations)
    else:
        pads = pads_per_axis(op, 0 if padding == "valid" else padding, axes)
    N, C, *_ = x_shape
    fields = (N, C, in_size, w_shape[0], kernel, strides, pads, dilations, group_count)
    if (expected := w_shape[1] * group_count) != C:
        raise ShapeError(
            op,
            f"x has C={C} channels, but w expects C={expected} (groups={group_count})",
            named_array("x", x_shape, axes),
            named_array("w", w_shape, axes),
            _one_line(*fields),
            fix=f"build the layer with in_channels={C}, "
            "or move the channel axis of x to position 1",
        )
    return ConvSpec(*fields)


def _common_axes(x_shape: Sizes, w_shape: Sizes) -> int:
    """Return the number of spatial axes, which x and w must share."""
    axes = len(w_shape) - 2
    if not 1 <= axes <= len(LETTERS):
        raise ShapeError(
            "conv",
            f"w has {len(w_shape)} axes, but a kernel has 3, 4 or 5",
            named_shape("x", "", x_shape),
            named_shape("w", "", w_shape),
            fix="give w the axes (O, C/G, KW), (O, C/G, KH, KW) or (O, C/G, KD, KH, KW)",
        )
    if len(x_shape) != len(w_shape):
        raise ShapeError(
            f"conv{axes}d",
            f"x has {len(x_shape)} axes, but w has {len(w_shape)}",
            named_array("x", x_shape, axes),
            named_array("w", w_shape, axes),
            fix=f"give x the axes ({', '.join(('N', 'C', *LETTERS[-axes:]))}); "
            "one image becomes a batch with x[None]",
        )
    return axes


def whole(op: str, name: str, number: Any) -> int:
    """Return a number that equals an integer as that integer."""
    try:
        whole = int(number)
    except (TypeError, ValueError, OverflowError):
        whole = None
    if whole is None or whole != number:
        raise ArgumentError(
            op, f"{name}={number!r} is not a whole number", fix=f"give {name} whole numbers"
        )
    return whole


def per_axis(op: str, name: str, option: Any, axes: int) -> Sizes:
    """Return one number for each axis, where one number alone stands for all."""
    if not isinstance(option, tuple):
        return (whole(op, name, option),) * axes
    check_count(op, name, option, axes)
    return tuple(whole(op, name, number) for number in option)


def pads_per_axis(op: str, option: Any, axes: int) -> Pads:
    """Return one (low, high) pair for each axis, where one number alone stands for more."""
    if isinstance(option, str):
        raise ArgumentError(
            op, f"padding={option!r} is not a padding", fix="use 'same', 'valid' or whole numbers"
        )
    if not isinstance(option, tuple):
        return (_pad(op, option),) * axes
    check_count(op, "padding", option, axes)
    return tuple(_pad(op, pad) for pad in option)


def _pad(op: str, option: Any) -> tuple[int, int]:
    """Return both ends of one axis, which are equal where one number is given."""
    if not isinstance(option, tuple):
        return (whole(op, "padding", option),) * 2
    if len(option) != 2:
        raise ShapeError(
            op,
            f"padding={option} of one axis has {_count(option)}",
            fix="give each axis one number, or a pair (low, high)",
        )
    low, high = option
    return whole(op, "padding", low), whole(op, "padding", high)


# The one-line name.

_ONE = re.compile(r"[0-9]+"), ("8",)
_MANY = re.compile(r"[0-9]+(x[0-9]+)*"), ("3", "3x5")
_PADS = re.compile(r"-?[0-9]+(:-?[0-9]+)?(x-?[0-9]+(:-?[0-9]+)?)*"), ("1", "0x2", "0:1x-2:1")
_GRAMMAR = {
    "n": _ONE,
    "c": _ONE,
    "i": _MANY,
    "o": _ONE,
    "k": _MANY,
    "s": _MANY,
    "p": _PADS,
    "d": _MANY,
    "g": _ONE,
}
_DEFAULTS = {"n": "1", "s": "1", "p": "0", "d": "1", "g": "1"}


def _one_line(
    batch: int,
    in_channels: int,
    in_size: Sizes,
    out_channels: int,
    kernel: Sizes,
    stride: Sizes,
    padding: Pads,
    dilation: Sizes,
    groups: int,
) -> str:
    """Write the name of a problem, even of one that is about to be refused."""
    pads = tuple(str(low) if low == high else f"{low}:{high}" for low, high in padding)
    fields = {
        "n": str(batch),
        "c": str(in_channels),
        "i": _joined(in_size),
        "o": str(out_channels),
        "k": _joined(kernel),
        "s": _joined_where_unequal(stride),
        "p": _joined_where_unequal(pads),
        "d": _joined_where_unequal(dilation),
        "g": str(groups),
    }
    return " ".join(key + text for key, text in fields.items() if text != _DEFAULTS.get(key))


def _joined(parts: tuple[object, ...]) -> str:
    return "x".join(map(str, parts))


def _joined_where_unequal(parts: tuple[object, ...]) -> str:
    return str(parts[0]) if len(set(parts)) == 1 else _joined(parts)


def _parse(text: str) -> ConvSpec:
    fields = _DEFAULTS | _fields(text)
    in_size = _sizes(fields["i"])
    axes = len(in_size)
    return ConvSpec(
        batch=int(fields["n"]),
        in_channels=int(fields["c"]),
        in_size=in_size,
        out_channels=int(fields["o"]),
        kernel=_for_all(_sizes(fields["k"]), axes),
        stride=_for_all(_sizes(fields["s"]), axes),
        padding=_for_all(_pads(fields["p"]), axes),
        dilation=_for_all(_sizes(fields["d"]), axes),
        groups=int(fields["g"]),
    )


def _fields(text: str) -> dict[str, str]:
    """Cut a one-line name into the text behind each key, and hold it to the grammar."""
    fields: dict[str, str] = {}
    for part in text.split():
        key, value = part[0], part[1:]
        if key not in _GRAMMAR:
            raise _parse_error(
                text, f"'{part}' begins with no known key", f"the keys are {' '.join(_GRAMMAR)}"
            )
        if key in fields:
            raise _parse_error(
                text,
                f"key '{key}' comes twice, '{key}{fields[key]}' and '{part}'",
                "keep one of them",
            )
        pattern, examples = _GRAMMAR[key]
        if not pattern.fullmatch(value):
            raise _parse_error(
                text,
                f"'{part}' is not '{key}' and what belongs behind it",
                f"write it like {' or '.join(key + example for example in examples)}",
            )
        fields[key] = value
    if missing := [key for key in _GRAMMAR if key not in fields | _DEFAULTS]:
        raise _parse_error(
            text,
            f"key '{missing[0]}' is missing",
            "give at least c, i, o and k, as in c3 i32x32 o16 k3x3",
        )
    return fields


def _parse_error(text: str, rule: str, fix: str) -> ArgumentError:
    return ArgumentError("ConvSpec.parse", rule, f"'{text}'", fix=fix)


def _sizes(text: str) -> Sizes:
    return tuple(map(int, text.split("x")))


def _pads(text: str) -> Pads:
    """Read pads such as `1x0:2`, where one number is both ends."""
    ends = [pad.partition(":") for pad in text.split("x")]
    return tuple((int(low), int(high or low)) for low, _, high in ends)


def _for_all(entries: tuple[Entry, ...], axes: int) -> tuple[Entry, ...]:
    """Repeat the one entry that stands for all axes."""
    return entries * axes if len(entries) == 1 else entries
