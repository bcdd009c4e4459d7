"""Why an element meets nothing, in words: its equation is `0`, or the bias alone.

Not here: how that is found out (axis.py). Next room: expression.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from pellucid.errors import ArgumentError
from pellucid.explain.axis import Axis, Reason

Language: TypeAlias = Literal["en", "ko"]

LANGUAGES = ("en", "ko")

# What a place along each of 1, 2 or 3 axes is called; in Korean with its particle.
PLACES = {
    "en": (("place",), ("row", "column"), ("slice", "row", "column")),
    "ko": (("번째 자리는",), ("행은", "열은"), ("번째 단면은", "행은", "열은")),
}

_SENTENCES = {
    "en": {
        "crop": "{place} {at} is cut off by the negative padding",
        "leftover": "{place} {at} lies behind the last window, so it is left over",
        "stride": "{place} {at} lies between two windows: the stride {s} is larger than the "
        "{reach} that a window spans",
        "dilation": "{place} {at} lies in a gap of the dilation: the taps of a window are {d} "
        "apart, and none falls on it",
        "padding": "it meets nothing but padding",
        "batch": "there are no images in the batch",
    },
    "ko": {
        "crop": "{at}{place} 음수 패딩으로 잘려 나간다",
        "leftover": "{at}{place} 마지막 윈도우 뒤에 남는다",
        "stride": "{at}{place} 두 윈도우 사이에 있다. 보폭({s})이 윈도우의 폭({reach})보다 크다",
        "dilation": "{at}{place} 팽창으로 생긴 틈에 있다. 한 윈도우의 가중치는 {d}칸 간격으로 놓여 "
        "여기에 닿지 않는다",
        "padding": "패딩하고만 만난다",
        "batch": "배치에 영상이 없다",
    },
}


def check_language(lang: str) -> None:
    """Hold a language to those that there are."""
    if lang not in LANGUAGES:
        raise ArgumentError(
            "derive",
            f"there is no language {lang!r}",
            fix=f"use one of {', '.join(LANGUAGES)}",
        )


@dataclass(frozen=True)
class Why:
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
        check_language(lang)
        sentence = _SENTENCES[lang][self.reason]
        if self.axis is None:
            return sentence
        axis = self.axes[self.axis]
        return sentence.format(
            place=PLACES[lang][len(self.axes) - 1][self.axis],
            at=self.at,
            s=axis.stride,
            d=axis.dilation,
            reach=axis.reach,
        )

    def __str__(self) -> str:
        return self.text()
