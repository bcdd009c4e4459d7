"""Functions of each element: ReLU and the sigmoid.

Their gradients are stated rather than derived; tests hold them to SymPy and to finite differences.
Not here: softmax, which is fused with its loss (loss.py). Next room: pool.py.
"""

from __future__ import annotations

import numpy as np

from pellucid.backend import Array
from pellucid.explain.algebra import Call, Element, Number, Positive, Quotient, Term, total
from pellucid.explain.expression import Expression, Listed
from pellucid.explain.layers.common import LayerDerivation, Said, by, named, step
from pellucid.explain.notation import Made, Notation
from pellucid.kernels.conv.spec import Sizes

_ONE, _ZERO = Number(1), Number(0)


class ReLUDerivation(LayerDerivation):
    """The equations of `forward[...]` and `grad_input[...]`, element by element."""

    def __init__(self, shape: Sizes, notation: Notation) -> None:
        arrays = {"x": named(shape, "x"), "y": named(shape, "o", "y")}
        super().__init__(f"ReLU, x {shape}", arrays, notation)
        self.forward = self.add("forward", "y", False, self._forward)
        self.grad_input = self.add("grad_input", "x", True, self._grad_input)

    def _forward(self, left: Element) -> Expression:
        x = self.element("x", left.index)
        return Expression(left, Listed([Term((Call("max", (total(x), total(_ZERO))),))]))

    def _grad_input(self, left: Element) -> Expression:
        gy, x = self.element("y", left.index, gradient=True), self.element("x", left.index)
        return Expression(left, Listed([Term((gy, Positive(x)))]))

    def said(self) -> Said:
        """What passes and what does not."""
        return {
            "forward": [step("relu", ("y = max(x, 0)", r"y = \max\left(x, 0\right)"))],
            "grad_input": [
                step("relu_input", ("dL/dx = dL/dy [x > 0]", f"{by('x')} = {by('y')} [x > 0]"))
            ],
        }


class SigmoidDerivation(LayerDerivation):
    """The equations of `forward[...]` and `grad_input[...]`, element by element.

    The gradient is made of y, which is made of x where it is not given.
    """

    def __init__(self, shape: Sizes, notation: Notation) -> None:
        arrays = {"x": named(shape, "x"), "y": named(shape, "o", "y")}
        made = {"y": Made(("x",), _sigmoid)}
        super().__init__(f"Sigmoid, x {shape}", arrays, notation, made)
        self.forward = self.add("forward", "y", False, self._forward)
        self.grad_input = self.add("grad_input", "x", True, self._grad_input)

    def _forward(self, left: Element) -> Expression:
        power = Call("exp", (total(self.element("x", left.index), minus=[0]),))
        return Expression(left, Listed([Term((Quotient(total(_ONE), total(_ONE, power)),))]))

    def _grad_input(self, left: Element) -> Expression:
        gy, y = (self.element("y", left.index, gradient) for gradient in (True, False))
        return Expression(left, Listed([Term((gy, y, total(_ONE, y, minus=[1])))]))

    def said(self) -> Said:
        """The chain rule, in terms of the output."""
        slope = (
            "dy/dx = exp(-x) / (1 + exp(-x))^2 = y (1 - y)",
            r"\frac{\partial y}{\partial x} = \frac{e^{-x}}{\left(1 + e^{-x}\right)^2} "
            r"= y \left(1 - y\right)",
        )
        gx = "dL/dx = dL/dy y (1 - y)", rf"{by('x')} = {by('y')} y \left(1 - y\right)"
        return {
            "forward": [step("sigmoid", ("y = 1 / (1 + exp(-x))", r"y = \frac{1}{1 + e^{-x}}"))],
            "grad_input": [step("sigmoid_input", slope, gx)],
        }


def _sigmoid(x: Array) -> Array:
    with np.errstate(over="ignore"):  # exp(1000) is inf, and 1 / inf is 0
        return np.asarray(1 / (1 + np.exp(-x)))
