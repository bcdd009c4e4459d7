"""What Winograd refuses, how much it saves, when it is chosen; and NaN and infinity."""

from __future__ import annotations

import numpy as np
import pytest
from kernels.conv.native import needs_native, normal

import pellucid
from pellucid.kernels import conv
from pellucid.kernels.conv import ConvSpec, direct, winograd

pytestmark = needs_native


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e37])
@pytest.mark.parametrize(
    "text",
    ["n2 c16 i9x9 o16 k3x3 p1", "n2 c16 i11x11 o16 k3x3 p2 d2", "n2 c16 i11x11 o16 k5x5 s2 p2"],
)
def test_what_is_not_finite_spoils_only_what_it_touches(text, value):
    spec = ConvSpec.parse(text)
    x, w, gy = (
        normal(s, k, "float32") for k, s in enumerate((spec.x_shape, spec.w_shape, spec.y_shape))
    )
    x[0, 3, 0, 0] = gy[1, 2, 2, 3] = value
    for found, plain in [
        (winograd.forward(x, w, None, spec), direct.forward(x, w, None, spec)),
        (winograd.grad_input(gy, w, spec), direct.grad_input(gy, w, spec)),
        (winograd.grad_weight(gy, x, spec), direct.grad_weight(gy, x, spec)),
    ]:
        assert np.array_equal(np.isfinite(found), np.isfinite(plain))
        assert np.array_equal(np.isnan(found), np.isnan(plain))


@pytest.mark.parametrize("direction", ["forward", "grad_input"])
def test_panels_keep_sums_over_many_channels_accurate(direction):
    spec = ConvSpec.parse("n2 c1024 i8x8 o1024 k3x3 p1")
    shape = spec.x_shape if direction == "forward" else spec.y_shape
    x, w = normal(shape, 0, "float32"), normal(spec.w_shape, 1, "float32")
    compute = {
        "forward": lambda x, w, algorithm: conv.forward(x, w, None, spec, algorithm),
        "grad_input": lambda gy, w, algorithm: conv.grad_input(gy, w, spec, algorithm),
    }[direction]
    right = compute(x.astype("float64"), w.astype("float64"), "im2col")
    # 1.8e-6; 6e-6 where the panels are one running sum, and 4e-6 in PyTorch.
    assert np.abs(compute(x, w, "winograd") - right).max() <= 3e-6 * np.abs(right).max()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("c16 i9x9 o16 k1x1", "it would hardly save multiplications"),
        ("c16 i9x9 o16 k2x2", "it would hardly save multiplications"),
        ("c16 i9x9 o16 k3x3 s2", "it would hardly save multiplications"),
        ("c16 i9x9 o16 k3x3 p-1", "the padding crops x, or is as wide as the kernel"),
        ("c16 i9x9 o16 k3x3 p3", "the padding crops x, or is as wide as the kernel"),
        ("c16 i9x9 o16 k3x3 p4 d2", None),
        ("c16 i10 o16 k3", None),
    ],
)
def test_what_it_refuses(text, reason):
    assert winograd.refuses(ConvSpec.parse(text), "forward", np.dtype("float32")) == reason


@pytest.mark.parametrize(
    ("text", "direction", "part"),
    [
        ("c16 i10x10 o16 k3x3", "forward", 36 / 16 / 9),
        ("c16 i9x10 o16 k3x3", "forward", 8 / 7 * 36 / 16 / 9),  # 7 rows in two tiles
        ("c16 i8x8 o16 k5x5", "grad_weight", 36 / 4 / 25),
        ("c16 i12x12 o16 k7x7", "forward", 4 * 36 / 9 / 49),
        ("c16 i12x12 o16 k3x3 d2", "forward", 36 / 16 / 9),
        ("c16 i11x11 o16 k5x5 s2", "forward", 4 * 36 / 16 / 25),
        # A quarter of the pixels for each phase, with 3x3, 3x2, 2x3 and, directly, 2x2 taps.
        ("c16 i16x16 o16 k5x5 s2 p0:3", "grad_input", (3 * 36 / 16 + 4) / 25),
        ("c16 i20 o16 k9", "forward", 3 * 6 / 4 / 9),
        ("c16 i6x6x6 o16 k3x3x3", "forward", 3 * 36 / 16 / 27),
    ],
)
def test_how_many_products_it_takes(text, direction, part):
    assert winograd.products(ConvSpec.parse(text), direction) == pytest.approx(part)


def test_few_pixels_leave_only_grad_weight_to_direct():
    few, enough = ConvSpec.parse("c64 i12x12 o64 k3 p1"), ConvSpec.parse("n2 c64 i9x9 o64 k3 p1")
    float32 = np.dtype("float32")
    assert winograd.slower(few, "grad_weight", float32) == "fewer than 160 pixels of gy"
    assert conv.choose(few, "grad_weight", float32) == "direct"
    assert conv.choose(enough, "grad_weight", float32) == "winograd"
    assert (
        conv.choose(few, "forward", float32)
        == conv.choose(few, "grad_input", float32)
        == "winograd"
    )


def test_many_groups_leave_forward_and_grad_input_to_direct_where_they_are_thin():
    float32 = np.dtype("float32")
    many, few = ConvSpec.parse("c512 i9 o512 k3 p1 g32"), ConvSpec.parse("c128 i9 o128 k3 p1 g8")
    wide = ConvSpec.parse("c640 i9 o640 k3 p1 g32")
    for direction in "forward", "grad_input":
        assert winograd.slower(many, direction, float32) == "fewer than 20 channels in a group"
        assert winograd.slower(few, direction, float32) is None
        assert winograd.slower(wide, direction, float32) is None
    enough = ConvSpec.parse("n8 c512 i9x9 o512 k3x3 p1 g32")
    assert winograd.slower(enough, "grad_weight", float32) is None


def test_the_choice():
    float32 = np.dtype("float32")
    wide, thin = ConvSpec.parse("c16 i9x9 o16 k3x3"), ConvSpec.parse("c15 i9x9 o16 k3x3")
    assert conv.choose(wide, "forward", float32) == "winograd"
    assert conv.choose(thin, "forward", float32) == "direct"
    pellucid.set_winograd(False)
    try:
        assert conv.choose(wide, "forward", float32) == "direct"
        assert "switched off by set_winograd" in conv.explain_choice(wide)
    finally:
        pellucid.set_winograd(True)
