"""The two limits of this machine, measured: multiply-adds without memory, and memory alone."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import numpy as np

from pellucid.backend import Array
from pellucid.kernels.native import module

SECONDS = 0.01
# More than the caches that a core has to itself.
COPIED_BYTES, COPIES = 64 << 20, 3


def fma_gflops(dtype: str, threads: int) -> float | None:
    """Return the GFLOP/s of so many threads together, at this moment; None on NumPy kernels."""
    if module is None:
        return None
    with ThreadPoolExecutor(threads) as pool:  # the loop does not hold the interpreter's lock
        runs = [pool.submit(module.fma_peak, dtype == "float64", SECONDS) for _ in range(threads)]
        return float(sum(run.result() for run in runs))


def copy_gbytes(threads: int) -> float:
    """Return how many GB/s so many threads together read and write when they copy memory."""
    source, target = _memory()
    parts = list(zip(np.array_split(source, threads), np.array_split(target, threads), strict=True))
    seconds = []
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(COPIES):
            began = time.perf_counter()
            list(pool.map(lambda part: np.copyto(part[1], part[0]), parts))
            seconds.append(time.perf_counter() - began)
    return 2e-9 * COPIED_BYTES / min(seconds)


@lru_cache
def _memory() -> tuple[Array, Array]:
    """Return what is copied, and where to, in pages that have been touched."""
    source = np.ones(COPIED_BYTES, np.uint8)
    return source, source.copy()
