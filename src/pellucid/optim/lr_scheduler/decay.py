"""Schedulers that are a function of the step: stairs, a cosine, a line, a function of your own.

Next room: one_cycle.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from pellucid.errors import ArgumentError
from pellucid.optim.lr_scheduler.scheduler import LRScheduler, count, per_group
from pellucid.optim.optimizer import Optimizer, number


class StepLR(LRScheduler):
    """Multiply the learning rate by `gamma` after every `step_size` steps.

    Maths: lr(t) = gamma lr(t - 1) where step_size divides t > 0, else lr(t - 1).
    Raises: ArgumentError for options out of range.

    >>> import pellucid
    >>> optimizer = pellucid.optim.SGD([pellucid.zeros(1)], lr=0.5)
    >>> scheduler, rates = StepLR(optimizer, step_size=2, gamma=0.5), []
    >>> for _ in range(5):
    ...     rates += scheduler.get_last_lr()
    ...     scheduler.step()
    >>> rates
    [0.5, 0.5, 0.25, 0.25, 0.125]
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1) -> None:
        self.step_size = count("StepLR", "step_size", step_size)
        self.gamma = number("StepLR", "gamma", gamma)
        super().__init__(optimizer)

    def get_lr(self) -> list[float]:
        """Return the learning rate of each group at step `last_epoch`."""
        if self.last_epoch == 0 or self.last_epoch % self.step_size != 0:
            return self._lrs()
        return [lr * self.gamma for lr in self._lrs()]


class MultiStepLR(LRScheduler):
    """Multiply the learning rate by `gamma` at each of the steps in `milestones`.

    Maths: lr(t) = gamma^m lr(t - 1), where m is how often t is among the milestones.
    Raises: ArgumentError for options out of range.

    >>> import pellucid
    >>> optimizer = pellucid.optim.SGD([pellucid.zeros(1)], lr=0.5)
    >>> scheduler, rates = MultiStepLR(optimizer, milestones=[1, 3], gamma=0.5), []
    >>> for _ in range(5):
    ...     rates += scheduler.get_last_lr()
    ...     scheduler.step()
    >>> rates
    [0.5, 0.25, 0.25, 0.125, 0.125]
    """

    def __init__(self, optimizer: Optimizer, milestones: Sequence[int], gamma: float = 0.1) -> None:
        if not isinstance(milestones, Sequence):
            raise ArgumentError(
                "MultiStepLR",
                f"milestones={milestones!r} is no list",
                fix="use milestones=[30, 60]",
            )
        self.milestones = sorted(count("MultiStepLR", "milestones", m, 0) for m in milestones)
        self.gamma = number("MultiStepLR", "gamma", gamma)
        super().__init__(optimizer)

    def get_lr(self) -> list[float]:
        """Return the learning rate of each group at step `last_epoch`."""
        factor = self.gamma ** self.milestones.count(self.last_epoch)
        return [lr * factor for lr in self._lrs()]


class ExponentialLR(LRScheduler):
    """Multiply the learning rate by `gamma` at every step.

    Maths: lr(t) = gamma lr(t - 1) for t > 0.
    Raises: ArgumentError for a gamma out of range.
    """

    def __init__(self, optimizer: Optimizer, gamma: float) -> None:
        self.gamma = number("ExponentialLR", "gamma", gamma)
        super().__init__(optimizer)

    def get_lr(self) -> list[float]:
        """Return the learning rate of each group at step `last_epoch`."""
        return [lr * self.gamma if self.last_epoch else lr for lr in self._lrs()]


class CosineAnnealingLR(LRScheduler):
    """Go from the first learning rate to `eta_min` in `T_max` steps along half a cosine.

    Maths: lr(t) = eta_min + (lr(0) - eta_min) (1 + cos(pi t / T_max)) / 2, computed from lr(t - 1)
    by the ratio of the two; after T_max it rises again.
    Source: Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts" (2017).
    Raises: ArgumentError for options out of range.
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0) -> None:
        self.T_max = count("CosineAnnealingLR", "T_max", T_max)
        self.eta_min = number("CosineAnnealingLR", "eta_min", eta_min)
        super().__init__(optimizer)

    def get_lr(self) -> list[float]:
        """Return the learning rate of each group at step `last_epoch`."""
        t, period, least = self.last_epoch, self.T_max, self.eta_min
        if t == 0:
            return self._lrs()
        if (t - 1 - period) % (2 * period) == 0:  # lr(t - 1) = eta_min: the ratio would be 0 / 0
            rise = (1 - math.cos(math.pi / period)) / 2
            return [
                lr + (base - least) * rise
                for lr, base in zip(self._lrs(), self.base_lrs, strict=True)
            ]
        now, before = (1 + math.cos(math.pi * k / period) for k in (t, t - 1))
        return [now / before * (lr - least) + least for lr in self._lrs()]


class LinearLR(LRScheduler):
    """Go from `start_factor` to `end_factor` of the learning rate in a line: a warm-up.

    Maths: lr(t) = lr (start_factor + (end_factor - start_factor) min(t / total_iters, 1)), computed
    from lr(t - 1) by the ratio of the two.
    Raises: ArgumentError for options out of range.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
    ) -> None:
        self.start_factor = number("LinearLR", "start_factor", start_factor, positive=True)
        self.end_factor = number("LinearLR", "end_factor", end_factor)
        self.total_iters = count("LinearLR", "total_iters", total_iters)
        super().__init__(optimizer)

    def get_lr(self) -> list[float]:
        """Return the learning rate of each group at step `last_epoch`."""
        t, total, start = self.last_epoch, self.total_iters, self.start_factor
        if t == 0:
            return [lr * start for lr in self._lrs()]
        if t > total:
            return self._lrs()
        change = self.end_factor - start
        ratio = 1.0 + change / (total * start + (t - 1) * change)
        return [lr * ratio for lr in self._lrs()]


class LambdaLR(LRScheduler):
    """Let a function of the step say the factor: one function, or one for each param group.

    Maths: lr(t) = initial_lr lr_lambda(t).
    The functions are no part of the state dict.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]],
    ) -> None:
        self.lr_lambdas = per_group("LambdaLR", optimizer, "lr_lambda", lr_lambda)
        super().__init__(optimizer)

    def get_lr(self) -> list[float]:
        """Return the learning rate of each group at step `last_epoch`."""
        factors = [function(self.last_epoch) for function in self.lr_lambdas]
        return [base * factor for base, factor in zip(self.base_lrs, factors, strict=True)]

    def state_dict(self) -> dict[str, Any]:
        """Return all that the scheduler knows but its optimizer and its functions."""
        return {name: v for name, v in super().state_dict().items() if name != "lr_lambdas"}
