"""OneCycleLR: the learning rate goes up and down once, the momentum down and up.

Next room: plateau.py.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from pellucid.errors import ArgumentError
from pellucid.optim.lr_scheduler.scheduler import LRScheduler, count, per_group
from pellucid.optim.optimizer import Optimizer, number


def anneal(strategy: str, start: float, end: float, share: float) -> float:
    """Return the value at a share of the way from start to end, along a line or half a cosine."""
    if strategy == "linear":
        return (end - start) * share + start
    return end + (start - end) / 2.0 * (math.cos(math.pi * share) + 1)


class OneCycleLR(LRScheduler):
    """One cycle over `total_steps` batches (or `epochs` times `steps_per_epoch`): step each batch.

    Maths: the learning rate goes from max_lr / div_factor to max_lr in the first `pct_start` of the
    steps, then to (max_lr / div_factor) / final_div_factor; with `three_phase` it goes back as
    slowly as it came, and to its end in a third phase. Meanwhile momentum, or beta1, goes from
    max_momentum to base_momentum and back, if `cycle_momentum`.
    Source: Smith and Topin, "Super-convergence: very fast training of neural networks using large
    learning rates" (2018).
    Raises: ArgumentError for options out of range, an optimizer without momentum or betas, and
    for a step after the last.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | Sequence[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | Sequence[float] = 0.85,
        max_momentum: float | Sequence[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
    ) -> None:
        self.total_steps = self._total(total_steps, epochs, steps_per_epoch)
        start = self._number("pct_start", pct_start)
        if start > 1:
            raise ArgumentError("OneCycleLR", f"pct_start={start:g} is above 1", fix="use 0.3")
        if anneal_strategy not in ("cos", "linear"):
            raise ArgumentError(
                "OneCycleLR",
                f"anneal_strategy={anneal_strategy!r} is neither 'cos' nor 'linear'",
                fix="use one of them",
            )
        self.anneal_strategy = anneal_strategy
        divisor = self._number("div_factor", div_factor, positive=True)
        final = self._number("final_div_factor", final_div_factor, positive=True)
        max_lrs = per_group("OneCycleLR", optimizer, "max_lr", max_lr)
        self.max_lrs = [self._number("max_lr", lr) for lr in max_lrs]
        self.min_lrs = [lr / divisor / final for lr in self.max_lrs]
        self.ends = self._phase_ends(start, three_phase)
        self.cycle_momentum = cycle_momentum
        self.max_momentums = self._momenta(optimizer, "max_momentum", max_momentum)
        self.base_momentums = self._momenta(optimizer, "base_momentum", base_momentum)
        for group, lr in zip(optimizer.param_groups, self.max_lrs, strict=True):
            group["initial_lr"] = lr / divisor
        super().__init__(optimizer)

    def get_lr(self) -> list[float]:
        """Return the learning rate of each group at step `last_epoch`."""
        low, high, least = self.base_lrs, self.max_lrs, self.min_lrs
        return self._values([low, high, least] if len(self.ends) == 2 else [low, high, low, least])

    def step(self) -> None:
        """Go on to the next batch and set its learning rates and momenta."""
        if self.last_epoch == self.total_steps:
            raise ArgumentError(
                "OneCycleLR",
                f"this is step {self.last_epoch + 1} of a cycle of {self.total_steps}",
                fix="make it with a larger total_steps, or stop stepping",
            )
        super().step()

    def _apply(self) -> None:
        super()._apply()
        if self.cycle_momentum:
            high, low = self.max_momentums, self.base_momentums
            turns = [high, low, high] if len(self.ends) == 2 else [high, low, high, high]
            for group, value in zip(self.optimizer.param_groups, self._values(turns), strict=True):
                if "betas" in group:
                    group["betas"] = (value, *group["betas"][1:])
                else:
                    group["momentum"] = value

    def _values(self, turns: list[list[float]]) -> list[float]:
        """Return what each group has at this step, between two of its turning points."""
        phase = 0
        while phase < len(self.ends) - 1 and self.last_epoch > self.ends[phase]:
            phase += 1
        begin, end = (self.ends[phase - 1] if phase else 0.0), self.ends[phase]
        share = (self.last_epoch - begin) / (end - begin) if end != begin else 1.0
        ways = zip(turns[phase], turns[phase + 1], strict=True)
        return [anneal(self.anneal_strategy, first, last, share) for first, last in ways]

    def _phase_ends(self, pct_start: float, three_phase: bool) -> list[float]:
        rise = pct_start * self.total_steps
        return [rise - 1, *([2 * rise - 2] if three_phase else []), self.total_steps - 1]

    def _total(self, total: int | None, epochs: int | None, steps_per_epoch: int | None) -> int:
        if total is not None:
            return count("OneCycleLR", "total_steps", total)
        if epochs is None or steps_per_epoch is None:
            raise ArgumentError(
                "OneCycleLR",
                "the length of the cycle is not given",
                fix="pass total_steps, or both epochs and steps_per_epoch",
            )
        epochs = count("OneCycleLR", "epochs", epochs)
        return epochs * count("OneCycleLR", "steps_per_epoch", steps_per_epoch)

    def _momenta(self, optimizer: Optimizer, name: str, value: Any) -> list[float]:
        """Return the momentum of each group at a turning point, none if it stays as it is."""
        if not self.cycle_momentum:
            return []
        if not {"momentum", "betas"} & set(optimizer.defaults):
            raise ArgumentError(
                "OneCycleLR",
                f"{type(optimizer).__name__} has neither momentum nor betas to cycle",
                fix="pass cycle_momentum=False",
            )
        values = per_group("OneCycleLR", optimizer, name, value)
        return [number("OneCycleLR", name, v, below=1) for v in values]

    def _number(self, name: str, value: Any, positive: bool = False) -> float:
        return number("OneCycleLR", name, value, positive=positive)
