"""ReduceLROnPlateau: a smaller learning rate when a metric has stopped getting better.

Next room: nn/clip.py.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import SupportsFloat

from pellucid.errors import ArgumentError
from pellucid.optim.lr_scheduler.scheduler import LRScheduler, count, per_group
from pellucid.optim.optimizer import Optimizer, number


class ReduceLROnPlateau(LRScheduler):
    """Multiply the learning rate by `factor` after more than `patience` steps without a new best.

    `mode` says whether less ("min") or more ("max") is better; a new best must beat the old one by
    `threshold`, a share of it ("rel") or an amount ("abs"). After a reduction `cooldown` steps do
    not count; the rate stays >= `min_lr`, and changes of at most `eps` are left out.
    Raises: ArgumentError for options out of range.

    >>> import pellucid
    >>> optimizer = pellucid.optim.SGD([pellucid.zeros(1)], lr=1.0)
    >>> scheduler, rates = ReduceLROnPlateau(optimizer, factor=0.5, patience=1), []
    >>> for loss in (0.9, 0.7, 0.7, 0.7, 0.6):
    ...     scheduler.step(loss)
    ...     rates += scheduler.get_last_lr()
    >>> rates
    [1.0, 1.0, 1.0, 0.5, 0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | Sequence[float] = 0.0,
        eps: float = 1e-8,
    ) -> None:
        name = "ReduceLROnPlateau"
        for option, value, known in (
            ("mode", mode, ("min", "max")),
            ("threshold_mode", threshold_mode, ("rel", "abs")),
        ):
            if value not in known:
                raise ArgumentError(
                    name,
                    f"{option}={value!r} is neither '{known[0]}' nor '{known[1]}'",
                    fix="use one of them",
                )
        self.mode = mode
        self.factor = number(name, "factor", factor, below=1)
        self.patience = count(name, "patience", patience, least=0)
        self.threshold = number(name, "threshold", threshold)
        self.threshold_mode = threshold_mode
        self.cooldown = count(name, "cooldown", cooldown, least=0)
        min_lrs = per_group(name, optimizer, "min_lr", min_lr)
        self.min_lrs = [number(name, "min_lr", lr) for lr in min_lrs]
        self.eps = number(name, "eps", eps)
        self.best = math.inf if mode == "min" else -math.inf
        self.cooldown_counter = 0
        self.num_bad_epochs = 0
        super().__init__(optimizer)

    def step(self, metrics: SupportsFloat) -> None:  # type: ignore[override]  # PyTorch's
        """Take the metric of an epoch, and reduce the learning rates if it is time."""
        self._check_groups()
        self.last_epoch += 1
        value = float(metrics)
        if self._is_better(value):
            self.best, self.num_bad_epochs = value, 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        self._apply()
        if self.num_bad_epochs > self.patience:
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0

    def get_lr(self) -> list[float]:
        """Return the learning rates, reduced if it is time."""
        if self.num_bad_epochs <= self.patience:
            return self._lrs()
        pairs = list(zip(self._lrs(), self.min_lrs, strict=True))
        smaller = [(lr, max(lr * self.factor, least)) for lr, least in pairs]
        return [new if lr - new > self.eps else lr for lr, new in smaller]

    def _is_better(self, value: float) -> bool:
        sign = 1 if self.mode == "max" else -1
        if self.threshold_mode == "rel":
            return sign * value > sign * self.best * (1 + sign * self.threshold)
        return sign * value > sign * self.best + self.threshold
