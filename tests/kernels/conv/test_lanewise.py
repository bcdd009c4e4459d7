"""Depthwise and thin groups against the oracle, with multipliers, tails and any layout."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernels.conv.native import check_against_reference, needs_native, normal

import pellucid
from pellucid.kernels import conv
from pellucid.kernels.conv import ConvSpec, lanewise
from pellucid.kernels.native import module

pytestmark = needs_native
LANES = module.vector_bytes() // 4 if module else 4  # of float32


@st.composite
def grouped_specs(draw: st.DrawFn) -> ConvSpec:
    axes, multiple = draw(st.integers(1, 3)), draw(st.sampled_from([1, 1, 2, 4, 8]))
    C, groups = draw(st.sampled_from([1, multiple])), draw(st.integers(2, 40 // multiple))

    def numbers(low: int, high: int) -> tuple[int, ...]:
        return tuple(draw(st.integers(low, high)) for _ in range(axes))

    return ConvSpec(
        draw(st.integers(1, 3)),
        groups * C,
        numbers(6, 17 if axes < 3 else 8),
        groups * multiple,
        draw(st.sampled_from([(3,) * axes, numbers(1, 3)])),
        numbers(1, 3),
        tuple(zip(numbers(-1, 2), numbers(0, 2), strict=True)),
        numbers(1, 1) if axes == 3 else numbers(1, 2),
        groups,
    )


@settings(max_examples=150, deadline=None)
@given(grouped_specs(), st.sampled_from(["float32", "float64"]))
def test_drawn_specs(spec, dtype):
    if lanewise.refuses(spec, "forward", np.dtype(dtype)) is None:
        check_against_reference("lanewise", spec, dtype)


@pytest.mark.parametrize(
    "text",
    [
        "c17 i9x19 o17 k3x3 p1 g17",
        "c24 i6x6 o24 k3x3 s2 p1 g24",
        "c8 i9x14 o16 k5x5 p2 g8",
        "n2 c64 i9x9 o64 k3x3 p1 g16",
        "n3 c19 i12 o19 k9 p4 g19",
        "n2 c16 i8x9 o16 k5x5 p2 g16",  # windows of five and of seven
        "c16 i7x9 o16 k7x7 p3 g16",
        "c16 i4x3 o16 k5x5 p6 g16",  # borders wider than the image
        "n2 c32 i2x1 o32 k3x3 p1 g32",  # an image narrower than a tile
        "c32 i9x30 o32 k3x3 s2x1 p-1:2x1:-2 g8",  # crops
        "n2 c32 i16x16 o32 k3x3 s2 p0:1 g4",  # several passes over a copy of x
        "n2 c64 i31x33 o64 k3x3 p1 g4",
        "c32 i9x16 o32 k3x3 p2 d2x1 g4",  # no copy: the rows of the kernel lie apart
        "c16 i3x6x5 o16 k3x3x3 p1 g4",
        "c17 i20x20 o17 k3x3 s3 p1 g17",
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sizes(text, dtype):
    spec = ConvSpec.parse(text)
    if lanewise.refuses(spec, "forward", np.dtype(dtype)) is None:
        check_against_reference("lanewise", spec, dtype)


@pytest.mark.parametrize("channels", range(LANES, 41))
def test_any_number_of_channels(channels):
    """The last vector computes lanes of the one before again."""
    check_against_reference(
        "lanewise", ConvSpec.parse(f"c{channels} i3x7 o{channels} k3x3 p1 g{channels}"), "float32"
    )


@pytest.mark.parametrize(
    "text",
    [
        "n6 c96 i28x28 o96 k3x3 p1 g96",
        "n4 c64 i20x20 o64 k3x3 s2 g16",
        "n3 c44 i19x23 o44 k3x3 s2 p1 g44",
        "n3 c256 i13x14 o256 k3x3 p1 g32",
        "n2 c100 i15x15 o100 k5x5 p2 g100",
    ],
)
def test_threads_and_batch_change_no_bit(text):
    spec = ConvSpec.parse(text)
    if reason := lanewise.refuses(spec, "forward", np.dtype("float32")):
        assert "do not divide a vector" in reason
        return
    x, w, gy = (
        normal(s, k, "float32") for k, s in enumerate((spec.x_shape, spec.w_shape, spec.y_shape))
    )
    before, results = pellucid.get_num_threads(), []
    try:
        for threads in (1, 2, 3, 5):
            pellucid.set_num_threads(threads)
            y, gx = lanewise.forward(x, w, None, spec), lanewise.grad_input(gy, w, spec)
            results.append([y.tobytes(), gx.tobytes(), lanewise.grad_weight(gy, x, spec).tobytes()])
    finally:
        pellucid.set_num_threads(before)
    assert all(result == results[0] for result in results)
    one = ConvSpec.parse(text.replace(text.split()[0] + " ", ""))
    for n in range(spec.batch):
        assert np.array_equal(lanewise.forward(x[n : n + 1], w, None, one), y[n : n + 1])
        assert np.array_equal(lanewise.grad_input(gy[n : n + 1], w, one), gx[n : n + 1])


@pytest.mark.parametrize("text", ["c32 i9x9 o32 k3x3 p1 g32", "c32 i9x9 o32 k3x3 s2 p1 g8"])
def test_one_nan_spoils_only_what_it_touches(text):
    """A pixel at the edge, which tiles meet whose taps do not all reach it."""
    spec = ConvSpec.parse(text)
    if lanewise.refuses(spec, "forward", np.dtype("float32")):
        return
    x, w, gy = (
        normal(s, k, "float32") for k, s in enumerate((spec.x_shape, spec.w_shape, spec.y_shape))
    )
    x[0, 5, 8, 8] = np.nan
    for found, exact in (
        (lanewise.forward(x, w, None, spec), conv.forward(x, w, None, spec, "reference")),
        (lanewise.grad_weight(gy, x, spec), conv.grad_weight(gy, x, spec, "reference")),
    ):
        assert np.array_equal(np.isnan(found), np.isnan(exact))
        assert np.isnan(found).any()
        assert not np.isnan(found).all()


def test_the_choice_and_what_it_refuses():
    float32 = np.dtype("float32")

    def reason(text: str) -> str | None:
        return lanewise.refuses(ConvSpec.parse(text), "forward", float32)

    assert conv.choose(ConvSpec.parse("c32 i9x9 o32 k3x3 g32"), "forward", float32) == "lanewise"
    assert reason("c32 i9x9 o32 k3x3") == "it is for groups"
    assert reason("c32 i9x9 o16 k3x3 g8") == (
        "a group has 4 channels of x and 2 of y, neither 1 nor the same number"
    )
    assert reason("c6 i9x9 o6 k3x3 g2") == (
        f"a group has 3 channels of y, which do not divide a vector of {LANES}"
    )
    assert reason("c3 i9x9 o3 k3x3 g3") == f"y has 3 channels, fewer than the {LANES} of a vector"
