"""Batch normalisation, in training and in evaluation, step by step.

    z = (x - m) s,   y = w z + b,   s = 1 / sqrt(v + eps)

In training the mean m and the variance v are those of the batch, so that every x of a channel acts
on every y of it, through m and s too; two sums over the channel carry that, and they are just the
gradients by b and by w. In evaluation m and v are constants, and only the direct way is left.
Not here: how the running statistics move. Next room: loss.py.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import prod

import numpy as np

from pellucid.backend import Array
from pellucid.explain.algebra import Call, Element, Number, Quotient, Square, Term, total
from pellucid.explain.elements import Elements
from pellucid.explain.expression import Counted, Expression, Listed
from pellucid.explain.layers.common import Key, LayerDerivation, Said, by, named, step
from pellucid.explain.notation import Made, Notation
from pellucid.explain.sums import Factor, Place, Sum, fixed
from pellucid.kernels.conv.spec import Sizes


class BatchNormDerivation(LayerDerivation):
    """The equations of a batch normalisation; `training` says of which kind.

    `mean[c]`, `variance[c]`, `scale[c]` and `normalised[n,c,h,w]` are the steps of
    `forward[n,c,h,w]`; then come `grad_input`, `grad_weight[c]` and `grad_bias[c]`. `evaluate`
    takes x, w, b and gy; in evaluation also the running statistics m and v. A layer without w or b
    has them as 1 and 0: their gradients are sums that `grad_input` needs all the same.
    """

    mean: Elements
    variance: Elements

    def __init__(
        self,
        shape: Sizes,
        training: bool,
        weight: bool,
        bias: bool,
        eps: float,
        notation: Notation,
    ) -> None:
        self.shape, self.training, self.eps = shape, training, eps
        self.weight, self.bias = weight, bias
        self.count = shape[0] * prod(shape[2:])
        letters = "n c" if len(shape) == 2 else ""
        arrays = {
            "x": named(shape, "x", letters=letters),
            "y": named(shape, "o", "y", letters=letters),
            "z": named(shape, "z", letters=letters),
        }
        for symbol in "wbmvs":
            arrays[symbol] = named(shape[1:2], symbol, letters="c")
        title = f"BatchNorm in {'training' if training else 'evaluation'}, x {shape}"
        super().__init__(title, arrays, notation, self._made())
        if training:
            self.mean = self.add("mean", "m", False, self._mean)
            self.variance = self.add("variance", "v", False, self._variance)
        self.scale = self.add("scale", "s", False, self._scale)
        self.normalised = self.add("normalised", "z", False, self._normalised)
        self.forward = self.add("forward", "y", False, self._forward)
        self.grad_input = self.add("grad_input", "x", True, self._grad_input)
        self.grad_weight = self.add("grad_weight", "w", True, self._grad_weight)
        self.grad_bias = self.add("grad_bias", "b", True, self._grad_bias)

    def _made(self) -> dict[str, Made]:
        """What follows from x, and from v and m."""
        axes = (0, *range(2, len(self.shape)))
        channel = (1, -1) + (1,) * (len(self.shape) - 2)

        def distance(x: Array, m: Array) -> Array:
            return x - m.reshape(channel)

        made = {
            "s": Made(("v",), lambda v: 1 / np.sqrt(v + self.eps)),
            "z": Made(("x", "m", "s"), lambda x, m, s: distance(x, m) * s.reshape(channel)),
            "gw": Made(("gy", "z"), lambda gy, z: (gy * z).sum(axes)),
            "gb": Made(("gy",), lambda gy: gy.sum(axes)),
        }
        if self.training:
            made["m"] = Made(("x",), lambda x: x.mean(axes))
            made["v"] = Made(("x", "m"), lambda x, m: (distance(x, m) ** 2).mean(axes))
        return made

    def _channel(self, c: int) -> tuple[tuple[Place, ...], Sizes]:
        """All places of a channel: of an array like x, and how many there are along each axis."""
        sizes = (self.shape[0], *self.shape[2:])
        running = [Place(k, range(size)) for k, size in enumerate(sizes)]
        return (running[0], fixed(c), *running[1:]), sizes

    def _mean(self, left: Element) -> Expression:
        places, counts = self._channel(left.index[0])
        share = Fraction(1, max(self.count, 1))
        factors = (Factor("x", False, places),)
        return Expression(left, Sum(self.names, factors, counts, scale=share))

    def _variance(self, left: Element) -> Expression:
        (c,), sizes = left.index, (self.shape[0], *self.shape[2:])
        share = Number(Fraction(1, max(self.count, 1)))

        def term(k: int) -> Term:
            n, *place = (int(at) for at in np.unravel_index(k, sizes))
            x, m = self.element("x", (n, c, *place)), self.element("m", (c,))
            return Term((share, Square(total(x, m, minus=[1]))))

        def numbers(x: Array, m: Array) -> Array:
            return (x[:, c] - m[c]) ** 2 * float(share.number)

        return Expression(left, Counted(self.count, term, ("x", "m"), numbers))

    def _scale(self, left: Element) -> Expression:
        eps = Number(self.eps, "eps", r"\varepsilon")
        root = Call("sqrt", (total(self.element("v", left.index), eps),))
        return Expression(left, Listed([Term((Quotient(total(Number(1)), total(root)),))]))

    def _per_channel(self, left: Element) -> Callable[[str], Element]:
        return lambda array: self.element(array, left.index[1:2])

    def _normalised(self, left: Element) -> Expression:
        of, x = self._per_channel(left), self.element("x", left.index)
        return Expression(left, Listed([Term((total(x, of("m"), minus=[1]), of("s")))]))

    def _forward(self, left: Element) -> Expression:
        of, z = self._per_channel(left), self.element("z", left.index)
        product = Term((of("w"), z) if self.weight else (z,))
        return Expression(left, Listed([product, *([Term((of("b"),))] if self.bias else [])]))

    def _grad_input(self, left: Element) -> Expression:
        of, index = self._per_channel(left), left.index
        gy = self.element("y", index, gradient=True)
        slope = (of("w"), of("s")) if self.weight else (of("s"),)
        direct = Term((*slope, gy))
        if not self.training:
            return Expression(left, Listed([direct]))
        share = Number(Fraction(1, max(self.count, 1)))
        gw, gb = (self.element(array, index[1:2], gradient=True) for array in "wb")
        by_mean = Term((share, *slope, gb), minus=True)
        by_scale = Term((share, *slope, self.element("z", index), gw), minus=True)
        return Expression(left, Listed([direct, by_mean, by_scale]))

    def _grad_weight(self, left: Element) -> Expression:
        places, counts = self._channel(left.index[0])
        factors = Factor("y", True, places), Factor("z", False, places)
        return Expression(left, Sum(self.names, factors, counts))

    def _grad_bias(self, left: Element) -> Expression:
        places, counts = self._channel(left.index[0])
        return Expression(left, Sum(self.names, (Factor("y", True, places),), counts))

    def said(self) -> Said:
        """The steps forward, and the three ways back."""
        w = "w " if self.weight else ""
        y = f"y = {w}z{' + b' if self.bias else ''}"
        scale = "s = 1 / sqrt(v + eps)", r"s = \frac{1}{\sqrt{v + \varepsilon}}"
        return {
            **(self._said_statistics() if self.training else {}),
            "scale": [step("batch_scale", scale)],
            "normalised": [step("batch_z", ("z = (x - m) s", r"z = \left(x - m\right) s"))],
            "forward": [step("batch_forward", (y, y))],
            "grad_input": self._said_ways(w),
            "grad_weight": [
                step("batch_weight", ("dL/dw = sum dL/dy z", rf"{by('w')} = \sum {by('y')} z"))
            ],
            "grad_bias": [
                step("batch_bias", ("dL/db = sum dL/dy", rf"{by('b')} = \sum {by('y')}"))
            ],
        }

    @staticmethod
    def _said_statistics() -> Said:
        m = "m = 1/M sum x", r"m = \frac{1}{M} \sum x"
        v = "v = 1/M sum (x - m)^2", r"v = \frac{1}{M} \sum \left(x - m\right)^2"
        return {"mean": [step("batch_mean", m)], "variance": [step("batch_variance", v)]}

    def _said_ways(self, w: str) -> list[Key]:
        """The direct way, and in training those through mean and scale."""
        direct = f"{w}s dL/dy", f"{w}s {by('y')}"
        if not self.training:
            formula = f"dL/dx = {direct[0]}", f"{by('x')} = {direct[1]}"
            return [step("batch_evaluation", formula)]
        mean = f"1/M {w}s dL/db", rf"\frac{{1}}{{M}} {w}s {by('b')}"
        scale = f"1/M {w}s z dL/dw", rf"\frac{{1}}{{M}} {w}s z {by('w')}"
        together = (
            f"dL/dx = {direct[0]} - {mean[0]} - {scale[0]}",
            f"{by('x')} = {direct[1]} - {mean[1]} - {scale[1]}",
        )
        return [
            step("batch_direct", direct),
            step("batch_by_mean", (f"-{mean[0]}", f"-{mean[1]}")),
            step("batch_by_scale", (f"-{scale[0]}", f"-{scale[1]}")),
            step("batch_input", together),
        ]
