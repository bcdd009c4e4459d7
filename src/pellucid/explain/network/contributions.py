"""`contributions`: what made one element of a gradient of a real layer what it is.

A gradient is a sum, and its terms say where it comes from: which images, output channels and
positions. They are taken from the copies of `record`, multiplied in float64. Not here: how they
look (table.py, heat.py). Next room: table.py.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from pellucid.backend import Array
from pellucid.errors import ArgumentError, GraphError, UnsupportedError
from pellucid.explain.network.call import GRADS, Grad
from pellucid.explain.network.heat import heat_map
from pellucid.explain.network.record import kept_of
from pellucid.explain.network.table import html, table
from pellucid.explain.network.terms import Terms, terms_of
from pellucid.explain.notation import Names, Notation, as_notation
from pellucid.explain.sentences import Language, as_language
from pellucid.explain.why import Why
from pellucid.kernels.conv.spec import Sizes
from pellucid.nn import Module

if TYPE_CHECKING:
    from pellucid.explain.network.record import Kept


def contributions(
    layer: Module,
    grad: Grad,
    index: int | Sequence[int],
    *,
    call: int | None = None,
    notation: Notation = "textbook",
) -> Contributions:
    """Return the terms whose sum is one element of a gradient of a recorded layer.

    `grad` is `weight`, `bias` or `input`, and `index` counts from 0 and has all axes, as in
    `layer.weight.grad[index]`. A layer that was called several times adds up all of its calls;
    `call`, counted from 0, chooses one, which the gradient by the input needs.

    Shapes: weight and bias as the layer has them, input as x; of a Linear, whose x has more axes
    than two, they are counted as one, row by row.
    Maths: docs/maths.md, 4; products in float64, which of float32 numbers are exact.
    Cost: one product for each term; memory of a few numbers for each.
    Raises: GraphError where nothing was recorded of the layer; ArgumentError for another `grad` or
    `call`, IndexingError for an index that the gradient does not have; UnsupportedError for the
    input of a layer whose border is not zeros.

    >>> import pellucid
    >>> from pellucid.explain import record
    >>> layer = pellucid.nn.Conv2d(1, 1, 2, stride=2, bias=False)
    >>> x = pellucid.arange(25.0).reshape(1, 1, 5, 5)
    >>> with record(layer):
    ...     layer(x).sum().backward()
    >>> found = contributions(layer, "weight", (0, 0, 0, 1))
    >>> found.terms
    array([ 1.,  3., 11., 13.])
    >>> found.value, float(layer.weight.grad[0, 0, 0, 1])
    (28.0, 28.0)
    >>> found.places("x")[found.largest(1)]
    array([[0, 0, 2, 3]])
    """
    if grad not in GRADS:
        raise ArgumentError(
            "contributions", f"there is no gradient {grad!r}", fix=f"use one of {', '.join(GRADS)}"
        )
    place = tuple(index) if isinstance(index, Sequence) else (index,)
    kept = _recorded(layer)
    _check(layer, grad)
    calls, chosen = kept.calls, _chosen(layer, grad, call, len(kept.calls))
    notation = as_notation(notation)
    shares = tuple(terms_of(calls[k], k, grad, place, notation) for k in chosen)
    computed = [calls[k].kernel(grad)[place] for k in reversed(chosen)]
    total = computed[0]
    for each in computed[1:]:  # as the backward pass adds them up: the last call came first
        total = total + each
    return Contributions(
        repr(layer), grad, place, shares, float(total), str(computed[0].dtype),
        len(calls), tuple(kept.others.get(grad, ())), notation,
    )  # fmt: skip


def _recorded(layer: Module) -> Kept:
    """Return what was kept of a layer, which must be something."""
    kept, name = kept_of(layer), type(layer).__name__
    if kept is None:
        raise GraphError(
            "contributions",
            f"nothing was recorded of this {name}: its backward pass ran outside of record(layer)",
            fix="run it as in: with record(layer): loss.backward()",
        )
    if not kept.calls:
        raise GraphError(
            "contributions",
            f"no gradient passed through this {name} inside of record(layer)",
            fix="use the layer in the forward pass, with gradients recorded, and run backward() "
            "inside the block",
        )
    return kept


def _check(layer: Module, grad: Grad) -> None:
    if grad == "bias" and layer.bias is None:
        raise ArgumentError("contributions", f"{layer} has no bias", fix="use weight or input")
    if grad == "input" and getattr(layer, "padding_mode", "zeros") != "zeros":
        raise UnsupportedError(
            "contributions",
            f"the border of {layer} is made by ops.pad, before the convolution",
            fix="use weight or bias, or a layer without padding behind ops.pad",
        )


def _chosen(layer: Module, grad: Grad, call: int | None, count: int) -> list[int]:
    """Return the numbers of the calls that are meant."""
    name = type(layer).__name__
    if call is None:
        if grad == "input" and count > 1:
            raise ArgumentError(
                "contributions",
                f"this {name} was called {count} times, and each call has an input of its own",
                fix=f"give call=0 .. {count - 1}, in the order of the forward pass",
            )
        return list(range(count))
    if not 0 <= call < count:
        times = "once" if count == 1 else f"{count} times"
        raise ArgumentError(
            "contributions",
            f"there is no call {call}: this {name} was called {times}",
            fix=f"use call=0 .. {count - 1}" if count > 1 else "use call=0, or leave it out",
        )
    return [call]


@dataclass(frozen=True, eq=False)
class Contributions:
    """One element of a gradient, and the terms that it is the sum of (`contributions` makes it).

    `terms` are the float64 addends in the order of the equation, call by call; `places("x")` and
    `places("gy")` say where each comes from, and `calls` in which call. `value` is their sum,
    `kernel` what the library computed in its own `dtype`.
    """

    layer: str
    grad: Grad
    index: Sizes
    shares: tuple[Terms, ...] = field(repr=False)
    kernel: float
    dtype: str
    call_count: int  # of the layer, of which `shares` may be one
    others: tuple[str, ...]  # ops that add to the gradient besides the layer
    notation: Notation

    @property
    def name(self) -> str:
        """The name of the element, `dL/dw11`."""
        return self.shares[0].expression.left.text()

    @property
    def names(self) -> Names:
        """How the arrays and their elements are called."""
        return self.shares[0].expression.left.names

    @cached_property
    def terms(self) -> Array:
        """The value of every term."""
        return np.concatenate([share.values for share in self.shares])

    @cached_property
    def calls(self) -> Array:
        """In which call of the layer each term arose."""
        return np.repeat([s.call for s in self.shares], [len(s.values) for s in self.shares])

    @cached_property
    def value(self) -> float:
        """The sum of all terms, rounded once."""
        return math.fsum(self.terms.tolist())

    @cached_property
    def magnitude(self) -> float:
        """The sum of the magnitudes of all terms: how much there is to add up or to cancel."""
        return math.fsum(np.abs(self.terms).tolist())

    def position(self, at: int) -> int:
        """Return a place along an axis as the notation counts it."""
        return self.names.position(at)

    @property
    def why(self) -> Why | None:
        """Why there is no term; None where there are some."""
        return None if len(self.terms) else self.shares[0].expression.why

    def places(self, array: str) -> Array:
        """Return where in `x`, `w` or `gy` the factor of each term stands.

        Shapes: (terms, axes of the array).
        Raises: ArgumentError for an array that the terms are not made of.
        """
        known = self.shares[0].total.needs()
        if array not in known:
            raise ArgumentError(
                "places",
                f"the terms of {self.name} have no factor from {array!r}",
                fix=f"use one of {', '.join(known)}",
            )
        return np.concatenate([share.places(array) for share in self.shares])

    def largest(self, count: int) -> Array:
        """Return the numbers of the terms of the largest magnitude, the largest first."""
        return np.argsort(-np.abs(self.terms), kind="stable")[:count]

    @cached_property
    def by_image(self) -> Array:
        """What each image of the batch adds.

        Shapes: (N,).
        """
        return self.grouped(0, self.terms)

    @cached_property
    def by_channel(self) -> Array:
        """What each output channel adds.

        Shapes: (O,).
        """
        return self.grouped(1, self.terms)

    def main_images(self, count: int) -> list[int]:
        """Return the images that have most of the sum of all magnitudes, the first one first."""
        sizes = self.grouped(0, np.abs(self.terms))
        return [int(at) for at in np.argsort(-sizes, kind="stable")[:count] if sizes[at]]

    def grouped(self, axis: int, values: Array) -> Array:
        """Return the sums of one value for each term over the terms of one place along gy."""
        size = max(share.arrays["gy"].shape[axis] for share in self.shares)
        return np.bincount(self.places("gy")[:, axis], values, minlength=size)

    def table(self, count: int = 10, lang: Language = "en") -> str:
        """Return what the element is made of as text: the sum, and the largest terms.

        Raises: ArgumentError for a language other than `en` and `ko`.
        """
        return table(self, count, as_language(lang))

    def svg(self, lang: Language = "en") -> str:
        """Return the heat map as the text of an SVG file.

        Raises: ArgumentError for a language other than `en` and `ko`.
        """
        return heat_map(self, as_language(lang))

    def __str__(self) -> str:
        return self.table()

    def _repr_html_(self) -> str:
        return html(self, 10, "en", self.svg())
