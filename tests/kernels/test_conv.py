"""The public functions of kernels/conv: every algorithm is right, one is chosen, misuse is told."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from kernels.conv.layouts import LAYOUTS, laid_out
from kernels.conv.native import needs_native
from kernels.conv.problems import conv_specs, integers

from pellucid.errors import ArgumentError, DTypeError, ShapeError, UnsupportedError
from pellucid.kernels import conv
from pellucid.kernels.conv import ALGORITHMS, ConvSpec
from pellucid.kernels.layout import as_channels_last, is_channels_last
from pellucid.kernels.native import get_num_threads, set_num_threads

# Those that compute everything; what the others refuse is in their own tests.
SERVE_ALL = [
    name
    for name in ("direct", "im2col", "reference")
    if not ALGORITHMS[name].refuses(ConvSpec.parse("c1 i1 o1 k1"), "forward", np.dtype("float32"))
]
algorithms = pytest.mark.parametrize("algorithm", SERVE_ALL)

# ---- the worked example --------------------------------------------------------------------------
#
# Input 5x5, kernel 3x3, stride 2, output 2x2, counted from 1 as on paper (docs/maths.md, 5).

EXAMPLE = ConvSpec.parse("c1 i5x5 o1 k3x3 s2")
x_example, w_example = integers(EXAMPLE.x_shape, 0), integers(EXAMPLE.w_shape, 1)
b_example, do_example = integers(EXAMPLE.b_shape, 2), integers(EXAMPLE.y_shape, 3)

(
    (x11, x12, x13, x14, x15),
    (x21, x22, x23, x24, x25),
    (x31, x32, x33, x34, x35),
    (x41, x42, x43, x44, x45),
    (x51, x52, x53, x54, x55),
) = x_example[0, 0]
(w11, w12, w13), (w21, w22, w23), (w31, w32, w33) = w_example[0, 0]
(d11, d12), (d21, d22) = do_example[0, 0]  # dL/do
b1 = b_example[0]


@algorithms
def test_the_outputs_of_the_worked_example(algorithm):
    # fmt: off
    o11 = x11*w11 + x12*w12 + x13*w13 + x21*w21 + x22*w22 + x23*w23 + x31*w31 + x32*w32 + x33*w33
    o12 = x13*w11 + x14*w12 + x15*w13 + x23*w21 + x24*w22 + x25*w23 + x33*w31 + x34*w32 + x35*w33
    o21 = x31*w11 + x32*w12 + x33*w13 + x41*w21 + x42*w22 + x43*w23 + x51*w31 + x52*w32 + x53*w33
    o22 = x33*w11 + x34*w12 + x35*w13 + x43*w21 + x44*w22 + x45*w23 + x53*w31 + x54*w32 + x55*w33
    # fmt: on
    o = conv.forward(x_example, w_example, b_example, EXAMPLE, algorithm)
    assert o[0, 0].tolist() == [[o11 + b1, o12 + b1], [o21 + b1, o22 + b1]]


@algorithms
def test_the_gradient_by_x_of_the_worked_example(algorithm):
    dx = conv.grad_input(do_example, w_example, EXAMPLE, algorithm)
    assert dx[0, 0].tolist() == [
        [d11 * w11, d11 * w12, d11 * w13 + d12 * w11, d12 * w12, d12 * w13],
        [d11 * w21, d11 * w22, d11 * w23 + d12 * w21, d12 * w22, d12 * w23],
        [
            d11 * w31 + d21 * w11,
            d11 * w32 + d21 * w12,
            d11 * w33 + d12 * w31 + d21 * w13 + d22 * w11,
            d12 * w32 + d22 * w12,
            d12 * w33 + d22 * w13,
        ],
        [d21 * w21, d21 * w22, d21 * w23 + d22 * w21, d22 * w22, d22 * w23],
        [d21 * w31, d21 * w32, d21 * w33 + d22 * w31, d22 * w32, d22 * w33],
    ]


@algorithms
def test_the_gradient_by_w_of_the_worked_example(algorithm):
    dw = conv.grad_weight(do_example, x_example, EXAMPLE, algorithm)
    assert dw[0, 0].tolist() == [
        [
            d11 * x11 + d12 * x13 + d21 * x31 + d22 * x33,
            d11 * x12 + d12 * x14 + d21 * x32 + d22 * x34,
            d11 * x13 + d12 * x15 + d21 * x33 + d22 * x35,
        ],
        [
            d11 * x21 + d12 * x23 + d21 * x41 + d22 * x43,
            d11 * x22 + d12 * x24 + d21 * x42 + d22 * x44,
            d11 * x23 + d12 * x25 + d21 * x43 + d22 * x45,
        ],
        [
            d11 * x31 + d12 * x33 + d21 * x51 + d22 * x53,
            d11 * x32 + d12 * x34 + d21 * x52 + d22 * x54,
            d11 * x33 + d12 * x35 + d21 * x53 + d22 * x55,
        ],
    ]


def test_the_gradient_by_b_of_the_worked_example():
    assert conv.grad_bias(do_example, EXAMPLE).tolist() == [d11 + d12 + d21 + d22]


# ---- arrays as they come -------------------------------------------------------------------------

SPEC = ConvSpec.parse("n2 c4 i6x5 o6 k3x2 s2x1 p1x0:1 g2")


def run_all(x, w, b, gy, algorithm):
    """Return y, gx, gw and gb."""
    return [
        conv.forward(x, w, b, SPEC, algorithm),
        conv.grad_input(gy, w, SPEC, algorithm),
        conv.grad_weight(gy, x, SPEC, algorithm),
        conv.grad_bias(gy, SPEC),
    ]


def arrays(dtype="float64"):
    shapes = (SPEC.x_shape, SPEC.w_shape, SPEC.b_shape, SPEC.y_shape)
    return [integers(shape, k).astype(dtype) for k, shape in enumerate(shapes)]


@algorithms
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_any_layout_gives_the_same_numbers(layout, dtype, algorithm):
    expected = run_all(*arrays(), "reference")
    inputs = [laid_out(array, layout) for array in arrays(dtype)]
    for result, exact in zip(run_all(*inputs, algorithm), expected, strict=True):
        assert result.dtype == np.dtype(dtype)
        assert np.array_equal(result, exact)
    assert all(map(np.array_equal, inputs, arrays()))


@algorithms
def test_a_broadcast_gradient_is_read_as_it_lies(algorithm):
    x, w, b, gy = arrays()
    gy = np.broadcast_to(gy[:1, :1, :1, :1], gy.shape)
    for result, exact in zip(
        run_all(x, w, b, gy, algorithm), run_all(x, w, b, gy.copy(), "reference"), strict=True
    ):
        assert np.array_equal(result, exact)


@algorithms
def test_outputs_are_new_and_writable(algorithm):
    inputs = arrays()
    for result in run_all(*inputs, algorithm):
        assert result.flags.writeable
        assert not any(np.shares_memory(result, array) for array in inputs)


def test_the_gradient_of_the_bias_of_a_transposed_convolution():
    gy = integers(SPEC.x_shape, 0)
    assert conv.grad_bias(gy, SPEC, transposed=True).tolist() == gy.sum(axis=(0, 2, 3)).tolist()


def test_outputs_of_im2col_are_channels_last():
    y, gx, gw, _ = run_all(*arrays(), "im2col")
    assert is_channels_last(y)
    assert is_channels_last(gx)
    assert gw.flags.c_contiguous


@algorithms
def test_an_empty_batch(algorithm):
    spec = ConvSpec.parse("n0 c2 i5x5 o3 k3x3 p1")
    x, w, gy = (np.ones(shape, "float32") for shape in (spec.x_shape, spec.w_shape, spec.y_shape))
    assert conv.forward(x, w, np.ones(3, "float32"), spec, algorithm).shape == (0, 3, 5, 5)
    assert conv.grad_input(gy, w, spec, algorithm).shape == (0, 2, 5, 5)
    assert not conv.grad_weight(gy, x, spec, algorithm).any()
    assert conv.grad_bias(gy, spec).tolist() == [0, 0, 0]


def test_grad_bias_does_not_lose_digits_over_many_pixels():
    spec = ConvSpec.parse("n64 c1 i64x64 o8 k1x1")
    gy = np.random.default_rng(0).random((64, 64, 64, 8), "float32").transpose(0, 3, 1, 2)
    exact = gy.astype("float64").sum(axis=(0, 2, 3))
    assert np.array_equal(conv.grad_bias(gy, spec), exact.astype("float32"))


def test_arrays_whose_dtype_is_equal_to_the_usual_one_and_another_object():
    x, w, b, gy = (pickle.loads(pickle.dumps(array)) for array in arrays("float32"))
    assert x.dtype is not np.dtype("float32")
    for result, exact in zip(
        run_all(x, w, b, gy, None), run_all(*arrays(), "reference"), strict=True
    ):
        assert np.array_equal(result, exact)


def steps_of(call: Callable[[], object]) -> list[str]:
    """Return the names of the Python functions that a call enters."""
    found: list[str] = []
    sys.setprofile(lambda frame, event, _: event == "call" and found.append(frame.f_code.co_name))
    try:
        call()
    finally:
        sys.setprofile(None)
    return found


@needs_native
def test_a_small_convolution_takes_few_steps_in_python():
    """Which take longer than its arithmetic: it costs as much as they do."""
    spec = ConvSpec.parse("c1 i8x8 o4 k3")
    x, w, gy = (np.ones(shape, "float32") for shape in (spec.x_shape, spec.w_shape, spec.y_shape))
    gy = as_channels_last(gy)
    for call in (
        lambda: conv.forward(x, w, None, spec),
        lambda: conv.grad_input(gy, w, spec),
        lambda: conv.grad_weight(gy, x, spec),
    ):
        call()  # what is made once is made here
        assert len(steps_of(call)) <= 14, steps_of(call)


# ---- choosing ------------------------------------------------------------------------------------


def stub(refuses: str | None = None, slower: str | None = None) -> SimpleNamespace:
    return SimpleNamespace(
        refuses=lambda spec, direction, dtype: refuses,
        slower=lambda spec, direction, dtype: slower if direction == "forward" else None,
        forward=lambda x, w, b, spec, ceiling: "stub forward",
        grad_input=lambda gy, w, spec, bx: "stub grad_input",
    )


@contextmanager
def listed(**stubs: SimpleNamespace) -> Iterator[None]:
    known = {"plain": stub(), "reference": ALGORITHMS["reference"]}
    with mock.patch.object(conv, "ALGORITHMS", {**stubs, **known}):
        conv._chosen.cache_clear()
        yield
    conv._chosen.cache_clear()


def test_the_first_that_neither_refuses_nor_is_slower_computes():
    x, w, _, gy = arrays()
    with listed(never=stub(refuses="it is a stub"), sometimes=stub(slower="thin channels")):
        assert conv.choose(SPEC, "forward", x.dtype) == "plain"
        assert conv.choose(SPEC, "grad_input", x.dtype) == "sometimes"
        assert conv.grad_input(gy, w, SPEC) == "stub grad_input"


def test_forced_it_computes_although_it_is_slower():
    x, w, _, _ = arrays()
    with listed(sometimes=stub(slower="thin channels")):
        assert conv.forward(x, w, None, SPEC, algorithm="sometimes") == "stub forward"


def test_forced_it_still_refuses():
    x, w, _, _ = arrays()
    with listed(never=stub(refuses="it is a stub")), pytest.raises(UnsupportedError) as caught:
        conv.forward(x, w, None, SPEC, algorithm="never")
    assert str(caught.value) == (
        "conv2d: never refuses forward in float64: it is a stub\n"
        "  n2 c4 i6x5 o6 k3x2 s2x1 p1x0:1 g2\n"
        "  fix: leave the algorithm out, and one that can is chosen"
    )


def test_explain_choice_gives_every_reason():
    with listed(never=stub(refuses="it is a stub"), sometimes=stub(slower="thin channels")):
        table = conv.explain_choice(SPEC)
    assert table == (
        "n2 c4 i6x5 o6 k3x2 s2x1 p1x0:1 g2, float32\n"
        "  forward      never       refuses: it is a stub\n"
        "               sometimes   slower: thin channels\n"
        "               plain       chosen\n"
        "               reference   slower: a walk in Python, the oracle of the others\n"
        "  grad_input   never       refuses: it is a stub\n"
        "               sometimes   chosen\n"
        "               plain       comes after sometimes\n"
        "               reference   slower: a walk in Python, the oracle of the others\n"
        "  grad_weight  never       refuses: it is a stub\n"
        "               sometimes   chosen\n"
        "               plain       comes after sometimes\n"
        "               reference   slower: a walk in Python, the oracle of the others"
    )


@given(conv_specs())
def test_the_choice_does_not_depend_on_the_batch(spec):
    for direction in ("forward", "grad_input", "grad_weight"):
        for dtype in (np.dtype("float32"), np.dtype("float64")):
            alone = replace(spec, batch=1)
            assert conv.choose(spec, direction, dtype) == conv.choose(alone, direction, dtype)


# ---- messages ------------------------------------------------------------------------------------

X, W, B, GY = (np.zeros(s) for s in (SPEC.x_shape, SPEC.w_shape, SPEC.b_shape, SPEC.y_shape))
NAME = "n2 c4 i6x5 o6 k3x2 s2x1 p1x0:1 g2"

MESSAGES = [
    (
        lambda: conv.forward(X, W.astype("float32"), None, SPEC),
        DTypeError,
        "conv2d: x is float64, but w is float32\n"
        "  x (N=2, C=4, H=6, W=5)    w (O=6, C/G=2, KH=3, KW=2)\n"
        "  fix: convert one of them to the dtype of the other",
    ),
    (
        lambda: conv.forward(X, W, B.astype("float32"), SPEC),
        DTypeError,
        "conv2d: x is float64, but b is float32\n"
        "  x (N=2, C=4, H=6, W=5)    b (O=6)\n"
        "  fix: convert one of them to the dtype of the other",
    ),
    (
        lambda: conv.grad_input(GY.astype("int64"), W, SPEC),
        DTypeError,
        "conv2d: gy is int64, but convolution is for floats\n"
        "  gy (N=2, O=6, OH=3, OW=5)\n"
        "  fix: convert it to float32 or float64",
    ),
    (
        lambda: conv.grad_input(GY, W, SPEC, bx=B),
        ShapeError,
        "conv2d: bx has the shape (6,), but the spec says (4,)\n"
        f"  bx (C=6)    {NAME}\n"
        "  fix: make the spec from the shapes of x and w, or give bx that shape",
    ),
    (
        lambda: conv.grad_bias(GY, SPEC, transposed=True),
        ShapeError,
        "conv2d: gx has the shape (2, 6, 3, 5), but the spec says (2, 4, 6, 5)\n"
        f"  gx (N=2, C=6, H=3, W=5)    {NAME}\n"
        "  fix: make the spec from the shapes of x and w, or give gx that shape",
    ),
    (
        lambda: conv.grad_weight(GY, X.astype("bool"), SPEC),
        DTypeError,
        "conv2d: x is bool, but convolution is for floats\n"
        "  x (N=2, C=4, H=6, W=5)\n"
        "  fix: convert it to float32 or float64",
    ),
    (
        lambda: conv.grad_bias(GY.astype("float16"), SPEC),
        UnsupportedError,
        "conv2d: there is no float16 arithmetic\n  fix: use float32",
    ),
    (
        lambda: conv.forward(X[:, :, 1:], W, None, SPEC),
        ShapeError,
        "conv2d: x has the shape (2, 4, 5, 5), but the spec says (2, 4, 6, 5)\n"
        f"  x (N=2, C=4, H=5, W=5)    {NAME}\n"
        "  fix: make the spec from the shapes of x and w, or give x that shape",
    ),
    (
        lambda: conv.grad_input(GY[0], W, SPEC),
        ShapeError,
        "conv2d: gy has the shape (6, 3, 5), but the spec says (2, 6, 3, 5)\n"
        f"  gy (6, 3, 5)    {NAME}\n"
        "  fix: make the spec from the shapes of x and w, or give gy that shape",
    ),
    (
        lambda: conv.forward(X, W, None, SPEC, algorithm="fft"),
        ArgumentError,
        "conv2d: there is no algorithm 'fft'\n"
        "  fix: use one of winograd, lanewise, planar, direct, im2col, reference, "
        "or None for the fastest",
    ),
]


@pytest.mark.parametrize(
    ("call", "kind", "message"), MESSAGES, ids=[m.splitlines()[0] for *_, m in MESSAGES]
)
def test_messages_word_for_word(call, kind, message):
    with pytest.raises(kind) as caught:
        call()
    assert str(caught.value) == message


# --- grad_bias ------------------------------------------------------------------------------------


def lying(way: str, gy: np.ndarray) -> np.ndarray:
    if way == "channels last":
        return as_channels_last(gy)
    return gy if way == "rows" else np.repeat(gy, 2, axis=1)[:, ::2]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("way", ["channels last", "rows", "gaps"])
@pytest.mark.parametrize("shape", [(5, 17, 9, 30), (3, 1, 50, 50), (2, 300, 3, 3)])
def test_the_gradient_of_a_bias_is_a_sum_in_float64(dtype, way, shape):
    N, O, OH, OW = shape
    spec = ConvSpec.parse(f"n{N} c1 i{OH}x{OW} o{O} k1x1")
    gy = lying(way, np.random.default_rng(0).standard_normal(shape).astype(dtype))
    gb = conv.grad_bias(gy, spec)
    assert gb.dtype == np.dtype(dtype)
    wanted = gy.sum(axis=(0, 2, 3), dtype=np.float64)
    tolerance = 1e-6 if dtype == "float32" else 1e-14
    np.testing.assert_allclose(gb, wanted, rtol=tolerance, atol=30 * tolerance)


def test_a_million_gradients_of_a_bias_lose_nothing():
    gy = lying("channels last", np.full((1000, 2, 1000, 1), 0.1, "float32"))
    gb = conv.grad_bias(gy, ConvSpec.parse("n1000 c1 i1000x1 o2 k1x1"))
    np.testing.assert_allclose(gb, 1e6 * float(np.float32(0.1)), rtol=1e-7)


def test_no_bit_of_the_gradient_of_a_bias_depends_on_the_threads():
    gy = np.random.default_rng(0).standard_normal((16, 20, 40, 40)).astype("float32")
    gy, spec = lying("channels last", gy), ConvSpec.parse("n16 c1 i40x40 o20 k1x1")
    before, found = get_num_threads(), []
    try:
        for threads in (1, 2, 3, 5):
            set_num_threads(threads)
            found.append(conv.grad_bias(gy, spec).tobytes())
    finally:
        set_num_threads(before)
    assert len(set(found)) == 1
