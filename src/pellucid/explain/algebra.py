"""What equations are built of: elements, numbers, functions, conditions, products and sums.

Every piece writes itself as text, LaTeX and SymPy and evaluates itself in float64. A convolution
needs elements alone; the other layers the rest. Not here: whole equations (expression.py).
Next room: expression.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, NamedTuple, Protocol

import numpy as np

from pellucid.backend import Array
from pellucid.explain.notation import Names
from pellucid.kernels.conv.spec import Sizes


class Factor(Protocol):
    """A piece of a product."""

    def text(self) -> str:
        """Return it as text."""

    def latex(self) -> str:
        """Return it as LaTeX."""

    def needs(self) -> list[str]:
        """Name the arrays that it needs."""

    def value(self, arrays: Mapping[str, Array]) -> float:
        """Return its number."""

    def sympy(self) -> Any:
        """Return it as a SymPy expression."""


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

    def needs(self) -> list[str]:
        """Name the one array that it is of."""
        return [self.key]

    def value(self, arrays: Mapping[str, Array]) -> float:
        """Look it up."""
        return float(arrays[self.key][self.index])

    def sympy(self) -> Any:
        """Return a symbol with its name."""
        import sympy  # noqa: PLC0415  it is in the extra `app`

        return sympy.Symbol(self.text())

    def __str__(self) -> str:
        return self.text()


class Number(NamedTuple):
    """A number, written as a fraction; a real one, such as eps, under its name."""

    number: Fraction | float
    name: str = ""
    latex_name: str = ""

    def text(self) -> str:
        """Return it as `3` or `1/4`, or its name."""
        return self.name or str(self.number)

    def latex(self) -> str:
        r"""Return it as `3` or `\frac{1}{4}`, or its name."""
        if self.name:
            return self.latex_name
        whole = Fraction(self.number)
        top, bottom = whole.numerator, whole.denominator
        return str(top) if bottom == 1 else rf"\frac{{{top}}}{{{bottom}}}"

    def needs(self) -> list[str]:
        """It needs no array."""
        return []

    def value(self, arrays: Mapping[str, Array]) -> float:
        """Return it."""
        return float(self.number)

    def sympy(self) -> Any:
        """Return it as a rational or real number."""
        import sympy  # noqa: PLC0415  it is in the extra `app`

        return sympy.nsimplify(self.number) if self.name else sympy.Rational(str(self.number))


class Term(NamedTuple):
    """One addend: a product of factors, added or subtracted."""

    factors: tuple[Factor, ...]
    minus: bool = False

    @property
    def elements(self) -> tuple[Element, ...]:
        """The factors that are elements: of a convolution, all of them."""
        return tuple(factor for factor in self.factors if isinstance(factor, Element))

    def text(self) -> str:
        """Return the product as text, `dL/do11 w13`, without its sign."""
        return " ".join(factor.text() for factor in self.factors)

    def latex(self) -> str:
        """Return the product as LaTeX, without its sign."""
        return " ".join(factor.latex() for factor in self.factors)

    def needs(self) -> list[str]:
        """Name the arrays that it needs."""
        return [key for factor in self.factors for key in factor.needs()]

    def value(self, arrays: Mapping[str, Array]) -> float:
        """Return its number, with its sign."""
        product = math.prod(factor.value(arrays) for factor in self.factors)
        return -product if self.minus else product

    def sympy(self) -> Any:
        """Return it as a SymPy expression, with its sign."""
        import sympy  # noqa: PLC0415  it is in the extra `app`

        product = sympy.Mul(*(factor.sympy() for factor in self.factors))
        return -product if self.minus else product

    def __str__(self) -> str:
        return self.text()


def exact_sum(numbers: Sequence[float]) -> float:
    """Return the sum without rounding in between; of infinite numbers, as IEEE 754 has it."""
    try:
        return math.fsum(numbers)
    except (ValueError, OverflowError):  # inf - inf, or larger than a float
        return float(sum(numbers))


def added(terms: Sequence[Term | None], write: Callable[[Term], str], dots: str) -> str:
    """Return terms joined by their signs; None stands for some that are left out."""
    text = ""
    for k, term in enumerate(terms):
        minus = term is not None and term.minus
        sign = " - " if minus else " + "
        text += (sign if k else "-" if minus else "") + (dots if term is None else write(term))
    return text or "0"


class Total(NamedTuple):
    """A sum as a factor, in brackets unless it stands alone."""

    terms: tuple[Term, ...]

    def bare(self) -> str:
        """Return it without brackets."""
        return added(self.terms, Term.text, "...")

    def bare_latex(self) -> str:
        """Return it as LaTeX without brackets."""
        return added(self.terms, Term.latex, r"\cdots")

    def text(self) -> str:
        """Return it in brackets."""
        return f"({self.bare()})"

    def latex(self) -> str:
        """Return it as LaTeX in brackets."""
        return rf"\left({self.bare_latex()}\right)"

    def needs(self) -> list[str]:
        """Name the arrays that it needs."""
        return [key for term in self.terms for key in term.needs()]

    def value(self, arrays: Mapping[str, Array]) -> float:
        """Add its terms, without rounding in between."""
        return exact_sum([term.value(arrays) for term in self.terms])

    def sympy(self) -> Any:
        """Return it as a SymPy expression."""
        import sympy  # noqa: PLC0415  it is in the extra `app`

        return sympy.Add(*(term.sympy() for term in self.terms))


def total(*factors: Factor, minus: Sequence[int] = ()) -> Total:
    """Return the sum of single factors; those numbered in `minus` are subtracted."""
    return Total(tuple(Term((factor,), k in minus) for k, factor in enumerate(factors)))


class Call(NamedTuple):
    """A function of sums: exp, log, sqrt, max."""

    name: str
    arguments: tuple[Total, ...]

    def text(self) -> str:
        """Return it as `exp(x1)`."""
        return f"{self.name}({', '.join(argument.bare() for argument in self.arguments)})"

    def latex(self) -> str:
        """Return it as LaTeX."""
        inside = ", ".join(argument.bare_latex() for argument in self.arguments)
        if self.name == "exp":
            return f"e^{{{inside}}}"
        if self.name == "sqrt":
            return rf"\sqrt{{{inside}}}"
        return rf"\{self.name}\left({inside}\right)"

    def needs(self) -> list[str]:
        """Name the arrays that it needs."""
        return [key for argument in self.arguments for key in argument.needs()]

    def value(self, arrays: Mapping[str, Array]) -> float:
        """Compute it."""
        numbers = [argument.value(arrays) for argument in self.arguments]
        if self.name == "max":
            return math.nan if any(map(math.isnan, numbers)) else max(numbers)
        with np.errstate(all="ignore"):  # exp(1000) is inf and log(0) is -inf, without a word
            return float(getattr(np, self.name)(*numbers))

    def sympy(self) -> Any:
        """Return it as a SymPy expression."""
        import sympy  # noqa: PLC0415  it is in the extra `app`

        name = {"max": "Max"}.get(self.name, self.name)
        return getattr(sympy, name)(*(argument.sympy() for argument in self.arguments))


class Quotient(NamedTuple):
    """One sum over another."""

    top: Total
    bottom: Total

    def text(self) -> str:
        """Return it on one line."""
        parts = (t.bare() if len(t.terms) == 1 else t.text() for t in (self.top, self.bottom))
        return " / ".join(parts)

    def latex(self) -> str:
        """Return it as a fraction."""
        return rf"\frac{{{self.top.bare_latex()}}}{{{self.bottom.bare_latex()}}}"

    def needs(self) -> list[str]:
        """Name the arrays that it needs."""
        return self.top.needs() + self.bottom.needs()

    def value(self, arrays: Mapping[str, Array]) -> float:
        """Divide, as IEEE 754 has it."""
        with np.errstate(all="ignore"):
            return float(np.float64(self.top.value(arrays)) / self.bottom.value(arrays))

    def sympy(self) -> Any:
        """Return it as a SymPy expression."""
        return self.top.sympy() / self.bottom.sympy()


class Square(NamedTuple):
    """A sum times itself."""

    base: Total

    def text(self) -> str:
        """Return it as `(x1 - t1)^2`."""
        return f"{self.base.text()}^2"

    def latex(self) -> str:
        """Return it as LaTeX."""
        return f"{self.base.latex()}^2"

    def needs(self) -> list[str]:
        """Name the arrays that it needs."""
        return self.base.needs()

    def value(self, arrays: Mapping[str, Array]) -> float:
        """Multiply."""
        return self.base.value(arrays) ** 2

    def sympy(self) -> Any:
        """Return it as a SymPy expression."""
        return self.base.sympy() ** 2


class Positive(NamedTuple):
    """1 where an element is larger than 0, else 0, in Iverson's brackets: `[x1 > 0]`."""

    element: Element

    def text(self) -> str:
        """Return it as text."""
        return f"[{self.element.text()} > 0]"

    def latex(self) -> str:
        """Return it as LaTeX."""
        return f"[{self.element.latex()} > 0]"

    def needs(self) -> list[str]:
        """Name the arrays that it needs."""
        return self.element.needs()

    def value(self, arrays: Mapping[str, Array]) -> float:
        """Return 1 or 0; a NaN counts as larger, as in the op."""
        return 0.0 if self.element.value(arrays) <= 0 else 1.0

    def sympy(self) -> Any:
        """Return it as a SymPy expression."""
        import sympy  # noqa: PLC0415  it is in the extra `app`

        return sympy.Piecewise((1, self.element.sympy() > 0), (0, True))


class Largest(NamedTuple):
    """1 where an element is the largest of a window, and so its output, else 0: `[o11 = x13]`.

    Of several equal ones the first is meant; a NaN is larger than all, and then the last one.
    """

    output: Element
    element: Element
    window: tuple[Element, ...]

    def text(self) -> str:
        """Return it as text."""
        return f"[{self.output.text()} = {self.element.text()}]"

    def latex(self) -> str:
        """Return it as LaTeX."""
        return f"[{self.output.latex()} = {self.element.latex()}]"

    def needs(self) -> list[str]:
        """Name the arrays that it needs."""
        return self.element.needs()

    def value(self, arrays: Mapping[str, Array]) -> float:
        """Return 1 or 0."""
        numbers = [element.value(arrays) for element in self.window]
        nans = [k for k, number in enumerate(numbers) if math.isnan(number)]
        largest = nans[-1] if nans else numbers.index(max(numbers))
        return 1.0 if self.window[largest] == self.element else 0.0

    def sympy(self) -> Any:
        """Return it as a SymPy expression."""
        import sympy  # noqa: PLC0415  it is in the extra `app`

        mine, at = self.element.sympy(), self.window.index(self.element)
        others = [element.sympy() for element in self.window]
        before = [mine > other for other in others[:at]]
        behind = [mine >= other for other in others[at + 1 :]]
        return sympy.Piecewise((1, sympy.And(*before, *behind)), (0, True))
