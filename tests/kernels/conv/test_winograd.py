"""Winograd's transforms against the oracle: tiles that are not full, panels, NaN and infinity."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from kernels.conv.native import check_against_reference, needs_native, normal

import pellucid
from pellucid.kernels import conv
from pellucid.kernels.conv import ConvSpec, direct, winograd

pytestmark = needs_native

# Four times the rounding of the direct sum (docs/maths.md, 13).
BOUNDS = {"float32": 2e-6, "float64": 4e-15}


@st.composite
def winograd_specs(draw: st.DrawFn) -> ConvSpec:
    """Kernels that are cut into parts, by their size, a stride, a dilation or a third axis."""
    axes = draw(st.integers(1, 3))
    kernel = draw(st.tuples(*[st.sampled_from([3, 4, 5, 7, 9] if axes < 3 else [2, 3])] * axes))
    dilation = draw(st.tuples(*[st.integers(1, 3)] * axes))
    most = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
    padding = draw(st.tuples(*[st.tuples(st.integers(0, m), st.integers(0, m)) for m in most]))
    windows = draw(st.tuples(*[st.integers(1, 9 if axes < 3 else 5)] * axes))
    stride = draw(st.tuples(*[st.integers(1, 3)] * axes))
    left = draw(st.tuples(*[st.integers(0, 2)] * axes))
    numbers = zip(windows, kernel, stride, dilation, padding, left, strict=True)
    sizes = tuple(
        max(1, (n - 1) * s + d * (k - 1) + 1 - sum(p) + r) for n, k, s, d, p, r in numbers
    )
    fits = all(
        size + sum(p) > d * (k - 1)
        for size, k, d, p in zip(sizes, kernel, dilation, padding, strict=True)
    )
    assume(fits)
    C, O = draw(st.sampled_from([1, 3, 8, 17])), draw(st.sampled_from([1, 7, 16, 20]))
    n = draw(st.integers(1, 3))
    spec = ConvSpec(n, C, sizes, O, kernel, stride, padding, dilation, 1)
    directions = ("forward", "grad_input", "grad_weight")
    assume(all(winograd.products(spec, direction) < 1 for direction in directions))
    return spec


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(winograd_specs(), st.sampled_from(["float32", "float64"]))
def test_drawn_specs(spec, dtype):
    check_against_reference("winograd", spec, dtype, BOUNDS)


@pytest.mark.parametrize(
    "text",
    [
        "c300 i9x9 o80 k3x3 p1",
        "n3 c130 i8x8 o96 k5x5 p2",
        "n9 c16 i15x15 o16 k3x3 p1",
        "n2 c40 i30x30 o80 k7x7 s2 p3",
        "n3 c72 i17 o70 k25 p12",
        "n2 c33 i9x16x16 o17 k3x3x3 p1",
        "c600 i7x7 o200 k3x3 p1",
        "n40 c64 i14x14 o64 k3x3 p2 d2",
        "n2 c64 i14x14 o48 k3x3 p1 g4",
    ],
)
def test_panels_chunks_and_partial_sums(text):
    check_against_reference("winograd", ConvSpec.parse(text), "float32", BOUNDS)


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


@pytest.mark.parametrize(
    "text",
    [
        "n5 c20 i11x9 o40 k3x3 p1",
        "c70 i20x20 o130 k5x5 p2",
        "n3 c300 i9x9 o200 k3x3 p1",
        "n3 c20 i40 o30 k9 p4 d3",
        "n3 c80 i9x9 o48 k3x3 p1 g4",
    ],
)
def test_threads_and_batch_change_no_bit(text):
    spec = ConvSpec.parse(text)
    x, w, gy = (
        normal(s, k, "float32") for k, s in enumerate((spec.x_shape, spec.w_shape, spec.y_shape))
    )
    before, results = pellucid.get_num_threads(), []
    try:
        for threads in (1, 2, 3, 5):
            pellucid.set_num_threads(threads)
            y, gx = winograd.forward(x, w, None, spec), winograd.grad_input(gy, w, spec)
            gw = winograd.grad_weight(gy, x, spec)
            results.append([y.tobytes(), gx.tobytes(), gw.tobytes()])
    finally:
        pellucid.set_num_threads(before)
    assert all(result == results[0] for result in results)
    one = replace(spec, batch=1)
    for n in range(spec.batch):
        assert np.array_equal(winograd.forward(x[n : n + 1], w, None, one), y[n : n + 1])
        assert np.array_equal(winograd.grad_input(gy[n : n + 1], w, one), gx[n : n + 1])


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
