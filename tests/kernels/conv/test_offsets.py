"""Offsets above 2^31 elements: two images so far apart, in memory that is mapped and never touched.

The mapping is reserved only (MAP_NORESERVE): no page exists until it is written, so that a machine
of any size can run this. Every array in turn lies so: x and gy, which kernels load, and y and gx,
which the native store writes through a call of the module itself.
"""

from __future__ import annotations

import mmap
import resource
import sys
from collections.abc import Callable

import numpy as np
import pytest
from kernels.conv import oracle
from kernels.conv.checks import BOUNDS, NATIVE, WINOGRAD_BOUNDS
from kernels.conv.layouts import channels_last
from kernels.conv.native import needs_native, normal

from pellucid.backend import Array
from pellucid.kernels import conv, native
from pellucid.kernels.conv import ConvSpec, direct
from pellucid.kernels.conv.correlation import forward_plan, phases

pytestmark = [
    needs_native,
    pytest.mark.skipif(sys.platform != "linux", reason="MAP_NORESERVE"),
]

MAP_NORESERVE = 0x4000  # Linux's; the module mmap of older Pythons lacks it
APART = 2**31 + 12_345  # elements from one image to the next
TOUCHED = 64 << 20  # bytes: far less than a mapping, far more than what is written

SPECS = {
    "direct": ["n2 c5 i9x8 o19 k3x3 s2 p1", "n2 c20 i7x6 o17 k1x1", "n2 c3 i5x6x7 o4 k2x3x3 p1"],
    "winograd": ["n2 c17 i9x10 o18 k3x3 p1", "n2 c16 i7x9 o16 k5x5 p2"],
    "lanewise": ["n2 c24 i9x8 o24 k3x3 s2 p1 g24", "n2 c16 i9x8 o16 k3x3 p1 g8"],
}
CASES = [(name, text, dtype) for name in NATIVE for text in SPECS[name] for dtype in BOUNDS]
cases = pytest.mark.parametrize(("algorithm", "text", "dtype"), CASES)


def far_apart(images: Array) -> Array:
    """Return two images, channels-last, with a batch stride above 2^31 elements."""
    size = images.itemsize * (APART + images[0].size)
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_NORESERVE
    memory = np.frombuffer(mmap.mmap(-1, size, flags), images.dtype)
    parts = [memory[k * APART :][: images[0].size] for k in range(2)]
    # (H W C) -> (H, W, C) -> (C, H, W)
    last = np.moveaxis(parts[0].reshape(*images.shape[2:], images.shape[1]), -1, 0)
    found = np.lib.stride_tricks.as_strided(
        last, images.shape, (APART * images.itemsize, *last.strides)
    )
    found[...] = images
    return found


def arrays(spec: ConvSpec, dtype: str) -> list[Array]:
    return [normal(s, k, dtype) for k, s in enumerate((spec.x_shape, spec.w_shape, spec.y_shape))]


def check(
    algorithm: str,
    direction: str,
    spec: ConvSpec,
    near: tuple[Array, ...],
    compute: Callable[[], Array],
) -> None:
    """Hold a result to the oracle, and the memory it took to far less than the mapping."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = compute()
    assert 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) < TOUCHED
    bias, wide = (None,) if direction == "forward" else (), [a.astype("float64") for a in near]
    exact = getattr(oracle, direction)(*wide, *bias, spec)
    S = getattr(oracle, direction)(*map(np.abs, wide), *bias, spec).max()
    bound = (WINOGRAD_BOUNDS if algorithm == "winograd" else BOUNDS)[near[0].dtype.name]
    assert np.abs(found - exact).max() <= bound * S


@cases
def test_x_is_loaded(algorithm, text, dtype):
    spec = ConvSpec.parse(text)
    x, w, gy = arrays(spec, dtype)
    far = far_apart(x)
    check(algorithm, "forward", spec, (x, w), lambda: conv.forward(far, w, None, spec, algorithm))
    check(
        algorithm, "grad_weight", spec, (gy, x), lambda: conv.grad_weight(gy, far, spec, algorithm)
    )


@cases
def test_gy_is_loaded(algorithm, text, dtype):
    spec = ConvSpec.parse(text)
    x, w, gy = arrays(spec, dtype)
    far = far_apart(gy)
    check(algorithm, "grad_input", spec, (gy, w), lambda: conv.grad_input(far, w, spec, algorithm))
    check(
        algorithm, "grad_weight", spec, (gy, x), lambda: conv.grad_weight(far, x, spec, algorithm)
    )


@cases
def test_y_is_stored(algorithm, text, dtype):
    spec, number = ConvSpec.parse(text), direct.Native[algorithm.upper()]
    x, w, gy = arrays(spec, dtype)
    y = far_apart(np.full_like(gy, np.nan))

    def compute() -> Array:
        plans = [forward_plan(spec)]
        native.module.correlate(number, channels_last(x), w, None, [y], plans, False)
        return y

    check(algorithm, "forward", spec, (x, w), compute)


@cases
def test_gx_is_stored(algorithm, text, dtype):
    spec, number = ConvSpec.parse(text), direct.Native[algorithm.upper()]
    x, w, gy = arrays(spec, dtype)
    gx = far_apart(np.full_like(x, np.nan))

    def compute() -> Array:
        gx[...] = 0  # phases without taps
        found = [phase for phase in phases(spec) if phase.plan is not None]
        parts, plans = [gx[phase.part] for phase in found], [phase.plan for phase in found]
        native.module.correlate(number, channels_last(gy), w, None, parts, plans, True)
        return gx

    check(algorithm, "grad_input", spec, (gy, w), compute)
