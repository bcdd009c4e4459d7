"""An equation of one element: its name on the left, and on the right a sum of products of elements.

`Expression` writes itself as text and LaTeX and evaluates itself in float64, so that what a reader
sees is what the tests compare with the kernels. Not here: which products the sum has (sums.py makes
those of a convolution). Next room: sums.py.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from pellucid.backend import Array
from pellucid.explain.given import ready
from pellucid.explain.mathml import mathml
from pellucid.explain.notation import Names
from pellucid.explain.pictures.figure import figure
from pellucid.explain.pictures.picture import Picture
from pellucid.explain.sentences import Language
from pellucid.explain.why import Why
from pellucid.kernels.conv.spec import Sizes

if TYPE_CHECKING:
    from pellucid.explain.convolution import ConvDerivation

MOST_TERMS = 40  # that a notebook shows


@dataclass(frozen=True)
class Element:
    """One element of an array, or the gradient of L by it, under its name.

    `index` counts from 0 and has all axes, whatever the name shows.
    """

    array: str
    index: Sizes
    gradient: bool
    names: Names = field(repr=False, compare=False)

    @property
    def key(self) -> str:
        """The array that holds its number: `x`, or `gx` for a gradient."""
        return f"g{self.array}" if self.gradient else self.array

    def text(self) -> str:
        """Return its name as text, `dL/dx13`."""
        return self.names.text(self.array, self.index, self.gradient)

    def latex(self) -> str:
        """Return its name as LaTeX."""
        return self.names.latex(self.array, self.index, self.gradient)

    def __str__(self) -> str:
        return self.text()


@dataclass(frozen=True)
class Term:
    """One addend: a product of elements."""

    factors: tuple[Element, ...]

    def text(self) -> str:
        """Return the product as text, `dL/do11 w13`."""
        return " ".join(factor.text() for factor in self.factors)

    def latex(self) -> str:
        """Return the product as LaTeX."""
        return " ".join(factor.latex() for factor in self.factors)

    def __str__(self) -> str:
        return self.text()


class Terms(Protocol):
    """What an expression needs of its terms: they may be made only when they are looked at."""

    def __len__(self) -> int: ...

    def __getitem__(self, k: int, /) -> Term: ...

    def keys(self) -> Sequence[str]:
        """Name the arrays that the terms need."""

    def addends(self, arrays: Mapping[str, Array]) -> Array:
        """Return the value of every term, in float64."""


@dataclass(frozen=True)
class Expression:
    """The equation of one element, `dL/dx13 = dL/do11 w13 + dL/do12 w11`.

    `terms` is a sequence, whose terms are made when they are looked at. `why` says why an element
    meets nothing; it is None where it does.
    """

    left: Element
    terms: Terms
    why: Why | None = None
    derivation: ConvDerivation | None = field(default=None, repr=False, compare=False)

    def text(self, most: int | None = None) -> str:
        """Return the equation as text; of more than `most` terms, some in the middle stay out.

        >>> from pellucid.explain import derive
        >>> derive("c1 i5x5 o1 k3x3 s2").forward[0, 0, 0, 0].text(most=4)
        'o11 = x11 w11 + x12 w12 + ... + x33 w33 + b'
        """
        return f"{self.left.text()} = {self.right(most)}"

    def right(self, most: int | None = None) -> str:
        """Return the right side as text."""
        terms = ["..." if term is None else term.text() for term in self.shown(most)]
        return " + ".join(terms) or "0"

    def latex(self, most: int | None = None) -> str:
        r"""Return the equation as LaTeX; of more than `most` terms, some in the middle stay out.

        >>> from pellucid.explain import derive
        >>> print(derive("c1 i5x5 o1 k3x3 s2").grad_input[0, 0, 0, 0].latex())
        \frac{\partial L}{\partial x_{11}} = \frac{\partial L}{\partial o_{11}} w_{11}
        """
        return f"{self.left.latex()} = {self.right_latex(most)}"

    def right_latex(self, most: int | None = None) -> str:
        """Return the right side as LaTeX."""
        terms = [r"\cdots" if term is None else term.latex() for term in self.shown(most)]
        return " + ".join(terms) or "0"

    def mathml(self, most: int | None = None) -> str:
        """Return the equation as MathML; it needs latex2mathml, which is in the extra `app`."""
        return mathml(self.latex(most))

    def figure(self, lang: Language = "en") -> Picture:
        """Return its picture: the arrays, what meets what in them, and the equation below.

        Of a large problem the part around this element is drawn, and the picture says so.
        Raises: UnsupportedError for what is no equation of a convolution; ArgumentError for a
        language other than `en` and `ko`.

        >>> from pellucid.explain import derive
        >>> picture = derive("c1 i5x5 o1 k3x3 s2").grad_input[0, 0, 0, 2].figure()
        >>> print(picture.scene.desc.split(". ")[1])
        dL/dx13 = dL/do11 w13 + dL/do12 w11.
        """
        return figure(self, lang)

    def sympy(self) -> Any:
        """Return the right side as a SymPy expression; each symbol has the name of its element.

        Needs SymPy, which is in the extra `app`.

        >>> from pellucid.explain import derive
        >>> derive("c1 i5x5 o1 k3x3 s2").grad_input[0, 0, 0, 0].sympy()
        dL/do11*w11
        """
        import sympy  # noqa: PLC0415  it is in the extra `app`

        terms = (self.terms[k].factors for k in range(len(self.terms)))
        return sympy.Add(
            *(sympy.Mul(*(sympy.Symbol(f.text()) for f in factors)) for factors in terms)
        )

    def evaluate(self, **arrays: Any) -> float:
        """Return the number that the right side is, from arrays or tensors `x=, w=, b=, gy=`.

        Shapes: those of the problem. Arrays that the sum does not need may be given as well.
        Maths: products in float64, added without rounding in between.
        Raises: ArgumentError for an array that is missing or not of the problem, ShapeError.

        >>> import numpy as np
        >>> from pellucid.explain import derive
        >>> gx13 = derive("c1 i5x5 o1 k3x3 s2").grad_input[0, 0, 0, 2]
        >>> w, gy = np.arange(1, 10).reshape(1, 1, 3, 3), np.array([[[[1, 10], [100, 1000]]]])
        >>> gx13.evaluate(w=w, gy=gy)
        13.0
        """
        return self.value(self._ready(arrays))

    def addends(self, **arrays: Any) -> Array:
        """Return the value of every term, in their order, as a float64 array.

        Raises: as `evaluate`.
        """
        return self.terms.addends(self._ready(arrays))

    def value(self, arrays: Mapping[str, Array]) -> float:
        """Return the number that the right side is, from arrays that `ready` has checked."""
        return math.fsum(self.terms.addends(arrays).tolist())

    def __str__(self) -> str:
        return self.text()

    def _repr_latex_(self) -> str:
        why = "" if self.why is None else rf"\quad\text{{({self.why})}}"
        return rf"$\displaystyle {self.latex(MOST_TERMS)}{why}$"

    def _ready(self, arrays: Mapping[str, Any]) -> dict[str, Array]:
        return ready(self.left.text(), self.left.names, self.terms.keys(), arrays)

    def shown(self, most: int | None) -> list[Term | None]:
        """Return the terms to write: all, or the first and last; None stands for those left out."""
        count = len(self.terms)
        if most is None or count <= most:
            return [self.terms[k] for k in range(count)]
        first, last = most - most // 2, most // 2
        ends = [*range(first), None, *range(count - last, count)]
        return [None if k is None else self.terms[k] for k in ends]
