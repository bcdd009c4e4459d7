"""Convolutions with a name: where other libraries were wrong, and where blocks end."""

from __future__ import annotations

import time

import numpy as np
import pytest
from kernels.conv.checks import DIRECTIONS, NATIVE, Case, check
from kernels.conv.native import needs_native, normal
from kernels.conv.problems import BLOCKS, GROUPED, PROBLEMS, STRIDED

from pellucid.kernels import conv
from pellucid.kernels.conv import ConvSpec


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("spec", [*PROBLEMS, *BLOCKS, *GROUPED, *STRIDED], ids=str)
def test_problems_and_blocks(spec, dtype):
    check(Case(spec, dtype))


@pytest.mark.parametrize("spec", [*BLOCKS, *GROUPED, *STRIDED], ids=str)
def test_blocks_read_as_they_lie(spec):
    check(
        Case(
            spec,
            "float32",
            ("channels-last", "row-major", "row-major", "channels-last", "row-major"),
        )
    )


@needs_native
class TestDenormals:
    """Weights full of denormal numbers: products as small are 0, and cost no more than others."""

    SPEC = ConvSpec.parse("n8 c16 i28x28 o16 k3x3 p1")
    GROUPED = ConvSpec.parse("n8 c16 i28x28 o16 k3x3 p1 g16")

    def arguments(self, spec: ConvSpec, direction: str, scale: float) -> tuple[np.ndarray, ...]:
        x, w, gy = (
            normal(s, k, "float32")
            for k, s in enumerate((spec.x_shape, spec.w_shape, spec.y_shape))
        )
        w, gy = w * np.float32(scale), gy * np.float32(scale if direction == "grad_weight" else 1)
        return {
            "forward": (x, w, None),
            "grad_input": (gy, w),
            "grad_weight": (gy, x),
        }[direction]

    @pytest.mark.parametrize("direction", DIRECTIONS)
    @pytest.mark.parametrize("algorithm", NATIVE)
    def test_denormals(self, algorithm, direction):
        spec = self.GROUPED if algorithm == "lanewise" else self.SPEC
        compute, best = getattr(conv, direction), []
        for scale in (1.0, 1e-40):
            arguments, times = self.arguments(spec, direction, scale), []
            for _ in range(5):
                began = time.perf_counter()
                found = compute(*arguments, spec, algorithm=algorithm)
                times.append(time.perf_counter() - began)
            best.append(min(times))
        assert not found.any()
        assert best[1] < 5 * best[0]
