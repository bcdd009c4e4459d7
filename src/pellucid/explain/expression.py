"""An equation of one element: its name on the left, and on the right a sum of products.

`Expression` writes itself as text and LaTeX and evaluates itself in float64, so that what a reader
sees is what the tests compare with the kernels. Not here: what sums are made of (algebra.py), and
which products a convolution has (sums.py). Next room: sums.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from pellucid.backend import Array
from pellucid.explain.algebra import Element, Term, added, exact_sum
from pellucid.explain.given import ready
from pellucid.explain.mathml import mathml
from pellucid.explain.pictures.figure import figure
from pellucid.explain.pictures.picture import Picture
from pellucid.explain.sentences import Language
from pellucid.explain.why import Why

if TYPE_CHECKING:
    from pellucid.explain.convolution import ConvDerivation

MOST_TERMS = 40  # that a notebook and a prompt show


class Terms(Protocol):
    """What an expression needs of its terms: they may be made only when they are looked at."""

    def __len__(self) -> int: ...

    def __getitem__(self, k: int, /) -> Term: ...

    def needs(self) -> Sequence[str]:
        """Name the arrays that the terms need."""

    def addends(self, arrays: Mapping[str, Array]) -> Array:
        """Return the value of every term, in float64."""


class Listed(tuple[Term, ...]):
    """Terms that are all there."""

    __slots__ = ()

    def needs(self) -> list[str]:
        """Name the arrays that the terms need, each once."""
        return list(dict.fromkeys(key for term in self for key in term.needs()))

    def addends(self, arrays: Mapping[str, Array]) -> Array:
        """Return the value of every term, in float64."""
        return np.array([term.value(arrays) for term in self], np.float64)


@dataclass(frozen=True)
class Counted:
    """Terms that are made by their number when they are looked at, and computed all at once."""

    count: int
    make: Callable[[int], Term]
    arrays: tuple[str, ...]
    numbers: Callable[..., Array]

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, k: int) -> Term:
        return self.make(range(self.count)[k])

    def needs(self) -> list[str]:
        """Name the arrays that the terms need."""
        return list(self.arrays)

    def addends(self, arrays: Mapping[str, Array]) -> Array:
        """Return the value of every term, in float64."""
        given = (arrays[key].astype(np.float64) for key in self.arrays)
        return np.asarray(self.numbers(*given), np.float64).reshape(-1)


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
        return added(self.shown(most), Term.text, "...")

    def latex(self, most: int | None = None) -> str:
        r"""Return the equation as LaTeX; of more than `most` terms, some in the middle stay out.

        >>> from pellucid.explain import derive
        >>> print(derive("c1 i5x5 o1 k3x3 s2").grad_input[0, 0, 0, 0].latex())
        \frac{\partial L}{\partial x_{11}} = \frac{\partial L}{\partial o_{11}} w_{11}
        """
        return f"{self.left.latex()} = {self.right_latex(most)}"

    def right_latex(self, most: int | None = None) -> str:
        """Return the right side as LaTeX."""
        return added(self.shown(most), Term.latex, r"\cdots")

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

        return sympy.Add(*(self.terms[k].sympy() for k in range(len(self.terms))))

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
        return exact_sum(self.terms.addends(arrays).tolist())

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return f"<{self.text(MOST_TERMS)}>"

    def shown(self, most: int | None) -> list[Term | None]:
        """Return the terms to write: all, or the first and last; None stands for those left out."""
        count = len(self.terms)
        if most is None or count <= most:
            return [self.terms[k] for k in range(count)]
        first, last = most - most // 2, most // 2
        ends = [*range(first), None, *range(count - last, count)]
        return [None if k is None else self.terms[k] for k in ends]

    def _ready(self, arrays: Mapping[str, Any]) -> dict[str, Array]:
        return ready(self.left.text(), self.left.names, self.terms.needs(), arrays)

    def _repr_latex_(self) -> str:
        why = "" if self.why is None else rf"\quad\text{{({self.why})}}"
        return rf"$\displaystyle {self.latex(MOST_TERMS)}{why}$"
