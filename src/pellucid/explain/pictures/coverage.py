"""The heat map of how many windows hold each pixel; where none does, the cell is grey.

The batch and the channels make no difference to it. Not here: single equations (figure.py).
Next room: spread.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import TYPE_CHECKING

from pellucid.explain.pictures.block import Block, Part
from pellucid.explain.pictures.layout import Sheet
from pellucid.explain.pictures.picture import Picture
from pellucid.explain.pictures.scene import Label, Scene, Shape, Style
from pellucid.explain.pictures.text import plain
from pellucid.explain.pictures.words import COVERAGE, NOTES
from pellucid.explain.sentences import ROWS, Language, as_language
from pellucid.explain.why import uncovered
from pellucid.kernels.conv.spec import Sizes

if TYPE_CHECKING:
    from pellucid.explain.convolution import ConvDerivation

_MOST, _FIRST, _LAST = 22, 14, 6  # places along an axis; of more, those at both ends
_SLICES = (6, 3, 2)  # the same for the first of three axes
_PALE, _DARK, _LEAST = 0.06, 0.5, 3  # the colours of no, and of the most windows, at least 3


def coverage(derivation: ConvDerivation, lang: Language) -> Picture:
    """Return the heat map of a derivation."""
    return _Coverage(derivation, as_language(lang)).picture()


class _Coverage:
    """One heat map."""

    def __init__(self, derivation: ConvDerivation, lang: Language) -> None:
        self.derivation, self.lang, self.words = derivation, lang, COVERAGE[lang]
        self.names, self.axes = derivation.names, derivation.axes
        places = [_shown(axis.size, len(self.axes) - k) for k, axis in enumerate(self.axes)]
        self.part = Part(self.names, "y" if derivation.transposed else "x", (0, 0), tuple(places))
        self.by_axis = [[len(axis.of_pixel(h)) for h in range(axis.size)] for axis in self.axes]

    def count(self, place: Sizes) -> int:
        """Return how many windows hold a pixel: the product over its axes."""
        return prod(counts[h] for counts, h in zip(self.by_axis, place, strict=True))

    def picture(self) -> Picture:
        """Draw it."""
        symbol = self.names.symbol(self.part.array)
        symbol = symbol.upper() if self.names.notation == "textbook" else symbol
        kind = "_transposed" if self.derivation.transposed else ""
        heading = self.words[f"heading{kind}"].format(array=f"${symbol}$")
        sheet = Sheet([[self.part]], heading, named=False)
        (block,) = sheet.blocks
        sheet.shapes += self._cells(block)
        least, most = (prod(map(pick, self.by_axis)) for pick in (min, max))
        sheet.note(self.words[f"terms{kind}"].format(least=least, most=most))
        sheet.note(self._grey())
        sheet.note(self._left_out())
        counts = "; ".join(self._rows(block))
        return Picture(
            Scene(
                width=sheet.wide,
                height=sheet.y,
                title=self.words["title"].format(array=symbol, problem=self.derivation.spec),
                desc=f"{plain(heading)}. {self.words['counts'].format(counts=counts)} "
                f"{self._grey()}".rstrip(),
                lang=self.lang,
                shapes=tuple(sheet.shapes),
            )
        )

    def _cells(self, block: Block) -> Iterator[Shape]:
        most = max(_LEAST, prod(map(max, self.by_axis)))
        yield from block.cells(self._tooltip)
        for place in block.elements():
            count = self.count(place)
            strength = _PALE + (_DARK - _PALE) * count / most
            yield block.fill(place, Style("tone0", strength) if count else Style("tile"))
        size = min(16.0, 0.42 * block.cell)
        for place in block.elements():
            count = self.count(place)
            yield Label(*block.middle(place), str(count), size, "ink" if count else "soft")
        yield from block.numbers()

    def _tooltip(self, place: Sizes) -> str:
        count, name = self.count(place), self.part.text(place)
        if count == 0:
            why = self.derivation.spread[self.part.lead + place].why
            return self.words["none"].format(name=name, why=why.text(self.lang) if why else "")
        return self.words["one" if count == 1 else "many"].format(name=name, count=count)

    def _rows(self, block: Block) -> Iterator[str]:
        """The counts that are drawn, a row at a time."""
        counts = [str(self.count(place)) for place in block.elements()]
        across = len(block.columns)
        return (" ".join(counts[k : k + across]) for k in range(0, len(counts), across))

    def _grey(self) -> str:
        """Say which places no window holds, and why."""
        listed = uncovered(self.axes, self.lang, self.names.position(0))
        places = NOTES[self.lang]["and"].join(listed)
        return self.words["grey"].format(places=places) if places else ""

    def _left_out(self) -> str:
        words = NOTES[self.lang]
        said = [
            words["some"].format(places=name, count=len(drawn), size=size)
            for name, drawn, size in zip(
                ROWS[self.lang][len(self.axes) - 1], self.part.places, self.part.shape,
                strict=True,
            )
            if len(drawn) < size
        ]  # fmt: skip
        return words["part"].format(parts=words["and"].join(said)) if said else ""


def _shown(size: int, axis: int) -> tuple[int, ...]:
    """The places that are drawn along an axis, the last of which is 1."""
    most, first, last = _SLICES if axis == 3 else (_MOST, _FIRST, _LAST)
    return tuple(range(size)) if size <= most else (*range(first), *range(size - last, size))
