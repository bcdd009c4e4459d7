"""One array of a derivation: its equations by index, and what an index may be.

Not here: what the equations are (convolution.py, layers/). Next room: derivation.py.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pellucid.backend import Array
from pellucid.errors import IndexingError
from pellucid.explain.algebra import Element
from pellucid.explain.expression import Expression
from pellucid.explain.given import ready
from pellucid.explain.notation import Names
from pellucid.kernels.conv.spec import Sizes


@dataclass(frozen=True)
class Elements:
    """The equations of one array, by index: `derive(...).grad_input[0, 0, 0, 2]`.

    `title` is the attribute that it is, and `problem` the line that an error ends with. Iterating
    gives all equations, the last index fastest.
    """

    title: str
    array: str
    gradient: bool
    names: Names = field(repr=False)
    problem: str
    make: Callable[[Element], Expression] = field(repr=False)

    @property
    def shape(self) -> Sizes:
        """The sizes of its axes."""
        return self.names.arrays[self.array].shape

    @property
    def key(self) -> str:
        """The name of the array in `evaluate`: `x`, or `gx` for its gradient."""
        return f"g{self.array}" if self.gradient else self.array

    @property
    def letters(self) -> list[str]:
        """The letters of its indices."""
        return self.names.arrays[self.array].letters.split()

    @property
    def indexed(self) -> str:
        """How it is indexed, `grad_input[n,c,h,w]`; one number alone by `[()]`."""
        return f"{self.title}[{','.join(self.letters) or '()'}]"

    def __getitem__(self, index: Any) -> Expression:
        return self.make(self._element(self._checked(index)))

    def __iter__(self) -> Iterator[Expression]:
        return (self.make(self._element(index)) for index in np.ndindex(*self.shape))

    def __len__(self) -> int:
        return int(np.prod(self.shape))

    def evaluate(self, **arrays: Any) -> Array:
        """Return the whole array in float64, every element from its own equation.

        Cost: slow, as everything that walks in Python; it is meant for small problems.
        Raises: as `Expression.evaluate`.

        >>> import numpy as np
        >>> from pellucid.explain import derive
        >>> d = derive("c1 i3 o1 k2 s1")
        >>> d.grad_input.evaluate(w=np.array([[[1, 2]]]), gy=np.array([[[10, 100]]]))
        array([[[ 10., 120., 200.]]])
        """
        found = np.zeros(self.shape)
        checked: dict[tuple[str, ...], dict[str, Array]] = {}  # by what an element is made of
        for index, expression in zip(np.ndindex(*self.shape), self, strict=True):
            needed = tuple(expression.terms.needs())
            if needed not in checked:
                checked[needed] = ready(expression.left.text(), self.names, needed, arrays)
            found[index] = expression.value(checked[needed])
        return found

    def _element(self, index: Sizes) -> Element:
        return Element(self.array, index, self.gradient, self.names)

    def _checked(self, index: Any) -> Sizes:
        """Return an index with one whole number in range for each axis."""
        given = index if isinstance(index, tuple) else (index,)
        letters = self.letters
        if len(given) != len(letters):
            counted = "1 index" if len(given) == 1 else f"{len(given)} indices"
            self._refuse(f"{counted} for the {len(letters)} axes of {self.title}")
        checked = []
        for letter, at, size in zip(letters, given, self.shape, strict=True):
            try:
                place = operator.index(at)
            except TypeError:
                self._refuse(f"{letter}={at!r} is not a whole number")
            if not 0 <= place < size:
                reach = f"from 0 to {size - 1}" if size else "there, since the axis is empty"
                self._refuse(f"{letter}={place} is not {reach}")
            checked.append(place)
        return tuple(checked)

    def _refuse(self, rule: str) -> Any:
        ranges = (
            f"{letter} 0 .. {size - 1}" if size else f"{letter} none"
            for letter, size in zip(self.letters, self.shape, strict=True)
        )
        raise IndexingError(
            self.title,
            rule,
            ", ".join(ranges),
            self.problem,
            fix=f"index it as {self.indexed}, counted from 0",
        )
