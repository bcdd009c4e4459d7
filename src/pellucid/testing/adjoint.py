"""The adjoint identity: for what is linear, backward is the transposed matrix of forward.

If f is linear in x then <f(x), gy> = <x, gx> for every x and gy. In small integers both sides are
exact, so the test is equality: no step size, no tolerance, no derivative. A convolution is linear
in x and in w. See docs/maths.md. Next room: gradcheck.py for what is not linear.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pellucid import autograd
from pellucid.dtypes import float64
from pellucid.errors import CheckError
from pellucid.random import keyed_generator
from pellucid.tensor import Tensor


def adjoint(
    function: Callable[..., Tensor],
    inputs: Tensor | Sequence[Any],
    *,
    linear_in: Sequence[int] = (0,),
    rtol: float = 0.0,
    seed: int = 0,
) -> bool:
    """Check <f(x, w), gy> = <x, gx> = <w, gw>, exactly; True, or an error with the three numbers.

    Shapes: those of `inputs`; the numbers in its tensors are replaced by integers from -4 to 4.
    Maths: linear_in names the inputs in each of which f is linear (not affine: leave a bias out).
    `rtol` is for functions that cannot be exact, relative to sum |f(x)| |gy|.
    Cost: one evaluation and one backward.
    Raises: CheckError when the numbers differ.

    >>> import pellucid
    >>> x, w = pellucid.zeros(5, 3), pellucid.zeros(3, 4)
    >>> adjoint(lambda x, w: x @ w, (x, w), linear_in=(0, 1))
    True
    """
    arguments = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    generator = keyed_generator(seed, 3)
    for k, x in enumerate(arguments):
        if isinstance(x, Tensor):
            integers = generator.integers(-4, 5, x.shape).astype(float64)
            arguments[k] = Tensor(integers, requires_grad=k in linear_in)
    y = function(*arguments)
    gy = Tensor(generator.integers(-4, 5, y.shape).astype(float64))
    gradients = autograd.grad(y, [arguments[k] for k in linear_in], gy)
    forward = float(np.sum(y.array * gy.array))
    allowed = rtol * float(np.sum(np.abs(y.array * gy.array)))
    for k, g in zip(linear_in, gradients, strict=True):
        assert g is not None
        back = float(np.sum(arguments[k].array * g.array))
        if not abs(back - forward) <= allowed:
            raise CheckError(
                "adjoint",
                f"<f, gy> = {forward:.17g}, but <x, gx> = {back:.17g} for input {k}",
                f"x {arguments[k].shape}",
                f"y {y.shape}",
                fix=f"backward is not the transpose of forward in input {k}, or f is not linear",
            )
    return True
