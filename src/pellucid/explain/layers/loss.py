"""Losses: the mean squared error, and the cross entropy with the softmax before it.

A loss is L itself, so that the gradient by x begins here: `dL/dx11 = 1/2 (p11 - t11)`.
Not here: weights of classes, ignored targets, label smoothing. Next room: README.md.
"""

from __future__ import annotations

from math import prod

import numpy as np

from pellucid.backend import Array
from pellucid.explain.algebra import Call, Element, Quotient, Square, Term, total
from pellucid.explain.expression import Counted, Expression, Listed
from pellucid.explain.layers.common import LayerDerivation, Said, by, fraction, named, step
from pellucid.explain.notation import Made, Named, Notation
from pellucid.kernels.conv.spec import Sizes

_LOSS = Named((), "", "", 0, "L", "L")


class MSELossDerivation(LayerDerivation):
    """The equations of `forward[()]`, which is L, and of `grad_input[...]`.

    `evaluate` takes x and the targets t. `mean` divides by the number of elements.
    """

    def __init__(self, shape: Sizes, mean: bool, notation: Notation) -> None:
        self.shape, self.count = shape, max(prod(shape), 1) if mean else 1
        arrays = {"x": named(shape, "x"), "t": named(shape, "t"), "y": _LOSS}
        super().__init__(f"MSELoss ({'mean' if mean else 'sum'}), x {shape}", arrays, notation)
        self.forward = self.add("forward", "y", False, self._forward)
        self.grad_input = self.add("grad_input", "x", True, self._grad_input)

    def _distance(self, index: Sizes) -> tuple[Element, Element]:
        return self.element("x", index), self.element("t", index)

    def _forward(self, left: Element) -> Expression:
        def term(k: int) -> Term:
            index = tuple(int(at) for at in np.unravel_index(k, self.shape))
            square = Square(total(*self._distance(index), minus=[1]))
            return Term((*fraction(1, self.count), square))

        def numbers(x: Array, t: Array) -> Array:
            return (x - t) ** 2 / self.count

        return Expression(left, Counted(prod(self.shape), term, ("x", "t"), numbers))

    def _grad_input(self, left: Element) -> Expression:
        distance = total(*self._distance(left.index), minus=[1])
        return Expression(left, Listed([Term((*fraction(2, self.count), distance))]))

    def said(self) -> Said:
        """The derivative of a square."""
        share, latex = ("1/M ", r"\frac{1}{M} ") if self.count > 1 else ("", "")
        twice, latex_twice = ("2/M", r"\frac{2}{M}") if self.count > 1 else ("2", "2")
        L = f"L = {share}sum (x - t)^2", rf"L = {latex}\sum \left(x - t\right)^2"
        gx = f"dL/dx = {twice} (x - t)", rf"{by('x')} = {latex_twice} \left(x - t\right)"
        return {"forward": [step("mse", L)], "grad_input": [step("mse_input", gx)]}


class CrossEntropyDerivation(LayerDerivation):
    """The equations of `probabilities[n,c]`, of `forward[()]`, which is L, and `grad_input[n,c]`.

    `evaluate` takes the scores x and the targets t as probabilities, both (N, C): 1 at the class of
    each row, 0 elsewhere. The probabilities p are made of x where they are not given.
    """

    def __init__(self, shape: Sizes, mean: bool, notation: Notation) -> None:
        self.shape, self.count = shape, max(shape[0], 1) if mean else 1
        arrays = {key: named(shape, key, letters="n c") for key in "xtp"} | {"y": _LOSS}
        made = {"p": Made(("x",), lambda x: np.exp(_log_softmax(x)))}
        title = f"softmax and CrossEntropyLoss ({'mean' if mean else 'sum'}), x {shape}"
        super().__init__(title, arrays, notation, made)
        self.probabilities = self.add("probabilities", "p", False, self._probabilities)
        self.forward = self.add("forward", "y", False, self._forward)
        self.grad_input = self.add("grad_input", "x", True, self._grad_input)

    def _probabilities(self, left: Element) -> Expression:
        n, c = left.index
        powers = [Call("exp", (total(self.element("x", (n, k))),)) for k in range(self.shape[1])]
        return Expression(left, Listed([Term((Quotient(total(powers[c]), total(*powers)),))]))

    def _forward(self, left: Element) -> Expression:
        def term(k: int) -> Term:
            index = tuple(int(at) for at in np.unravel_index(k, self.shape))
            t, p = self.element("t", index), self.element("p", index)
            return Term((*fraction(1, self.count), t, Call("log", (total(p),))), minus=True)

        def numbers(t: Array, x: Array) -> Array:
            return -t * _log_softmax(x) / self.count  # log(p) without overflow

        return Expression(left, Counted(prod(self.shape), term, ("t", "x"), numbers))

    def _grad_input(self, left: Element) -> Expression:
        p, t = self.element("p", left.index), self.element("t", left.index)
        share = fraction(1, self.count)
        if not share:
            return Expression(left, Listed([Term((p,)), Term((t,), minus=True)]))
        return Expression(left, Listed([Term((*share, total(p, t, minus=[1])))]))

    def said(self) -> Said:
        """The softmax's derivative, and how it cancels against the logarithm's."""
        share, latex = ("1/N ", r"\frac{1}{N} ") if self.count > 1 else ("", "")
        p = (
            "p[n,c] = exp(x[n,c]) / sum[k] exp(x[n,k])",
            r"p_{n,c} = \frac{e^{x_{n,c}}}{\sum_{k} e^{x_{n,k}}}",
        )
        L = (
            f"L = -{share}sum[n,c] t[n,c] log(p[n,c])",
            rf"L = -{latex}\sum_{{n,c}} t_{{n,c}} \log\left(p_{{n,c}}\right)",
        )
        slope = (
            "dlog(p[n,k])/dx[n,c] = [k = c] - p[n,c]",
            r"\frac{\partial \log\left(p_{n,k}\right)}{\partial x_{n,c}} = [k = c] - p_{n,c}",
        )
        gx = (
            f"dL/dx[n,c] = {share}(p[n,c] - t[n,c])",
            rf"{by('x_{n,c}')} = {latex}\left(p_{{n,c}} - t_{{n,c}}\right)",
        )
        return {
            "probabilities": [step("softmax", p)],
            "forward": [step("cross_entropy", L)],
            "grad_input": [step("softmax_input", slope), step("cross_entropy_input", gx)],
        }


def _log_softmax(x: Array) -> Array:
    shifted = x - x.max(axis=1, keepdims=True, initial=-np.inf)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))
