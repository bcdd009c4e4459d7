"""Adam and AdamW: each element's step is scaled by running averages of its gradient and square.

The two differ in the place of the weight decay. Next room: adagrad.py.
"""

from __future__ import annotations

from typing import ClassVar

from pellucid.errors import ArgumentError
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


class Adam(Optimizer):
    """Adam: steps of about `lr` in each element, whatever the scale of its gradient.

    Maths: with g = gradient + weight_decay p, at step t = 1, 2, ...
        m = m + (1 - beta1) (g - m)
        v = beta2 v + (1 - beta2) g^2          (with amsgrad the largest v so far, below)
        p = p - lr / (1 - beta1^t) m / (sqrt(v) / sqrt(1 - beta2^t) + eps)
    Source: Kingma and Ba, "Adam: a method for stochastic optimization" (2015); amsgrad: Reddi et
    al., "On the convergence of Adam and beyond" (2018).
    Cost: two arrays of state for each parameter, three with amsgrad.
    Raises: ArgumentError for options out of range.

    >>> import pellucid
    >>> w = pellucid.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = Adam([w], lr=0.5)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.5, -1.5], requires_grad=True)
    """

    slots = ("step", "exp_avg", "exp_avg_sq", "max_exp_avg_sq")
    decoupled: ClassVar[bool] = False

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
        }
        super().__init__(params, defaults)

    def _options(self, group: Options) -> Options:
        names, betas = ("lr", "eps", "weight_decay"), group["betas"]
        if not isinstance(betas, (tuple, list)) or len(betas) != 2:
            raise ArgumentError(
                self._name, f"betas={betas!r} is not a pair of numbers", fix="use (0.9, 0.999)"
            )
        found: Options = {name: number(self._name, name, group[name]) for name in names}
        found["beta1"] = number(self._name, "betas[0]", betas[0], below=1)
        found["beta2"] = number(self._name, "betas[1]", betas[1], below=1)
        return {**found, "amsgrad": bool(group["amsgrad"])}

    def _update(self, stepping: Stepping, options: Options) -> None:
        names = ["exp_avg", "exp_avg_sq", *["max_exp_avg_sq"] * options["amsgrad"]]
        for step, some in by_step(stepping).items():
            arrays = [(p, g, *[slot(state, name, p) for name in names]) for p, g, state in some]
            steps.adam(arrays, step=step, decoupled=self.decoupled, **options)


class AdamW(Adam):
    """Adam with decoupled weight decay: the weights shrink by themselves, not through g.

    Maths: p = p (1 - lr weight_decay), then the step of Adam with g = gradient.
    Source: Loshchilov and Hutter, "Decoupled weight decay regularization" (2019).
    Cost, Raises: as Adam.

    >>> import pellucid
    >>> w = pellucid.tensor([1.0], requires_grad=True)
    >>> w.grad = pellucid.zeros(1)
    >>> AdamW([w], lr=0.1, weight_decay=0.5).step()
    >>> w
    tensor([0.95], requires_grad=True)
    """

    decoupled = True

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad)
