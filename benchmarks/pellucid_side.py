"""pellucid's side of the comparison: `pellucid.kernels.conv`, the functions that its ops call.

x and gy come channels-last, as ops hand them over; w lies in C order, as a layer's parameter does.
The calls include the checks of shapes and the choice of the algorithm, and no autograd.
"""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
from benchmarks.worker import Call, Problem

import pellucid
from pellucid.kernels import conv
from pellucid.kernels.layout import empty_channels_last
from pellucid.kernels.native import module


class Library:
    """What worker.py asks for: one layout, all directions."""

    layouts = ("channels-last",)

    def __init__(self, threads: int) -> None:
        pellucid.set_num_threads(threads)

    def settings(self) -> dict[str, str]:
        return {
            "pellucid": pellucid.__version__,
            "engine": "NumPy kernels" if module is None else f"native, {module.isa()}",
            "algorithms": ", ".join(conv.ALGORITHMS),
            "numpy": np.__version__,
        }

    def algorithms(self, problem: Problem) -> dict[str, str]:
        spec, dtype = conv.ConvSpec.parse(problem.spec), np.dtype(problem.dtype)
        return {way: conv.choose(spec, way, dtype) for way in get_args(conv.Direction)}

    def calls(self, problem: Problem, layout: str) -> tuple[dict[str, Call], Call]:
        spec, arrays = conv.ConvSpec.parse(problem.spec), problem.arrays()
        x = empty_channels_last(problem.x_shape, np.dtype(problem.dtype))
        gy = empty_channels_last(problem.y_shape, np.dtype(problem.dtype))
        x[...], gy[...], w = arrays["x"], arrays["gy"], arrays["w"]
        directions = {
            "forward": lambda: conv.forward(x, w, None, spec),
            "grad_input": lambda: conv.grad_input(gy, w, spec),
            "grad_weight": lambda: conv.grad_weight(gy, x, spec),
        }
        return directions, lambda: np.negative(w, out=w)

    def as_array(self, answer: Any) -> np.ndarray[Any, Any]:
        return np.ascontiguousarray(answer)
