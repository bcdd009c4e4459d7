"""A fully connected layer: y = x w^T + b, and its gradients as matrix products.

As matrices, with w stored as (O, I): dL/dX = dL/dO W and dL/dW = (dL/dO)^T X. Textbooks that write
y = x w, with w as (I, O), have the transposes of these: dL/dX = dL/dO W^T and dL/dW = X^T dL/dO.
Not here: convolutions. Next room: activation.py.
"""

from __future__ import annotations

from pellucid.explain.algebra import Element
from pellucid.explain.equation import Equation
from pellucid.explain.expression import Expression
from pellucid.explain.layers.common import LayerDerivation, Said, by, step
from pellucid.explain.notation import Named, Notation
from pellucid.explain.sums import Factor, Place, Sum, fixed
from pellucid.ops.linear import Linear


class LinearDerivation(LayerDerivation):
    """The equations of `forward[n,o]`, `grad_input[n,i]`, `grad_weight[o,i]`, `grad_bias[o]`."""

    def __init__(
        self, batch: int, in_features: int, out_features: int, bias: bool, notation: Notation
    ) -> None:
        N, I, O = batch, in_features, out_features
        arrays = {
            "x": Named((N, I), "n i", "N I", 2, "x", "x"),
            "w": Named((O, I), "o i", "O I", 2, "w", "w"),
            "b": Named((O,), "o", "O", 1, "b", "b"),
            "y": Named((N, O), "n o", "N O", 2, "o", "y"),
        }
        super().__init__(f"Linear ({I} -> {O}), x ({N}, {I})", arrays, notation)
        self.bias = bias
        self.forward = self.add("forward", "y", False, self._forward)
        self.grad_input = self.add("grad_input", "x", True, self._grad_input)
        self.grad_weight = self.add("grad_weight", "w", True, self._grad_weight)
        if bias:
            self.grad_bias = self.add("grad_bias", "b", True, self._grad_bias)

    def _size(self, array: str, axis: int) -> range:
        return range(self.names.arrays[array].shape[axis])

    def _forward(self, left: Element) -> Expression:
        n, o = left.index
        running = Place(0, self._size("x", 1))
        factors = (
            Factor("x", False, (fixed(n), running)),
            Factor("w", False, (fixed(o), running)),
        )
        last = self.element("b", (o,)) if self.bias else None
        return Expression(left, Sum(self.names, factors, (len(running.values),), last))

    def _grad_input(self, left: Element) -> Expression:
        n, i = left.index
        running = Place(0, self._size("y", 1))
        factors = (
            Factor("y", True, (fixed(n), running)),
            Factor("w", False, (running, fixed(i))),
        )
        return Expression(left, Sum(self.names, factors, (len(running.values),)))

    def _grad_weight(self, left: Element) -> Expression:
        o, i = left.index
        running = Place(0, self._size("x", 0))
        factors = (
            Factor("y", True, (running, fixed(o))),
            Factor("x", False, (running, fixed(i))),
        )
        return Expression(left, Sum(self.names, factors, (len(running.values),)))

    def _grad_bias(self, left: Element) -> Expression:
        running = Place(0, self._size("y", 0))
        factors = (Factor("y", True, (running, fixed(left.index[0]))),)
        return Expression(left, Sum(self.names, factors, (len(running.values),)))

    def said(self) -> Said:
        """The sums from the `equation` of the op, and the same as matrix products."""
        equation = Equation.parse(Linear.equation)
        equation = equation if self.bias else equation.without_bias()
        gx, gw = (equation.gradient(name) for name in "xw")
        plus, latex_plus = (" + b", r" + \mathbf{1} b^T") if self.bias else ("", "")
        by_x, by_w, by_y = by("X"), by("W"), by("Y")
        said = {
            "forward": [step("linear", _both(equation), (f"Y = X W^T{plus}",
                                                         f"Y = X W^T{latex_plus}"))],
            "grad_input": [
                step("linear_input", _both(gx), ("dL/dX = dL/dY W", f"{by_x} = {by_y} W"))
            ],
            "grad_weight": [
                step("linear_weight", _both(gw), ("dL/dW = (dL/dY)^T X", f"{by_w} = {by_y}^T X")),
                step("linear_transposed", ("dL/dX = dL/dY W^T", f"{by_x} = {by_y} W^T"),
                     ("dL/dW = X^T dL/dY", f"{by_w} = X^T {by_y}")),
            ],
        }  # fmt: skip
        if self.bias:
            said["grad_bias"] = [step("linear_bias", _both(equation.gradient("b")))]
        return said


def _both(equation: Equation) -> tuple[str, str]:
    return equation.text(), equation.latex()
