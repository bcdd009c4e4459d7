"""What the frames of a moving view hold: the parts of arrays that are drawn, and the steps.

The steps are those of explain/views for one image and one channel of each array. Of a large
problem the first steps along each axis are drawn. Not here: how a frame looks (steps.py).
Next room: steps.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import prod
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np

from pellucid.errors import UnsupportedError
from pellucid.explain.pictures.block import Part
from pellucid.explain.pictures.plan import MOST_PLACES, most_places
from pellucid.explain.pictures.spread import SpreadPart
from pellucid.explain.pictures.words import STEPS
from pellucid.explain.sentences import Language
from pellucid.kernels.conv.spec import Sizes

if TYPE_CHECKING:
    from pellucid.explain.algebra import Element
    from pellucid.explain.views.base import Add, View
    from pellucid.explain.views.gather import Gather

MOST_FRAMES = 64
MOST_TERMS = 200_000  # that are gone through


class Step(NamedTuple):
    """One frame: what it adds, and the place that it belongs to, with the key of its array.

    A phase belongs to no single place. `is_one` is whether the place is the one that is added to,
    and `is_all` whether no terms of other channels or images are left out.
    """

    adds: tuple[Add, ...]
    key: str
    at: Sizes
    is_one: bool
    is_all: bool


class Reel:
    """The frames of a view: `parts` of its first factor, its second factor and its target."""

    def __init__(self, view: View, lang: Language) -> None:
        self.view, self.lang, self.kept = view, lang, len(view.axes)
        gradient = "g" if view.target.gradient else ""
        self.target = f"{gradient}{view.target.array}"
        self.pixels = "y" if view.derivation.transposed else "x"
        numbers = self._numbers()
        self._check(len(numbers))
        self._leads = self._find_leads(numbers)
        self.parts = [self._part(key) for key in (*view.needed, self.target)]
        found = [step for k in numbers if self._is_drawn(step := self._step(k))]
        self.steps = found[:MOST_FRAMES]
        self.is_whole = len(self.steps) == len(view.steps)

    def place(self, element: Element) -> Sizes:
        """Return the indices of an element along the spatial axes."""
        return element.index[-self.kept :]

    def name(self, element: Element) -> str:
        """Return what an element is called, as mathematics."""
        lead = element.index[: -self.kept]
        return Part(self.view.names, element.key, lead, ()).name(self.place(element))

    def shared(self, step: Step) -> int | None:
        """Return the number of the factor that is the same in all terms, if there is one."""
        for k in (0, 1) if step.key and not step.is_one else ():
            if len({add.term.elements[k] for add in step.adds}) == 1:
                return k
        return None

    def window(self, part: Part, step: Step) -> list[range]:
        """Return the places that the window of a step spans on a part, if it lies on that."""
        axes = self.view.axes
        if isinstance(part, SpreadPart):
            return [range(h, h + axis.reach) for h, axis in zip(step.at, axes, strict=True)]
        if part.array != self.pixels or step.key != self.view.needed[0] or step.is_one:
            return []
        begins = [i * axis.stride - axis.low for i, axis in zip(step.at, axes, strict=True)]
        return [range(h, h + axis.reach) for h, axis in zip(begins, axes, strict=True)]

    # --- which steps ---

    def _numbers(self) -> list[int]:
        """The numbers of the first steps along each axis, for the first image and channel."""
        shape = self.view.steps.shape
        if 0 in shape:
            return []
        along = [range(min(size, MOST_PLACES[self.kept])) for size in shape[-self.kept :]]
        before = (0,) * (len(shape) - self.kept)
        return [int(np.ravel_multi_index((*before, *at), shape)) for at in product(*along)]

    def _check(self, count: int) -> None:
        """Refuse to go through more terms than a picture is worth."""
        spec, view = self.view.spec, self.view
        taps = spec.in_channels // spec.groups * prod(spec.kernel)
        terms = prod(spec.y_shape) * taps * count // max(1, len(view.steps))
        if terms > MOST_TERMS:
            raise UnsupportedError(
                "animation",
                f"the steps of '{view.name}' have {terms:,} terms, of which {MOST_TERMS:,} can be "
                "drawn",
                str(spec),
                fix="draw a smaller problem, or the figure of one element",
            )

    def _find_leads(self, numbers: Sequence[int]) -> dict[str, Sizes]:
        """The image and the channel of each array that are drawn: those of the first term."""
        for k in numbers:
            for add in self.view.steps[k].adds:
                return {e.key: e.index[: -self.kept] for e in _elements(add)}
        return dict.fromkeys((*self.view.needed, self.target), (0, 0))

    def _step(self, number: int) -> Step:
        step, needed = self.view.steps[number], self.view.needed
        adds = tuple(
            add
            for add in step.adds
            if all(e.index[: -self.kept] == self._leads[e.key] for e in _elements(add))
        )
        is_one, is_all = self.view.name in {"gather", "correlation"}, len(adds) == len(step.adds)
        if self.view.name == "phases":
            return Step(adds, "", (), is_one, is_all)
        key = self.target if is_one else needed[0]
        return Step(adds, key, step.at[-self.kept :], is_one, is_all)

    def _is_drawn(self, step: Step) -> bool:
        """Say whether all cells of a step are drawn, and there are some."""
        parts = {part.key: part for part in self.parts}
        found = [(e.key, self.place(e)) for add in step.adds for e in _elements(add)]
        found += [(step.key, step.at)] if step.key else []
        return bool(found) and all(
            all(at in places for at, places in zip(_on(parts[key], place), parts[key].places,
                                                   strict=True))
            for key, place in found
        )  # fmt: skip

    # --- which arrays ---

    def _part(self, key: str) -> Part:
        names, lead, words = self.view.names, self._leads[key], STEPS[self.lang]
        gather = self.view.name == "gather"
        if gather and key == self.view.needed[0]:
            cells = tuple(place.cells() for place in cast("Gather", self.view).places)
            places = [range(len(along)) for along in cells]
            return SpreadPart(names, key, lead, self._first(places), words["spread"], cells)
        places = [range(size) for size in names.arrays[key[-1]].shape[-self.kept :]]
        if key[-1] == self.pixels and not gather:
            places = [range(-max(a.low, 0), a.size + max(a.high, 0)) for a in self.view.axes]
        shown = self._first(places)
        if gather and key == "w":
            flipped = tuple(along[::-1] for along in shown)
            return Part(names, key, lead, flipped, words["flipped"])
        return Part(names, key, lead, shown)

    def _first(self, places: Sequence[range]) -> tuple[range, ...]:
        """The places that are drawn: all, or the first along each axis."""
        return tuple(
            along[: most_places(len(along), axis, self.kept)] for axis, along in enumerate(places)
        )


def _on(part: Part, place: Sizes) -> Sizes:
    """Where an element stands on a part."""
    return part.place(place) if isinstance(part, SpreadPart) else place


def _elements(add: Add) -> tuple[Element, ...]:
    return (*add.term.elements, add.target)
