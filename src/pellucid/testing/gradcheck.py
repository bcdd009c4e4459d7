"""Gradients against central differences, in float64, to second order.

One random direction v through all inputs at once costs two evaluations, and an error in a single
element shows: the slope of <gy, f(x + t v)> at t = 0 must be <v, gx>. Only when it is not, each
element is moved alone to find the one that is wrong, and to tell a kink from a mistake.
Source: the directional check of HIPS autograd and Chainer; the scaling of tolerances is our own.
Next room: adjoint.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pellucid import autograd
from pellucid.backend import Array
from pellucid.dtypes import float64, is_float
from pellucid.errors import CheckError, DTypeError
from pellucid.random import keyed_generator
from pellucid.tensor import Tensor

_UNIT = float(np.finfo(np.float64).eps)
_SEARCH_LIMIT = 4096  # elements that are moved one by one after a failure


def gradcheck(
    function: Callable[..., Any],
    inputs: Tensor | Sequence[Any],
    *,
    eps: float = 1e-5,
    rtol: float = 1e-7,
    seed: int = 0,
) -> bool:
    """Check the gradients of `function` at `inputs`; True, or an error that names the element.

    Shapes: any. Inputs that require grad must be float64; others are passed on as they are. The
    function returns a tensor or several; outputs that are not floats are left alone.
    Maths: |<gy, f(x + eps v) - f(x - eps v)> / (2 eps) - <v, gx>| <= rtol sum |v gx| + rounding,
    for random gy and v, so that 0.1 % of error in one element of thousands fails.
    Cost: three evaluations of the function and one backward, more only after a failure.
    Raises: CheckError with both slopes, or for a kink, changed inputs, a random function, or one
    that returns no tensor of floats or none that is finite; DTypeError for float32 inputs.

    >>> import pellucid
    >>> x = pellucid.randn(3, 4, dtype="float64", requires_grad=True)
    >>> gradcheck(lambda x: (x * x).exp(), x)
    True
    """
    arguments = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    check = _Check(function, arguments, eps, rtol, seed)
    check.direction()
    return True


def gradgradcheck(
    function: Callable[..., Any],
    inputs: Tensor | Sequence[Any],
    *,
    eps: float = 1e-5,
    rtol: float = 1e-6,
    seed: int = 0,
) -> bool:
    """Check the second-order gradients: `gradcheck` of the gradients, also as a function of gy.

    Raises: as `gradcheck`.

    >>> import pellucid
    >>> x = pellucid.randn(3, dtype="float64", requires_grad=True)
    >>> gradgradcheck(lambda x: x**3, x)
    True
    """
    arguments = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    wrt = [k for k, x in enumerate(arguments) if isinstance(x, Tensor) and x.requires_grad]
    outputs = _float_outputs(function(*arguments))
    generator = keyed_generator(seed, 2)
    gys = [Tensor(generator.standard_normal(y.shape), requires_grad=True) for y in outputs]

    def gradients(*values: Any) -> tuple[Tensor, ...]:
        xs, gy = values[: len(arguments)], values[len(arguments) :]
        found = autograd.grad(
            _float_outputs(function(*xs)),
            [xs[k] for k in wrt],
            gy,
            create_graph=True,
            allow_unused=True,
        )
        return tuple([g for g in found if g is not None])

    return gradcheck(gradients, [*arguments, *gys], eps=eps, rtol=rtol, seed=seed)


def _float_outputs(result: Any) -> list[Tensor]:
    outputs = result if isinstance(result, (tuple, list)) else (result,)
    return [y for y in outputs if isinstance(y, Tensor) and is_float(y.dtype)]


class _Check:
    """One check: the function, where it is checked, and in which direction."""

    def __init__(
        self, function: Callable[..., Any], inputs: list[Any], eps: float, rtol: float, seed: int
    ) -> None:
        self.function, self.inputs, self.eps, self.rtol = function, inputs, eps, rtol
        self.wrt = [k for k, x in enumerate(inputs) if isinstance(x, Tensor) and x.requires_grad]
        if not self.wrt:
            raise CheckError("gradcheck", "no input requires grad", fix="set requires_grad=True")
        for k in self.wrt:
            if inputs[k].dtype != float64:
                raise DTypeError(
                    "gradcheck",
                    f"input {k} is {inputs[k].dtype}, too coarse for finite differences",
                    fix="check in float64",
                )
        self.points = [inputs[k].array.copy() for k in self.wrt]
        generator = keyed_generator(seed, 1)
        values = self._evaluate(self.points)
        self._check_outputs(values)
        self.gy = [generator.standard_normal(y.shape) for y in values]
        # Lengths between 1/2 and 1: every element moves, none by more than eps.
        self.v = [
            generator.uniform(0.5, 1.0, x.shape) * generator.choice([-1.0, 1.0], x.shape)
            for x in self.points
        ]
        again = self._evaluate(self.points)
        if any(
            not np.array_equal(a, b, equal_nan=True) for a, b in zip(values, again, strict=True)
        ):
            raise CheckError(
                "gradcheck",
                "the function returned two different values for the same inputs",
                fix="seed its randomness inside it, or switch dropout off",
            )
        self.values = values

    @staticmethod
    def _check_outputs(values: list[Array]) -> None:
        """Refuse what no slope can be taken of: a check of nothing would always pass."""
        if not values:
            raise CheckError(
                "gradcheck",
                "the function returns no tensor of floats",
                fix="return the tensor, or a tuple of tensors, whose gradient is to be checked",
            )
        for k, y in enumerate(values):
            if not np.isfinite(y).all():
                at = tuple(int(i) for i in np.argwhere(~np.isfinite(y))[0])
                raise CheckError(
                    "gradcheck",
                    f"output {k} at {at} is {y[at]}, which has no slope",
                    fix="check at inputs where the function is finite",
                )

    def _evaluate(self, points: list[Array]) -> list[Array]:
        """The outputs at other points, each input keeping its place."""
        arguments = list(self.inputs)
        for k, point in zip(self.wrt, points, strict=True):
            arguments[k] = Tensor(point.copy(), requires_grad=True)
        outputs = [y.array.copy() for y in _float_outputs(self.function(*arguments))]
        for k, point in zip(self.wrt, points, strict=True):
            if arguments[k]._version[0] or not np.array_equal(arguments[k].array, point):
                raise CheckError(
                    "gradcheck", f"the function changed input {k}", fix="work on a clone()"
                )
        return outputs

    def _gradients(self) -> list[Array]:
        """The gradients that backward passes give, zeros where it gives none."""
        before = [x.copy() for x in self.points]
        arguments = list(self.inputs)
        leaves = [Tensor(x, requires_grad=True) for x in self.points]
        for k, leaf in zip(self.wrt, leaves, strict=True):
            arguments[k] = leaf
        outputs = _float_outputs(self.function(*arguments))
        pairs = [(y, Tensor(g)) for y, g in zip(outputs, self.gy, strict=True) if y.requires_grad]
        if not pairs:
            return [np.zeros_like(x) for x in self.points]
        roots, gys = [y for y, _ in pairs], [g for _, g in pairs]
        found = autograd.grad(roots, leaves, gys, allow_unused=True)
        for k, (x, old) in enumerate(zip(self.points, before, strict=True)):
            if not np.array_equal(x, old):
                raise CheckError(
                    "gradcheck", f"backward changed input {self.wrt[k]}", fix="work on a clone()"
                )
        return [
            np.zeros_like(x) if g is None else g.array.copy()
            for x, g in zip(self.points, found, strict=True)
        ]

    def _moved(self, step: float, v: list[Array]) -> list[Array]:
        points = [x + step * direction for x, direction in zip(self.points, v, strict=True)]
        return self._evaluate(points)

    def _slope(self, ahead: list[Array], behind: list[Array], distance: float) -> float:
        """The slope of <gy, f> between two points."""
        terms = zip(self.gy, ahead, behind, strict=True)
        return float(sum(np.sum(g * (a - b)) for g, a, b in terms)) / distance

    def _rounding(self) -> float:
        """How much rounding of f alone can bend a slope."""
        size = sum(float(np.sum(np.abs(g * y))) for g, y in zip(self.gy, self.values, strict=True))
        return 16 * _UNIT * size / self.eps

    def direction(self) -> None:
        """Compare the two slopes in the random direction."""
        ahead, behind = self._moved(self.eps, self.v), self._moved(-self.eps, self.v)
        numeric = self._slope(ahead, behind, 2 * self.eps)
        gradients = self._gradients()
        products = [v * g for v, g in zip(self.v, gradients, strict=True)]
        analytic = float(sum(np.sum(p) for p in products))
        size = float(sum(np.sum(np.abs(p)) for p in products))
        tolerance = self.rtol * max(size, abs(numeric)) + self._rounding()
        if not abs(numeric - analytic) <= tolerance:
            self._search(gradients)
            raise CheckError(
                "gradcheck",
                f"in a random direction the slope is {numeric:.10g} by central difference "
                f"(eps={self.eps:g}) but {analytic:.10g} by backward (tolerance {tolerance:.2g})",
                fix="compare the backward pass with the equation of the op",
            )

    def _search(self, gradients: list[Array]) -> None:
        """Move one element at a time and raise for the one whose gradient is furthest off."""
        worst: tuple[float, str, str] = (1.0, "", "")
        places = [(k, index) for k, x in enumerate(self.points) for index in np.ndindex(x.shape)]
        for k, index in places[:_SEARCH_LIMIT]:
            v = [np.zeros_like(x) for x in self.points]
            v[k][index] = 1.0
            ahead, behind = self._moved(self.eps, v), self._moved(-self.eps, v)
            numeric = self._slope(ahead, behind, 2 * self.eps)
            analytic = float(gradients[k][index])
            tolerance = self.rtol * max(abs(numeric), abs(analytic)) + self._rounding()
            excess = abs(numeric - analytic) / tolerance if tolerance else np.inf
            if numeric != analytic and not excess <= worst[0]:
                after = self._slope(ahead, self.values, self.eps)
                before = self._slope(self.values, behind, self.eps)
                worst = (excess, *self._verdict(k, index, numeric, analytic, before, after))
        if worst[1]:
            raise CheckError("gradcheck", worst[1], fix=worst[2])

    def _verdict(
        self,
        k: int,
        index: tuple[int, ...],
        numeric: float,
        analytic: float,
        before: float,
        after: float,
    ) -> tuple[str, str]:
        """What is wrong at one element, and what to do about it."""
        place = f"input {self.wrt[k]} at {tuple(index)} (value {self.points[k][index]:.6g})"
        found = (
            f"{place}: {numeric:.10g} by central difference (eps={self.eps:g}), "
            f"{analytic:.10g} by backward"
        )
        bend = abs(after - before)
        if bend > 0.05 * max(abs(after), abs(before)) and bend > 1e3 * self._rounding():
            return (
                f"{found}; the slope is {before:.6g} on one side and {after:.6g} on the other: "
                "a kink",
                "check away from kinks and ties (ReLU at 0, equal elements under a maximum)",
            )
        return found, "compare the backward pass with the equation of the op"
