"""What networks for images of one size share: they say which size when they get another.

Next room: lenet.py.
"""

from __future__ import annotations

from pellucid.errors import ShapeError, named_shape
from pellucid.nn import Sequential
from pellucid.tensor import Tensor


class ImageNetwork(Sequential):
    """Modules in a row that take images of `image_shape`, which is (C, H, W)."""

    image_shape: tuple[int, int, int]

    def forward(self, x: Tensor) -> Tensor:
        """Return the scores of the classes: (N, C, H, W) -> (N, classes).

        Raises: ShapeError for images of another size.
        """
        if x.shape[1:] != self.image_shape:
            C, H, W = self.image_shape
            raise ShapeError(
                type(self).__name__,
                f"the network is built for images of C={C} H={H} W={W}",
                named_shape("x", "N C H W", x.shape),
                fix="give it such images, or choose another model",
            )
        return super().forward(x)
