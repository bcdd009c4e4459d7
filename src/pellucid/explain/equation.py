"""The `equation` of an op as data, and its gradients by index algebra.

An op says what it computes for one element, here along one axis:

    y[n,o,j] = b[o] + sum[c,v] x[n, c, j*sw + v*dw - pw] * w[o,c,v]

The gradient by one of its arrays needs no new idea. By the chain rule it is the sum of `gy` times
the other factors over everything that the element had a part in: the indices that the element has
are given, all others run. Where an index of the array is a formula, as the third of x, the element
has a letter `w` there, and the sum runs over what solves `w = j*sw + v*dw - pw`. So come

    gw[o,c,v] = sum[n,j] gy[n,o,j] * x[n, c, j*sw + v*dw - pw]
    gx[n,c,w] = sum[o,v,j: w = j*sw + v*dw - pw] gy[n,o,j] * w[o,c,v]

which are, to the letter, the equations of the ops that compute them. Not here: sentences about it
(general.py). Next room: general.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeAlias

# What an axis of two is called along one more, in front: `i*sh + u*dh - ph` is `k*sd + t*dd - pd`.
_IN_FRONT = {"h": "d", "i": "k", "u": "t", "sh": "sd", "dh": "dd", "ph": "pd"}
_OF_FIRST_AXIS = frozenset(_IN_FRONT)


class Product(NamedTuple):
    """A signed product of letters and a number, an addend of an index: `u*dh`, `-ph`, `2*i`."""

    number: int
    letters: tuple[str, ...]


@dataclass(frozen=True)
class Index:
    """One index of an array: a letter, or a sum of products such as `i*sh + u*dh - ph`."""

    products: tuple[Product, ...]

    @staticmethod
    def parse(text: str) -> Index:
        """Return the index that a text says."""
        products = []
        for sign, body in re.findall(r"([+-]?)\s*([\w*]+)", text):
            factors = body.split("*")
            number = -1 if sign == "-" else 1
            products.append(Product(number, tuple(factors)))
        return Index(tuple(products))

    @property
    def letter(self) -> str | None:
        """The letter that it is, or None for a formula."""
        first = self.products[0]
        alone = len(self.products) == 1 and first.number == 1 and len(first.letters) == 1
        return first.letters[0] if alone else None

    def letters(self) -> set[str]:
        """Return all its letters."""
        return {letter for product in self.products for letter in product.letters}

    def renamed(self, names: Mapping[str, str]) -> Index:
        """Return it with other letters."""
        return Index(
            tuple(
                p._replace(letters=tuple(names.get(letter, letter) for letter in p.letters))
                for p in self.products
            )
        )

    def with_numbers(self, numbers: Mapping[str, int]) -> Index:
        """Return it with numbers in place of parameters; what is 0 is left out."""
        found = []
        for product in self.products:
            number, letters = product.number, []
            for letter in product.letters:
                if letter in numbers:
                    number *= numbers[letter]
                else:
                    letters.append(letter)
            if number:
                found.append(Product(number, tuple(letters)))
        return Index(tuple(found) or (Product(0, ()),))

    def written(self, times: str) -> str:
        """Return it as text, with a sign between the factors of a product."""
        text = ""
        for k, product in enumerate(self.products):
            size = abs(product.number)
            factors = [str(size)] if size != 1 or not product.letters else []
            sign = "-" if product.number < 0 else "+"
            lead = f" {sign} " if k else "-" if sign == "-" else ""
            text += lead + times.join([*factors, *product.letters])
        return text


class Reference(NamedTuple):
    """One element of an array, `x[n, c, i*sh + u*dh - ph]`; a gradient by it is named `gx`."""

    name: str
    indices: tuple[Index, ...]

    @staticmethod
    def parse(text: str) -> Reference:
        """Return the reference that a text says."""
        name, _, inside = text.strip().removesuffix("]").partition("[")
        return Reference(name, tuple(Index.parse(part) for part in inside.split(",")))

    def letters(self) -> Iterator[str]:
        """Return the indices that are letters."""
        return (index.letter for index in self.indices if index.letter is not None)

    def written(self, times: str = "*") -> str:
        """Return it as text, with a blank behind commas where an index is a formula."""
        comma = "," if all(index.letter for index in self.indices) else ", "
        return f"{self.name}[{comma.join(index.written(times) for index in self.indices)}]"


Condition: TypeAlias = tuple[str, Index]


@dataclass(frozen=True)
class Equation:
    """`left = added + sum[over: where] factors`: an element as a sum of products.

    `added` is None where nothing is added; `where` says which values of `over` count.

    >>> linear = Equation.parse("y[n,o] = b[o] + sum[i] x[n,i] * w[o,i]")
    >>> print(linear.gradient("w"))
    gw[o,i] = sum[n] gy[n,o] * x[n,i]
    """

    left: Reference
    added: Reference | None
    over: tuple[str, ...]
    where: tuple[Condition, ...]
    factors: tuple[Reference, ...]

    @staticmethod
    def parse(text: str) -> Equation:
        """Return the equation that an op's text says.

        >>> from pellucid.ops.conv import Conv
        >>> str(Equation.parse(Conv.equation)) == Conv.equation
        True
        """
        left, _, right = text.partition(" = ")
        added, _, body = right.partition("sum[")
        inside, _, product = body.partition("] ")
        over, _, conditions = inside.partition(": ")
        where = re.findall(r"(\w+) = ([^,]+)", conditions)
        return Equation(
            Reference.parse(left),
            Reference.parse(added.removesuffix(" + ")) if added else None,
            tuple(over.split(",")),
            tuple((letter, Index.parse(index)) for letter, index in where),
            tuple(Reference.parse(factor) for factor in product.split(" * ")),
        )

    def __str__(self) -> str:
        added = f"{self.added.written()} + " if self.added else ""
        where = ", ".join(f"{letter} = {index.written('*')}" for letter, index in self.where)
        over = ",".join(self.over) + (f": {where}" if where else "")
        factors = " * ".join(factor.written() for factor in self.factors)
        return f"{self.left.written()} = {added}sum[{over}] {factors}"

    def gradient(self, name: str) -> Equation:
        """Return the gradient by one of the arrays, made of the gradient of the left side.

        Maths: the chain rule, by exchange of indices (see the top of this file).

        >>> from pellucid.ops.conv import Conv
        >>> print(Equation.parse(Conv.equation).gradient("w"))
        gw[o,c,u,v] = sum[n,i,j] gy[n,o,i,j] * x[n, c, i*sh + u*dh - ph, j*sw + v*dw - pw]
        """
        if self.added is not None and self.added.name == name:
            given, outer = set(self.added.letters()), list(self.left.letters())
            over = tuple(letter for letter in outer if letter not in given)
            return Equation(
                self.added._replace(name=f"g{name}"), None, over, (), (self._gradient_of_left(),)
            )
        solved = self._without_conditions()
        (target,) = (factor for factor in solved.factors if factor.name == name)
        others = tuple(factor for factor in solved.factors if factor is not target)
        left, where = _lettered(target)
        bound = {letter for _, index in where for letter in index.letters()}
        outer, given = list(solved.left.letters()), set(target.letters())
        running = [
            *(letter for letter in outer if letter not in bound),
            *self.over,
            *(letter for letter in outer if letter in bound),
        ]
        over = tuple(letter for letter in running if letter not in given)
        factors = (solved._gradient_of_left(), *others)
        return Equation(left._replace(name=f"g{name}"), None, over, where, factors)

    def without_bias(self) -> Equation:
        """Return the equation with nothing added to the sum."""
        return replace(self, added=None)

    def with_axes(self, axes: int) -> Equation:
        """Return the equation of a convolution along two axes as that along 1, 2 or 3."""
        if axes == 2:
            return self

        def letters(given: tuple[str, ...]) -> tuple[str, ...]:
            if axes == 1:
                return tuple(letter for letter in given if letter not in _OF_FIRST_AXIS)
            return tuple(
                x for a in given for x in ([_IN_FRONT[a], a] if a in _OF_FIRST_AXIS else [a])
            )

        def reference(given: Reference) -> Reference:
            found: list[Index] = []
            for index in given.indices:
                if not index.letters() & _OF_FIRST_AXIS:
                    found.append(index)
                elif axes == 3:
                    found += [index.renamed(_IN_FRONT), index]
            return given._replace(indices=tuple(found))

        where: list[Condition] = []
        for letter, index in self.where:
            if letter not in _OF_FIRST_AXIS:
                where.append((letter, index))
            elif axes == 3:
                where += [(_IN_FRONT[letter], index.renamed(_IN_FRONT)), (letter, index)]
        return Equation(
            reference(self.left),
            self.added and reference(self.added),
            letters(self.over),
            tuple(where),
            tuple(reference(factor) for factor in self.factors),
        )

    def with_numbers(self, numbers: Mapping[str, int]) -> Equation:
        """Return the equation with numbers in place of the parameters `sh`, `dh`, `ph` ...

        >>> from pellucid.ops.conv import Conv
        >>> numbers = {"sh": 2, "sw": 2, "dh": 1, "dw": 1, "ph": 0, "pw": 1}
        >>> print(Equation.parse(Conv.equation).with_numbers(numbers))
        y[n,o,i,j] = b[o] + sum[c,u,v] x[n, c, 2*i + u, 2*j + v - 1] * w[o,c,u,v]
        """

        def numbered(given: Reference) -> Reference:
            return given._replace(indices=tuple(i.with_numbers(numbers) for i in given.indices))

        return replace(
            self,
            where=tuple((letter, index.with_numbers(numbers)) for letter, index in self.where),
            factors=tuple(numbered(factor) for factor in self.factors),
        )

    def text(self) -> str:
        """Return it as it is written on paper: `dL/dy[n,o,i,j] w[o,c,u,v]`, `2 i + u`.

        >>> print(Equation.parse("y[n,o] = b[o] + sum[i] x[n,i] * w[o,i]").gradient("x").text())
        dL/dx[n,i] = sum[o] dL/dy[n,o] w[o,i]
        """
        added = f"{_text(self.added)} + " if self.added else ""
        where = ", ".join(f"{letter} = {index.written(' ')}" for letter, index in self.where)
        over = ",".join(self.over) + (f": {where}" if where else "")
        return f"{_text(self.left)} = {added}sum[{over}] {' '.join(map(_text, self.factors))}"

    def latex(self) -> str:
        """Return it as LaTeX."""
        added = f"{_latex(self.added)} + " if self.added else ""
        over = ",".join(self.over)
        if self.where:
            lines = [f"{letter} = {index.written(' ')}" for letter, index in self.where]
            over = rf"\substack{{{over} \\ {', '.join(lines)}}}"
        factors = " ".join(map(_latex, self.factors))
        return rf"{_latex(self.left)} = {added}\sum_{{{over}}} {factors}"

    def _gradient_of_left(self) -> Reference:
        return self.left._replace(name=f"g{self.left.name}")

    def _without_conditions(self) -> Equation:
        """Put the formulas of the conditions in place of their letters."""
        formulas = dict(self.where)

        def solved(given: Reference) -> Reference:
            indices = (formulas.get(i.letter or "", i) for i in given.indices)
            return given._replace(indices=tuple(indices))

        return replace(
            self, left=solved(self.left), where=(), factors=tuple(map(solved, self.factors))
        )


def _lettered(target: Reference) -> tuple[Reference, tuple[Condition, ...]]:
    """Return an array's element with a letter for each index, and what the letters stand for.

    The letter of a formula is the one that its parameters end with: h for `i*sh + u*dh - ph`.
    """
    indices, where = [], []
    for index in target.indices:
        if index.letter is not None:
            indices.append(index)
            continue
        (letter,) = {letter[-1] for letter in index.letters() if len(letter) > 1}
        indices.append(Index((Product(1, (letter,)),)))
        where.append((letter, index))
    return target._replace(indices=tuple(indices)), tuple(where)


def _text(reference: Reference) -> str:
    text = reference.written(" ")
    return f"dL/d{text[1:]}" if reference.name.startswith("g") else text


def _latex(reference: Reference) -> str:
    name = reference.name.removeprefix("g")
    inside = ",".join(index.written(" ") for index in reference.indices)
    element = f"{name}_{{{inside}}}"
    return rf"\frac{{\partial L}}{{\partial {element}}}" if name != reference.name else element
