"""What Winograd refuses, when it is chosen, and what it does with NaN and infinity."""

from __future__ import annotations

import numpy as np
import pytest
from kernels.conv.native import needs_native, normal

import pellucid
from pellucid.kernels import conv
from pellucid.kernels.conv import ConvSpec, direct, winograd

pytestmark = needs_native


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38])
def test_what_is_not_finite_spoils_only_what_it_touches(value):
    spec = ConvSpec.parse("n2 c16 i9x9 o16 k3x3 p1")
    x, w, gy = (
        normal(s, k, "float32") for k, s in enumerate((spec.x_shape, spec.w_shape, spec.y_shape))
    )
    x[0, 3, 0, 0] = gy[1, 2, 4, 4] = value
    for found, plain in [
        (winograd.forward(x, w, None, spec), direct.forward(x, w, None, spec)),
        (winograd.grad_input(gy, w, spec), direct.grad_input(gy, w, spec)),
        (winograd.grad_weight(gy, x, spec), direct.grad_weight(gy, x, spec)),
    ]:
        assert np.array_equal(np.isfinite(found), np.isfinite(plain))
        assert np.array_equal(np.isnan(found), np.isnan(plain))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("c16 i9x9 o16 k3x2", "the kernel is not 3x3 or 5x5"),
        ("c16 i9 o16 k3", "the kernel is not 3x3 or 5x5"),
        ("c16 i9x9 o16 k3x3 s2", "it is for stride 1, dilation 1 and one group"),
        ("c16 i9x9 o16 k3x3 d2", "it is for stride 1, dilation 1 and one group"),
        ("c16 i9x9 o16 k3x3 g2", "it is for stride 1, dilation 1 and one group"),
        ("c16 i9x9 o16 k3x3 p-1", "the padding crops x, or is as wide as the kernel"),
        ("c16 i9x9 o16 k3x3 p3", "the padding crops x, or is as wide as the kernel"),
        ("c16 i9x9 o16 k3x3 p2", None),
    ],
)
def test_what_it_refuses(text, reason):
    assert winograd.refuses(ConvSpec.parse(text), "forward", np.dtype("float32")) == reason


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
