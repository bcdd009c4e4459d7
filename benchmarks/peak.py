"""The FMA peak of this machine, measured: what a kernel without any memory would reach."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from pellucid.kernels.native import module

SECONDS = 0.01


def fma_gflops(dtype: str, threads: int) -> float | None:
    """Return the GFLOP/s of so many threads together, at this moment; None on NumPy kernels."""
    if module is None:
        return None
    with ThreadPoolExecutor(threads) as pool:  # the loop does not hold the interpreter's lock
        runs = [pool.submit(module.fma_peak, dtype == "float64", SECONDS) for _ in range(threads)]
        return float(sum(run.result() for run in runs))
