"""Why an element meets nothing, in words: its equation is `0`, or the bias alone.

Not here: how that is found out (axis.py). Next room: expression.py.
"""

from __future__ import annotations

from typing import NamedTuple

from pellucid.explain.axis import Axis, Reason
from pellucid.explain.sentences import TOPICS, WHY, Language, as_language


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
