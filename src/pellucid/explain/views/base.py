"""What all views offer: steps, each of which adds terms to elements, a text, and the numbers.

A view walks over the same meetings in an order of its own. Each of its `steps` says what it adds
where; so pictures can be drawn, and a test shows that all views add the same terms. `evaluate`
computes the array in the way that the view tells. Next room: scatter.py.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np

from pellucid.backend import Array
from pellucid.explain.algebra import Element, Term
from pellucid.explain.convolution import ConvDerivation
from pellucid.explain.elements import Elements
from pellucid.explain.given import ready
from pellucid.explain.pictures.picture import Picture
from pellucid.explain.pictures.steps import animation
from pellucid.explain.sentences import VIEWS, Language, as_language
from pellucid.kernels.conv.spec import Sizes

MOST_CELLS = 400  # of an array that a text draws


class Add(NamedTuple):
    """One term, and the element that it is added to."""

    target: Element
    term: Term

    def text(self) -> str:
        """Return it as `dL/dx13 += dL/do11 w13`."""
        return f"{self.target.text()} += {self.term.text()}"


class Step(NamedTuple):
    """One step of a view: the output, pixel, phase or weight it belongs to, and what it adds."""

    at: Sizes
    adds: tuple[Add, ...]


class Steps(Sequence[Step]):
    """The steps for all indices of a shape, the last index fastest, made when looked at."""

    def __init__(self, shape: Sizes, make: Callable[[Sizes], Iterator[Add]]) -> None:
        self.shape, self._make = shape, make

    def __len__(self) -> int:
        return int(np.prod(self.shape))

    def __getitem__(self, k: Any) -> Any:
        if isinstance(k, slice):
            return [self[j] for j in range(*k.indices(len(self)))]
        k = range(len(self))[k]  # refuses what is out of range
        index = tuple(int(at) for at in np.unravel_index(k, self.shape))
        return Step(index, tuple(self._make(index)))


class View(ABC):
    """One way to walk over the meetings of a gradient: `derivation.view(name)`.

    `target` is the array that it computes and `needed` what from; of a transposed convolution the
    views of `grad_input` are those of its forward pass, without the bias.
    """

    name: ClassVar[str]
    target: Elements
    needed: tuple[str, str]

    def __init__(self, derivation: ConvDerivation) -> None:
        self.derivation, self.spec = derivation, derivation.spec
        self.axes, self.names, self.roles = derivation.axes, derivation.names, derivation.roles

    @property
    @abstractmethod
    def steps(self) -> Steps:
        """What is added where, step by step."""

    @abstractmethod
    def lines(self, lang: Language) -> Iterator[str]:
        """Return how it goes, in words and with the names of elements."""

    @abstractmethod
    def compute(self, first: Array, second: Array) -> Array:
        """Compute the array from the needed ones, in float64."""

    def __repr__(self) -> str:
        return f"<{self.name} of {self.derivation!r}>"

    def text(self, lang: Language = "en") -> str:
        """Return how it goes, in words and with the names of elements.

        Raises: ArgumentError for a language other than `en` and `ko`.
        """
        return "\n".join(self.lines(as_language(lang)))

    def animation(self, lang: Language = "en") -> Picture:
        """Return it as a picture that moves: a frame for each step, of one image and one channel.

        Of a large problem the first steps are drawn, and the picture says so. It stands still where
        motion is not wanted, and while it is pointed at.
        Raises: ArgumentError for a language other than `en` and `ko`; UnsupportedError where the
        steps have too many terms to go through.

        >>> from pellucid.explain import derive, view
        >>> view(derive("c1 i5x5 o1 k3x3 s2"), "gather").animation().frames
        25
        """
        return animation(self, lang)

    def evaluate(self, **arrays: Any) -> Array:
        """Return the array in float64, computed as the view tells.

        Raises: as `Expression.evaluate`.
        """
        found = ready(self.name, self.names, self.needed, arrays)
        first, second = (found[key].astype(np.float64) for key in self.needed)
        return self.compute(first, second)

    def say(self, lang: Language, key: str, **values: object) -> str:
        """Return a sentence with the names of the arrays in it."""
        symbols = {array: self.names.symbol(array) for array in self.names.arrays}
        named = symbols | {f"g{array}": f"dL/d{symbol}" for array, symbol in symbols.items()}
        values |= symbols | {"target": named[self.target.key], "given": named[self.needed[0]]}
        return VIEWS[lang][key].format(**values)

    def is_small(self) -> bool:
        """Whether there is one image, one channel and at most two axes: a text can draw that."""
        spec = self.spec
        return spec.axes <= 2 and (spec.batch, spec.in_channels, spec.out_channels) == (1, 1, 1)


class DerivedFromX(View):
    """A view of `grad_input`, or of a transposed forward pass."""

    def __init__(self, derivation: ConvDerivation) -> None:
        super().__init__(derivation)
        self.target = derivation.spread
        self.backward = self.target.gradient
        self.needed = ("gy" if self.backward else "x", "w")


class DerivedFromW(View):
    """A view of `grad_weight`; `needed` is what the windows are of, and what they lie on."""

    def __init__(self, derivation: ConvDerivation) -> None:
        super().__init__(derivation)
        self.target = derivation.grad_weight
        self.needed = ("x", "gy") if derivation.transposed else ("gy", "x")


def drawn(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    r"""Return the lines of a table, its columns aligned.

    >>> print("\n".join(drawn([["a", "bc"], ["def", "g"]])))
        a    bc
        def  g
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "    " + "  ".join(cells).rstrip()
