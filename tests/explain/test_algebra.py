"""The pieces of equations: text, LaTeX, SymPy and numbers of each."""

import math
from fractions import Fraction

import numpy as np
import pytest

from pellucid.explain.algebra import (
    Call,
    Element,
    Largest,
    Number,
    Positive,
    Quotient,
    Square,
    Term,
    Total,
    added,
    exact_sum,
    total,
)
from pellucid.explain.notation import Named, Names

NAMES = Names({"x": Named((3,), "i", "I", 1, "x", "x")}, "textbook")
X1, X2, X3 = (Element("x", (k,), False, NAMES) for k in range(3))
ARRAYS = {"x": np.array([2.0, -1.5, 2.0])}
HALF, EPS = Number(Fraction(1, 2)), Number(0.25, "eps", r"\varepsilon")

CASES = [
    (HALF, "1/2", r"\frac{1}{2}", 0.5),
    (Number(Fraction(3)), "3", "3", 3.0),
    (EPS, "eps", r"\varepsilon", 0.25),
    (Total((Term((X1,)), Term((HALF, X2), minus=True))), "(x1 - 1/2 x2)",
     r"\left(x_{1} - \frac{1}{2} x_{2}\right)", 2.75),
    (total(X1, X2, minus=[0]), "(-x1 + x2)", r"\left(-x_{1} + x_{2}\right)", -3.5),
    (Call("exp", (total(X2, minus=[0]),)), "exp(-x2)", "e^{-x_{2}}", math.exp(1.5)),
    (Call("log", (total(X1),)), "log(x1)", r"\log\left(x_{1}\right)", math.log(2)),
    (Call("sqrt", (total(X1, EPS),)), "sqrt(x1 + eps)", r"\sqrt{x_{1} + \varepsilon}", 1.5),
    (Call("max", (total(X1), total(X2))), "max(x1, x2)", r"\max\left(x_{1}, x_{2}\right)", 2.0),
    (Quotient(total(HALF), total(X1, X3)), "1/2 / (x1 + x3)",
     r"\frac{\frac{1}{2}}{x_{1} + x_{3}}", 0.125),
    (Square(total(X1, X2, minus=[1])), "(x1 - x2)^2", r"\left(x_{1} - x_{2}\right)^2", 12.25),
    (Positive(X1), "[x1 > 0]", "[x_{1} > 0]", 1.0),
    (Positive(X2), "[x2 > 0]", "[x_{2} > 0]", 0.0),
]  # fmt: skip


@pytest.mark.parametrize(("piece", "text", "latex", "value"), CASES)
def test_each_piece(piece, text, latex, value):
    sympy = pytest.importorskip("sympy")
    assert (piece.text(), piece.latex(), piece.value(ARRAYS)) == (text, latex, value)
    symbols = {sympy.Symbol(f"x{k + 1}"): ARRAYS["x"][k] for k in range(3)}
    assert float(piece.sympy().subs(symbols)) == pytest.approx(value)
    assert set(piece.needs()) <= {"x"}


def test_terms_and_their_signs():
    terms = [Term((HALF, X1)), Term((X2,), minus=True), None, Term((X3,), minus=True)]
    assert added(terms, Term.text, "...") == "1/2 x1 - x2 + ... - x3"
    assert added(terms[1:2], Term.latex, "...") == "-x_{2}"
    assert added([], Term.text, "...") == "0"
    assert terms[1].value(ARRAYS) == 1.5
    assert str(terms[1]) == "x2"
    assert terms[0].elements == (X1,)


def test_the_largest_of_a_window_is_the_first_or_the_last_nan():
    output = Element("x", (0,), True, NAMES)
    window = (X1, X2, X3)
    picks = [Largest(output, element, window) for element in window]
    assert picks[1].text() == "[dL/dx1 = x2]"
    assert picks[1].latex() == r"[\frac{\partial L}{\partial x_{1}} = x_{2}]"
    for numbers, expected in [
        ([2, 1, 2], [1, 0, 0]),
        ([1, 2, 3], [0, 0, 1]),
        ([math.nan, 5, math.nan], [0, 0, 1]),
        ([-math.inf] * 3, [1, 0, 0]),
    ]:
        assert [pick.value({"x": np.array(numbers, float)}) for pick in picks] == expected
    sympy = pytest.importorskip("sympy")
    symbols = dict(zip(map(sympy.Symbol, ["x1", "x2", "x3"]), [2, 1, 2], strict=True))
    assert [int(pick.sympy().subs(symbols)) for pick in picks] == [1, 0, 0]


def test_nan_and_infinite_numbers():
    nan = {"x": np.array([math.nan, 1, 2])}
    assert math.isnan(Call("max", (total(X2), total(X1))).value(nan))
    assert Positive(X1).value(nan) == 1.0  # as the op has it: a NaN lets its gradient pass
    assert Call("exp", (total(Number(1000)),)).value({}) == math.inf
    assert Call("log", (total(Number(0)),)).value({}) == -math.inf
    assert Quotient(total(Number(1)), total(Number(0))).value({}) == math.inf
    assert math.isnan(exact_sum([math.inf, -math.inf]))
    assert exact_sum([1e308, 1e308]) == math.inf
    assert exact_sum([1e100, 1.0, -1e100]) == 1.0
