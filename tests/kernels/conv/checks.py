"""What every convolution must hold, checked for one case at a time by `check`.

Every algorithm that does not refuse the spec computes it, in memory full of NaN, so that elements
that are never stored show. Checked: the bound on rounding (docs/maths.md, 12 and 13); that threads
change no bit; that the batch changes no bit of y and gx; the adjoint identity in integers, exact or
within 1e-13 by Winograd; that inputs stay as they are. y has a bias b, and gx a bias bx.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from math import prod
from types import ModuleType
from typing import NamedTuple

import numpy as np
from kernels.conv import oracle
from kernels.conv.layouts import laid_out
from kernels.conv.problems import integers

import pellucid
from pellucid.backend import Array
from pellucid.kernels import conv, native
from pellucid.kernels.conv import ALGORITHMS, ConvSpec

# Of S, the largest sum of |x| |w| over the outputs. Winograd has four times as much in float64 as
# it has in float32: its transforms multiply the rounding of the sum by the same factor.
BOUNDS = {"float32": 5e-7, "float64": 1e-15}
WINOGRAD_BOUNDS = {dtype: 4 * bound for dtype, bound in BOUNDS.items()}

DIRECTIONS = ("forward", "grad_input", "grad_weight")
NATIVE = ("winograd", "lanewise", "direct")  # in all directions
THREADED = (*NATIVE, "planar")
THREADS = (1, 2, 3, 5)
MOST_MEETINGS = 3000  # of taps and pixels, for the loops of `reference`


@dataclass(frozen=True)
class Case:
    """One spec, the dtype of its arrays, and how x, w, b, gy and bx lie in memory."""

    spec: ConvSpec
    dtype: str
    layouts: tuple[str, ...] = ("row-major",) * 5
    with_bias: bool = True
    seed: tuple[int, int] = (0, 0)
    how_to_run: str = ""

    def __str__(self) -> str:
        names = zip(Arrays._fields, self.layouts, strict=True)
        layouts = ", ".join(f"{name} {layout}" for name, layout in names)
        bias = "" if self.with_bias else ", without b and bx"
        return f"{self.spec}; {self.dtype}{bias}; {layouts}; {self.how_to_run}"


class Arrays(NamedTuple):
    x: Array
    w: Array
    b: Array | None
    gy: Array
    bx: Array | None

    def compute(self, room: ModuleType, direction: str, spec: ConvSpec, **options: str) -> Array:
        """Call that direction of `conv` or of `oracle`."""
        if direction == "forward":
            return room.forward(self.x, self.w, self.b, spec, **options)
        if direction == "grad_input":
            return room.grad_input(self.gy, self.w, spec, bx=self.bx, **options)
        return room.grad_weight(self.gy, self.x, spec, **options)

    def map(self, change: Callable[[Array], Array]) -> Arrays:
        return Arrays(*(None if array is None else change(array) for array in self))

    def lying(self, layouts: tuple[str, ...]) -> Arrays:
        pairs = zip(self, layouts, strict=True)
        return Arrays(*(None if a is None else laid_out(a, layout) for a, layout in pairs))


def shapes(spec: ConvSpec) -> tuple[tuple[int, ...], ...]:
    return spec.x_shape, spec.w_shape, spec.b_shape, spec.y_shape, spec.bx_shape


def algorithms(spec: ConvSpec, direction: str, dtype: np.dtype) -> Iterator[str]:
    """Yield those that do not refuse; the loops of `reference` only where they are short."""
    meetings = spec.groups * prod(spec.out_size) * prod(spec.kernel)
    for name, algorithm in ALGORITHMS.items():
        short = name != "reference" or meetings <= MOST_MEETINGS
        if short and algorithm.refuses(spec, direction, dtype) is None:
            yield name


def run(arrays: Arrays, direction: str, spec: ConvSpec, algorithm: str) -> Array:
    """Compute in memory full of NaN."""
    if native.module is not None:
        native.module.fill_pool(0xFF)  # a float of these bytes is NaN
    return arrays.compute(conv, direction, spec, algorithm=algorithm)


def check_threads(arrays: Arrays, direction: str, case: Case, algorithm: str) -> Array:
    """Return the result, the same to the bit for any number of threads."""
    first = None
    for threads in THREADS if algorithm in THREADED else THREADS[:1]:
        pellucid.set_num_threads(threads)
        found = run(arrays, direction, case.spec, algorithm)
        bits = found.tobytes()
        if first is None:
            first = bits
        assert bits == first, (
            f"{direction} by {algorithm}: {threads} threads for 1 have other bits: {case}"
        )
    return found


def check_rounding(
    found: Array, exact: Array, S: float, case: Case, how: str, bound: float
) -> None:
    """Hold the largest error to `bound` S; NaN is more than any bound."""
    assert found.dtype == case.dtype, f"{how}: {case}"
    assert found.shape == exact.shape, f"{how}: {case}"
    error = np.abs(found - exact).max(initial=0)
    assert error <= bound * S, f"{how}: error {error / S:.2g} S, at most {bound:.2g} S: {case}"


def check_batch(arrays: Arrays, direction: str, case: Case, algorithm: str, whole: Array) -> None:
    """Hold the halves of a batch, and its single images, to the bits of the whole."""
    batch = case.spec.batch
    for size in {-(-batch // 2), 1} if 1 < batch <= 9 else ():
        for n in range(0, batch, size):
            rows = slice(n, min(n + size, batch))
            spec = replace(case.spec, batch=rows.stop - rows.start)
            part = arrays._replace(x=arrays.x[rows], gy=arrays.gy[rows])
            found = run(part, direction, spec, algorithm)
            assert found.tobytes() == whole[rows].tobytes(), (
                f"{direction} by {algorithm}, images {rows.start} to {rows.stop - 1} alone: {case}"
            )


def check_adjoint(case: Case) -> None:
    """<conv(x, w), gy> = <x, gx> = <w, gw>: exactly, or within 1e-13 of the sum of all sizes."""
    spec, dtype = case.spec, np.dtype("float64")
    exact = Arrays(*(integers(shape, k) for k, shape in enumerate(shapes(spec))))
    exact = exact._replace(b=None, bx=None)
    arrays = exact.lying(case.layouts)
    takes = {direction: set(algorithms(spec, direction, dtype)) for direction in DIRECTIONS}
    for algorithm in sorted(set().union(*takes.values())):
        # Winograd may refuse one direction and take another; im2col is exact.
        y, gx, gw = (
            run(arrays, direction, spec, algorithm if algorithm in takes[direction] else "im2col")
            for direction in DIRECTIONS
        )
        products = [(y * exact.gy).sum(), (gx * exact.x).sum(), (gw * exact.w).sum()]
        within = 0.0
        if algorithm == "winograd":
            size = oracle.forward(abs(exact.x), abs(exact.w), None, spec) * abs(exact.gy)
            within = 1e-13 * size.sum()
        assert max(products) - min(products) <= within, (
            f"adjoint identity by {algorithm}: {products}: {case}"
        )


def check_values(plain: Arrays, arrays: Arrays, case: Case) -> None:
    """Hold all directions by all algorithms to the oracle, and to the bits of each other."""
    spec = case.spec
    wide, sizes = plain.map(partial(np.asarray, dtype="float64")), plain.map(np.abs)
    for direction in DIRECTIONS:
        exact = wide.compute(oracle, direction, spec)
        S = float(sizes.compute(oracle, direction, spec).max(initial=0))
        for algorithm in algorithms(spec, direction, np.dtype(case.dtype)):
            found = check_threads(arrays, direction, case, algorithm)
            bound = (WINOGRAD_BOUNDS if algorithm == "winograd" else BOUNDS)[case.dtype]
            check_rounding(found, exact, S, case, f"{direction} by {algorithm}", bound)
            if direction != "grad_weight" and algorithm in NATIVE:
                check_batch(arrays, direction, case, algorithm, found)
    for name in ("gy", "x"):  # the output, and that of the transposed convolution
        gb = conv.grad_bias(getattr(arrays, name), spec, transposed=name == "x")
        exact = oracle.grad_bias(getattr(wide, name), spec)
        S = float(oracle.grad_bias(getattr(sizes, name), spec).max(initial=0))
        check_rounding(gb, exact, S, case, f"grad_bias of {name}", BOUNDS[case.dtype])


def check(case: Case) -> None:
    """Hold one convolution to all of that."""
    before = pellucid.get_num_threads()
    pellucid.empty_cache()
    rng = np.random.default_rng([*case.seed, 1])
    plain = Arrays(*(rng.standard_normal(s).astype(case.dtype) for s in shapes(case.spec)))
    if not case.with_bias:
        plain = plain._replace(b=None, bx=None)
    arrays = plain.lying(case.layouts)
    try:
        check_values(plain, arrays, case)
        check_adjoint(case)
    finally:
        pellucid.set_num_threads(before)
    for before_call, now in zip(plain, arrays, strict=True):
        assert before_call is None or np.array_equal(before_call, now), f"input changed: {case}"
