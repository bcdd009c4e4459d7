"""A view of a gradient as a moving picture: in each step, which cells meet and what they add to.

What was added before stays as a shade, darker with every term. Not here: which steps there are
(frames.py). Next room: README.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pellucid.explain.pictures.block import Block, Part
from pellucid.explain.pictures.frames import Reel, Step
from pellucid.explain.pictures.layout import Piece, Sheet, disc, during
from pellucid.explain.pictures.picture import Picture
from pellucid.explain.pictures.plan import MOST_NUMBERED
from pellucid.explain.pictures.scene import Label, Scene, Shape, Style, tone
from pellucid.explain.pictures.spread import SpreadPart
from pellucid.explain.pictures.text import plain
from pellucid.explain.pictures.words import STEPS
from pellucid.explain.sentences import Language, as_language
from pellucid.kernels.conv.spec import Sizes

if TYPE_CHECKING:
    from pellucid.explain.views.base import View

_SHADE, _LEFT, _ADDED = 0.28, 0.12, 0.06  # of cells, of the one added to, of earlier terms
_UP = 0.2  # how far a name moves up, and what is added down, in sides of a cell
_ROOM = 38.0  # a cell that has room for both
_SLOW, _QUICK = 2.0, 1.2  # seconds for a step, of few and of many


def animation(view: View, lang: Language) -> Picture:
    """Return a view as a picture that moves, a frame for each step."""
    lang = as_language(lang)
    return _Animation(Reel(view, lang), lang).picture()


class _Animation:
    """The drawing of the steps of a view."""

    def __init__(self, reel: Reel, lang: Language) -> None:
        self.reel, self.steps, self.words = reel, reel.steps, STEPS[lang]
        self.lang = lang

    def picture(self) -> Picture:
        """Draw it."""
        view, steps = self.reel.view, self.steps
        heading = _as_maths(next(view.lines(self.lang)))
        sheet = Sheet([[part] for part in self.reel.parts], heading)
        for block in sheet.blocks:
            sheet.shapes += [sheet.title(block), *self._under(block), *self._over(block)]
        sheet.arrow()
        self._equations(sheet)
        if not self.reel.is_whole:
            count, total = len(steps), f"{len(view.steps):,}"
            sheet.note(self.words["part"].format(count=count, total=total))
        return Picture(
            Scene(
                width=sheet.wide,
                height=sheet.y,
                title=self.words["title"].format(view=view.name, problem=view.spec),
                desc=" ".join([plain(heading), *self._told()]),
                lang=self.lang,
                shapes=tuple(sheet.shapes),
                frames=max(1, len(steps)),
                seconds=_SLOW if len(steps) <= MOST_NUMBERED else _QUICK,
                still=max(range(len(steps)), key=lambda k: (len(steps[k].adds), k), default=0),
            )
        )

    # --- cells ---

    def _under(self, block: Block) -> Iterator[Shape]:
        """What lies under the names: cells, those of each step, what was added before."""
        yield from block.cells(block.part.text)
        is_target = block.part.key == self.reel.target
        for k, step in enumerate(self.steps):
            for place, term in self._lit(block.part, step).items():
                left = is_target and step.is_one
                style = Style("ink", _LEFT) if left else Style(tone(term), _SHADE)
                yield block.fill(place, style, frames=frozenset([k]))
            later = frozenset(range(k + 1, len(self.steps)))
            for add in step.adds if is_target and later else ():
                yield block.fill(self.reel.place(add.target), Style("ink", _ADDED), frames=later)

    def _over(self, block: Block) -> Iterator[Shape]:
        """What lies over them: windows, names, what is added, and the numbers of terms."""
        part, is_target = block.part, block.part.key == self.reel.target
        for k, step in enumerate(self.steps):
            if window := self.reel.window(part, step):
                outline = block.outline(window, Style(stroke="tone0", width=2.4), 1.5)
                yield from during(outline, frozenset([k]))
        shared = any(self.reel.shared(step) is not None for step in self.steps)
        adding = is_target and shared and block.labelled and block.cell >= _ROOM
        yield from block.labels(up=_UP if adding else 0.0)
        if isinstance(part, SpreadPart) or not part.gradient:
            yield from block.zeros()
        yield from block.numbers()
        for k, step in enumerate(self.steps):
            drawn = self._added(block, step) if adding else self._marks(block, step)
            yield from during(drawn, frozenset([k]))

    def _lit(self, part: Part, step: Step) -> dict[Sizes, int]:
        """The places of a part that are in a step, each with the number that colours it."""
        lit = {step.at: 0} if step.key == part.key else {}
        for k, add in enumerate(step.adds):
            for element in (*add.term.elements, add.target):
                if element.key == part.key:
                    lit[self.reel.place(element)] = k if _is_numbered(step) else 0
        if isinstance(part, SpreadPart):
            return {part.place(place): k for place, k in lit.items()}
        return lit

    def _added(self, block: Block, step: Step) -> Iterator[Shape]:
        """Write into each cell what is added to it: the factor that is not the same for all."""
        shared = self.reel.shared(step)
        if shared is None:
            return
        for add in step.adds:
            name = self.reel.name(add.term.elements[1 - shared])
            x, y = block.middle(self.reel.place(add.target))
            yield Label(x, y + _UP * block.cell, f"$+ {name}$", block.letters)

    def _marks(self, block: Block, step: Step) -> Iterator[Shape]:
        """Outline the cells of a step that adds to one element, with the numbers of its terms."""
        for place, term in self._lit(block.part, step).items() if step.is_one else ():
            if block.part.key == self.reel.target:
                yield block.fill(place, Style(stroke="ink", width=2.4), 1)
            elif _is_numbered(step):
                yield block.fill(place, Style(stroke=tone(term), width=2), 1)
                x, y = block.corner(place)
                yield from disc(x + block.cell - 4, y + 4, term)

    # --- words ---

    def _equations(self, sheet: Sheet) -> None:
        """Write the equation of each step, all at the same height."""
        top = bottom = sheet.y
        for k, step in enumerate(self.steps):
            sheet.y, now = top, frozenset([k])
            sheet.over_arrow(f"{k + 1} / {len(self.steps)}", now)
            sheet.equation(list(self._pieces(step)), now)
            bottom = max(bottom, sheet.y)
        sheet.y = bottom

    def _pieces(self, step: Step) -> Iterator[Piece]:
        """What a step adds, as an equation."""
        *factors, target = self.reel.parts
        shared = self.reel.shared(step)
        if shared is not None:
            found = step.adds[0].term.elements
            name = f"${self.reel.name(found[shared])}$"
            other = next(part for part in factors if part.key == found[1 - shared].key)
            key = "product" if other.key == "w" else "product_window"
            yield Piece(target.title)
            yield Piece(self.words[key].format(first=name, second=other.title), "+=")
        elif step.is_one:
            yield Piece(f"${target.name(step.at)}$")
            for k, add in enumerate(step.adds[:MOST_NUMBERED]):
                text = " ".join(map(self.reel.name, add.term.elements))
                sign = "+" if k else "=" if step.is_all else "+="
                yield Piece(f"${text}$", sign, k if _is_numbered(step) else None)
            if len(step.adds) > MOST_NUMBERED:
                yield Piece("$…$", "+")
            if not step.adds:
                yield Piece("$0$", "=")

    def _told(self) -> Iterator[str]:
        """The first steps, for those who do not see them."""
        for k, step in enumerate(self.steps[:MOST_NUMBERED], 1):
            adds = ", ".join(add.text() for add in step.adds[:MOST_NUMBERED])
            yield self.words["step"].format(k=k, adds=adds or "0")


def _is_numbered(step: Step) -> bool:
    """Say whether the terms of a step have numbers."""
    return step.is_one and len(step.adds) <= MOST_NUMBERED


def _as_maths(sentence: str) -> str:
    """Set the names of gradients in a sentence as mathematics."""
    return re.sub(r"dL/d([a-z])", r"$∂L/∂\1$", sentence)
