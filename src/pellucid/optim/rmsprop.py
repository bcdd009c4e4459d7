"""RMSprop: each element's step is divided by the running root mean square of its gradient.

Next room: lr_scheduler/scheduler.py.
"""

from __future__ import annotations

from pellucid.kernels import steps
from pellucid.optim.optimizer import Optimizer, Options, Params, Stepping, number, slot


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

    def _update(self, stepping: Stepping, options: Options) -> None:
        names = ["square_avg", *["grad_avg"] * options["centered"]]
        names += ["momentum_buffer"] * bool(options["momentum"])
        arrays = [(p, g, *[slot(state, name, p) for name in names]) for p, g, state in stepping]
        steps.rmsprop(arrays, **options)
