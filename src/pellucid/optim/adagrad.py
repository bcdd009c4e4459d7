"""Adagrad: each element's step shrinks with the sum of its squared gradients.

Next room: rmsprop.py.
"""

from __future__ import annotations

import numpy as np

from pellucid.backend import Array
from pellucid.optim.blocks import blocks
from pellucid.optim.optimizer import Optimizer, Options, Params, number, slot


def adagrad_step(
    param: Array,
    grad: Array,
    square_sum: Array,
    *,
    step: int,
    lr: float,
    lr_decay: float,
    weight_decay: float,
    eps: float,
) -> None:
    """Let one parameter take its step number `step` (from 1); `param`, `square_sum` change."""
    decayed_lr = lr / (1 + (step - 1) * lr_decay)
    for p, gradient, s in blocks(param, grad, square_sum):
        g = gradient + weight_decay * p if weight_decay else gradient
        s[:] = s + g * g
        p[:] = p - decayed_lr * g / (np.sqrt(s) + eps)


class Adagrad(Optimizer):
    """Adagrad: large steps for elements that rarely get a gradient.

    Maths: with g = gradient + weight_decay p, at step t = 1, 2, ...
        s = s + g^2     (s = initial_accumulator_value at first)
        p = p - lr / (1 + (t - 1) lr_decay) g / (sqrt(s) + eps)
    Source: Duchi, Hazan and Singer, "Adaptive subgradient methods for online learning and
    stochastic optimization" (2011).
    Cost: one array of state for each parameter.
    Raises: ArgumentError for options out of range.

    >>> import pellucid
    >>> w = pellucid.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = Adagrad([w], lr=0.5)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.5, -1.5], requires_grad=True)
    """

    slots = ("step", "sum")

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
    ) -> None:
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "eps": eps,
        }
        super().__init__(params, defaults)

    def _options(self, group: Options) -> Options:
        return {name: number("Adagrad", name, group[name]) for name in self.defaults}

    def _update(self, param: Array, grad: Array, state: Options, options: Options) -> None:
        initial = "initial_accumulator_value"
        rest = {name: value for name, value in options.items() if name != initial}
        state["step"] = state.get("step", 0) + 1
        square_sum = slot(state, "sum", param, options[initial])
        adagrad_step(param, grad, square_sum, step=state["step"], **rest)
