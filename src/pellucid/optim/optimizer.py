"""Optimizer: parameters in groups, each group with its options, and the state of each parameter.

A subclass says which options it has (`_options`) and how the parameters of a group step
(`_update`); the arithmetic of that step is in kernels/steps.py. `param_groups`, `state` and the
state dict have PyTorch's structure. Not here: learning rates that change (lr_scheduler/), the
clipping of gradients (nn/clip.py). Next room: sgd.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any, ClassVar, TypeAlias

import numpy as np

from pellucid.backend import Array
from pellucid.errors import ArgumentError, DTypeError, ShapeError, StateError
from pellucid.grad_mode import enable_grad
from pellucid.gradients import forget
from pellucid.hooks import watchers
from pellucid.tensor import Tensor

Options: TypeAlias = "dict[str, Any]"
Params: TypeAlias = "Iterable[Tensor] | Iterable[Options]"
# The parameters of a group that have a gradient: the array, that of the gradient, and the state.
Stepping: TypeAlias = "list[tuple[Array, Array, Options]]"


def number(
    op: str, name: str, value: Any, *, below: float = math.inf, positive: bool = False
) -> float:
    """Return an option as a Python float (which never widens float32) if it is in its range.

    >>> number("SGD", "lr", np.float64(0.5))
    0.5
    """
    fits = isinstance(value, (int, float, np.integer, np.floating)) and 0 <= value < below
    if not fits or (positive and value == 0):
        raise ArgumentError(
            op,
            f"{name}={value!r} is no number with 0 {'<' if positive else '<='} {name} < {below:g}",
            fix="use a number in that range",
        )
    return float(value)


def slot(state: Options, name: str, param: Array, value: float = 0.0) -> Array:
    """Return an array of a parameter's state; when first asked for, `value` in param's layout."""
    if name not in state:
        state[name] = Tensor(np.full_like(param, value, subok=False))
    array: Array = state[name].array
    return array


def by_step(stepping: Stepping) -> dict[int, Stepping]:
    """Count this step in the state of each parameter, and put those with one count together."""
    found: dict[int, Stepping] = {}
    for each in stepping:
        each[2]["step"] = step = each[2].get("step", 0) + 1
        found.setdefault(step, []).append(each)
    return found


class Optimizer:
    """The base of all optimizers.

    `params` are tensors, or dicts with the tensors under "params" and options of their own.
    `step()` changes the memory of every parameter that has a gradient; the others stay.

    Raises: ArgumentError for no parameters, a parameter that occurs twice or is not a leaf, an
    option that is unknown or out of range; DTypeError for what is no tensor.
    """

    # The names of the arrays and counters that a parameter may have in `state`.
    slots: ClassVar[tuple[str, ...]] = ()

    def __init__(self, params: Params, defaults: Options) -> None:
        self.defaults = defaults
        self.param_groups: list[Options] = []
        self.state: dict[Tensor, Options] = {}
        if isinstance(params, (Tensor, set, dict)):
            raise DTypeError(
                self._name,
                f"params is a {type(params).__name__}, not a list of tensors or of groups",
                fix="pass model.parameters(), a list of tensors, or a list of dicts",
            )
        entries = list(params)
        if not entries:
            raise ArgumentError(
                self._name,
                "there are no parameters",
                fix="pass model.parameters(), and a generator only once",
            )
        in_groups = isinstance(entries[0], dict)
        for group in entries if in_groups else [{"params": entries}]:
            self.add_param_group(group)  # type: ignore[arg-type]

    @property
    def _name(self) -> str:
        return type(self).__name__

    # What a subclass is made of

    def _options(self, group: Options) -> Options:
        """Return the keyword arguments of the step, checked, as Python numbers."""
        raise NotImplementedError

    def _update(self, stepping: Stepping, options: Options) -> None:
        """Let the parameters of a group take their step."""
        raise NotImplementedError

    # What a user calls

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change every parameter that has a gradient, and return what `closure()` returned.

        Raises: ShapeError, DTypeError for a gradient that was set by hand and does not fit.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        timer = watchers.timer
        with nullcontext() if timer is None else timer.region(f"{self._name}.step"):
            self._step()
        return loss

    def _step(self) -> None:
        for group in self.param_groups:
            options = self._options(group)
            moved = [p for p in group["params"] if p.grad is not None]
            for p in moved:
                self._check_gradient(p, p.grad)
            stepping = [(p.array, p.grad.array, self.state.setdefault(p, {})) for p in moved]
            with np.errstate(all="ignore"):  # inf and NaN, as in the ops, without a word
                self._update(stepping, options)
            for p in moved:
                p.bump_version()

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or set them to zero."""
        for p in self._parameters():
            forget(p, set_to_none)

    def add_param_group(self, param_group: Options) -> None:
        """Add parameters, `{"params": tensors}`, with options that differ from the defaults.

        Raises: as the optimizer itself.
        """
        index = len(self.param_groups)
        if not isinstance(param_group, dict) or "params" not in param_group:
            raise ArgumentError(
                self._name,
                f"param group {index} is no dict with the key 'params'",
                fix="write it as {'params': [...], 'lr': 0.1}",
            )
        unknown = sorted(set(param_group) - set(self.defaults) - {"params"})
        if unknown:
            raise ArgumentError(
                self._name,
                f"param group {index} has the unknown option '{unknown[0]}'",
                fix=f"use {', '.join(self.defaults)}",
            )
        params = param_group["params"]
        params = [params] if isinstance(params, Tensor) else list(params)
        seen = set(self._parameters())
        for k, p in enumerate(params):
            self._check_parameter(f"parameter {k} of param group {index}", p, seen)
            seen.add(p)
        group = {**self.defaults, **param_group, "params": params}
        self._options(group)
        self.param_groups.append(group)

    def state_dict(self) -> Options:
        """Return the groups' options and the parameters' state, with numbers for parameters.

        The tensors in it share the memory of the optimizer's own.
        """
        number_of = {p: k for k, p in enumerate(self._parameters())}
        return {
            "state": {number_of[p]: dict(state) for p, state in self.state.items()},
            "param_groups": [
                {**group, "params": [number_of[p] for p in group["params"]]}
                for group in self.param_groups
            ],
        }

    def load_state_dict(self, state_dict: Options) -> None:
        """Take over what `state_dict` returned; its arrays are copied in the layout of ours.

        Raises: StateError when it belongs to other groups, parameters or another optimizer; then
        nothing has changed.
        """
        groups, states = self._parts(state_dict)
        saved = [k for group in groups for k in group["params"]]
        parameter_of = dict(zip(saved, self._parameters(), strict=True))
        state: dict[Tensor, Options] = {}
        for k, entries in states.items():
            if k not in parameter_of:
                raise self._misfit(f"there is a state of parameter {k}, which is in no group")
            p = parameter_of[k]
            state[p] = {name: self._own(k, p, name, entries[name]) for name in entries}
        for group, saved_group in zip(self.param_groups, groups, strict=True):
            group.update({name: v for name, v in saved_group.items() if name != "params"})
        self.state = state

    def __repr__(self) -> str:
        lines = [f"{self._name} ("]
        for index, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {index}")
            lines += [f"    {name}: {group[name]}" for name in sorted(group) if name != "params"]
        return "\n".join([*lines, ")"])

    # Checks

    def _parameters(self) -> list[Tensor]:
        return [p for group in self.param_groups for p in group["params"]]

    def _check_parameter(self, place: str, p: Any, seen: set[Tensor]) -> None:
        if not isinstance(p, Tensor):
            raise DTypeError(
                self._name,
                f"{place} is a {type(p).__name__}, not a Tensor",
                fix="pass model.parameters(), a list of tensors, or a list of dicts",
            )
        shape = f"of shape {p.shape}"
        if p.grad_fn is not None:
            raise ArgumentError(
                self._name,
                f"{place} {shape} is not a leaf but the output of {p.grad_fn.name}",
                fix="optimize the tensor it was computed from, or its detach().clone()",
            )
        if p in seen:
            raise ArgumentError(
                self._name, f"{place} {shape} occurs twice", fix="pass each parameter once"
            )
        if not p.array.flags.writeable:
            raise ArgumentError(
                self._name, f"{place} {shape} is read-only memory", fix="optimize a clone()"
            )

    def _check_gradient(self, p: Tensor, grad: Any) -> None:
        if not isinstance(grad, Tensor):
            raise DTypeError(
                self._name,
                f"the gradient of a parameter of shape {p.shape} is a {type(grad).__name__}, not a "
                "Tensor",
                fix="set .grad to a tensor or None",
            )
        if grad.shape != p.shape:
            raise ShapeError(
                self._name,
                f"a gradient has shape {grad.shape}, its parameter {p.shape}",
                fix="set .grad to a tensor of the parameter's shape",
            )
        if grad.dtype != p.dtype:
            raise DTypeError(
                self._name,
                f"the gradient of a parameter of shape {p.shape} is {grad.dtype}, the parameter "
                f"{p.dtype}",
                fix="set .grad to a tensor of the parameter's dtype",
            )

    def _misfit(self, rule: str) -> StateError:
        return StateError(
            self._name, rule, fix="load it into an optimizer made like the one it was saved from"
        )

    def _parts(self, state_dict: Options) -> tuple[Sequence[Options], dict[int, Options]]:
        """Return the groups and states of a state dict if they are like ours."""
        for key in ("param_groups", "state"):
            if not isinstance(state_dict, Mapping) or key not in state_dict:
                raise self._misfit(f"the state dict has no '{key}'")
        groups, states = state_dict["param_groups"], state_dict["state"]
        if len(groups) != len(self.param_groups):
            raise self._misfit(
                f"the state dict has {len(groups)} param groups, the optimizer "
                f"{len(self.param_groups)}"
            )
        for index, (group, ours) in enumerate(zip(groups, self.param_groups, strict=True)):
            missing = [name for name in (*self.defaults, "params") if name not in group]
            if missing:
                raise self._misfit(f"param group {index} of the state dict has no '{missing[0]}'")
            if len(group["params"]) != len(ours["params"]):
                raise self._misfit(
                    f"param group {index} of the state dict has {len(group['params'])} parameters, "
                    f"that of the optimizer {len(ours['params'])}"
                )
            self._options(group)
        return groups, states

    def _own(self, k: int, p: Tensor, name: str, value: Any) -> Any:
        """Return one entry of a parameter's state as its own: an array copied into p's layout."""
        if name not in self.slots:
            raise self._misfit(f"the state of parameter {k} has '{name}', unknown to {self._name}")
        if not isinstance(value, Tensor):
            return value
        if value.shape != p.shape:
            raise self._misfit(
                f"'{name}' of parameter {k} has shape {value.shape}, the parameter {p.shape}"
            )
        array = np.empty_like(p.array)
        array[...] = value.array
        return Tensor(array)
