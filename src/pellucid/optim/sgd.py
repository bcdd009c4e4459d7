"""SGD: each parameter goes down its gradient, with momentum if asked for.

Next room: adam.py.
"""

from __future__ import annotations

from typing import Any

from pellucid.errors import ArgumentError
from pellucid.kernels import steps
from pellucid.optim.optimizer import Optimizer, Options, Params, Stepping, number, slot


class SGD(Optimizer):
    """Stochastic gradient descent, with (Nesterov) momentum and weight decay.

    Maths: with g the gradient (-g with `maximize`), at each step
        g = g + weight_decay p
        b = momentum b + (1 - dampening) g     (b = g at the first step)
        p = p - lr b,     with Nesterov p = p - lr (g + momentum b),     without momentum p - lr g
    Source: Sutskever et al., "On the importance of initialization and momentum in deep learning"
    (2013), with lr outside of b as in PyTorch.
    Cost: with momentum one array of state for each parameter.
    Raises: ArgumentError for options out of range, Nesterov without momentum or with dampening.

    >>> import pellucid
    >>> w = pellucid.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = SGD([w], lr=0.25)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.5, -1. ], requires_grad=True)
    """

    slots = ("momentum_buffer",)

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        defaults: dict[str, Any] = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _options(self, group: Options) -> Options:
        names = ("lr", "momentum", "dampening", "weight_decay")
        found: Options = {name: number("SGD", name, group[name]) for name in names}
        found |= {"nesterov": bool(group["nesterov"]), "maximize": bool(group["maximize"])}
        if found["nesterov"] and (not found["momentum"] or found["dampening"]):
            raise ArgumentError(
                "SGD",
                "nesterov=True needs momentum > 0 and dampening = 0, got "
                f"momentum={found['momentum']:g} and dampening={found['dampening']:g}",
                fix="use momentum=0.9, dampening=0, or nesterov=False",
            )
        return found

    def _update(self, stepping: Stepping, options: Options) -> None:
        if not options["momentum"]:
            steps.sgd([(p, g) for p, g, _ in stepping], **options)
            return
        fresh = [each for each in stepping if "momentum_buffer" not in each[2]]
        others = [each for each in stepping if "momentum_buffer" in each[2]]
        # the first buffer is the gradient itself
        for some, changed in ((fresh, {"dampening": 0.0}), (others, {})):
            arrays = [(p, g, slot(state, "momentum_buffer", p)) for p, g, state in some]
            steps.sgd(arrays, **{**options, **changed})
