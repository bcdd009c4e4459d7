"""Convolutions to test with: drawn by Hypothesis, and those on which other libraries were wrong."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from pellucid.kernels.conv import ConvSpec

# Every residue of the leftover, along one axis: (in - k) mod s = 0 ... s - 1.
LEFTOVERS = [
    ConvSpec.parse(f"n2 c2 i{5 + residue}x{7 + residue} o3 k3x2 s{stride}")
    for stride in (2, 3, 4)
    for residue in range(stride)
]

# Elements that no window covers for two other reasons.
UNCOVERED = [
    ConvSpec.parse("n2 c2 i9x9 o3 k2x2 s3"),  # the stride is larger than the kernel
    ConvSpec.parse("n2 c2 i9x9 o3 k3x3 s2 d2"),  # gaps of the dilation: every odd row
    ConvSpec.parse("c1 i11 o1 k2 s4 d2"),  # both
    ConvSpec.parse("c2 i8x8 o2 k1x1 s2"),
    ConvSpec.parse("n2 c4 i10 o6 k2 s2 p1 d2 g2"),  # the first rows, and several groups
]

# Shapes from the issue trackers of other libraries (docs/maths.md, 6). Their transposed one and
# their weights full of denormal numbers are tests of their own.
REGRESSIONS = [
    ConvSpec.parse("c9 i32x32 o3 k5x5 s3 p1"),
    ConvSpec.parse("c24 i6x6 o24 k3x3 s2 p1 g24"),
    ConvSpec.parse("c720 i5x5x3 o720 k2x2x2 s4x4x1 p1 g3"),
    ConvSpec.parse("n2 c4 i5x5 o16 k1x1 g2"),
    ConvSpec.parse("n2 c8 i32x32 o8 k1x1 s2"),
    ConvSpec.parse("n2 c3 i17 o4 k3 p2 d2"),
    ConvSpec.parse("c2 i7x7x7 o3 k3x3x3 p2 d2"),
    ConvSpec.parse("n2 c3 i16x16 o4 k7x7 s3 p2"),
    ConvSpec.parse("c1 i6x6 o1 k3x3 s2"),
    ConvSpec.parse("c1 i6 o1 k3 s2"),
    ConvSpec.parse("n32 c8 i32x32 o8 k5x5 p2"),
]

# Low and high padding that differ, crops, multipliers, every number of axes, an empty batch.
OTHERS = [
    ConvSpec.parse("n2 c3 i6x7 o2 k3x2 p0:2x1:0"),
    ConvSpec.parse("n2 c3 i8x9 o2 k3x2 s2x1 p-1:1x-2"),
    ConvSpec.parse("n2 c4 i6x6 o8 k3x3 p1 g4"),
    ConvSpec.parse("n3 c34 i9 o4 k4 s3 p2:1 d2 g2"),
    ConvSpec.parse("n2 c3 i3x4x5 o4 k2x3x1 s1x2x3 p1x0x2"),
    ConvSpec.parse("c1 i2x2 o1 k2x2 p3"),  # windows that see padding alone
    ConvSpec.parse("n0 c2 i5x5 o3 k3x3"),
]

PROBLEMS = [*LEFTOVERS, *UNCOVERED, *REGRESSIONS, *OTHERS]

# Blocks that are not full, several images in one job, several jobs, large and small gw, panels,
# chunks of tiles, channels past the last vector: more of each than the random specs can afford.
BLOCKS = [
    ConvSpec.parse("n5 c64 i7x7 o48 k3x3 p1"),
    ConvSpec.parse("n2 c3 i40x40 o17 k7x7 s2 p3"),
    ConvSpec.parse("c256 i9x9 o96 k3x3 p1"),
    ConvSpec.parse("n40 c8 i10x10 o8 k5x5 p2"),
    ConvSpec.parse("n3 c33 i20x20 o70 k1x1"),
    ConvSpec.parse("n2 c530 i5x5 o40 k1x1 s2"),
    ConvSpec.parse("n2 c72 i7x7 o20 k1x1"),  # three vectors of outputs, of AVX2 and AVX-512
    ConvSpec.parse("c5 i9x9 o140 k3x3 s2 p1"),
    ConvSpec.parse("n8 c144 i24x24 o24 k1x1"),  # an x that is asked for ahead of time
    ConvSpec.parse("n2 c33 i5x5 o34 k1x1 p0:1x0:2"),
    ConvSpec.parse("n2 c1 i300 o16 k25 p12"),
    ConvSpec.parse("n8 c32 i28x28 o32 k3x3 s2 p1"),
    ConvSpec.parse("n2 c4 i9x9x9 o8 k3x3x3 p1"),
    ConvSpec.parse("c300 i9x9 o80 k3x3 p1"),
    ConvSpec.parse("n3 c130 i8x8 o96 k5x5 p2"),
    ConvSpec.parse("n9 c16 i15x15 o16 k3x3 p1"),
    ConvSpec.parse("n5 c20 i11x9 o40 k3x3 p1"),
    ConvSpec.parse("c70 i20x20 o130 k5x5 p2"),
    ConvSpec.parse("n2 c260 i14x14 o258 k3x3 p1"),
    ConvSpec.parse("n2 c129 i30x31 o130 k3x3 p1"),
    ConvSpec.parse("n3 c300 i9x9 o200 k3x3 p1"),
    ConvSpec.parse("c600 i7x7 o200 k3x3 p1"),
    ConvSpec.parse("n2 c40 i30x30 o80 k7x7 s2 p3"),  # Winograd in parts
    ConvSpec.parse("n3 c72 i17 o70 k25 p12"),
    ConvSpec.parse("n3 c20 i40 o30 k9 p4 d3"),
    ConvSpec.parse("n2 c33 i9x16x16 o17 k3x3x3 p1"),
    ConvSpec.parse("n40 c64 i14x14 o64 k3x3 p2 d2"),
    ConvSpec.parse("n3 c80 i9x9 o48 k3x3 p1 g4"),
    ConvSpec.parse("n2 c40 i17x19 o40 k3x3 p1 g40"),
    ConvSpec.parse("n2 c16 i14x14 o32 k5x5 p2 g16"),
    ConvSpec.parse("n2 c64 i9x9 o64 k3x3 p1 g16"),
    ConvSpec.parse("n3 c6 i12 o6 k9 p4 g6"),
    ConvSpec.parse("n6 c96 i28x28 o96 k3x3 p1 g96"),
    ConvSpec.parse("n4 c64 i20x20 o64 k3x3 s2 g16"),
]


# Of lanewise: windows of every size, borders wider than the image, images narrower than a tile,
# crops, several passes over a copy of x, rows of the kernel that lie apart, an overlapping last
# vector.
GROUPED = [
    ConvSpec.parse("n2 c32 i13x15 o32 k5x5 p2 g32"),
    ConvSpec.parse("c17 i15x17 o17 k7x7 p3 g17"),
    ConvSpec.parse("c32 i4x3 o32 k5x5 p9 g32"),
    ConvSpec.parse("n2 c32 i2x1 o32 k3x3 p1 g32"),
    ConvSpec.parse("n2 c64 i9x30 o64 k3x3 s2x1 p-1:2x1:-2 g16"),
    ConvSpec.parse("n2 c32 i16x16 o32 k3x3 s2 p0:1 g4"),
    ConvSpec.parse("n2 c64 i31x33 o64 k3x3 p1 g4"),
    ConvSpec.parse("n2 c64 i17x30 o64 k3x3 p2 d2x1 g8"),
    ConvSpec.parse("c32 i5x9x9 o32 k3x3x3 p1 g8"),
    ConvSpec.parse("n2 c34 i20x20 o34 k3x3 s3 p1 g34"),
    ConvSpec.parse("n3 c44 i19x23 o44 k3x3 s2 p1 g44"),
    ConvSpec.parse("n3 c256 i13x14 o256 k3x3 p1 g32"),
    ConvSpec.parse("n2 c100 i15x15 o100 k5x5 p2 g100"),
    *[ConvSpec.parse(f"c{C} i5x9 o{C} k3x3 p1 g{C}") for C in (5, 9, 13, 17, 23, 31, 33, 39)],
]

# Long strides: phases with as many taps or one less, without any, crops at either end.
STRIDED = [
    ConvSpec.parse("n2 c1 i40 o20 k12 s4"),
    ConvSpec.parse("n2 c2 i37x41 o9 k4x4 s2 p1"),
    ConvSpec.parse("n3 c3 i23x30 o10 k3x11 s2x4 p0x2:1 d3x1"),
    ConvSpec.parse("c3 i9x25 o7 k3x2 s5 p-1x3"),
    ConvSpec.parse("n2 c1 i5x9x18 o12 k2x3x8 s1x3x4 p1 d1x2x1"),
    ConvSpec.parse("c1 i3003 o40 k64 s16 p5:-2"),
]


@st.composite
def conv_fields(draw: st.DrawFn) -> dict[str, Any]:
    """Draw the fields of a spec; the kernel may be larger than the padded input."""
    axes, groups = draw(st.integers(1, 3)), draw(st.integers(1, 3))

    def numbers(low: int, high: int) -> tuple[int, ...]:
        return tuple(draw(st.integers(low, high)) for _ in range(axes))

    return {
        "batch": draw(st.integers(0, 3)),
        "in_channels": groups * draw(st.sampled_from([1, 2, 3, 16])),
        "in_size": numbers(1, 7),
        "out_channels": groups * draw(st.integers(1, 3)),
        "kernel": numbers(1, 3),
        "stride": numbers(1, 4),
        "padding": tuple(zip(numbers(-2, 3), numbers(-2, 3), strict=True)),
        "dilation": numbers(1, 3),
        "groups": groups,
    }


def has_windows(fields: dict[str, Any]) -> bool:
    """Whether the kernel fits into the padded input along every axis."""
    return all(
        d * (k - 1) + 1 <= size + low + high
        for size, k, d, (low, high) in zip(
            fields["in_size"],
            fields["kernel"],
            fields["dilation"],
            fields["padding"],
            strict=True,
        )
    )


def conv_specs() -> st.SearchStrategy[ConvSpec]:
    """Draw a spec with 1, 2 or 3 axes."""
    return conv_fields().filter(has_windows).map(lambda fields: ConvSpec(**fields))


def integers(shape: tuple[int, ...], seed: int) -> npt.NDArray[np.float64]:
    """Return whole numbers from -4 to 4, whose products and sums are exact in any float."""
    return np.random.default_rng(seed).integers(-4, 5, shape).astype(np.float64)


def covered(spec: ConvSpec) -> npt.NDArray[np.bool_]:
    """Return which pixels of x some window reaches, by listing them all."""
    reached = np.zeros(spec.in_size, bool)
    for window, tap in itertools.product(np.ndindex(spec.out_size), np.ndindex(spec.kernel)):
        pixel = tuple(
            i * s + u * d - pad[0]
            for i, s, u, d, pad in zip(
                window, spec.stride, tap, spec.dilation, spec.padding, strict=True
            )
        )
        if all(0 <= h < size for h, size in zip(pixel, spec.in_size, strict=True)):
            reached[pixel] = True
    return reached
