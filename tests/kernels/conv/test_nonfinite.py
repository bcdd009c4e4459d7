"""One NaN or infinity in x or gy spoils what it touches, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from kernels.conv import oracle
from kernels.conv.checks import BOUNDS, DIRECTIONS, WINOGRAD_BOUNDS, algorithms
from kernels.conv.native import normal

from pellucid.backend import Array
from pellucid.kernels import conv
from pellucid.kernels.conv import ConvSpec

SPECS = [
    "n2 c16 i13x14 o20 k3x3 p1",  # tiles of 4x4 and of 3x3, the last ones not full
    "n2 c17 i11x12 o16 k5x5 p2:1",
    "c130 i9x9 o66 k3x3 p2",
    "n2 c16 i11x12 o16 k3x3 p2 d2",  # tiles and taps that are cut into classes
    "n2 c17 i11x11 o16 k5x5 s2 p2",
    "n3 c5 i11x9 o19 k3x3 s2 p1",
    "n2 c9 i8x8 o10 k1x1",
    "n2 c4 i30 o6 k5 s3 p2 d2 g2",
    "c3 i6x5x7 o4 k3x2x3 p1",
    "n2 c24 i10x9 o24 k3x3 p1 g24",
    "n2 c16 i9x10 o16 k3x3 s2 p1 g4",
    "n2 c32 i9x9 o32 k3x3 s2 p1 g8",
    "n2 c6 i9x9 o12 k3x3 p1 g6",
]
VALUES = [np.nan, np.inf, -np.inf]
ROWS = [0, 1, 2, 3, 4, 5, 7, 8, -1]  # the ends of tiles, and the middle of some


def places(shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Some elements: every row of ROWS along the last axis, others at random."""
    rng = np.random.default_rng(0)
    axes = [[row for row in ROWS if -size <= row < size] for size in shape[2:]]
    return [
        (
            int(rng.integers(shape[0])),
            int(rng.integers(shape[1])),
            *(rows[(k * (axis + 1)) % len(rows)] for axis, rows in enumerate(axes)),
        )
        for k in range(len(ROWS))
    ]


def touches(direction: str, spoiled: Array, others: list[Array], spec: ConvSpec) -> Array:
    """Return which outputs meet the one element of `spoiled` that is not finite."""
    met = [
        (~np.isfinite(a)).astype("float64") if a is spoiled else np.ones(a.shape) for a in others
    ]
    bias = (None,) if direction == "forward" else ()
    return getattr(oracle, direction)(*met, *bias, spec) > 0


def check(
    direction: str, arguments: tuple[Array, ...], touched: Array, S: float, spec: ConvSpec
) -> None:
    """Hold every algorithm to the oracle.

    Where a spoiled gy meets the zeros around x alone, gw is as without it, or 0 times NaN.
    """
    wide = tuple(array.astype("float64") for array in arguments)
    bias, dtype = (None,) if direction == "forward" else (), arguments[0].dtype
    with np.errstate(invalid="ignore"):
        exact = getattr(oracle, direction)(*wide, *bias, spec)
    clean = np.isfinite(exact)
    for algorithm in algorithms(spec, direction, dtype):
        if algorithm == "reference":
            continue  # loops: hundreds of calls would take minutes
        with np.errstate(invalid="ignore"):
            found = getattr(conv, direction)(*arguments, *bias, spec, algorithm=algorithm)
        for kind in (np.isnan, np.isposinf, np.isneginf):
            assert np.array_equal(kind(found[touched]), kind(exact[touched])), (algorithm, kind)
        bound = (WINOGRAD_BOUNDS if algorithm == "winograd" else BOUNDS)[dtype.name]
        assert np.abs(found[clean] - exact[clean]).max(initial=0) <= bound * S, algorithm


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("text", SPECS)
def test_it_spoils_only_what_it_touches(text, direction, dtype):
    spec = ConvSpec.parse(text)
    x, w, gy = (
        normal(s, k, dtype) for k, s in enumerate((spec.x_shape, spec.w_shape, spec.y_shape))
    )
    arguments, spoiled = {
        "forward": ((x, w), [x]),
        "grad_input": ((gy, w), [gy]),
        "grad_weight": ((gy, x), [gy, x]),
    }[direction]
    sizes = tuple(abs(array).astype("float64") for array in arguments)
    bias = (None,) if direction == "forward" else ()
    S = getattr(oracle, direction)(*sizes, *bias, spec).max()
    for array in spoiled:
        met = 0
        for k, place in enumerate(places(array.shape)):
            before, array[place] = array[place], VALUES[k % len(VALUES)]
            touched = touches(direction, array, list(arguments), spec)
            check(direction, arguments, touched, S, spec)
            met += touched.any()
            array[place] = before
        assert met >= 4  # not all of x is covered
