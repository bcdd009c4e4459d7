"""grad_input with pixels along the lanes: where blocks end, layouts, refusals, the choice."""

from __future__ import annotations

import re

import numpy as np
import pytest
from kernels.conv.checks import Case, check
from kernels.conv.native import needs_native, normal

from pellucid.errors import UnsupportedError
from pellucid.kernels import conv
from pellucid.kernels.conv import ConvSpec, planar

pytestmark = needs_native

# Rows and columns cut into blocks, one and two rows of a tile, every number of channels of a pass,
# planes that do not fill a vector, phases of unequal size, taps that are far apart.
SIZES = [
    "n2 c1 i70x90 o16 k5x5 p2",
    "n2 c1 i28x28 o6 k5x5 p2",
    "c2 i61x67 o33 k3x3 p1",
    "n2 c3 i40x40 o17 k7x7 s2 p3",
    "c3 i75x130 o64 k11x11 s4 p2",
    "c4 i50x40 o24 k4x4 s4",
    "c5 i40x40 o20 k3x3 d4 s3",
    "c7 i33x35 o9 k3x3 p1 d2",
    "c11 i20x20 o8 k3x3 p1",
    "n2 c1 i900 o16 k25 p12",
    "c1 i70x70 o40 k3x3 d9",
    "c3 i6x30x30 o10 k3x7x7 s1x2x2 p1x3x3",
    "c1 i9x12x11 o5 k3x3x3 p1",
    "c2 i7x9x11 o5 k2x3x2 s3x1x2 d1x2x3",
    "c1 i300x200 o2 k1x1",
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("text", [*SIZES, "n3 c2 i31x41 o16 k3x3 p1", "n2 c1 i64x64 o32 k3x3 p1"])
def test_sizes(text, dtype):
    check(Case(ConvSpec.parse(text), dtype))


@pytest.mark.parametrize("channels", [1, 6, 16, 20])
def test_any_layout_of_gy_and_w(channels):
    spec = ConvSpec.parse(f"n2 c3 i13x15 o{channels} k3x3 s1x2 p1")
    gy, w = normal(spec.y_shape, 1, "float32"), normal(spec.w_shape, 2, "float32")
    expected = planar.grad_input(gy, w, spec)
    last = np.ascontiguousarray(np.moveaxis(gy, 1, -1))
    wide = np.zeros((*last.shape[:2], 2 * last.shape[2], last.shape[3]), "float32")
    wide[:, :, ::2] = last
    flipped = np.ascontiguousarray(last[:, ::-1, ::-1])[:, ::-1, ::-1]
    for other in (np.moveaxis(last, -1, 1), np.moveaxis(wide[:, :, ::2], -1, 1)):
        assert np.array_equal(planar.grad_input(other, w, spec), expected)
    assert np.array_equal(planar.grad_input(np.moveaxis(flipped, -1, 1), w, spec), expected)
    turned = np.ascontiguousarray(w[..., ::-1].transpose(3, 0, 2, 1)).transpose(1, 3, 2, 0)
    assert np.array_equal(planar.grad_input(gy, turned[..., ::-1], spec), expected)


@pytest.mark.parametrize(
    ("text", "direction", "reason"),
    [
        ("c3 i9x9 o16 k3x3", "forward", "it is for grad_input"),
        ("c3 i9x9 o16 k3x3", "grad_weight", "it is for grad_input"),
        ("c4 i9x9 o16 k3x3 g2", "grad_input", "it is for one group"),
        ("c4 i9x9 o16 k3x3", "grad_input", None),
    ],
)
def test_what_it_refuses(text, direction, reason):
    assert planar.refuses(ConvSpec.parse(text), direction, np.dtype("float32")) == reason


@pytest.mark.parametrize(
    ("text", "dtype", "reason"),
    [
        ("c7 i9x9 o16 k3x3", "float32", None),
        ("c8 i9x9 o16 k3x3", "float32", "more than 7 channels of x"),
        ("c7 i9x9 o16 k3x3", "float64", "more than 6 channels of x"),
        ("c3 i99x99 o64 k3x3 d15", "float32", None),
        ("c3 i99x99 o64 k3x3 d16", "float32", "its dilated kernel spans more than 256 KiB of gy"),
        ("c3 i99x99 o512 k31x31", "float32", None),
    ],
)  # fmt: skip
def test_where_it_is_slower(text, dtype, reason):
    spec, dtype = ConvSpec.parse(text), np.dtype(dtype)
    assert planar.slower(spec, "grad_input", dtype) == reason
    assert conv.choose(spec, "grad_input", dtype) == ("direct" if reason else "planar")


def test_forcing_it_in_another_direction_says_why_not():
    spec = ConvSpec.parse("c1 i5x5 o1 k3x3")
    message = (
        "conv2d: planar refuses forward in float32: it is for grad_input\n"
        "  c1 i5x5 o1 k3x3\n"
        "  fix: leave the algorithm out, and one that can is chosen"
    )
    with pytest.raises(UnsupportedError, match=f"^{re.escape(message)}$"):
        conv.forward(np.ones((1, 1, 5, 5), "f4"), np.ones((1, 1, 3, 3), "f4"), None, spec, "planar")
