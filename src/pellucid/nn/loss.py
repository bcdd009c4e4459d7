"""Losses as modules: they hold options, and class weights as buffers.

`reduction` is 'mean', 'sum' or 'none'; options are keywords only, since PyTorch has two retired
arguments in between. Next room: ops/loss.py.
"""

from __future__ import annotations

from pellucid import ops
from pellucid.nn.module import Module
from pellucid.tensor import Tensor


class MSELoss(Module):
    """The mean of (x - target)^2."""

    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__()
        self.reduction = reduction

    def forward(self, x: Tensor, target: Tensor) -> Tensor:
        """Return the loss, a number unless `reduction='none'`."""
        return ops.mse_loss(x, target, self.reduction)


class L1Loss(Module):
    """The mean of |x - target|."""

    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__()
        self.reduction = reduction

    def forward(self, x: Tensor, target: Tensor) -> Tensor:
        """Return the loss, a number unless `reduction='none'`."""
        return ops.l1_loss(x, target, self.reduction)


class NLLLoss(Module):
    """Minus the log-probability of the target class; the last layer is a `LogSoftmax`.

    `weight` has a number for each class; targets equal to `ignore_index` do not count.
    """

    weight: Tensor | None

    def __init__(
        self, weight: Tensor | None = None, *, ignore_index: int = -100, reduction: str = "mean"
    ) -> None:
        super().__init__()
        self.register_buffer("weight", weight)
        self.ignore_index, self.reduction = ignore_index, reduction

    def forward(self, x: Tensor, target: Tensor) -> Tensor:
        """Return the loss: x (N, C, ...), target (N, ...) with class numbers."""
        return ops.nll_loss(x, target, self.weight, self.ignore_index, self.reduction)


class CrossEntropyLoss(Module):
    """Minus the log-probability of the target class, from the scores of a last linear layer.

    `weight` has a number for each class; targets equal to `ignore_index` do not count;
    `label_smoothing` spreads that share of the probability over all classes.

    >>> import pellucid
    >>> CrossEntropyLoss()(pellucid.zeros(1, 2), pellucid.tensor([1]))
    tensor(0.6931)
    """

    weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        *,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__()
        self.register_buffer("weight", weight)
        self.ignore_index, self.reduction = ignore_index, reduction
        self.label_smoothing = label_smoothing

    def forward(self, x: Tensor, target: Tensor) -> Tensor:
        """Return the loss: x (N, C, ...), target (N, ...) of classes, or probabilities like x."""
        return ops.cross_entropy(
            x, target, self.weight, self.ignore_index, self.reduction, self.label_smoothing
        )


class BCEWithLogitsLoss(Module):
    """The binary cross entropy of sigmoid(x), from x itself so that nothing overflows.

    `weight` scales each element, `pos_weight` the positive targets; both broadcast.
    """

    weight: Tensor | None
    pos_weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        *,
        reduction: str = "mean",
        pos_weight: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.register_buffer("weight", weight)
        self.register_buffer("pos_weight", pos_weight)
        self.reduction = reduction

    def forward(self, x: Tensor, target: Tensor) -> Tensor:
        """Return the loss: target like x, from 0 to 1."""
        return ops.binary_cross_entropy_with_logits(
            x, target, self.weight, self.reduction, self.pos_weight
        )
