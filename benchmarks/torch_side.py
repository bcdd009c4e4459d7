"""PyTorch's side of the comparison, as its experts run it.

Both layouts, weights included; denormals flushed; huge pages (from the environment, see driver.py);
no autograd: a gradient is one call of `aten::convolution_backward` that asks for nothing else. A
convolution with one axis is given a second one of size 1, as PyTorch does inside, since only that
has a channels-last layout.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import torch
from benchmarks.worker import Call, Problem


class Library:
    """What worker.py asks for: both layouts, all directions."""

    layouts = ("contiguous", "channels-last")

    def __init__(self, threads: int) -> None:
        torch.set_num_threads(threads)
        torch.set_grad_enabled(False)
        self.flushes = torch.set_flush_denormal(True)
        assert torch.get_num_threads() == threads

    def settings(self) -> dict[str, str]:
        wanted = "THP_MEM_ALLOC_ENABLE", "ONEDNN_MAX_CPU_ISA", "ATEN_CPU_CAPABILITY"
        lines = [line.strip(" -") for line in torch.__config__.show().splitlines()]
        return {
            "torch": torch.__version__,
            "torch built with": "; ".join(line for line in lines if "Intel(R)" in line),
            "torch instruction set": torch.backends.cpu.get_cpu_capability(),
            "flush denormals": str(self.flushes),
            "torch environment": " ".join(
                f"{k}={os.environ[k]}" for k in wanted if k in os.environ
            ),
        }

    def algorithms(self, problem: Problem) -> dict[str, str]:
        return {}

    def calls(self, problem: Problem, layout: str) -> tuple[dict[str, Call], Call]:
        aten, p = torch.ops.aten, problem
        x, w, gy = (self._tensor(array, layout) for array in p.arrays().values())
        stride, padding, dilation = list(p.stride), list(p.padding), list(p.dilation)
        if len(stride) == 1:
            stride, padding, dilation = [1, *stride], [0, *padding], [1, *dilation]
        rest = (stride, padding, dilation, False, [0] * len(stride), p.groups)

        def backward(which: int) -> Any:
            mask = [which == index for index in range(3)]
            return aten.convolution_backward(gy, x, w, None, *rest, mask)[which]

        directions = {
            "forward": lambda: aten.convolution(x, w, None, *rest),
            "grad_input": lambda: backward(0),
            "grad_weight": lambda: backward(1),
        }
        return directions, w.neg_

    def _tensor(self, array: np.ndarray[Any, Any], layout: str) -> Any:
        """Return a tensor in memory of PyTorch's own, in that layout."""
        source = torch.from_numpy(array[:, :, None] if array.ndim == 3 else array)
        formats = {4: torch.channels_last, 5: torch.channels_last_3d}
        last = layout == "channels-last"
        memory_format = formats[source.ndim] if last else torch.contiguous_format
        return torch.empty_like(source, memory_format=memory_format).copy_(source)

    def as_array(self, answer: Any) -> np.ndarray[Any, Any]:
        return np.ascontiguousarray(answer.numpy())
