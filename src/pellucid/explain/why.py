"""Why an element meets nothing, in words: its equation is `0`, or the bias alone.

Not here: how that is found out (axis.py). Next room: expression.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pellucid.explain.axis import Axis, Reason
from pellucid.explain.sentences import (
    PLACES,
    REASONS,
    ROWS,
    TOPICS,
    WHY,
    Language,
    as_language,
)

_LISTED = 6  # places of one axis


class Why(NamedTuple):
    """Why an element meets nothing: the reason in one word, and where it holds.

    `axis` is the number of the spatial axis that rules the element out and `at` the place along
    it, as the notation counts; both are None where no axis is to blame.

    >>> print(Why("leftover", 1, 6, (Axis(6, 3, 2, 0, 0, 1),) * 2))
    column 6 lies behind the last window, so it is left over
    """

    reason: Reason
    axis: int | None
    at: int | None
    axes: tuple[Axis, ...]

    def text(self, lang: Language = "en") -> str:
        """Return the reason as a sentence.

        Raises: ArgumentError for a language other than `en` and `ko`.
        """
        sentence = WHY[as_language(lang)][self.reason]
        if self.axis is None:
            return sentence
        axis = self.axes[self.axis]
        return sentence.format(
            place=TOPICS[lang][len(self.axes) - 1][self.axis],
            at=self.at,
            s=axis.stride,
            d=axis.dilation,
            reach=axis.reach,
        )

    def __str__(self) -> str:
        return self.text()


def uncovered(axes: Sequence[Axis], lang: Language, first: int = 0) -> Iterator[str]:
    """Return which places along each axis no window holds, by reason; `first` counts the first.

    >>> list(uncovered([Axis(6, 3, 2, 0, 0, 1)] * 2, "en", first=1))
    ['row 6 (left over)', 'column 6 (left over)']
    """
    for k, axis in enumerate(axes):
        found: dict[Reason, list[int]] = {}
        for h in range(axis.size):
            if reason := axis.why_uncovered(h):
                found.setdefault(reason, []).append(h + first)
        for why, places in found.items():
            listed = ", ".join(map(str, places[:_LISTED]))
            listed += f", ... {places[-1]}" if len(places) > _LISTED else ""
            named = (PLACES if len(places) == 1 else ROWS)[lang][len(axes) - 1][k]
            yield f"{named} {listed} ({REASONS[lang][why]})"
