"""Adagrad: each element's step shrinks with the sum of its squared gradients.

Next room: rmsprop.py.
"""

from __future__ import annotations

from pellucid.kernels import steps
from pellucid.optim.optimizer import (
    Optimizer,
    Options,
    Params,
    Stepping,
    by_step,
    number,
    slot,
)


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

    def _update(self, stepping: Stepping, options: Options) -> None:
        initial = options.pop("initial_accumulator_value")
        for step, some in by_step(stepping).items():
            arrays = [(p, g, slot(state, "sum", p, initial)) for p, g, state in some]
            steps.adagrad(arrays, step=step, **options)
