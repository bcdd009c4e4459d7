"""Pooling: which windows hold an element, and what they pass back to it.

A maximum passes its gradient to the one element that it is; a mean passes every element of its
window the same share. The windows are those of a convolution (axis.py). Not here: adaptive pooling.
Next room: norm.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from pellucid.backend import Array
from pellucid.explain.algebra import Call, Element, Largest, Term, total
from pellucid.explain.axis import Axis
from pellucid.explain.expression import Expression, Listed
from pellucid.explain.layers.common import LayerDerivation, Said, by, fraction, named, step
from pellucid.explain.notation import Notation
from pellucid.explain.why import Why
from pellucid.kernels.conv.spec import Sizes, count_windows
from pellucid.kernels.pool import PoolSpec

_WINDOWS = ("j", "i j")


def axes_of_pool(spec: PoolSpec) -> tuple[Axis, ...]:
    """Return the spatial axes of a pooling; in ceil mode windows may hang over the end."""
    columns = zip(
        spec.in_size, spec.kernel, spec.stride, spec.padding, spec.dilation, spec.out_size,
        strict=True,
    )  # fmt: skip
    return tuple(_axis(*column) for column in columns)


def _axis(size: int, kernel: int, stride: int, pad: int, dilation: int, windows: int) -> Axis:
    high = pad
    if count_windows(size, (pad, high), kernel, stride, dilation) != windows:
        high = (windows - 1) * stride + dilation * (kernel - 1) + 1 - size - pad
    return Axis(size, kernel, stride, pad, high, dilation)


class _PoolDerivation(LayerDerivation):
    """What both poolings share: the windows."""

    def __init__(self, name: str, lead: Sizes, spec: PoolSpec, notation: Notation) -> None:
        self.spec, self.axes = spec, axes_of_pool(spec)
        letters = ("n c " if len(lead) == 2 else "c ") + ("w", "h w")[len(self.axes) - 1]
        windows = ("n c " if len(lead) == 2 else "c ") + _WINDOWS[len(self.axes) - 1]
        x_shape, y_shape = (*lead, *spec.in_size), (*lead, *spec.out_size)
        arrays = {
            "x": named(x_shape, "x", letters=letters),
            "y": named(y_shape, "o", "y", windows),
        }
        kernel = "x".join(map(str, spec.kernel))
        super().__init__(f"{name} ({kernel}), x {x_shape}", arrays, notation)
        self.forward = self.add("forward", "y", False, self._forward)
        self.grad_input = self.add("grad_input", "x", True, self._grad_input)

    def _split(self, index: Sizes) -> tuple[Sizes, Sizes]:
        """The image and channel, and the place."""
        cut = len(index) - len(self.axes)
        return index[:cut], index[cut:]

    def _window(self, output: Sizes) -> tuple[Element, ...]:
        """The elements of x in a window, without the padding."""
        lead, window = self._split(output)
        pairs = product(*(a.of_window(i) for a, i in zip(self.axes, window, strict=True)))
        return tuple(self.element("x", (*lead, *(h for _, h in taps))) for taps in pairs)

    def _outputs(self, pixel: Sizes) -> Iterator[Sizes]:
        """The outputs whose windows hold an element of x."""
        lead, place = self._split(pixel)
        pairs = product(*(a.of_pixel(h) for a, h in zip(self.axes, place, strict=True)))
        return ((*lead, *(i for i, _ in windows)) for windows in pairs)

    def _why(self, pixel: Sizes) -> Why | None:
        _, place = self._split(pixel)
        for k, (axis, h) in enumerate(zip(self.axes, place, strict=True)):
            if reason := axis.why_uncovered(h):
                return Why(reason, k, self.names.position(h), self.axes)
        return None

    def _forward(self, left: Element) -> Expression:
        raise NotImplementedError

    def _grad_input(self, left: Element) -> Expression:
        raise NotImplementedError


class MaxPoolDerivation(_PoolDerivation):
    """The equations of `forward[n,c,i,j]` and `grad_input[n,c,h,w]`.

    `[o11 = x13]` is 1 where x13 is the largest element of the window of o11, else 0; of several
    equal ones the first.
    """

    def __init__(self, lead: Sizes, spec: PoolSpec, notation: Notation) -> None:
        super().__init__("MaxPool", lead, spec, notation)

    def _forward(self, left: Element) -> Expression:
        window = tuple(total(element) for element in self._window(left.index))
        return Expression(left, Listed([Term((Call("max", window),))]))

    def _grad_input(self, left: Element) -> Expression:
        x, terms = self.element("x", left.index), []
        for output in self._outputs(left.index):
            y = self.element("y", output)
            gy = self.element("y", output, gradient=True)
            terms.append(Term((gy, Largest(y, x, self._window(output)))))
        return Expression(left, Listed(terms), self._why(left.index))

    def said(self) -> Said:
        """Who is the largest gets the gradient."""
        y = "y[i,j] = max over its window of x", r"y_{i,j} = \max x_{h,w}"
        gx = (
            "dL/dx[h,w] = sum[i,j] dL/dy[i,j] [y[i,j] = x[h,w]]",
            rf"{by('x_{h,w}')} = \sum_{{i,j}} {by('y_{i,j}')} [y_{{i,j}} = x_{{h,w}}]",
        )
        return {"forward": [step("max_pool", y)], "grad_input": [step("max_pool_input", gx)]}


class AvgPoolDerivation(_PoolDerivation):
    """The equations of `forward[n,c,i,j]` and `grad_input[n,c,h,w]`.

    `divisor` has a number for each window, (*out_size): how many elements it counts.
    """

    def __init__(self, lead: Sizes, spec: PoolSpec, divisor: Array, notation: Notation) -> None:
        self.divisor = divisor
        super().__init__("AvgPool", lead, spec, notation)

    def _share(self, output: Sizes) -> int:
        return int(self.divisor[self._split(output)[1]])

    def _forward(self, left: Element) -> Expression:
        share = fraction(1, self._share(left.index))
        return Expression(left, Listed(Term((*share, x)) for x in self._window(left.index)))

    def _grad_input(self, left: Element) -> Expression:
        terms = [
            Term((*fraction(1, self._share(o)), self.element("y", o, gradient=True)))
            for o in self._outputs(left.index)
        ]
        return Expression(left, Listed(terms), self._why(left.index))

    def said(self) -> Said:
        """Everyone gets a share."""
        y = (
            "y[i,j] = sum over its window of x / count[i,j]",
            r"y_{i,j} = \frac{1}{K_{i,j}} \sum x_{h,w}",
        )
        gx = (
            "dL/dx[h,w] = sum[i,j] dL/dy[i,j] / count[i,j]",
            rf"{by('x_{h,w}')} = \sum_{{i,j}} \frac{{1}}{{K_{{i,j}}}} {by('y_{i,j}')}",
        )
        return {"forward": [step("avg_pool", y)], "grad_input": [step("avg_pool_input", gx)]}
