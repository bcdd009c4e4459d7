"""Flatten as a layer: what stands between convolutions and fully connected layers.

Next room: ops/shape.py.
"""

from __future__ import annotations

from pellucid import ops
from pellucid.nn.module import Module
from pellucid.tensor import Tensor


class Flatten(Module):
    """The axes from `start_dim` to `end_dim` joined into one; by default all but the batch."""

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, x: Tensor) -> Tensor:
        """Return x with the axes joined: (N, C, H, W) -> (N, C H W)."""
        return ops.flatten(x, self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        """Return the options."""
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"
