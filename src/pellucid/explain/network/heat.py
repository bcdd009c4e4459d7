"""The heat map of contributions: the images they come from, and the terms where they lie in them.

A column for the whole sum, and one for each of the images that add most; for a gradient by the
input, which has one image, of the output channels. Not here: the file (svg.py).
Next room: svg.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from pellucid.backend import Array
from pellucid.explain.network.svg import Column, Panel, Sheet, to_svg
from pellucid.explain.network.table import short, signed
from pellucid.explain.network.terms import Terms
from pellucid.explain.network.words import WORDS
from pellucid.explain.sentences import Language

if TYPE_CHECKING:
    from pellucid.explain.network.contributions import Contributions

_GROUPS = 3  # images or channels beside the sum
_MOST = 64  # cells along a side; of larger arrays several pixels share one


def heat_map(found: Contributions, lang: Language) -> str:
    """Return the heat map as the text of an SVG file."""
    words, columns = WORDS[lang], list(_Columns(found, lang))
    said = " ".join(f"{column.label}: {column.value}." for column in columns)
    return to_svg(
        Sheet(
            title=f"{words['title'].format(name=found.name)}: {short(found.value)}",
            desc=words["desc"].format(name=found.name, layer=found.layer, panels=said),
            lang=lang,
            columns=columns,
            legend=(words["positive"].format(name=found.name), words["negative"]),
            notes=list(_notes(found, columns, lang)),
        )
    )


def _notes(found: Contributions, columns: list[Column], lang: Language) -> Iterator[str]:
    words = WORDS[lang]
    whole, *others = [short(column.below.limit) for column in columns]
    yield words["scales" if others else "scale"].format(first=whole, other="".join(others[:1]))
    if found.shares[0].arrays["x"].ndim == 2:
        yield words["cells"]
    if found.shares[0].arrays["x"].ndim == 5:
        yield words["slices"]
    pooled = max(panel.pooled for column in columns for panel in (column.above, column.below))
    if pooled > 1:
        yield words["pooled"].format(size=f"{pooled}x{pooled}")


class _Columns:
    """The columns of one heat map."""

    def __init__(self, found: Contributions, lang: Language) -> None:
        self.found, self.words = found, WORDS[lang]
        self.by_channel = found.grad == "input"
        self.gradient = f"dL/d{found.names.symbol('y')}"

    def __iter__(self) -> Iterator[Column]:
        """Yield that of the whole sum first, and then those of what adds most."""
        shares = self.found.shares
        maps = [share.heat() for share in shares]
        sizes = [np.abs(each).sum(axis=tuple(range(1, each.ndim))) for each in maps]
        if maps[0].ndim == 1:  # Linear, whose images have no places
            yield self._cells(np.concatenate(maps))
            return
        groups = [(k, at) for k, each in enumerate(sizes) for at in np.flatnonzero(each)]
        if len({each.shape[1:] for each in maps}) == 1:  # else they have no picture in common
            whole = sum(each.sum(axis=0) for each in maps)
            yield self._column(shares[0], None, whole, None)
            groups = groups if sum(map(len, maps)) > 1 else []
        groups.sort(key=lambda group: -sizes[group[0]][group[1]])
        top = [(shares[k], int(at), maps[k][at]) for k, at in groups[:_GROUPS]]
        limit = max((float(np.abs(_flat(cells, np.sum)).max()) for *_, cells in top), default=0.0)
        for share, at, cells in top:
            yield self._column(share, at, cells, limit)

    def _column(self, share: Terms, at: int | None, cells: Array, limit: float | None) -> Column:
        """One column: of an image or a channel, or of all where `at` is None."""
        where = self.gradient if share.grad != "weight" else self.found.names.symbol("x")
        below, pooled = _pooled(_flat(cells, np.sum)[self._window(share)], np.sum)
        strongest = float(np.abs(below).max(initial=0.0)) if limit is None else limit
        return Column(
            self._label(share, at),
            signed(float(cells.sum())),
            self._gradient(share, at) if self.by_channel and at is not None else self._x(share, at),
            Panel(self.words["terms_in"].format(name=where), below, strongest, True, pooled),
        )

    def _cells(self, terms: Array) -> Column:
        """The terms of a Linear, each of an image or an output, and where they come from."""
        key = "x" if self.found.grad == "weight" else "gy"
        numbers = [share.arrays[key][tuple(share.places(key).T)] for share in self.found.shares]
        caption = self.gradient if key == "gy" else self.found.names.symbol("x")
        panels = [
            Panel(said, _squared(cells), float(np.abs(cells).max(initial=0.0)), True)
            for said, cells in ((caption, np.concatenate(numbers)), (self.words["terms"], terms))
        ]
        label = self.words["all_outputs" if self.by_channel else "all_images"]
        return Column(label.format(count=len(terms)), signed(float(terms.sum())), *panels)

    def _label(self, share: Terms, at: int | None) -> str:
        """What a column shows, in words."""
        of, found = "channel" if self.by_channel else "image", self.found
        if at is None:
            count = share.arrays["gy"].shape[1 if self.by_channel else 0]
            key = f"all_{of}s" if count > 1 else of
            return self.words[key].format(count=count, at=found.position(0))
        label = self.words[of].format(at=found.position(at))
        if found.call_count == 1:
            return label
        return self.words["of_call"].format(label=label, call=found.position(share.call))

    def _x(self, share: Terms, at: int | None) -> Panel:
        """The image, or the mean of all: of the channel that the terms have, or of all channels."""
        x, mark = share.arrays["x"].astype(np.float64), None
        if self.by_channel:
            n, c, *place = self.found.index
            x, mark = x[n : n + 1, c : c + 1], (0, *place)[-2:]
        elif factor := share.factor("x"):
            x = x[:, factor.places[1].values]
        images = x.mean(axis=1)  # (N, C, ...) -> (N, ...)
        low, high = min(images.min(initial=0.0), 0.0), images.max(initial=0.0)
        chosen = images if at is None or self.by_channel else images[at : at + 1]
        plane = _flat(chosen.sum(axis=0) / max(len(chosen), 1), np.mean)
        cells, pooled = _pooled((plane - low) / ((high - low) or 1.0), np.mean)
        mark = None if mark is None else (mark[0] // pooled, mark[1] // pooled)
        return Panel(self.found.names.symbol("x"), cells, 1.0, False, pooled, mark)

    def _gradient(self, share: Terms, at: int) -> Panel:
        """The gradients of one output channel that the terms are made of."""
        plane = _flat(share.arrays["gy"][self.found.index[0], at], np.sum)[self._window(share)]
        cells, pooled = _pooled(plane.astype(np.float64), np.sum)
        return Panel(self.gradient, cells, float(np.abs(cells).max(initial=0.0)), True, pooled)

    def _window(self, share: Terms) -> tuple[slice, ...]:
        """The part of a heat map with terms in it, where one pixel meets a few windows only."""
        if not self.by_channel or not len(share.values):
            return (slice(None), slice(None))
        places = share.places("gy")[:, 2:]
        return tuple(
            slice(int(low), int(high) + 1)
            for low, high in zip((0, *places.min(axis=0)), (0, *places.max(axis=0)), strict=True)
        )[-2:]


def _flat(cells: Array, merge: Callable[..., Any]) -> Array:
    """Return an array as rows and columns: one axis is a row, the first of three is merged."""
    # (W) -> (1, W); (D, H, W) -> (H, W)
    return cells[None] if cells.ndim == 1 else merge(cells, axis=0) if cells.ndim == 3 else cells


def _squared(cells: Array) -> Array:
    """Return one row of cells as several, about as many as are in each."""
    columns = max(math.ceil(math.sqrt(len(cells))), 1)
    rows = -(-len(cells) // columns)
    padded = np.pad(cells.astype(np.float64), (0, rows * columns - len(cells)))
    return padded.reshape(rows, columns)  # (K) -> (rows, columns)


def _pooled(cells: Array, merge: Callable[..., Any]) -> tuple[Array, int]:
    """Return cells with several merged into one where there are too many, and how many a side."""
    side = -(-max(cells.shape, default=1) // _MOST)
    if side <= 1:
        return cells, 1
    rows, columns = (range(0, size, side) for size in cells.shape)
    merged = [[merge(cells[h : h + side, w : w + side]) for w in columns] for h in rows]
    return np.array(merged), side
