"""Winograd's transforms against the oracle: tiles that are not full, panels, NaN and infinity."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
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
    k = draw(st.sampled_from([3, 5]))
    sizes = draw(st.tuples(st.integers(k, 13), st.integers(k, 13)))
    ends = st.tuples(st.integers(0, k - 1), st.integers(0, k - 1))
    return ConvSpec(
        draw(st.integers(1, 3)),
        draw(st.sampled_from([1, 3, 8, 17])),
        sizes,
        draw(st.sampled_from([1, 7, 16, 20])),
        (k, k),
        (1, 1),
        (draw(ends), draw(ends)),
        (1, 1),
        1,
    )


@settings(max_examples=100, deadline=None)
@given(winograd_specs(), st.sampled_from(["float32", "float64"]))
def test_drawn_specs(spec, dtype):
    check_against_reference("winograd", spec, dtype, BOUNDS)


@pytest.mark.parametrize(
    "text", ["c300 i9x9 o80 k3x3 p1", "n3 c130 i8x8 o96 k5x5 p2", "n9 c16 i15x15 o16 k3x3 p1"]
)
def test_panels_chunks_and_partial_sums(text):
    check_against_reference("winograd", ConvSpec.parse(text), "float32", BOUNDS)


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


@pytest.mark.parametrize("text", ["n5 c20 i11x9 o40 k3x3 p1", "c70 i20x20 o130 k5x5 p2"])
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
    one = ConvSpec.from_shapes((1, *x.shape[1:]), w.shape, padding=spec.padding)
    for n in range(spec.batch):
        assert np.array_equal(winograd.forward(x[n : n + 1], w, None, one), y[n : n + 1])
        assert np.array_equal(winograd.grad_input(gy[n : n + 1], w, one), gx[n : n + 1])


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
