"""What the derivations of layers share: names of arrays, parts by name, general formulas.

Not here: any layer. Next room: linear.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import TypeAlias

from pellucid.explain.algebra import Element, Factor, Number
from pellucid.explain.derivation import Derivation
from pellucid.explain.elements import Elements
from pellucid.explain.expression import Expression
from pellucid.explain.general import Formula, General, Part, Step
from pellucid.explain.layers.sentences import LAYERS
from pellucid.explain.notation import Made, Named, Names, Notation
from pellucid.explain.sentences import Language, as_language
from pellucid.kernels.conv.spec import Sizes

# The letters of an array by its number of axes.
_LETTERS = {1: "i", 2: "n i", 3: "n c w", 4: "n c h w", 5: "n c d h w"}

# The key of a sentence, and the formulas that it leads to; and those of each part, by its name.
Key: TypeAlias = tuple[str, tuple[Formula, ...]]
Said: TypeAlias = Mapping[str, Sequence[Key]]


def step(key: str, *formulas: tuple[str, str]) -> Key:
    """Return a step of a derivation: the key of its sentence, its formulas as text and LaTeX."""
    return key, tuple(Formula(*formula) for formula in formulas)


def by(element: str) -> str:
    """Return the gradient by something as LaTeX."""
    return rf"\frac{{\partial L}}{{\partial {element}}}"


def named(shape: Sizes, symbol: str, indices: str | None = None, letters: str = "") -> Named:
    """Return the names of an array's elements; without letters, those of its number of axes."""
    found = letters or _LETTERS.get(len(shape), " ".join(f"i{k}" for k in range(len(shape))))
    kept = max(len(shape) - 2, min(len(shape), 1))
    return Named(shape, found, found.upper(), kept, symbol, indices or symbol)


def fraction(top: int, bottom: int) -> list[Factor]:
    """Return a number as a factor, and none where it is 1."""
    number = Fraction(top, bottom)
    return [] if number == 1 else [Number(number)]


class LayerDerivation(Derivation):
    """The equations of one layer; `parts` has its arrays by name, which are attributes too."""

    def __init__(
        self,
        title: str,
        arrays: Mapping[str, Named],
        notation: Notation,
        made: Mapping[str, Made] | None = None,
    ) -> None:
        self._title = title
        self._parts: dict[str, Elements] = {}
        self.names = Names(arrays, notation, made or {})

    @property
    def parts(self) -> dict[str, Elements]:
        """The arrays that have equations, by name."""
        return self._parts

    @property
    def title(self) -> str:
        """The layer and the shape of its input."""
        return self._title

    def __repr__(self) -> str:
        return f"<derivation of {self._title}>"

    def add(
        self, name: str, array: str, gradient: bool, make: Callable[[Element], Expression]
    ) -> Elements:
        """Give an array its equations, as a part of that name."""
        part = Elements(name, array, gradient, self.names, self._title, make)
        self._parts[name] = part
        return part

    def element(self, array: str, index: Sizes, gradient: bool = False) -> Element:
        """Return one element under its name."""
        return Element(array, index, gradient, self.names)

    def said(self) -> Said:
        """Return the general formulas by part."""
        raise NotImplementedError

    def general(self, lang: Language = "en") -> General:
        """Return the general formulas, and how they follow.

        Raises: ArgumentError for a language other than `en` and `ko`.
        """
        words = LAYERS[as_language(lang)]
        return General(
            tuple(
                Part(
                    name,
                    words[name],
                    tuple(Step(words[key], formulas) for key, formulas in steps),
                )
                for name, steps in self.said().items()
            )
        )
