"""Why an element meets nothing, word for word in both languages."""

import pytest

from pellucid.errors import ArgumentError
from pellucid.explain import derive
from pellucid.explain.why import uncovered

CASES = [
    (derive("c1 i6x6 o1 k3x3 s2").grad_input[0, 0, 0, 5], "leftover",
     "column 6 lies behind the last window, so it is left over",
     "6열은 마지막 윈도우 뒤에 남는다"),
    (derive("c1 i8 o1 k2 s3").grad_input[0, 0, 2], "stride",
     "place 3 lies between two windows: the stride 3 is larger than the 2 that a window spans",
     "3번째 자리는 두 윈도우 사이에 있다. 보폭(3)이 윈도우의 폭(2)보다 크다"),
    (derive("c1 i9x9 o1 k3x3 s2 d2", notation="indices").grad_input[0, 0, 1, 0], "dilation",
     "row 1 lies in a gap of the dilation: the taps of a window are 2 apart, and none falls on it",
     "1행은 팽창으로 생긴 틈에 있다. 한 윈도우의 가중치는 2칸 간격으로 놓여 여기에 닿지 않는다"),
    (derive("c1 i4x4x4 o1 k2x2x2 p-1x0x0").grad_input[0, 0, 0, 0, 0], "crop",
     "slice 1 is cut off by the negative padding",
     "1번째 단면은 음수 패딩으로 잘려 나간다"),
    (derive("c1 i1 o1 k1 p2").forward[0, 0, 0], "padding",
     "it meets nothing but padding", "패딩하고만 만난다"),
    (derive("c1 i1 o1 k3 p1").grad_weight[0, 0, 0], "padding",
     "it meets nothing but padding", "패딩하고만 만난다"),
    (derive("n0 c1 i5 o1 k3").grad_weight[0, 0, 0], "batch",
     "there are no images in the batch", "배치에 이미지가 없다"),
    (derive("n0 c1 i5 o1 k3").grad_bias[0], "batch",
     "there are no images in the batch", "배치에 이미지가 없다"),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "reason", "english", "korean"), CASES)
def test_the_sentences(expression, reason, english, korean):
    assert expression.why.reason == reason
    assert str(expression.why) == expression.why.text("en") == english
    assert expression.why.text("ko") == korean
    assert expression.text().rpartition(" = ")[2] in {"0", "b"}


def test_the_first_axis_that_rules_an_element_out_is_to_blame():
    corner = derive("c1 i6x8 o1 k3x2 s2x3").grad_input
    assert (corner[0, 0, 5, 2].why.reason, corner[0, 0, 5, 2].why.axis) == ("leftover", 0)
    assert (corner[0, 0, 0, 2].why.reason, corner[0, 0, 0, 2].why.axis) == ("stride", 1)
    assert corner[0, 0, 0, 0].why is None


def test_places_that_no_window_holds():
    axes = derive("c1 i6x30 o1 k3x2 s2x3").axes
    assert list(uncovered(axes, "en")) == [
        "row 5 (left over)",
        "columns 2, 5, 8, 11, 14, 17, ... 26 (between two windows)",
        "column 29 (left over)",
    ]
    assert next(uncovered(axes, "ko", first=1)) == "행 6 (마지막 윈도우 뒤)"
    assert list(uncovered(derive("c1 i5x5 o1 k3x3").axes, "en")) == []


def test_an_unknown_language():
    with pytest.raises(ArgumentError) as raised:
        CASES[0][0].why.text("fr")
    assert str(raised.value) == ("explain: there is no language 'fr'\n  fix: use one of en, ko")
