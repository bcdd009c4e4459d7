"""The names of elements: `x13` as on paper, or `x[0,0,0,2]` as in code; in text and in LaTeX.

`textbook` counts from 1 and leaves out the batch and the channels where there is one of them; the
digits run together until a size exceeds 9, and then all names of the problem have commas:
`x[1,13]`. `indices` counts from 0 and has every index. The output is `o` in the first and `y` in
the second. Not here: sums of elements. Next room: expression.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

from pellucid.backend import Array
from pellucid.errors import ArgumentError
from pellucid.kernels.conv.spec import Sizes

Notation: TypeAlias = Literal["textbook", "indices"]

NOTATIONS: tuple[Notation, ...] = ("textbook", "indices")


def as_notation(notation: str) -> Notation:
    """Return a notation, held to those that there are."""
    for known in NOTATIONS:
        if notation == known:
            return known
    raise ArgumentError(
        "explain", f"there is no notation {notation!r}", fix=f"use one of {', '.join(NOTATIONS)}"
    )


class Named(NamedTuple):
    """One array of a problem: its shape, the letters of its indices and of its sizes, its names.

    The last `kept` axes stay in a textbook's name even where their size is 1.
    """

    shape: Sizes
    letters: str
    sizes: str
    kept: int
    textbook: str
    indices: str


class Made(NamedTuple):
    """How an array follows from others, where it is not given: z of a normalisation, from x."""

    needs: tuple[str, ...]
    make: Callable[..., Array]


@dataclass(frozen=True)
class Names:
    """How the elements of one problem are written: its arrays by their keys, and the notation.

    `made` has the arrays that can be computed from others.

    >>> x = Named((1, 1, 5, 5), "n c h w", "N C H W", kept=2, textbook="x", indices="x")
    >>> Names({"x": x}, "textbook").text("x", (0, 0, 0, 2), gradient=True)
    'dL/dx13'
    >>> Names({"x": x}, "indices").latex("x", (0, 0, 0, 2), gradient=False)
    'x_{0,0,0,2}'
    """

    arrays: Mapping[str, Named]
    notation: Notation
    made: Mapping[str, Made] = field(default_factory=dict)
    commas: bool = field(init=False)  # whether a size exceeds 9, so that digits cannot run together

    def __post_init__(self) -> None:
        as_notation(self.notation)
        sizes = [size for array in self.arrays.values() for size in array.shape]
        object.__setattr__(self, "commas", max(sizes) > 9 or self.notation == "indices")

    def text(self, array: str, index: Sizes, gradient: bool) -> str:
        """Return the name of an element, or of the gradient by it, as plain text."""
        return _text(self.symbol(array), self._shown(array, index), self.commas, gradient)

    def latex(self, array: str, index: Sizes, gradient: bool) -> str:
        """Return the name of an element, or of the gradient by it, as LaTeX."""
        return _latex(self.symbol(array), self._shown(array, index), self.commas, gradient)

    def plane(self, array: str, lead: Sizes, gradient: bool) -> tuple[str, str]:
        """Return the name of a matrix, by the indices before its rows, as text and as LaTeX."""
        symbol, shown = self.symbol(array).upper(), self._shown(array, lead)
        return _text(symbol, shown, self.commas, gradient), _latex(
            symbol, shown, self.commas, gradient
        )

    def symbol(self, array: str) -> str:
        """Return what an array is called."""
        named = self.arrays[array]
        return named.textbook if self.notation == "textbook" else named.indices

    def position(self, at: int) -> int:
        """Return a place along an axis as the notation counts it."""
        return at + 1 if self.notation == "textbook" else at

    def _shown(self, array: str, index: Sizes) -> list[str]:
        """The indices that are written, as the notation counts them."""
        named = self.arrays[array]
        if self.notation == "indices":
            return [str(at) for at in index]
        droppable = len(named.shape) - named.kept
        return [
            str(at + 1)
            for axis, (at, size) in enumerate(zip(index, named.shape, strict=False))
            if axis >= droppable or size != 1
        ]


def _text(symbol: str, shown: list[str], commas: bool, gradient: bool) -> str:
    joined = f"[{','.join(shown)}]" if commas else "".join(shown)
    name = symbol + (joined if shown else "")
    return f"dL/d{name}" if gradient else name


def _latex(symbol: str, shown: list[str], commas: bool, gradient: bool) -> str:
    below = ("," if commas else "").join(shown)
    name = symbol + (f"_{{{below}}}" if shown else "")
    return rf"\frac{{\partial L}}{{\partial {name}}}" if gradient else name
