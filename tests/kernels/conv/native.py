"""What the tests of the native algorithms share."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from pellucid.kernels import native

needs_native = pytest.mark.skipif(native.module is None, reason="the native module was not built")


def normal(shape: tuple[int, ...], seed: int, dtype: str) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def peak_of(call: Callable[[], object]) -> int:
    """Return the most bytes that a call took from the pool at one time, its result included."""
    used, *_ = native.module.pool_state()
    native.module.take_pool_peak()
    call()
    return native.module.take_pool_peak() - used
