"""`pellucid bench SPEC`: how fast one convolution is here, in each direction.

A quick look at this machine; the comparison with PyTorch is benchmarks/conv.py.
Next room: kernels/conv/__init__.py, for the choice of the algorithm.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

import pellucid
from pellucid.dtypes import as_dtype
from pellucid.errors import ArgumentError
from pellucid.kernels import conv
from pellucid.kernels.conv import ConvSpec, Direction, PackedWeights
from pellucid.kernels.layout import empty_channels_last
from pellucid.kernels.native import module

LEAST_SECONDS, LEAST_RUNS = 0.5, 5


def bench(
    text: str, dtype: str, algorithm: str | None, threads: int | None, packed: bool = False
) -> str:
    """Time the three directions of a spec and return the table as text.

    With `packed`, a fourth line is forward once more, from `PackedWeights`.

    Cost: half a second for each direction.
    Raises: as `ConvSpec.parse` and `kernels.conv.forward`; ArgumentError for integers.

    >>> print(bench("c1 i5x5 o1 k3x3 s2", "float32", None, 1).splitlines()[0].split(",")[0])
    c1 i5x5 o1 k3x3 s2
    """
    spec, kind = ConvSpec.parse(text), as_dtype(dtype, "bench")
    if kind.kind != "f":
        raise ArgumentError("bench", f"dtype={kind} is no float", fix="use float32 or float64")
    if threads is not None:
        pellucid.set_num_threads(threads)
    peak = _peak(kind.itemsize)
    lines = [_title(spec, kind, peak), "direction    algorithm      ms    GFLOP/s   of the peak"]
    for label, (direction, run) in _calls(spec, kind, algorithm, packed).items():
        name = algorithm or conv.choose(spec, direction, kind)
        seconds = _median_seconds(run)
        rate = spec.flops / seconds / 1e9
        share = f"{100 * rate / peak:8.0f} %" if peak else "  unknown"
        lines.append(f"{label:<12} {name:<10} {1e3 * seconds:8.3f} {rate:10.1f}    {share}")
    return "\n".join(lines)


def _calls(
    spec: ConvSpec, dtype: np.dtype[Any], algorithm: str | None, packed: bool
) -> dict[str, tuple[Direction, Callable[[], object]]]:
    """Each direction as a call on random arrays that lie as layers hand them on."""
    rng = np.random.default_rng(0)
    x, gy = (empty_channels_last(shape, dtype) for shape in (spec.x_shape, spec.y_shape))
    x[...], gy[...] = rng.standard_normal(x.shape), rng.standard_normal(gy.shape)
    w = rng.standard_normal(spec.w_shape).astype(dtype)
    calls: dict[str, tuple[Direction, Callable[[], object]]] = {
        "forward": ("forward", lambda: conv.forward(x, w, None, spec, algorithm)),
        "grad_input": ("grad_input", lambda: conv.grad_input(gy, w, spec, algorithm)),
        "grad_weight": ("grad_weight", lambda: conv.grad_weight(gy, x, spec, algorithm)),
    }
    if packed:
        ready = PackedWeights(w, spec, algorithm)
        calls["packed"] = ("forward", lambda: conv.forward(x, ready, None, spec))
    return calls


def _median_seconds(run: Callable[[], object]) -> float:
    run()
    seconds: list[float] = []
    while sum(seconds) < LEAST_SECONDS or len(seconds) < LEAST_RUNS:
        began = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - began)
    return median(seconds)


def _peak(itemsize: int) -> float:
    """GFLOP/s of multiply-adds on all threads, or 0 without the native module.

    Threads beyond the processors add nothing.
    """
    if module is None:
        return 0.0
    busy = min(pellucid.get_num_threads(), os.cpu_count() or 1)
    return module.fma_peak(itemsize == 8, 0.05) * busy


def _title(spec: ConvSpec, dtype: np.dtype[Any], peak: float) -> str:
    threads = pellucid.get_num_threads()
    kernels = f"{module.isa()}, peak {peak:.0f} GFLOP/s" if module else "NumPy kernels"
    plural = "" if threads == 1 else "s"
    return f"{spec}, {dtype}, {threads} thread{plural}, {kernels}"
