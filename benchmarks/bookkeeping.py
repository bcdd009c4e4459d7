"""What recording an op costs beside its arithmetic, and running it backward: microseconds an op.

    python -m benchmarks.bookkeeping

Chains of ops that compute nothing, on arrays of four elements; the best of many turns. The aim is
about 3 microseconds each way. Not here: what an op computes. Next room: README.md.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

import pellucid
from pellucid import Tensor, nn, optim
from pellucid.autograd import Function

LENGTH, TURNS = 100, 200


class Nothing(Function):
    """An array that is there already, of one input."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Any:
        return RESULT

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Any:
        return GRADIENT


class Saving(Function):
    """The same of two inputs, both saved."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, w: Tensor) -> Any:
        ctx.save_for_backward(x, w)
        return RESULT

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Any:
        _, _ = ctx.saved_tensors
        return GRADIENT, None


RESULT, GRADIENT = np.ones(4, "float32"), Tensor(np.ones(4, "float32"))


def best(run: Callable[[Any], object], prepare: Callable[[], Any] = lambda: None) -> float:
    """Return the microseconds of the fastest turn; `run` gets what `prepare` returned."""
    found = []
    for _ in range(TURNS):
        given = prepare()
        start = time.perf_counter()
        run(given)
        found.append(time.perf_counter() - start)
    return min(found) * 1e6


def chain(op: type[Function], x: Tensor, *rest: Tensor) -> Tensor:
    """Apply an op to its own output, again and again."""
    for _ in range(LENGTH):
        x = op.apply(x, *rest)
    return x


def main() -> None:
    """Print the table."""
    plain, leaf, w = (Tensor(np.ones(4, "float32")) for _ in range(3))
    for x in (leaf, w):
        x.requires_grad = True
    print(f"forward, no record          {best(lambda _: chain(Nothing, plain)) / LENGTH:5.2f}")
    for name, op, rest in (("nothing saved", Nothing, ()), ("two saved", Saving, (w,))):
        forward = best(lambda _, op=op, rest=rest: chain(op, leaf, *rest))
        backward = best(
            lambda y: y.backward(Tensor(np.ones(4, "float32"))),
            lambda op=op, rest=rest: chain(op, leaf, *rest),
        )
        print(f"forward, {name:14}     {forward / LENGTH:5.2f}")
        print(f"backward, {name:14}    {backward / LENGTH:5.2f}")
    layer = nn.Identity()
    calls = best(lambda _: [layer(plain) for _ in range(LENGTH)])
    print(f"a layer's call              {calls / LENGTH:5.2f}")
    parameters = [pellucid.ones(4, requires_grad=True) for _ in range(LENGTH)]
    for parameter in parameters:
        parameter.grad = GRADIENT
    step = optim.Adam(parameters).step
    print(f"Adam, a parameter           {best(lambda _: step()) / LENGTH:5.2f}")


if __name__ == "__main__":
    main()
