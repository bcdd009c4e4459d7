"""Convolutions drawn at random, so that all that can be asked for comes together.

`draw(seed, number)` is one of them: always the same one, on any machine. There are seven families,
since uniform numbers would hardly ever meet the ends of blocks: `small` has every option at once;
`wide` has channels around the ends of vectors, tiles and panels; `large` has many of them on both
sides, and enough pixels for several blocks; `filtered` is what Winograd takes, with many tiles;
`thin` is depthwise, multipliers and thin groups; `long` has many pixels; `strided` has few channels
and long steps.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from kernels.conv.checks import Case
from kernels.conv.layouts import LAYOUTS
from kernels.conv.problems import has_windows

from pellucid.kernels.conv import ConvSpec

# Around 1, 2, 4 and 8 vectors, tiles of 1 and 2 vectors, chunks of 64 and panels of 128.
CHANNELS = [
    1, 2, 3, 5, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 96, 127, 128, 129, 130, 192, 256, 260,
]  # fmt: skip
FEW = CHANNELS[:9]
MANY = CHANNELS[12:]
SIZES = [1, 2, 3, 5, 6, 7, 8, 12, 13, 15, 16, 17, 24, 25, 31, 33]
# Multiply-adds, such that a case takes a tenth of a second, and one in ten half a second.
MOST_MACS, MOST_MACS_OF_LARGE = 12_000_000, 80_000_000
MOST_ELEMENTS = 1_000_000  # of x, y or w


class Draw:
    """Numbers drawn from one generator, in the words that the families need."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def one_of(self, choices: list[Any]) -> Any:
        return choices[self.rng.integers(len(choices))]

    def between(self, low: int, high: int) -> int:
        return int(self.rng.integers(low, high + 1))

    def each(self, axes: int, low: int, high: int) -> tuple[int, ...]:
        return tuple(self.between(low, high) for _ in range(axes))

    def sizes(self, axes: int) -> tuple[int, ...]:
        return tuple(self.one_of(SIZES) for _ in range(axes))

    def pads(self, axes: int, low: int, high: int) -> tuple[tuple[int, int], ...]:
        return tuple((self.between(low, high), self.between(low, high)) for _ in range(axes))


def small(draw: Draw) -> dict[str, Any]:
    axes, groups = draw.between(1, 3), draw.one_of([1, 1, 2, 3, 5])
    return {
        "batch": draw.one_of([0, 1, 1, 2, 3, 5, 8]),
        "in_channels": groups * draw.one_of(FEW),
        "in_size": draw.each(axes, 1, 9),
        "out_channels": groups * draw.one_of(FEW),
        "kernel": draw.each(axes, 1, 4),
        "stride": draw.each(axes, 1, 5),
        "padding": draw.pads(axes, -2, 4),
        "dilation": draw.each(axes, 1, 4),
        "groups": groups,
    }


def wide(draw: Draw) -> dict[str, Any]:
    axes, groups = draw.one_of([1, 2, 2, 3]), draw.one_of([1, 1, 1, 2, 3])
    return {
        "batch": draw.one_of([1, 1, 2, 3, 4]),
        "in_channels": groups * draw.one_of(CHANNELS),
        "in_size": draw.each(axes, 1, 12),
        "out_channels": groups * draw.one_of(CHANNELS),
        "kernel": draw.one_of([(1,) * axes, (3,) * axes, draw.each(axes, 1, 5)]),
        "stride": draw.one_of([(1,) * axes, (2,) * axes, draw.each(axes, 1, 4)]),
        "padding": draw.pads(axes, draw.one_of([0, -1]), 2),
        "dilation": draw.one_of([(1,) * axes, draw.each(axes, 1, 3)]),
        "groups": groups,
    }


def large(draw: Draw) -> dict[str, Any]:
    k, groups = draw.one_of([1, 3, 3, 3, 5]), draw.one_of([1, 1, 1, 1, 2])
    once = [(1, 1)] * 3
    return {
        "batch": draw.one_of([1, 2, 3, 8]),
        "in_channels": groups * draw.one_of(MANY),
        "in_size": draw.each(2, 6, 24),
        "out_channels": groups * draw.one_of(MANY),
        "kernel": (k, k),
        "stride": draw.one_of([*once, (2, 2), draw.each(2, 1, 3)]),
        "padding": draw.pads(2, 0, k // 2),
        "dilation": draw.one_of([*once, draw.each(2, 1, 2)]),
        "groups": groups,
    }


def filtered(draw: Draw) -> dict[str, Any]:
    """Mostly 3x3 and 5x5 at stride 1; else what Winograd cuts into parts."""
    if draw.one_of([True, False]):
        return cut(draw)
    k = draw.one_of([3, 3, 3, 5])
    return {
        "batch": draw.one_of([1, 2, 3, 8, 9]),
        "in_channels": draw.one_of(CHANNELS),
        "in_size": draw.sizes(2),
        "out_channels": draw.one_of(CHANNELS),
        "kernel": (k, k),
        "stride": (1, 1),
        "padding": draw.pads(2, 0, k - 1),
        "dilation": (1, 1),
        "groups": 1,
    }


def cut(draw: Draw) -> dict[str, Any]:
    """Kernels that Winograd cuts into parts, for size, stride, dilation or a third axis."""
    axes, groups = draw.one_of([1, 2, 2, 3]), draw.one_of([1, 1, 1, 2, 3])
    kernel = tuple(
        draw.one_of([2, 3, 3] if axes == 3 else [3, 4, 5, 7, 9, 11]) for _ in range(axes)
    )
    stride = draw.one_of([(1,) * axes, draw.each(axes, 1, 3)])
    dilation = draw.one_of([(1,) * axes, draw.each(axes, 1, 3)])
    ends = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
    windows = draw.each(axes, 1, {1: 60, 2: 17, 3: 7}[axes])
    padding = tuple((draw.between(0, end), draw.between(0, end)) for end in ends)
    numbers = zip(windows, stride, ends, padding, strict=True)
    return {
        "batch": draw.one_of([1, 1, 2, 3, 8]),
        "in_channels": groups * draw.one_of(CHANNELS[:17]),
        "in_size": tuple(
            max(1, (out - 1) * s + end + 1 - sum(pads) + draw.between(0, 2))
            for out, s, end, pads in numbers
        ),
        "out_channels": groups * draw.one_of(CHANNELS[:17]),
        "kernel": kernel,
        "stride": stride,
        "padding": padding,
        "dilation": dilation,
        "groups": groups,
    }


def thin(draw: Draw) -> dict[str, Any]:
    axes, groups = draw.one_of([1, 2, 2, 3]), draw.one_of(CHANNELS)
    multiple = draw.one_of([1, 1, 2, 4, 8, 16])
    return {
        "batch": draw.one_of([1, 2, 3, 8]),
        "in_channels": groups * draw.one_of([1, 1, multiple, draw.between(1, 5)]),
        "in_size": draw.sizes(axes),
        "out_channels": groups * draw.one_of([multiple, multiple, draw.between(1, 5)]),
        "kernel": draw.each(axes, 1, draw.one_of([3, 5, 9])),
        "stride": draw.one_of([(1,) * axes, draw.each(axes, 1, 3)]),
        "padding": draw.pads(axes, draw.one_of([0, -2]), 3),
        "dilation": draw.one_of([(1,) * axes, draw.each(axes, 1, 3)]),
        "groups": groups,
    }


def long(draw: Draw) -> dict[str, Any]:
    axes = draw.between(1, 3)
    side = {1: 6000, 2: 130, 3: 33}[axes]
    return {
        "batch": draw.one_of([1, 2, 3, 40, 129]),
        "in_channels": draw.one_of([1, 2, 3, 4, 7, 8, 9]),
        "in_size": draw.each(axes, 1, side),
        "out_channels": draw.one_of(FEW),
        "kernel": draw.each(axes, 1, {1: 40, 2: 11, 3: 5}[axes]),
        "stride": draw.one_of([(1,) * axes, draw.each(axes, 1, 6)]),
        "padding": draw.pads(axes, -1, 7),
        "dilation": draw.one_of([(1,) * axes, draw.each(axes, 1, 12)]),
        "groups": 1,
    }


def strided(draw: Draw) -> dict[str, Any]:
    """Few channels and a stride along the last axis: phases of unequal size, or without taps."""
    axes = draw.one_of([1, 2, 2, 3])
    few = axes - 1
    return {
        "batch": draw.one_of([1, 2, 3]),
        "in_channels": draw.one_of([1, 1, 2, 3, 5]),
        "in_size": (*draw.each(few, 1, 12), draw.between(4, 300 // axes)),
        "out_channels": draw.one_of(CHANNELS[:18]),
        "kernel": (*draw.each(few, 1, 4), draw.between(1, 40 // axes)),
        "stride": (*draw.each(few, 1, 3), draw.between(2, 9)),
        "padding": (*draw.pads(few, -1, 4), (draw.between(-1, 9), draw.between(-3, 9))),
        "dilation": (*draw.each(few, 1, 2), 1),
        "groups": 1,
    }


FAMILIES = [
    *(small, wide, thin, filtered, strided, long, thin, small, wide, large),
    *(small, wide, thin, filtered, small, long, thin, small, filtered, large),
]


def is_affordable(fields: dict[str, Any], macs: int) -> bool:
    """Whether there are windows, and few enough multiply-adds and elements."""
    if not has_windows(fields):
        return False
    spec = ConvSpec(**fields)
    elements = max(prod(spec.x_shape), prod(spec.y_shape), prod(spec.w_shape))
    return spec.macs <= macs and elements <= MOST_ELEMENTS


def draw(seed: int, number: int) -> Case:
    """Return convolution `number` of those that begin from `seed`."""
    found = Draw(np.random.default_rng([seed, number]))
    family = FAMILIES[number % len(FAMILIES)]
    macs = MOST_MACS_OF_LARGE if family is large else MOST_MACS
    while not is_affordable(fields := family(found), macs):
        pass
    return Case(
        ConvSpec(**fields),
        found.one_of(["float32", "float32", "float64"]),
        tuple(found.one_of(list(LAYOUTS)) for _ in range(5)),
        with_bias=found.one_of([True, True, False]),
        seed=(seed, number),
        how_to_run=f"--seed {seed} --specs {number}:",
    )
