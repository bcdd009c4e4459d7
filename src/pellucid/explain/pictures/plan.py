"""What of an equation is drawn: which arrays, which part of each, and which cells are lit.

A problem may be far too large to draw. Then the first terms are drawn, and of every array the
places around them; `Plan.left_out` says in words what is missing.

Not here: where it stands on the picture (layout.py). Next room: layout.py.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, cast

from pellucid.explain.pictures.block import Part
from pellucid.explain.pictures.words import NOTES
from pellucid.explain.sentences import ROWS, Language
from pellucid.kernels.conv.spec import Sizes

if TYPE_CHECKING:
    from pellucid.explain.algebra import Element
    from pellucid.explain.convolution import ConvDerivation
    from pellucid.explain.expression import Expression
    from pellucid.explain.sums import Factor, Sum

# Along an axis so many places are drawn, by the number of axes; or when there are more, so many.
MOST_PLACES, CUT_PLACES = {1: 16, 2: 12, 3: 12}, 9
MOST_SLICES = 6  # along the first of three axes
MOST_NUMBERED = 9  # terms that have numbers
MOST_WINDOWS = 4  # that are outlined
_MOST_ROWS, CUT_ROWS = {1: 5, 2: 3, 3: 1}, 1  # channels or images, by the number of axes

Lit: TypeAlias = Mapping[Sizes, int]  # places, each with the number of its term


class Window(NamedTuple):
    """The places that one window spans, and the number of its term."""

    places: tuple[range, ...]
    term: int


class Plan:
    """What is drawn of one equation of a derivation.

    `columns` has the parts of arrays: those of each factor one under another, and at last that of
    the left side.
    """

    def __init__(self, derivation: ConvDerivation, expression: Expression) -> None:
        self.derivation, self.expression = derivation, expression
        self.names, self.left = derivation.names, expression.left
        self.total = cast("Sum", expression.terms)
        self.drawn = self._first_terms()
        self.is_whole = self.drawn.counts == self.total.counts
        self.numbered = self.is_whole and self.left.gradient and len(self.drawn) <= MOST_NUMBERED
        self._lit = self._find_lit()
        self.columns = self._find_columns()

    @property
    def pixels(self) -> str:
        """The array that windows lie on: x, or y of a transposed convolution."""
        return "y" if self.derivation.transposed else "x"

    def lit(self, part: Part) -> Lit:
        """Return the places of a part that are in the equation."""
        return self._lit.get((part.key, part.lead), {})

    def is_left(self, part: Part) -> bool:
        """Say whether a part holds the element on the left side."""
        return part.key == self.left.key

    def name(self, element: Element) -> str:
        """Return what an element is called, as mathematics."""
        lead, place = self._split(element)
        return Part(self.names, element.key, lead, ()).name(place)

    def is_uncovered(self, part: Part, place: Sizes) -> bool:
        """Say whether no window holds a place, so that it has no part in anything."""
        return part.array == self.pixels and any(
            axis.why_uncovered(h) for axis, h in zip(self.derivation.axes, place, strict=True)
        )

    def windows(self, part: Part) -> list[Window]:
        """Return the windows of the equation on the array that they lie on; none if too many."""
        if part.array != self.pixels:
            return []
        found: dict[Sizes, int] = {}
        for (key, lead), lit in self._lit.items():
            if key[-1] in {"x", "y"} - {self.pixels} and lead[0] == part.lead[0]:  # of its image
                found = {**lit, **found}  # of several channels with one window, the first counts
        if len(found) > MOST_WINDOWS:
            return []
        return [Window(self._window(place), term) for place, term in found.items()]

    def _window(self, place: Sizes) -> tuple[range, ...]:
        begins = [
            at * axis.stride - axis.low
            for at, axis in zip(place, self.derivation.axes, strict=True)
        ]
        return tuple(
            range(begin, begin + axis.reach)
            for begin, axis in zip(begins, self.derivation.axes, strict=True)
        )

    # --- the cells ---

    def _find_lit(self) -> dict[tuple[str, Sizes], dict[Sizes, int]]:
        """The lit places of every array, by its key and the indices before the spatial ones."""
        lit: dict[tuple[str, Sizes], dict[Sizes, int]] = defaultdict(dict)
        for k in range(len(self.drawn)):
            for element in self.drawn[k].elements:
                lead, place = self._split(element)
                lit[element.key, lead][place] = k
        lead, place = self._split(self.left)
        lit[self.left.key, lead][place] = 0
        return dict(lit)

    def _split(self, element: Element) -> tuple[Sizes, Sizes]:
        """The indices of an element before the spatial ones, and those."""
        before = len(element.index) - self.names.arrays[element.array].kept
        return element.index[:before], element.index[before:]

    def _find_columns(self) -> list[list[Part]]:
        columns = [
            [self._part(factor.key, lead, self._is_cut(factor)) for lead in leads]
            for factor in self.drawn.factors
            if (leads := self._leads(factor))
        ]
        return [*columns, [self._part(self.left.key, self._split(self.left)[0], ())]]

    def _is_cut(self, factor: Factor) -> tuple[bool, ...]:
        """Say for each spatial axis of a factor whether it has further places in the equation."""
        before = len(factor.places) - self.names.arrays[factor.array].kept
        return tuple(
            runs is not None and self.drawn.counts[runs] < self.total.counts[runs]
            for runs, _ in factor.places[before:]
        )

    def _leads(self, factor: Factor) -> list[Sizes]:
        """The indices before the spatial ones that a factor has in the terms that are drawn."""
        before = factor.places[: len(factor.places) - self.names.arrays[factor.array].kept]
        rows = range(self.drawn.counts[0])
        found = (tuple(values[r if runs == 0 else 0] for runs, values in before) for r in rows)
        return list(dict.fromkeys(found))

    def _part(self, key: str, lead: Sizes, is_cut: Sequence[bool]) -> Part:
        lit, whole = self._lit.get((key, lead), {}), self._whole(key[-1])
        places = []
        for axis, every in enumerate(whole):
            along = [place[axis] for place in lit]
            if along and any(is_cut[axis : axis + 1]):
                places.append(range(min(along), max(along) + 1))
            else:
                places.append(_around(every, along, most_places(len(every), axis, len(whole))))
        return Part(self.names, key, lead, tuple(places))

    def _whole(self, array: str) -> list[range]:
        """All places of an array along each spatial axis, with the padding."""
        named = self.names.arrays[array]
        sizes = named.shape[len(named.shape) - named.kept :]
        if array != self.pixels:
            return [range(size) for size in sizes]
        return [
            range(-max(axis.low, 0), size + max(axis.high, 0))
            for axis, size in zip(self.derivation.axes, sizes, strict=True)
        ]

    def _first_terms(self) -> Sum:
        """The first terms of the sum, so few that their places in each array can be drawn."""
        rows = self.total.counts[0]
        rows = rows if rows <= _MOST_ROWS[len(self.derivation.axes)] else CUT_ROWS
        counts = [rows, *self.total.counts[1:]]
        for factor in self.total.factors:
            whole = self._whole(factor.array)
            for axis, (runs, values) in enumerate(factor.places[len(factor.places) - len(whole) :]):
                most = most_places(len(whole[axis]), axis, len(whole))
                while runs and _span(values[: counts[runs]]) > most:
                    counts[runs] -= 1
        return replace(self.total, counts=tuple(counts))

    # --- what is not drawn ---

    def left_out(self, lang: Language) -> str:
        """Say in a sentence what is too large to be drawn; nothing where all of it is."""
        parts = [said for column in self.columns if (said := self._cut(column[0], lang))]
        if not self.is_whole:
            parts += self._fewer(lang)
        return NOTES[lang]["part"].format(parts="; ".join(parts)) if parts else ""

    def _fewer(self, lang: Language) -> Iterator[str]:
        """Say how many images or channels are drawn, if not all, and how many terms."""
        words, (drawn, total) = NOTES[lang], (self.drawn.counts[0], self.total.counts[0])
        if drawn < total:
            letter = next(
                self.names.arrays[factor.array].letters.split()[axis]
                for factor in self.total.factors
                for axis, (runs, _) in enumerate(factor.places)
                if runs == 0
            )
            key = "images" if letter == "n" else "channels"
            yield words[key].format(count=drawn, total=f"{total:,}", letter=letter)
        yield words["terms"].format(count=len(self.drawn), total=f"{len(self.total):,}")

    def _cut(self, part: Part, lang: Language) -> str:
        """Say which places of an array are drawn, if not all."""
        words, places = NOTES[lang], ROWS[lang][len(self.derivation.axes) - 1]
        said = list(self._ranges(part, places, words["range"]))
        array = Part(self.names, part.key, (), ((),)).title
        return words["of"].format(array=array, ranges=words["and"].join(said)) if said else ""

    def _ranges(self, part: Part, places: Sequence[str], words: str) -> Iterator[str]:
        for name, drawn, size in zip(places, part.places, part.shape, strict=False):
            inside = [at for at in drawn if 0 <= at < size]
            if len(inside) < size:
                first, last = (self.names.position(at) for at in (inside[0], inside[-1]))
                yield words.format(places=name, first=first, last=last, size=size)


def most_places(size: int, axis: int, axes: int) -> int:
    """Return how many places at most are drawn along one axis of so many."""
    if axes == 3 and axis == 0:
        return MOST_SLICES
    return size if size <= MOST_PLACES[axes] else CUT_PLACES


def _around(whole: range, lit: Sequence[int], most: int) -> range:
    """The places to draw: all, or so many with the lit ones in their middle."""
    if len(whole) <= most:
        return whole
    first, last = min(lit, default=0), max(lit, default=0)
    begin = first - (most - (last - first + 1)) // 2
    begin = max(whole.start, min(begin, whole.stop - most))
    return range(begin, begin + most)


def _span(values: Sequence[int]) -> int:
    return max(values) - min(values) + 1 if values else 0
