from __future__ import annotations

import numpy as np
import pytest
from benchmarks.driver import problem_of
from benchmarks.measure import DIRECTIONS, reference
from benchmarks.worker import Worker

from pellucid.kernels.conv import ConvSpec

torch = pytest.importorskip("torch")


@pytest.mark.parametrize(
    "spec",
    [
        "n2 c6 i9x7 o4 k3x2 s2x1 p1x0 g2",
        "n2 c4 i20 o6 k5 s2 p2 d2",
        "n2 c4 i5x6x7 o6 k3x2x3 s1x2x2 p1x0x1",
        "n2 c8 i9x9 o16 k3 p1 g8",
    ],
)
def test_their_side_computes_the_same_in_every_layout(spec: str) -> None:
    from benchmarks import torch_side

    threads, flags = torch.get_num_threads(), torch.is_grad_enabled()
    problem = problem_of(ConvSpec.parse(spec), "float64")
    try:
        worker = Worker(torch_side.Library(threads))
        assert worker.load(problem) == ("contiguous", "channels-last")
        for direction in DIRECTIONS:
            right = reference(problem, direction)
            for layout in worker.loaded:
                answer = worker.answer(layout, direction).reshape(right.shape)
                np.testing.assert_allclose(answer, right, atol=1e-12)
    finally:
        torch.set_grad_enabled(flags)
        torch.set_flush_denormal(False)
