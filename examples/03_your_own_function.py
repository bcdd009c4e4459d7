"""3. A function of your own, and how to know that its gradient is right.

A `Function` has a forward and a backward. Write the backward with tensor operations, and it can be
differentiated again. Then there are three questions to ask it:

    gradcheck      is the gradient the slope that finite differences measure?
    gradgradcheck  is the gradient of the gradient right too?
    adjoint        for what is linear: <f(x), gy> = <x, gx>, exactly, without any step size

Each of them is then shown a backward with a mistake in it, to see that it can say no.

    python examples/03_your_own_function.py
"""

from __future__ import annotations

from typing import Any

import numpy as np

import pellucid
from pellucid.autograd import Function
from pellucid.errors import CheckError
from pellucid.testing import adjoint, gradcheck, gradgradcheck


class Softplus(Function):
    """y = log(1 + exp(x)), whose slope is 1 / (1 + exp(-x))."""

    @staticmethod
    def forward(ctx: Any, x: pellucid.Tensor) -> np.ndarray:
        ctx.save_for_backward(x)
        return np.logaddexp(0.0, x.array)  # arrays in here, tensors in backward

    @staticmethod
    def backward(ctx: Any, gy: pellucid.Tensor) -> pellucid.Tensor:
        (x,) = ctx.saved_tensors
        return gy / (1 + (-x).exp())


pellucid.manual_seed(0)
x = pellucid.randn(4, 5, dtype="float64", requires_grad=True)
print("Softplus: gradcheck", gradcheck(Softplus.apply, x))
print("Softplus: gradgradcheck", gradgradcheck(Softplus.apply, x))


class SoftplusOff(Softplus):
    """The same with one element of the gradient wrong by a thousandth."""

    @staticmethod
    def backward(ctx: Any, gy: pellucid.Tensor) -> pellucid.Tensor:
        off = np.ones(gy.shape)
        off[2, 3] = 1.001
        return Softplus.backward(ctx, gy) * pellucid.from_numpy(off)


try:
    gradcheck(SoftplusOff.apply, x)
except CheckError as error:
    print(f"\nwith one of the 20 elements 0.1 % off:\n{error}\n")
else:
    raise SystemExit("gradcheck missed the mistake")


class RunningSum(Function):
    """y[i] = x[0] + ... + x[i]; so gx[i] = gy[i] + ... + gy[last], the sum from the other end."""

    @staticmethod
    def forward(ctx: Any, x: pellucid.Tensor) -> np.ndarray:
        return np.cumsum(x.array, axis=-1)

    @staticmethod
    def backward(ctx: Any, gy: pellucid.Tensor) -> pellucid.Tensor:
        return gy.sum(dim=-1, keepdim=True) - RunningSum.apply(gy) + gy


print("RunningSum: gradcheck", gradcheck(RunningSum.apply, x))
print("RunningSum: adjoint", adjoint(RunningSum.apply, pellucid.zeros(4, 5)))


class RunningSumForwards(RunningSum):
    """The mistake that one makes: the sum runs from the same end in backward."""

    @staticmethod
    def backward(ctx: Any, gy: pellucid.Tensor) -> pellucid.Tensor:
        return RunningSum.apply(gy)


try:
    adjoint(RunningSumForwards.apply, pellucid.zeros(4, 5))
except CheckError as error:
    print(f"\nsummed from the wrong end:\n{error}")
else:
    raise SystemExit("adjoint missed the mistake")
