"""What the tests of the native algorithms share: memory full of NaN, the bound on rounding."""

from __future__ import annotations

import numpy as np
import pytest

from pellucid.kernels import layout, native
from pellucid.kernels.conv import ALGORITHMS, ConvSpec, reference

needs_native = pytest.mark.skipif(native.module is None, reason="the native module was not built")
ROUNDING = {"float32": 5e-7, "float64": 1e-15}  # of S (docs/maths.md, 12)


def fill_pool_with_nan(spec: ConvSpec, dtype: str) -> None:
    """Leave NaN in the memory that the pool will hand out next for this spec."""
    for shape in (spec.x_shape, spec.y_shape):
        layout.empty_channels_last(shape, np.dtype(dtype)).fill(np.nan)


def normal(shape: tuple[int, ...], seed: int, dtype: str) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def check_against_reference(
    name: str, spec: ConvSpec, dtype: str, bounds: dict[str, float] | None = None
) -> None:
    """Hold all three directions to the oracle within the bound on rounding."""
    algorithm, bound = ALGORITHMS[name], (bounds or ROUNDING)[dtype]
    shapes = (spec.x_shape, spec.w_shape, spec.b_shape, spec.y_shape, spec.bx_shape)
    x, w, b, gy, bx = (normal(shape, k, dtype) for k, shape in enumerate(shapes))
    for direction, arguments, bias in (
        ("forward", (x, w, b), ()),
        ("grad_input", (gy, w), ()),
        ("grad_input", (gy, w), (bx,)),
        ("grad_weight", (gy, x), ()),
    ):
        fill_pool_with_nan(spec, dtype)
        found = getattr(algorithm, direction)(*arguments, spec, *bias)
        oracle = getattr(reference, direction)
        wide, sizes = (
            [[f(a).astype("float64") for a in part] for part in (arguments, bias)]
            for f in (np.asarray, np.abs)
        )
        exact = oracle(*wide[0], spec, *wide[1])
        S = oracle(*sizes[0], spec, *sizes[1]).max(initial=0)
        assert found.dtype == dtype
        assert found.shape == exact.shape
        assert np.abs(found - exact).max(initial=0) <= bound * S, direction
