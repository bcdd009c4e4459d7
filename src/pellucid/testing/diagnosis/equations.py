"""The equation of one element beside what the function has summed instead of it.

The right one comes from `pellucid.explain`. The other is read off the prediction of the mistake: it
is a sum of products, so setting all but two elements to 0 shows whether their product is in it.
Next room: report.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from pellucid.backend import Array
from pellucid.explain import Expression, derive
from pellucid.explain.sentences import Language
from pellucid.testing.diagnosis.predict import Way, predict
from pellucid.testing.diagnosis.problems import Inputs, Problem

ELEMENTS = {"gx": "grad_input", "gw": "grad_weight", "gb": "grad_bias", "y": "forward"}
# The arrays whose elements are multiplied with each other.
_FACTORS = {"gx": ("gy", "w"), "gw": ("gy", "x"), "gb": ("gy",), "y": ("x", "w")}
_MOST_TERMS = 6
_MOST_TRIALS = 3000

Index = tuple[int, ...]


class Product(NamedTuple):
    """One term: how often it counts, and its elements as array and index."""

    times: float
    factors: tuple[tuple[str, Index], ...]


def right_equation(problem: Problem, name: str, index: Index) -> Expression:
    """Return the equation of one element of gx, gw, gb or y.

    >>> from pellucid.testing.diagnosis.problems import problems
    >>> print(right_equation(problems(0)[0], "gx", (0, 0, 0, 2)))
    dL/dx13 = dL/do11 w13 + dL/do12 w11
    """
    return getattr(derive(problem.spec), ELEMENTS[name])[index]


def right_text(problem: Problem, name: str, index: Index, lang: Language) -> str:
    """Return that equation with its numbers, and why an element meets nothing."""
    equation = right_equation(problem, name, index)
    if equation.why is not None and not len(equation.terms):
        return f"{equation}  ({equation.why.text(lang)})"
    count = len(equation.terms)
    products = [
        Product(1.0, tuple((f.key, f.index) for f in equation.terms[k].elements))
        for k in range(count)
    ]
    numbers = _numbers(problem, products)
    return f"{equation.text(_MOST_TERMS)} = {numbers}{number(problem.right[name][index])}"


def wrong_text(problem: Problem, name: str, index: Index, way: Way | None, found: Array) -> str:
    """Return what a way sums at that element, if that is known, and what came back."""
    value = number(found[index])
    products = [] if way is None else _products(problem, name, index, way)
    total = sum(p.times * float(np.prod(_values(problem, p))) for p in products)
    if not products or abs(total - found[index]) > problem.allowed[name]:
        return value
    terms = " + ".join(_shown([_named(problem, p) for p in products]))
    return f"{terms} = {_numbers(problem, products)}{value}".replace("+ -", "- ")


def number(value: float) -> str:
    """Return a number in few digits.

    >>> number(1379.0), number(-0.123456)
    ('1379', '-0.1235')
    """
    return f"{value:.0f}" if abs(value) < 1e9 and value == round(value) else f"{value:.4g}"


def _shown(parts: Sequence[str]) -> list[str]:
    """The first and last of many parts."""
    if len(parts) <= _MOST_TERMS:
        return list(parts)
    half = _MOST_TERMS // 2
    return [*parts[:half], "...", *parts[-half:]]


def _values(problem: Inputs, product: Product) -> list[float]:
    return [float(getattr(problem, array)[index]) for array, index in product.factors]


def _numbers(problem: Inputs, products: Sequence[Product]) -> str:
    """The products in numbers, `1*3 + 10*1 = `; nothing where that would say no more."""
    if not products or all(len(p.factors) == 1 for p in products):
        return ""
    parts = []
    for product in products:
        values = [number(v) if v >= 0 else f"({number(v)})" for v in _values(problem, product)]
        parts.append("*".join([*([] if product.times == 1 else [number(product.times)]), *values]))
    return " + ".join(_shown(parts)) + " = "


def _named(problem: Inputs, product: Product) -> str:
    """A term as it is written: `dL/do11 w13`."""
    names = derive(problem.spec).names
    factors = [
        names.text(array.removeprefix("g"), index, array.startswith("g"))
        for array, index in product.factors
    ]
    count = {1.0: "", -1.0: "-"}.get(product.times, f"{number(product.times)} ")
    return count + " ".join(factors)


def _products(problem: Problem, name: str, index: Index, way: Way) -> list[Product]:
    """The terms that a way sums at one element, in the order of its first factor."""
    arrays = _FACTORS[name]
    shapes = [getattr(problem, array).shape for array in arrays]
    if np.prod([np.prod(shape) for shape in shapes]) > _MOST_TRIALS:
        return []
    nothing = {key: np.zeros_like(getattr(problem, key)) for key in ("x", "w", "b", "gy")}

    def counted(**given: Array) -> float:
        trial = Inputs(problem.spec, **{**nothing, **given})
        found = predict(name, trial, way)
        return 0.0 if found is None or found.ndim != len(index) else float(found[index])

    first, *rest = arrays
    others: dict[str, Any] = {key: _irregular(getattr(problem, key).shape) for key in rest}
    terms = []
    for at, one in _units(shapes[0]):
        if not rest:
            if count := counted(**{first: one}):
                terms.append(Product(count, ((first, at),)))
        elif counted(**{first: one}, **others):
            for there, other in _units(shapes[1]):
                if count := counted(**{first: one, rest[0]: other}):
                    terms.append(Product(count, ((first, at), (rest[0], there))))
    if name == "y":
        for at, one in _units(problem.b.shape):
            if count := counted(b=one):
                terms.append(Product(count, (("b", at),)))
    return [_rounded(term) for term in terms]


def _rounded(term: Product) -> Product:
    """Round a count that is whole but for rounding."""
    return term._replace(times=float(f"{term.times:.6g}"))


def _irregular(shape: tuple[int, ...]) -> Array:
    """Numbers whose sums do not cancel."""
    return np.sqrt(np.arange(2.0, 2.0 + int(np.prod(shape)))).reshape(shape)


def _units(shape: tuple[int, ...]) -> Iterator[tuple[Index, Array]]:
    """Each index with the array that is 1 there and 0 elsewhere."""
    for index in np.ndindex(*shape):
        one = np.zeros(shape)
        one[index] = 1.0
        yield index, one
