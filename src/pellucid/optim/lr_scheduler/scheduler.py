"""LRScheduler: changes the learning rate of an optimizer's groups from one step to the next.

A step is an epoch or a batch: what the caller makes it. Schedulers compute the new rate from the
present one where they can, so that several of them can be used on one optimizer. To resume, make
the scheduler as at first and load its state dict, and the optimizer's after it.
Next room: decay.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pellucid.errors import ArgumentError, DTypeError, StateError
from pellucid.optim.optimizer import Optimizer


def count(op: str, name: str, value: Any, least: int = 1) -> int:
    """Return an option if it is a whole number that is large enough."""
    if not isinstance(value, (int, np.integer)) or value < least:
        raise ArgumentError(
            op, f"{name}={value!r} is no whole number >= {least}", fix=f"use {name}=10"
        )
    return int(value)


def per_group(op: str, optimizer: Optimizer, name: str, value: Any) -> list[Any]:
    """Return an option for each param group, from one for all or a list."""
    groups = len(_checked(op, optimizer).param_groups)
    values = list(value) if isinstance(value, (list, tuple)) else [value] * groups
    if len(values) != groups:
        raise ArgumentError(
            op,
            f"{name} has {len(values)} entries for {groups} param groups",
            fix="give one for each group, or one for all",
        )
    return values


def _checked(op: str, optimizer: Any) -> Optimizer:
    if not isinstance(optimizer, Optimizer):
        raise DTypeError(
            op,
            f"a {type(optimizer).__name__} is no optimizer",
            fix="pass the optimizer whose learning rate is to change",
        )
    return optimizer


class LRScheduler:
    """The base of all schedulers: a subclass says in `get_lr` what the rates are now.

    Making a scheduler sets the rates of its step 0. Each group of the optimizer keeps the rate that
    it had before as "initial_lr".

    Raises: ArgumentError when the optimizer has got a param group since; DTypeError for what is no
    optimizer.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = _checked(self._name, optimizer)
        for group in optimizer.param_groups:
            group.setdefault("initial_lr", group["lr"])
        self.base_lrs: list[float] = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = 0
        self._apply()

    @property
    def _name(self) -> str:
        return type(self).__name__

    def get_lr(self) -> list[float]:
        """Return the learning rate of each group at step `last_epoch`."""
        raise NotImplementedError

    def step(self) -> None:
        """Go on to the next step and set its learning rates."""
        self._check_groups()
        self.last_epoch += 1
        self._apply()

    def get_last_lr(self) -> list[float]:
        """Return the learning rate that each group has now."""
        return self._lrs()

    def state_dict(self) -> dict[str, Any]:
        """Return all that the scheduler knows but its optimizer: numbers, texts and lists."""
        return {name: value for name, value in vars(self).items() if name != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` returned.

        Raises: StateError when it belongs to another scheduler, or to other param groups.
        """
        if not isinstance(state_dict, dict):
            raise self._misfit(f"a {type(state_dict).__name__} is no state dict")
        ours, theirs = self.state_dict(), dict(state_dict)
        odd = sorted(set(ours) ^ set(theirs))
        if odd:
            lacks = "lacks" if odd[0] in ours else "has the unknown entry"
            raise self._misfit(f"the state dict {lacks} '{odd[0]}'")
        if len(theirs["base_lrs"]) != len(self.base_lrs):
            raise self._misfit(
                f"the state dict is for {len(theirs['base_lrs'])} param groups, the optimizer has "
                f"{len(self.base_lrs)}"
            )
        vars(self).update(theirs)

    def _misfit(self, rule: str) -> StateError:
        return StateError(
            self._name, rule, fix="load it into a scheduler made like the one it was saved from"
        )

    def _lrs(self) -> list[float]:
        return [group["lr"] for group in self.optimizer.param_groups]

    def _apply(self) -> None:
        """Set what the groups have at step `last_epoch`."""
        for group, lr in zip(self.optimizer.param_groups, self.get_lr(), strict=True):
            group["lr"] = float(lr)

    def _check_groups(self) -> None:
        found = len(self.optimizer.param_groups)
        if found != len(self.base_lrs):
            raise ArgumentError(
                self._name,
                f"the optimizer has {found} param groups, and had {len(self.base_lrs)} when the "
                "scheduler was made",
                fix="make the scheduler after the last add_param_group",
            )
