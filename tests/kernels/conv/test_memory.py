"""What does not fit is said before it is asked for, and a call takes no more than stated."""

from __future__ import annotations

import functools
import gc
import re
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from kernels.conv.checks import DIRECTIONS, NATIVE, THREADED
from kernels.conv.layouts import channels_last
from kernels.conv.native import needs_native, peak_of
from kernels.conv.random_specs import draw

import pellucid
from pellucid.errors import OutOfMemoryError
from pellucid.kernels import conv, native
from pellucid.kernels.conv import ALGORITHMS, ConvSpec, memory

SHAPES = Path(__file__).parents[3] / "benchmarks" / "shapes"


def no_images(shape: tuple[int, ...]) -> np.ndarray:
    """An array (N, C, ...) of that shape in 4 bytes for each channel, its channels side by side."""
    return np.moveaxis(
        np.broadcast_to(np.zeros(shape[1], "float32"), channels_at_end(shape)), -1, 1
    )


def channels_at_end(shape: tuple[int, ...]) -> tuple[int, ...]:
    return shape[0], *shape[2:], shape[1]


def arguments(spec: ConvSpec, direction: str) -> tuple[np.ndarray | None, ...]:
    w = np.broadcast_to(np.zeros(spec.kernel, "float32"), spec.w_shape)
    if direction == "forward":
        return no_images(spec.x_shape), w, None
    gy = no_images(spec.y_shape)
    return (gy, w) if direction == "grad_input" else (gy, no_images(spec.x_shape))


# ---- messages ------------------------------------------------------------------------------------

GIB = 2**30


@pytest.fixture
def _limit(request: pytest.FixtureRequest) -> Iterator[None]:
    """A machine with so many bytes of memory, and a workspace of a thousand."""
    with (
        mock.patch.object(memory, "memory_limit", return_value=request.param),
        mock.patch.object(ALGORITHMS["im2col"], "workspace", return_value=1000),
    ):
        yield


MESSAGES = [
    (
        "n64 c16 i64x64 o32 k3x3 p1",
        "forward",
        20_000_000,
        "conv2d: forward needs 33,555,432 bytes, but this machine or its container has "
        "20,000,000 bytes\n"
        "  y: 33,554,432 bytes    workspace: 1,000 bytes    n64 c16 i64x64 o32 k3x3 p1\n"
        "  fix: use a batch of at most 38",
    ),
    (
        "n64 c16 i64x64 o32 k3x3 p1",
        "grad_input",
        2_000_000,
        "conv2d: grad_input needs 16,778,216 bytes, but this machine or its container has "
        "2,000,000 bytes\n"
        "  gx: 16,777,216 bytes    workspace: 1,000 bytes    n64 c16 i64x64 o32 k3x3 p1\n"
        "  fix: use a batch of at most 7",
    ),
    (
        "n2 c1000 i9 o2000 k3 p1",
        "grad_weight",
        10_000_000,
        "conv1d: grad_weight needs 24,145,000 bytes, but this machine or its container has "
        "10,000,000 bytes\n"
        "  gw: 24,000,000 bytes    workspace: 1,000 bytes    a copy of gy: 144,000 bytes    "
        "n2 c1000 i9 o2000 k3 p1\n"
        "  fix: no batch fits: use smaller images, fewer channels or a smaller kernel",
    ),
    (  # a really huge one: 2^80 multiply-adds, and 2^69 bytes of y
        "n1048576 c1 i1048576x1048576 o128 k1x1",
        "forward",
        16 * GIB,
        "conv2d: forward needs 590,295,810,358,705,652,712 bytes, but this machine or its "
        "container has 17,179,869,184 bytes\n"
        "  y: 590,295,810,358,705,651,712 bytes    workspace: 1,000 bytes    "
        "n1048576 c1 i1048576x1048576 o128 k1x1\n"
        "  fix: no batch fits: use smaller images, fewer channels or a smaller kernel",
    ),
    (
        "n4294967296 c1 i1048576 o1 k2",
        "grad_input",
        16 * GIB,
        "conv1d: grad_input needs 18,014,398,509,482,984 bytes, but this machine or its "
        "container has 17,179,869,184 bytes\n"
        "  gx: 18,014,398,509,481,984 bytes    workspace: 1,000 bytes    "
        "n4294967296 c1 i1048576 o1 k2\n"
        "  fix: use a batch of at most 4095",
    ),
]


@pytest.mark.usefixtures("_limit")
@pytest.mark.parametrize(
    ("text", "direction", "_limit", "message"),
    MESSAGES,
    indirect=["_limit"],
    ids=[m[0] for m in MESSAGES],
)
def test_messages_word_for_word(text, direction, message):
    spec = ConvSpec.parse(text)
    tracemalloc.start()
    try:
        with pytest.raises(OutOfMemoryError) as caught:
            getattr(conv, direction)(*arguments(spec, direction), spec, algorithm="im2col")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert str(caught.value) == message
    assert peak < 1_000_000  # it is said before anything is allocated
    assert isinstance(caught.value, MemoryError)


@needs_native
@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("algorithm", NATIVE)
def test_native_kernels_are_not_asked_for_what_does_not_fit(algorithm, direction):
    groups = 16 if algorithm == "lanewise" else 1
    spec = ConvSpec.parse(f"n64 c16 i64x64 o16 k3x3 p1 g{groups}")
    needs = ALGORITHMS[algorithm].workspace(spec, direction, np.dtype("float32"))
    native.module.take_pool_peak()
    used, *_ = native.module.pool_state()
    with (
        mock.patch.object(memory, "memory_limit", return_value=100_000),
        pytest.raises(OutOfMemoryError, match=f"workspace: {needs:,} bytes"),
    ):
        getattr(conv, direction)(*arguments(spec, direction), spec, algorithm=algorithm)
    assert native.module.take_pool_peak() == used


NOT_GRANTED = """
import resource
import numpy as np
from pellucid.errors import OutOfMemoryError
from pellucid.kernels import conv
spec = conv.ConvSpec.parse("n64 c1 i512x512 o16 k1x1")
x, w = np.zeros(spec.x_shape, "f"), np.zeros(spec.w_shape, "f")
resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))
try:
    conv.forward(x, w, None, spec, algorithm="ALGORITHM")
except OutOfMemoryError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_AS")
@pytest.mark.parametrize("algorithm", ["im2col", pytest.param("direct", marks=needs_native)])
def test_what_the_system_does_not_grant(algorithm):
    code = NOT_GRANTED.replace("ALGORITHM", algorithm)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert re.sub(r"(needs|workspace:) [\d,]+", r"\1 many", done.stdout) == (
        "conv2d: forward needs many bytes, which the system does not grant\n"
        "  y: 1,073,741,824 bytes    workspace: many bytes    n64 c1 i512x512 o16 k1x1\n"
        "  fix: free other arrays, or use a batch of less than 64\n"
    )


def test_the_zeros_around_x_count():
    """One pixel, two taps a thousand million apart: little to compute, and a frame of gigabytes."""
    spec = ConvSpec.parse("c1 i1 o1 k2 p500000000 d1000000000")
    with mock.patch.object(memory, "memory_limit", return_value=GIB):
        conv.forward(*arguments(spec, "forward"), spec)  # reads x as it lies
        with (
            pytest.raises(OutOfMemoryError, match=r"no batch fits")
            if native.module
            else nullcontext()
        ):
            conv.grad_weight(*arguments(spec, "grad_weight"), spec)


def test_a_spec_of_moderate_size_is_not_asked_about():
    """The check costs a tiny convolution one comparison."""
    spec = ConvSpec.parse("c1 i8x8 o4 k3x3")
    with mock.patch.object(conv, "check_memory", side_effect=AssertionError):
        conv.forward(*arguments(spec, "forward"), spec)


# ---- the workspace -------------------------------------------------------------------------------

UNUSUAL = [
    "c4 i4x60000 o4 k3x3 p1",  # wide images
    "c16 i2x20000 o16 k3x3 p1",
    "c16 i2x20000 o32 k3x3 p1 g16",
    "c16 i8x8x3000 o16 k3x3x3 p1",
    "c16 i100000 o16 k9 p4",
    "c1 i1000000 o1 k2",
    "n64 c4096 i1x1 o16 k3x3 p1",  # many channels
    "n512 c512 i1x1 o16 k3x3 p1",
    "c1024 i7x7 o512 k3x3 p1",
    "c300 i3x3 o2000 k3x3 p1",
    "c4096 i4x4 o512 k1x1",
    "c1024 i9x9 o1024 k3x3 p1 g1024",  # many groups
    "c999 i9x9 o999 k3x3 p1 g333",
    "c512 i9x9 o2048 k5x5 p2 g512",
    "c2 i200x200 o3 k101x101 s7 p50",  # large kernels and their gaps
    "c8 i100x100 o8 k31x31 p15 g8",
    "c16 i300x300 o16 k3x3 d100",
    "c16 i300x300 o16 k3x3 d100 g16",
    "c4 i16x16x16 o4 k9x9x9 p4",
    "c3 i64x64 o3 k2x2 s200 p150",
    "n300 c16 i5x5 o16 k3x3 p1",  # many images
    "n512 c4096 i1x1 o16 k3x3 p1",
    "n128 c32 i31x31 o4 k31x31",
    "n40 c1024 i4x4 o1024 k3x3 p1",
    "c16 i40x40 o16 k25x25 p12",  # many parts
    "c5 i70x70 o3 k60x60 p30",
    "c17 i100x9 o20 k48x3 s3x1 p10x1 d1x2",
    "c200 i9x9x9 o32 k3x3x3 p1",
    "n4 c256 i14x14 o256 k3x3 p1 g2",  # groups in turn, and side by side
    "n2 c128 i28x28 o128 k3x3 p1 g8",
    "n9 c256 i40x40 o256 k3x3 s2 p1 g32",  # as many partial sums as there may be
    "n9 c1000 i17x17 o600 k1x1 s2",
    "n9 c90 i40x40 o700 k1x1",
    "n9 c3 i60x400 o20 k3x3 p1",
    "n2 c1 i5x3003 o40 k1x64 s1x16 p0x50:0",  # few channels and many phases
    "n20 c3 i64x64 o64 k8x8 s4x4 p2",
    "c1 i200000 o64 k9 p4",
    "c3 i62x62 o5 k31x31 s31",
    "c3 i12x12x500 o96 k5x5x5 p2 d2",
]


def benchmark_specs() -> list[str]:
    """Return the shapes of the benchmark with at most two images, each once."""
    texts = set()
    for file in sorted(SHAPES.glob("*.txt")):
        for line in file.read_text().splitlines():
            if match := re.match(r"\s*\d+\s+([a-z][^#]*?)( transposed)?$", line):
                spec = ConvSpec.parse(match[1])
                texts.add(str(replace(spec, batch=min(spec.batch, 2))))
    return sorted(texts)


def check_workspace(spec: ConvSpec, dtype: str, most: float = np.inf) -> None:
    """Hold what every native algorithm takes from the pool to what it states."""
    x, gy = (channels_last(np.zeros(shape, dtype)) for shape in (spec.x_shape, spec.y_shape))
    w = np.zeros(spec.w_shape, dtype)
    for direction, inputs, result in (
        ("forward", (x, w, None), gy.nbytes),
        ("grad_input", (gy, w), x.nbytes),
        ("grad_weight", (gy, x), w.nbytes),
    ):
        for name in THREADED:
            if ALGORITHMS[name].refuses(spec, direction, np.dtype(dtype)) is None:
                pellucid.empty_cache()
                call = functools.partial(getattr(conv, direction), *inputs, spec, algorithm=name)
                taken = peak_of(call) - result
                stated = ALGORITHMS[name].workspace(spec, direction, np.dtype(dtype)) + result // 4
                assert taken <= stated, f"{spec}, {direction} by {name}: {taken} > {stated}"
                if conv.choose(spec, direction, np.dtype(dtype)) == name:
                    assert taken <= most, f"{spec}, {direction} by {name}: {taken:,}"


@pytest.fixture
def _two_threads() -> Iterator[None]:
    before = pellucid.get_num_threads()
    pellucid.set_num_threads(2)
    yield
    pellucid.set_num_threads(before)


@needs_native
@pytest.mark.usefixtures("_two_threads")
class TestWorkspace:
    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    @pytest.mark.parametrize("text", UNUSUAL)
    def test_of_unusual_shapes(self, text, dtype):
        check_workspace(ConvSpec.parse(text), dtype)

    @pytest.mark.slow
    def test_of_the_benchmark(self):
        texts = benchmark_specs()
        assert len(texts) > 100
        for text in texts:
            spec = ConvSpec.parse(text)
            w = 4 * np.prod(spec.w_shape)
            check_workspace(spec, "float32", most=6 * w + 32 * 2**20)

    def test_of_random_shapes(self):
        for number in range(200):
            case = draw(1, number)
            check_workspace(case.spec, case.dtype)


# ---- caches --------------------------------------------------------------------------------------


def caches() -> list[functools._lru_cache_wrapper]:
    return [
        found
        for found in gc.get_objects()
        if type(found) is functools._lru_cache_wrapper  # isinstance would ask the object itself
        and (found.__module__ or "").startswith("pellucid")
    ]


def test_no_cache_grows_with_the_number_of_shapes():
    for size in range(1, 5001):
        x, w = np.zeros((1, 1, size % 71 + 2, size // 71 + 2), "f"), np.zeros((1, 1, 2, 2), "f")
        spec = ConvSpec.from_shapes(x.shape, w.shape)
        y = conv.forward(x, w, None, spec)
        conv.grad_input(y, w, spec)
        conv.grad_weight(y, x, spec)
    found = {cache.__qualname__: cache.cache_info() for cache in caches()}
    assert found["_from_shapes"].currsize == found["_from_shapes"].maxsize == 1024
    for name, info in found.items():
        assert info.maxsize is not None, name
        assert info.maxsize <= 1024, name
    if native.module is not None:
        _, kept, _ = native.module.pool_state()
        assert kept < 2**26
