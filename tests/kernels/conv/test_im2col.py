"""Blocked im2col against the oracle, its bound on memory, and its accuracy."""

from __future__ import annotations

import tracemalloc
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernels.conv.problems import PROBLEMS, conv_specs, covered, integers

from pellucid.kernels.conv import im2col, reference
from pellucid.kernels.conv.spec import ConvSpec

WORKSPACES = [1, 300, 3000, im2col.WORKSPACE]  # one pixel at a time ... everything at once


def check_against_reference(spec: ConvSpec, dtype: str = "float64") -> None:
    shapes = (spec.x_shape, spec.w_shape, spec.b_shape, spec.y_shape)
    x, w, b, gy = (integers(shape, k).astype(dtype) for k, shape in enumerate(shapes))
    for name, arguments in {
        "forward": (x, w, b, spec),
        "grad_input": (gy, w, spec),
        "grad_weight": (gy, x, spec),
    }.items():
        fast, exact = getattr(im2col, name)(*arguments), getattr(reference, name)(*arguments)
        assert fast.dtype == exact.dtype == dtype
        assert fast.shape == exact.shape
        assert np.array_equal(fast, exact), name


@pytest.mark.parametrize("spec", PROBLEMS, ids=str)
def test_problems_are_exact_in_small_integers(spec):
    check_against_reference(spec)


@settings(max_examples=150, deadline=None)
@given(conv_specs(), st.sampled_from(WORKSPACES), st.sampled_from(["float32", "float64"]))
def test_drawn_specs_are_exact_in_any_blocks(spec, workspace, dtype):
    with mock.patch.object(im2col, "WORKSPACE", workspace):
        check_against_reference(spec, dtype)


@pytest.mark.parametrize("few", [0, 1000])
@pytest.mark.parametrize("text", ["n3 c3 i6x7 o2 k3x2 s2 p1", "n2 c8 i9x9 o4 k3 s2 p2:0 d2 g2"])
def test_both_orders_of_the_columns(few, text):
    with mock.patch.object(im2col, "FEW_CHANNELS", few):
        check_against_reference(ConvSpec.parse(text))


def test_a_transposed_convolution_with_a_long_kernel():
    """conv_transpose1d of (1, 1026, 224) with (1026, 1, 1024) and stride 256 is a grad_input."""
    spec = ConvSpec.parse("c1 i58112 o1026 k1024 s256")
    gy, w = integers(spec.y_shape, 0), integers(spec.w_shape, 1)
    assert gy.shape == (1, 1026, 224)
    exact = np.zeros(58112)
    for i in range(224):
        # (1026) @ (1026, 1024) -> (1024)
        exact[256 * i : 256 * i + 1024] += gy[0, :, i] @ w[:, 0]
    assert np.array_equal(im2col.grad_input(gy, w, spec)[0, 0], exact)


@pytest.mark.parametrize("spec", PROBLEMS, ids=str)
def test_what_no_window_covers_has_gradient_zero(spec):
    gx = im2col.grad_input(np.ones(spec.y_shape), np.ones(spec.w_shape), spec)
    assert np.array_equal(gx != 0, np.broadcast_to(covered(spec), spec.x_shape))


# ---- blocks --------------------------------------------------------------------------------------


def blocks_of(spec: ConvSpec, workspace: int) -> list[im2col.Block]:
    with mock.patch.object(im2col, "WORKSPACE", workspace):
        return [block for block, _, _ in im2col._blocks(spec, np.dtype("float32"))]


def test_blocks_are_images_then_rows_then_pixels():
    spec = ConvSpec.parse("n5 c3 i4x6 o9 k1x1")
    pixel = 4 * (3 + 9)  # bytes of a column and of a row of gy

    def sizes(pixels: int) -> list[tuple[int, ...]]:
        found = blocks_of(spec, pixels * pixel)
        return [tuple(part.stop - part.start for part in block) for block in found]

    assert sizes(1000) == [(5, 4, 6)]
    assert sizes(2 * 24) == [(2, 4, 6), (2, 4, 6), (1, 4, 6)]
    assert sizes(23) == [(1, 3, 6), (1, 1, 6)] * 5
    assert sizes(4) == [(1, 1, 4), (1, 1, 2)] * 20
    assert sizes(0) == [(1, 1, 1)] * 120


@given(conv_specs(), st.sampled_from(WORKSPACES))
def test_blocks_cover_every_pixel_once_and_without_gaps(spec, workspace):
    times = np.zeros((spec.batch, *spec.out_size), int)
    for block in blocks_of(spec, workspace):
        times[block] += 1
        part = times[block]
        assert np.shares_memory(part.reshape(-1), part)
    assert (times == 1).all()


# ---- memory --------------------------------------------------------------------------------------


def peak_bytes(call: object, *arguments: object) -> int:
    tracemalloc.start()
    try:
        call(*arguments)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "text",
    [
        "n8 c16 i96x96 o24 k3x3 p1",  # many images, channels side by side
        "n2 c3 i300x300 o8 k7x7 s2 p3",  # rows of one image, pixels side by side
        "c4 i3x60000 o4 k3x3 p1",  # pieces of one row
        "c1 i400000 o2 k64 s4",  # one axis
    ],
)
def test_memory_stays_within_the_workspace(text):
    """All columns at once would take more than four times the workspace."""
    spec = ConvSpec.parse(text)
    x, w, gy = (np.ones(s, np.float32) for s in (spec.x_shape, spec.w_shape, spec.y_shape))
    assert 4 * np.prod(spec.w_shape[1:]) * gy.size / spec.out_channels > 4 * im2col.WORKSPACE
    slack = 2**17  # Python's own objects, and the weights in another order
    assert peak_bytes(im2col.forward, x, w, None, spec) < im2col.WORKSPACE + gy.nbytes + slack
    # With few channels gx is summed in another layout than it is returned in.
    assert peak_bytes(im2col.grad_input, gy, w, spec) < im2col.WORKSPACE + 2 * x.nbytes + slack
    assert peak_bytes(im2col.grad_weight, gy, x, spec) < im2col.WORKSPACE + slack


# ---- accuracy ------------------------------------------------------------------------------------

LAYERS = [
    "n16 c1 i28x28 o16 k5x5 p2",
    "n16 c16 i14x14 o32 k3x3",
    "c64 i20x20 o64 k3x3 p1",
    "n2 c256 i14x14 o64 k1x1",
    "c3 i64x64 o64 k7x7 s2 p3",
    "n2 c32 i28x28 o32 k3x3 p1 g32",
]


def errors(text: str, draw: str, dtype: str) -> list[float]:
    """Return the largest error of each direction over S, the largest sum of |x| |w|."""
    spec = ConvSpec.parse(text)
    rng = np.random.default_rng(0)
    x, w, gy = (getattr(rng, draw)(size=s) for s in (spec.x_shape, spec.w_shape, spec.y_shape))
    x, w, gy = (array.astype(dtype).astype(np.longdouble) for array in (x, w, gy))
    found = []
    for kernel, a, b, bias in (
        ("forward", x, w, (None,)),
        ("grad_input", gy, w, ()),
        ("grad_weight", gy, x, ()),
    ):
        fast = getattr(im2col, kernel)(a.astype(dtype), b.astype(dtype), *bias, spec)
        exact = getattr(im2col, kernel)(a, b, *bias, spec)
        S = getattr(im2col, kernel)(abs(a), abs(b), *bias, spec).max()
        found.append(float(abs(fast - exact).max() / S))
    return found


@pytest.mark.parametrize(("dtype", "bound"), [("float32", 5e-7), ("float64", 1e-15)])
@pytest.mark.parametrize("text", LAYERS)
def test_errors_stay_within_eight_roundings(text, dtype, bound):
    assert max(errors(text, "standard_normal", dtype)) < bound


@pytest.mark.parametrize("text", LAYERS)
def test_float32_is_accurate_where_nothing_cancels(text):
    """The BLAS adds a few hundred positive terms in a row, and rounds a growing sum each time.

    A random walk of t = 512 steps of half a unit in the last place ends at sqrt(t) 6e-8 = 1.4e-6.
    """
    assert max(errors(text, "random", "float32")) < 1.4e-6


def test_denormal_weights_keep_their_digits():
    spec = ConvSpec.parse("n2 c3 i8x8 o4 k3x3 p1")
    x, gy = integers(spec.x_shape, 0).astype("float32"), integers(spec.y_shape, 1).astype("float32")
    w = (integers(spec.w_shape, 2) * 2.0**-149).astype("float32")
    assert (w != 0).any()
    assert abs(w).max() < np.finfo("float32").tiny
    for name, arguments in {"forward": (x, w, None), "grad_input": (gy, w)}.items():
        fast = getattr(im2col, name)(*arguments, spec)
        assert np.array_equal(fast, getattr(reference, name)(*arguments, spec)), name


@pytest.mark.parametrize("text", ["n9 c3 i12x12 o4 k3x3 p1", "n9 c32 i6x6 o16 k3x3 p1"])
def test_an_image_has_the_same_result_anywhere_in_the_batch(text):
    """To the last digits, which the BLAS may add up in another order for another size of matrix."""
    spec, one = ConvSpec.parse(text), ConvSpec.parse(text.removeprefix("n9 "))
    rng = np.random.default_rng(0)
    x, w, gy = (
        rng.standard_normal(s, "float32") for s in (spec.x_shape, spec.w_shape, spec.y_shape)
    )
    with mock.patch.object(im2col, "WORKSPACE", 2**16):  # several blocks of several images
        y, gx = im2col.forward(x, w, None, spec), im2col.grad_input(gy, w, spec)
    S = im2col.forward(abs(x), abs(w), None, spec).max()
    for n in range(9):
        here = slice(n, n + 1)
        assert abs(y[here] - im2col.forward(x[here], w, None, one)).max() < 5e-7 * S
        assert abs(gx[here] - im2col.grad_input(gy[here], w, one)).max() < 5e-7 * S
