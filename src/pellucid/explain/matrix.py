"""The whole array of a gradient as a matrix of equations, as it stands in a textbook.

The last two axes are rows and columns; each plane before them is a matrix of its own.
Not here: one equation (expression.py). Next room: general.py.
"""

from __future__ import annotations

from itertools import islice
from typing import NamedTuple

import numpy as np

from pellucid.errors import UnsupportedError
from pellucid.explain.elements import Elements
from pellucid.explain.expression import Expression
from pellucid.explain.mathml import mathml
from pellucid.kernels.conv.spec import Sizes

MOST_ENTRIES, MOST_TERMS = 1024, 20_000


class Plane(NamedTuple):
    """One matrix: the name of the plane in text and LaTeX, and its equations row by row."""

    name: str
    latex_name: str
    rows: tuple[tuple[Expression, ...], ...]

    def text(self) -> str:
        """Return the matrix as text, its columns aligned and rows in bars."""
        cells = [[entry.right() for entry in row] for row in self.rows]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = [
            "  | " + "   ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) + " |"
            for row in cells
        ]
        return "\n".join([f"{self.name} =", *lines])

    def mathml(self) -> str:
        """Return the matrix as MathML; it needs latex2mathml, which is in the extra `app`."""
        return mathml(self.latex())

    def latex(self) -> str:
        """Return the matrix as LaTeX (it needs amsmath)."""
        rows = (" & ".join(entry.right_latex() for entry in row) for row in self.rows)
        body = r" \\ ".join(rows)
        return rf"{self.latex_name} = \begin{{bmatrix}} {body} \end{{bmatrix}}"


class Matrix(NamedTuple):
    """The matrices of an array, one for each plane: image, channel and, of three axes, slice."""

    planes: tuple[Plane, ...]

    def text(self) -> str:
        """Return all matrices as text.

        >>> from pellucid.explain import derive
        >>> print(derive("c1 i2x2 o1 k2x1").matrix("grad_input").text())
        dL/dX =
          | dL/do11 w11   dL/do12 w11 |
          | dL/do11 w21   dL/do12 w21 |
        """
        return "\n\n".join(plane.text() for plane in self.planes)

    def latex(self) -> str:
        """Return all matrices as LaTeX, a line each."""
        return "\n".join(plane.latex() for plane in self.planes)

    def mathml(self) -> str:
        """Return all matrices as MathML; it needs latex2mathml, which is in the extra `app`."""
        return "\n".join(plane.mathml() for plane in self.planes)

    def __repr__(self) -> str:
        return self.text()  # what a prompt shows

    def _repr_latex_(self) -> str:
        return "\n\n".join(rf"$\displaystyle {plane.latex()}$" for plane in self.planes)


def matrix(part: Elements) -> Matrix:
    """Return the matrices of an array's equations.

    Raises: UnsupportedError for more entries or terms than anybody reads.
    """
    entries, terms = len(part), 0
    if entries <= MOST_ENTRIES:
        terms = sum(len(expression.terms) for expression in part)
    if entries > MOST_ENTRIES or terms > MOST_TERMS:
        size = f"{entries:,} entries" if entries > MOST_ENTRIES else f"{terms:,} terms"
        raise UnsupportedError(
            "matrix",
            f"{part.title} has {size}, too many to write as a matrix",
            part.problem,
            fix=f"ask for single elements, as in {part.title}[{', '.join('0' * len(part.shape))}]",
        )
    spatial = min(max(part.names.arrays[part.array].kept, 1), 2)
    lead = part.shape[: len(part.shape) - spatial]
    return Matrix(tuple(_plane(part, at) for at in np.ndindex(*lead)))


def _plane(part: Elements, at: Sizes) -> Plane:
    """One plane, by the indices before its rows and columns."""
    *rows, columns = part.shape[len(at) :] or (1,)  # a number alone is one row of one column
    expressions = iter([part[at + place] for place in np.ndindex(*part.shape[len(at) :])])
    entries = tuple(tuple(islice(expressions, columns)) for _ in np.ndindex(*rows))
    text, latex = part.names.plane(part.array, at, part.gradient)
    return Plane(text, latex, entries)
