"""The cases that a backward pass is tried on: specs, small numbers, and what is right.

They begin with the worked example and grow one feature at a time, so that the first case that fails
says which feature it is. Right is what `kernels/conv/reference.py` computes, in float64.
Next room: call.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from pellucid.backend import Array
from pellucid.kernels import conv
from pellucid.kernels.conv import ConvSpec
from pellucid.random import keyed_generator
from pellucid.testing.diagnosis.placement import Axis, axes_of

# What a function may not know, in the order in which the cases bring it.
FEATURES = (
    "stride", "leftover", "unequal image sides", "unequal kernel sides", "padding",
    "stride larger than the kernel", "unequal strides", "unequal paddings", "batch",
    "input channels", "output channels", "unequal channels", "dilation", "unequal dilations",
    "groups", "padding larger than the kernel", "low and high padding",
)  # fmt: skip
UNEQUAL = frozenset(feature for feature in FEATURES if feature.startswith("unequal"))

GROWING = (
    "c1 i5x5 o1 k3x3 s2",  # the worked example
    "c1 i4x4 o1 k3x3",
    "c1 i6x6 o1 k3x3 s2",
    "c1 i4x5 o1 k3x3",
    "c1 i4x4 o1 k2x3",
    "c1 i7x7 o1 k3x3 s3",
    "c1 i3x3 o1 k3x3 p1",
    "c1 i4x4 o1 k2x2 p1",
    "c1 i5x5 o1 k3x3 s2 p1",
    "c1 i6x6 o1 k3x3 s2 p1",
    "c1 i6x6 o1 k3x3 s3 p1",
    "c1 i5x5 o1 k2x2 s3",
    "c1 i5x5 o1 k3x2 s2x1",
    "c1 i6x7 o1 k3x3 s3x2 p1",
    "c1 i4x4 o1 k3x3 p1x0",
    "c1 i5x5 o1 k2x3 s2 p0x1",
    "n2 c1 i4x4 o1 k3x3",
    "c2 i4x4 o2 k3x3",
    "c2 i3x3 o1 k2x2",
    "c1 i3x3 o2 k2x2",
    "c2 i3x4 o3 k2x2",
    "c3 i3x3 o2 k1x1",
    "n2 c2 i4x4 o2 k3x3",
    "n3 c2 i4x5 o4 k2x3 s2",
    "c1 i5x5 o1 k2x2 d2",
    "c1 i7x7 o1 k3x3 s2 d2",
    "c1 i8x7 o1 k3x2 s2 d2",
    "c1 i5x5 o1 k3x3 p1 d2",
    "c1 i9x9 o1 k3x3 s3 p2 d2",
    "c1 i6x8 o1 k2x3 d1x3",
    "n2 c2 i5x6 o3 k2x2 s2x1 p1 d2",
    "c2 i3x3 o2 k2x2 g2",
    "c4 i3x3 o4 k2x2 g2",
    "c4 i3x3 o2 k2x2 g2",
    "c2 i3x3 o4 k2x2 g2",
    "n2 c6 i4x3 o9 k2x2 g3",
    "n2 c4 i5x4 o6 k3x2 s2 p1 g2",
    "n2 c4 i7x5 o4 k2x2 s2 p1 d2x1 g2",
    "c1 i3x3 o1 k1x1 p1",
    "c1 i4x4 o1 k3x3 p0:1",
    "c1 i5x5 o1 k3x3 s2 p1:2x2:0",
)
PLAIN = "c1 i4x4 o1 k3x3"
RANDOM = 7  # further cases, with normal numbers: PLAIN, then drawn specs
# Of the sum of absolute terms: what may be missing from a result, float32 inside or not.
ALLOWED = 2e-5


def features(spec: ConvSpec) -> frozenset[str]:
    """Return what a function must know to compute this.

    >>> sorted(features(ConvSpec.parse("c2 i6x6 o2 k3x3 s2")))
    ['input channels', 'leftover', 'output channels', 'stride']
    """
    axes = axes_of(spec)
    wide = any(max(a.low, a.high) > a.reach for a in axes)
    found = {
        "stride": max(spec.stride) > 1,
        "leftover": max(spec.leftover) > 0,
        "unequal image sides": len(set(spec.in_size)) > 1,
        "unequal kernel sides": len(set(spec.kernel)) > 1,
        "padding": any(a.low or a.high for a in axes),
        "stride larger than the kernel": any(a.stride > a.reach + 1 for a in axes),
        "unequal strides": len(set(spec.stride)) > 1,
        "unequal paddings": len(set(spec.padding)) > 1,
        "batch": spec.batch > 1,
        "input channels": spec.in_channels > 1,
        "output channels": spec.out_channels > 1,
        "unequal channels": spec.in_channels != spec.out_channels,
        "dilation": max(spec.dilation) > 1,
        "unequal dilations": len(set(spec.dilation)) > 1,
        "groups": spec.groups > 1,
        "padding larger than the kernel": wide,
        "low and high padding": any(low != high for low, high in spec.padding),
    }
    return frozenset(name for name in FEATURES if found[name])


@dataclass(eq=False)
class Inputs:
    """One convolution with its arrays, in float64."""

    spec: ConvSpec
    x: Array
    w: Array
    b: Array
    gy: Array
    axes: tuple[Axis, Axis] = field(init=False)
    cache: dict[Any, Any] = field(init=False, default_factory=dict)  # of predict.py

    def __post_init__(self) -> None:
        self.axes = axes_of(self.spec)


@dataclass(eq=False)
class Problem(Inputs):
    """One case: its arrays, the right results, and how far off a result may be."""

    right: dict[str, Array] = field(init=False)
    allowed: dict[str, float] = field(init=False)
    features: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.features = features(self.spec)
        self.right = _compute(self.spec, self.x, self.w, self.b, self.gy, "reference")
        x, w, b, gy = (np.abs(a) for a in (self.x, self.w, self.b, self.gy))
        bounds = _compute(self.spec, x, w, b, gy, "im2col")
        self.allowed = {name: ALLOWED * float(S.max()) for name, S in bounds.items()}

    @cached_property
    def is_whole(self) -> bool:
        """Whether all its numbers are integers."""
        return all(bool((a == np.round(a)).all()) for a in self.right.values())

    def is_near(self, name: str, found: Array, wanted: Array) -> bool:
        """Whether two arrays of that name are equal, but for rounding."""
        if found.shape != wanted.shape:
            return False
        return not found.size or bool(np.abs(found - wanted).max() <= self.allowed[name])

    def is_right(self, name: str, found: Array) -> bool:
        """Whether this is the right array of that name, but for rounding."""
        return self.is_near(name, found, self.right[name])


def _compute(
    spec: ConvSpec, x: Array, w: Array, b: Array, gy: Array, algorithm: str
) -> dict[str, Array]:
    return {
        "y": conv.forward(x, w, b, spec, algorithm),
        "gx": conv.grad_input(gy, w, spec, algorithm),
        "gw": conv.grad_weight(gy, x, spec, algorithm),
        "gb": conv.grad_bias(gy, spec),
    }


@lru_cache(maxsize=8)
def problems(seed: int) -> tuple[Problem, ...]:
    """Return all cases; `seed` draws the numbers of most of them and the last specs."""
    generator = keyed_generator(seed, 4)
    grown = [_with_integers(ConvSpec.parse(text), generator) for text in GROWING]
    grown[0] = _worked_example()
    specs = [ConvSpec.parse(PLAIN), *(_draw(generator) for _ in range(RANDOM - 1))]
    drawn = [_with_normals(spec, generator) for spec in specs]
    return (*grown, *drawn)


def _worked_example() -> Problem:
    """The numbers of the README: each digit of a gradient is a weight that met the pixel."""
    spec = ConvSpec.parse(GROWING[0])
    return Problem(
        spec,
        np.arange(1.0, 26.0).reshape(spec.x_shape),
        np.arange(1.0, 10.0).reshape(spec.w_shape),
        np.zeros(1),
        np.array([1.0, 10.0, 100.0, 1000.0]).reshape(spec.y_shape),
    )


def _shapes(spec: ConvSpec) -> Iterator[tuple[int, ...]]:
    yield from (spec.x_shape, spec.w_shape, spec.b_shape, spec.y_shape)


def _with_integers(spec: ConvSpec, generator: np.random.Generator) -> Problem:
    """Numbers from 1 to 9 of both signs: easy to read, and exact in float32."""
    arrays = (
        generator.integers(1, 10, shape) * generator.choice([-1.0, 1.0], shape)
        for shape in _shapes(spec)
    )
    return Problem(spec, *arrays)


def _with_normals(spec: ConvSpec, generator: np.random.Generator) -> Problem:
    return Problem(spec, *(generator.standard_normal(shape) for shape in _shapes(spec)))


def _draw(generator: np.random.Generator) -> ConvSpec:
    """A small convolution with several features at once."""

    def below(stop: int, count: int = 2) -> tuple[int, ...]:
        return tuple(int(k) for k in generator.integers(0, stop, count))

    while True:
        groups, (c, o) = 1 + below(2, 1)[0], below(3)
        kernel, dilation = tuple(1 + k for k in below(3)), tuple(1 + d for d in below(2))
        pads = tuple(
            (min(p, d * (k - 1)),) * 2 for p, d, k in zip(below(3), dilation, kernel, strict=True)
        )
        size, stride = tuple(3 + i for i in below(5)), tuple(1 + s for s in below(3))
        axes = zip(size, pads, kernel, stride, dilation, strict=True)
        if all(conv.count_windows(*axis) >= 1 for axis in axes):
            return ConvSpec(
                1 + below(2, 1)[0], groups * (1 + c), size, groups * (1 + o), kernel, stride, pads,
                dilation, groups,
            )  # fmt: skip
