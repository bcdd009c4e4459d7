"""Dropout as a layer.

Next room: ops/dropout.py.
"""

from __future__ import annotations

import numpy as np

from pellucid import ops
from pellucid.errors import ArgumentError
from pellucid.nn.module import Module
from pellucid.tensor import Tensor


class Dropout(Module):
    """In training, zeros for a share p of the elements and 1 / (1 - p) times the others.

    In evaluation it is the identity. `inplace` has no effect, as in activation.py.
    Source: Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting"
    (2014).
    Raises: ArgumentError for a p outside 0 .. 1.
    """

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if not (isinstance(p, (int, float, np.floating)) and 0 <= p <= 1):
            raise ArgumentError("Dropout", f"p={p} is no probability", fix="use 0 <= p <= 1")
        self.p, self.inplace = p, inplace

    def forward(self, x: Tensor) -> Tensor:
        """Return x with a random share of zeros in training, x itself in evaluation."""
        return ops.dropout(x, self.p, self.training)

    def extra_repr(self) -> str:
        """Return the options."""
        return f"p={self.p}, inplace={self.inplace}"
