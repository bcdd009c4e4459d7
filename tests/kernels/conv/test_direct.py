"""The register tile against the oracle: any spec, any layout, any number of threads."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernels.conv.native import check_against_reference, needs_native, normal
from kernels.conv.problems import PROBLEMS, conv_specs

import pellucid
from pellucid.kernels.conv import ConvSpec, direct

pytestmark = needs_native

# Blocks that are not full, several images in one job, several jobs, large and small gw.
SIZES = [
    "n5 c64 i7x7 o48 k3x3 p1",
    "n2 c3 i40x40 o17 k7x7 s2 p3",
    "c256 i9x9 o96 k3x3 p1",
    "n40 c8 i10x10 o8 k5x5 p2",
    "n3 c33 i20x20 o70 k1x1",
    "n2 c1 i300 o16 k25 p12",
    # Long strides: phases with as many taps or one less, without any, and crops at either end.
    "n2 c1 i40 o20 k12 s4",
    "n2 c2 i37x41 o9 k4x4 s2 p1",
    "n3 c3 i23x30 o10 k3x11 s2x4 p0x2:1 d3x1",
    "c3 i9x25 o7 k3x2 s5 p-1x3",
    "n2 c1 i5x9x18 o12 k2x3x8 s1x3x4 p1 d1x2x1",
    "c1 i3003 o40 k64 s16 p5:-2",
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("spec", PROBLEMS, ids=str)
def test_problems(spec, dtype):
    check_against_reference("direct", spec, dtype)


@pytest.mark.parametrize("text", SIZES)
def test_sizes(text):
    check_against_reference("direct", ConvSpec.parse(text), "float32")


@settings(max_examples=300, deadline=None)
@given(conv_specs(), st.sampled_from(["float32", "float64"]))
def test_drawn_specs(spec, dtype):
    check_against_reference("direct", spec, dtype)


@pytest.mark.full
@settings(max_examples=10_000, deadline=None)
@given(conv_specs(), st.sampled_from(["float32", "float64"]))
def test_ten_thousand_drawn_specs(spec, dtype):
    check_against_reference("direct", spec, dtype)


def test_the_number_of_threads_changes_no_bit():
    before = pellucid.get_num_threads()
    try:
        for text in [*SIZES, "n8 c32 i28x28 o32 k3x3 s2 p1", "n2 c4 i9x9x9 o8 k3x3x3 p1"]:
            spec = ConvSpec.parse(text)
            x, w, gy = (
                normal(s, k, "float32")
                for k, s in enumerate((spec.x_shape, spec.w_shape, spec.y_shape))
            )
            results = []
            for threads in (1, 2, 3, 5):
                pellucid.set_num_threads(threads)
                results.append(
                    [
                        direct.forward(x, w, None, spec).tobytes(),
                        direct.grad_input(gy, w, spec).tobytes(),
                        direct.grad_weight(gy, x, spec).tobytes(),
                    ]
                )
            assert all(result == results[0] for result in results), text
    finally:
        pellucid.set_num_threads(before)


@pytest.mark.parametrize(
    "text",
    ["n8 c16 i14x14 o32 k3x3 p1", "n8 c3 i9x9 o20 k3x3 s2 p1", "n8 c3 i40x40 o20 k4x4 s2 p1"],
)
def test_the_batch_changes_no_bit(text):
    whole = ConvSpec.parse(text)
    x, w, gy = (
        normal(s, k, "float32") for k, s in enumerate((whole.x_shape, whole.w_shape, whole.y_shape))
    )
    y, gx = direct.forward(x, w, None, whole), direct.grad_input(gy, w, whole)
    for size in (4, 1):
        part = ConvSpec.parse(text.replace("n8", f"n{size}"))
        for k in range(0, 8, size):
            rows = slice(k, k + size)
            assert np.array_equal(direct.forward(x[rows], w, None, part), y[rows])
            assert np.array_equal(direct.grad_input(gy[rows], w, part), gx[rows])
