"""RMSprop: each element's step is divided by the running root mean square of its gradient.

Next room: lr_scheduler/scheduler.py.
"""

from __future__ import annotations

import numpy as np

from pellucid.backend import Array
from pellucid.optim.blocks import blocks
from pellucid.optim.optimizer import Optimizer, Options, Params, number, slot


def rmsprop_step(
    param: Array,
    grad: Array,
    square_avg: Array,
    grad_avg: Array | None,
    momentum_buffer: Array | None,
    *,
    lr: float,
    alpha: float,
    eps: float,
    weight_decay: float,
    momentum: float,
) -> None:
    """Let one parameter take its step; all arrays but `grad` change in place."""
    for p, gradient, v, a, b in blocks(param, grad, square_avg, grad_avg, momentum_buffer):
        g = gradient + weight_decay * p if weight_decay else gradient
        v[:] = alpha * v + (1 - alpha) * g * g
        variance = v
        if a is not None:
            a[:] = a + (1 - alpha) * (g - a)
            variance = np.maximum(v - a * a, 0)  # rounding can make it negative
        descent = g / (np.sqrt(variance) + eps)
        if b is not None:
            b[:] = momentum * b + descent
            descent = b
        p[:] = p - lr * descent


class RMSprop(Optimizer):
    """RMSprop: Adagrad with an average that forgets, for steps that do not die away.

    Maths: with g = gradient + weight_decay p, at each step
        v = alpha v + (1 - alpha) g^2
        a = a + (1 - alpha) (g - a),     u = v - a^2 if centered, else v
        b = momentum b + g / (sqrt(u) + eps)
        p = p - lr b
    Source: Hinton, Srivastava and Swersky, "Neural networks for machine learning", lecture 6e
    (2012); centered: Graves, "Generating sequences with recurrent neural networks" (2013).
    PyTorch's u can become NaN by rounding where the gradient hardly changes; here it stays >= 0.
    Cost: one array of state for each parameter, one more each for momentum and centered.
    Raises: ArgumentError for options out of range.

    >>> import pellucid
    >>> w = pellucid.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = RMSprop([w], lr=0.5, alpha=0.75)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0., -1.], requires_grad=True)
    """

    slots = ("square_avg", "grad_avg", "momentum_buffer")

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "alpha": alpha,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "centered": centered,
        }
        super().__init__(params, defaults)

    def _options(self, group: Options) -> Options:
        names = ("lr", "eps", "weight_decay", "momentum")
        found: Options = {name: number("RMSprop", name, group[name]) for name in names}
        found["alpha"] = number("RMSprop", "alpha", group["alpha"], below=1)
        return {**found, "centered": bool(group["centered"])}

    def _update(self, param: Array, grad: Array, state: Options, options: Options) -> None:
        rest = {name: value for name, value in options.items() if name != "centered"}
        rmsprop_step(
            param,
            grad,
            slot(state, "square_avg", param),
            slot(state, "grad_avg", param) if options["centered"] else None,
            slot(state, "momentum_buffer", param) if options["momentum"] else None,
            **rest,
        )
