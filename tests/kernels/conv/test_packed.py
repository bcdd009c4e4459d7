"""Packed weights: the bits of `forward` for any batch, threads and instruction set; misuse."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernels.conv.native import needs_native, normal
from kernels.conv.problems import conv_specs, integers

import pellucid
from pellucid.errors import (
    ArgumentError,
    DTypeError,
    OutOfMemoryError,
    ShapeError,
    UnsupportedError,
)
from pellucid.kernels import conv, native
from pellucid.kernels.conv import (
    ALGORITHMS,
    ConvSpec,
    PackedWeights,
    direct,
    im2col,
    lanewise,
    memory,
    planar,
    winograd,
)

ISAS = [] if native.module is None else native.module.isas()
# Those that make U for each job of outputs, though it is given, at least with batch 1.
BY_OUTPUTS = ["c512 i7x7 o512 k3x3 p1", "n3 c300 i9x9 o200 k3x3 p1", "c200 i7x7 o200 k5x5 p2"]
PACKED = {
    "direct": [
        "c3 i40x40 o17 k7x7 s2 p3",
        "c33 i20x20 o70 k1x1",
        "c40 i12x11 o100 k3x3 p1 g2",
        "c6 i9 o20 k4 s3 p2:1 d2 g2",
        "c5 i6x7x5 o9 k3x2x3 s2x1x1 p1",
        "c1 i6x6 o1 k3x3 s2",
    ],
    "winograd": [
        *BY_OUTPUTS,
        "c20 i11x9 o40 k3x3 p1",
        "c64 i14x14 o48 k3x3 p1 g4",
        "c40 i30x30 o80 k7x7 s2 p3",
        "c16 i14x14 o70 k3x3 p2 d2",
        "c40 i40 o70 k9 p4 d3",
        "c33 i9x9x9 o17 k3x3x3 p1",
    ],
    "lanewise": ["c40 i17x19 o40 k3x3 p1 g40"],
    "im2col": ["c3 i9x9 o4 k3x3 s2 p1"],
    "reference": ["c3 i9x9 o4 k3x3 s2 p1"],
}
CASES = [(name, text) for name, texts in PACKED.items() for text in texts]


@pytest.fixture(params=ISAS)
def isa(request):
    before = native.module.isa()
    assert native.module.select_isa(request.param)
    yield request.param
    native.module.select_isa(before)


def same_bits(found: np.ndarray, expected: np.ndarray) -> bool:
    return (
        found.dtype == expected.dtype
        and found.shape == expected.shape
        and found.strides == expected.strides
        and found.tobytes() == expected.tobytes()
    )


def check_bits(spec: ConvSpec, algorithm: str, dtype: str) -> None:
    w, b = normal(spec.w_shape, 1, dtype), normal(spec.b_shape, 2, dtype)
    given_w = w.copy()
    packed = PackedWeights(given_w, spec, algorithm)
    given_w.fill(np.nan)  # what happens to w later does not matter
    for batch in (1, 2, 3):
        several = replace(spec, batch=batch)
        x = normal(several.x_shape, 3, dtype)
        for bias in (None, b):
            expected = conv.forward(x, w, bias, several, algorithm)
            if native.module is not None:
                native.module.fill_pool(0xFF)  # a float of these bytes is NaN
            assert same_bits(conv.forward(x, packed, bias, several), expected)


@needs_native
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("algorithm", "text"), CASES)
@pytest.mark.usefixtures("isa")
def test_the_bits_are_those_of_forward(algorithm, text, dtype):
    spec = ConvSpec.parse(text)
    refused = ALGORITHMS[algorithm].refuses(spec, "forward", np.dtype(dtype))
    assert refused is None
    check_bits(spec, algorithm, dtype)


@settings(max_examples=100, deadline=None)
@given(conv_specs(), st.sampled_from(["float32", "float64"]))
def test_drawn_specs(spec, dtype):
    check_bits(spec, conv.choose(spec, "forward", np.dtype(dtype)), dtype)


@needs_native
@pytest.mark.parametrize(
    ("algorithm", "text"), [("direct", text) for text in PACKED["direct"]]
    + [("winograd", text) for text in PACKED["winograd"]]
)  # fmt: skip
def test_the_number_of_threads_changes_no_bit(algorithm, text):
    spec = replace(ConvSpec.parse(text), batch=3)
    x, w, b = (
        normal(s, k, "float32") for k, s in enumerate((spec.x_shape, spec.w_shape, spec.b_shape))
    )
    expected, before = conv.forward(x, w, b, spec, algorithm), pellucid.get_num_threads()
    try:
        for packing in (1, 3):
            pellucid.set_num_threads(packing)
            packed = PackedWeights(w, spec, algorithm)
            for threads in (1, 2, 5):
                pellucid.set_num_threads(threads)
                assert same_bits(conv.forward(x, packed, b, spec), expected)
    finally:
        pellucid.set_num_threads(before)


@needs_native
@pytest.mark.parametrize("algorithm", ["direct", "winograd"])
def test_w_of_any_layout(algorithm):
    spec = ConvSpec.parse("c20 i11x9 o40 k3x3 p1")
    x, w = normal(spec.x_shape, 0, "float32"), normal((3, 3, 20, 80), 1, "float32")
    w = w.transpose(3, 2, 0, 1)[::-2]
    expected = conv.forward(x, w.copy(), None, spec, algorithm)
    assert same_bits(conv.forward(x, PackedWeights(w, spec, algorithm), None, spec), expected)
    swapped = w.astype(w.dtype.newbyteorder())
    assert same_bits(conv.forward(x, PackedWeights(swapped, spec, algorithm), None, spec), expected)


@needs_native
@pytest.mark.parametrize("text", ["n2 c16 i9x9 o20 k3x3 p1", "n2 c32 i9x9 o40 k3x3 p1 g2"])
def test_tiles_that_are_not_finite_are_computed_from_w(text):
    spec = ConvSpec.parse(text)
    x, w = normal(spec.x_shape, 0, "float32"), normal(spec.w_shape, 1, "float32")
    x[0, 3, 0, 0] = np.nan
    x[1, 12, 4, 4] = 3e37
    packed = PackedWeights(w, spec, "winograd")
    y = conv.forward(x, packed, None, spec)
    assert same_bits(y, conv.forward(x, w, None, spec, "winograd"))
    assert np.isnan(y).sum() == 4 * (spec.out_channels // spec.groups)


@needs_native
@pytest.mark.parametrize("algorithm", ["direct", "winograd"])
def test_weights_near_zero_are_flushed_as_in_a_call(algorithm):
    spec = ConvSpec.parse("n2 c16 i9x9 o20 k3x3 p1")
    x, w = normal(spec.x_shape, 0, "float32"), normal(spec.w_shape, 1, "float32")
    w *= np.float32(1e-38)
    y = conv.forward(x, PackedWeights(w, spec, algorithm), None, spec)
    assert same_bits(y, conv.forward(x, w, None, spec, algorithm))


@needs_native
@pytest.mark.parametrize("algorithm", ["direct", "winograd"])
def test_a_call_makes_nothing_of_w(algorithm):
    """The packed numbers are what is used: others in their place give another y."""
    spec = ConvSpec.parse("c16 i9x9 o16 k3x3 p1")
    x, w = normal(spec.x_shape, 0, "float32"), normal(spec.w_shape, 1, "float32")
    packed = PackedWeights(w, spec, algorithm)
    packed._packed = PackedWeights(np.zeros_like(w), spec, algorithm)._packed
    assert not conv.forward(x, packed, None, spec).any()


@pytest.fixture
def _no_module(monkeypatch):
    for user in (conv, direct, winograd, lanewise, planar, im2col):
        monkeypatch.setattr(user, "module", None)
    conv._chosen.cache_clear()
    yield
    conv._chosen.cache_clear()


@pytest.mark.usefixtures("_no_module")
def test_without_the_native_module():
    spec = ConvSpec.parse("n2 c16 i9x9 o16 k3x3 p1")
    packed = PackedWeights(np.ones(spec.w_shape), spec)
    assert packed.algorithm == "im2col"
    check_bits(spec, "im2col", "float32")


def test_an_empty_batch():
    spec = ConvSpec.parse("n0 c2 i5x5 o3 k3x3")
    packed = PackedWeights(integers(spec.w_shape, 0), spec)
    assert packed.spec == ConvSpec.parse("c2 i5x5 o3 k3x3")
    y = conv.forward(np.zeros(spec.x_shape), packed, None, spec)
    assert y.shape == (0, 3, 3, 3)


@needs_native
def test_what_they_say_of_themselves():
    spec = ConvSpec.parse("n8 c16 i9x9 o16 k3x3 p1")
    w = np.ones(spec.w_shape, "float32")
    packed = PackedWeights(w, spec)
    assert packed.spec == replace(spec, batch=1)
    assert (packed.algorithm, packed.dtype) == ("winograd", np.dtype("float32"))
    assert packed.nbytes > 5 * w.nbytes  # U and w
    assert repr(packed) == (
        "PackedWeights('c16 i9x9 o16 k3x3 p1', algorithm='winograd', dtype=float32, "
        f"nbytes={packed.nbytes})"
    )
    assert PackedWeights(w, spec, "direct").nbytes in (w.nbytes, 2 * w.nbytes, 4 * w.nbytes)
    assert PackedWeights(w, spec, "im2col").nbytes == w.nbytes
    pellucid.set_winograd(False)
    try:
        assert PackedWeights(w, spec).algorithm == "direct"
        x = normal(spec.x_shape, 0, "float32")
        expected = conv.forward(x, w, None, spec, "winograd")
        assert same_bits(conv.forward(x, packed, None, spec), expected)
    finally:
        pellucid.set_winograd(True)


@needs_native
def test_their_memory_comes_from_the_pool_and_goes_back():
    spec = ConvSpec.parse("c64 i9x9 o64 k3x3 p1")
    w = normal(spec.w_shape, 0, "float32")
    for algorithm in ("direct", "winograd", "im2col"):
        before = native.module.pool_state()[0]
        packed = PackedWeights(w, spec, algorithm)
        assert native.module.pool_state()[0] >= before + packed.nbytes
        del packed
        assert native.module.pool_state()[0] == before


def test_what_does_not_fit_is_said(monkeypatch):
    spec = ConvSpec.parse("n2 c512 i9x9 o512 k3x3")
    w = np.broadcast_to(np.float32(1), spec.w_shape)
    monkeypatch.setattr(memory, "memory_limit", lambda: 1_000_000)
    with pytest.raises(OutOfMemoryError, match="conv2d: forward needs"):
        PackedWeights(w, spec)


@needs_native
def test_what_the_system_does_not_grant_is_said(monkeypatch):
    def none_left(*_):
        raise MemoryError

    spec = ConvSpec.parse("n2 c16 i9x9 o16 k3x3")
    x, w = normal(spec.x_shape, 0, "float32"), normal(spec.w_shape, 1, "float32")
    packed = PackedWeights(w, spec, "direct")
    monkeypatch.setattr(direct, "pack", none_left)
    monkeypatch.setattr(direct, "forward", none_left)
    for act in (lambda: PackedWeights(w, spec), lambda: conv.forward(x, packed, None, spec)):
        with pytest.raises(OutOfMemoryError, match="which the system does not grant"):
            act()


# ---- misuse --------------------------------------------------------------------------------------

SPEC = ConvSpec.parse("n2 c3 i9x9 o4 k3x3 s2")
PLAIN = "PackedWeights('c3 i9x9 o4 k3x3 s2', algorithm='im2col', dtype=float32, nbytes=432)"
W, X, GY = (np.ones(shape, "float32") for shape in (SPEC.w_shape, SPEC.x_shape, SPEC.y_shape))


@pytest.fixture
def packed():
    return PackedWeights(W, SPEC, "im2col")


def other_spec(packed: PackedWeights) -> object:
    spec = ConvSpec.parse("n2 c3 i9x9 o4 k3x3 s2 p1")
    return conv.forward(X, packed, None, spec)


MISUSE: list[tuple[type[Exception], Callable[[PackedWeights], object], str]] = [
    (
        ShapeError,
        other_spec,
        "conv2d: w is packed for c3 i9x9 o4 k3x3 s2 with any batch, but the spec says "
        f"n2 c3 i9x9 o4 k3x3 s2 p1\n  {PLAIN}\n  fix: pack w again for this spec",
    ),
    (
        ShapeError,
        lambda _: PackedWeights(W[:3], SPEC),
        "conv2d: w has the shape (3, 3, 3, 3), but the spec says (4, 3, 3, 3)\n"
        "  w (O=3, C/G=3, KH=3, KW=3)    c3 i9x9 o4 k3x3 s2\n"
        "  fix: make the spec from the shapes of x and w, or give w that shape",
    ),
    (
        ShapeError,
        lambda packed: conv.forward(X[:1], packed, None, SPEC),
        "conv2d: x has the shape (1, 3, 9, 9), but the spec says (2, 3, 9, 9)\n"
        "  x (N=1, C=3, H=9, W=9)    n2 c3 i9x9 o4 k3x3 s2\n"
        "  fix: make the spec from the shapes of x and w, or give x that shape",
    ),
    (
        DTypeError,
        lambda packed: conv.forward(X.astype("float64"), packed, None, SPEC),
        "conv2d: x is float64, but the packed w is float32\n"
        f"  x (N=2, C=3, H=9, W=9)    {PLAIN}\n"
        "  fix: convert x, or convert w and pack it again",
    ),
    (
        DTypeError,
        lambda packed: conv.forward(X, packed, np.ones(4), SPEC),
        "conv2d: x is float32, but b is float64\n"
        "  x (N=2, C=3, H=9, W=9)    b (O=4)\n"
        "  fix: convert one of them to the dtype of the other",
    ),
    (
        ArgumentError,
        lambda packed: conv.forward(X, packed, None, SPEC, "reference"),
        f"conv2d: w is packed for im2col, but algorithm='reference'\n  {PLAIN}\n"
        "  fix: leave the algorithm out, or pack w again for that one",
    ),
    (
        ArgumentError,
        lambda _: PackedWeights(W, SPEC, "fft"),
        "conv2d: there is no algorithm 'fft'\n"
        "  fix: use one of winograd, lanewise, planar, direct, im2col, reference, "
        "or None for the fastest",
    ),
    (
        UnsupportedError,
        lambda packed: conv.grad_input(GY, packed, SPEC),
        "conv2d: w is a PackedWeights, which stand for w in forward and nowhere else\n"
        f"  {PLAIN}    n2 c3 i9x9 o4 k3x3 s2\n  fix: give the array w",
    ),
    (
        UnsupportedError,
        lambda packed: conv.grad_weight(GY, packed, SPEC),
        "conv2d: x is a PackedWeights, which stand for w in forward and nowhere else\n"
        f"  {PLAIN}    n2 c3 i9x9 o4 k3x3 s2\n  fix: give the array x",
    ),
    (
        UnsupportedError,
        lambda packed: PackedWeights(packed, SPEC),
        "conv2d: w is a PackedWeights, which stand for w in forward and nowhere else\n"
        f"  {PLAIN}    c3 i9x9 o4 k3x3 s2\n  fix: give the array w",
    ),
    *[
        (
            UnsupportedError,
            act,
            "PackedWeights: they fit this processor alone, and are neither pickled nor copied\n"
            f"  {PLAIN}\n  fix: pickle w, and pack it again where it is used",
        )
        for act in (pickle.dumps, copy.copy, copy.deepcopy)
    ],
]


@pytest.mark.parametrize(("kind", "act", "message"), MISUSE)
def test_misuse(kind, act, message, packed):
    with pytest.raises(kind) as caught:
        act(packed)
    assert str(caught.value) == message


def test_nothing_of_them_changes(packed):
    for name in ("spec", "algorithm", "dtype", "nbytes", "another"):
        with pytest.raises(AttributeError):
            setattr(packed, name, None)
