"""The table of contributions, word for word."""

from __future__ import annotations

import re

import numpy as np
import pytest
from explain.network.layers import draw, run

import pellucid
from pellucid import nn
from pellucid.errors import ArgumentError
from pellucid.explain import Contributions, contributions, record
from pellucid.explain.network.table import percent, short, signed, wide


def small(grad: str = "weight", index: tuple[int, ...] = (0, 0, 0, 0)) -> Contributions:
    """The worked example with whole numbers: x = 0 .. 24, gy = 1, -2, 3, 0."""
    layer = nn.Conv2d(1, 1, 3, stride=2)
    layer.weight.array[...] = np.arange(9).reshape(1, 1, 3, 3)
    x = pellucid.arange(25.0).reshape(1, 1, 5, 5)
    gy = pellucid.tensor(np.float32([[[[1, -2], [3, 0]]]]))
    with record(layer):
        layer(x).backward(gy)
    return contributions(layer, grad, index)


def test_all_terms_of_a_small_sum() -> None:
    assert (
        small("weight", (0, 0, 0, 1)).table()
        == """\
dL/dw12 = 28
  4 terms: 2 above 0 add up to +34, 1 below 0 to -6, 1 are 0
  their magnitudes add up to 40; shares are shares of that
  computed in float32: 28, the same

  term          numbers   product    share
  dL/do21 x32   3 * 11        +33   82.5 %
  dL/do12 x14   -2 * 3         -6   15.0 %
  dL/do11 x12   1 * 1          +1    2.5 %
  dL/do22 x34   0 * 13          0    0.0 %"""
    )


def test_the_largest_of_more() -> None:
    lines = small().table(1).splitlines()
    assert lines[-2].split() == ["dL/do21", "x31", "3", "*", "10", "+30", "88.2", "%"]
    assert lines[-1] == "  ... 3 more, 11.8 %"


def test_a_bias_has_no_second_number() -> None:
    lines = small("bias", (0,)).table().splitlines()
    assert lines[0] == "dL/db = 2"
    assert lines[5].split() == ["term", "product", "share"]
    assert lines[6].split() == ["dL/do21", "+3", "50.0", "%"]


def test_one_term_and_an_uncovered_element() -> None:
    assert small("input", (0, 0, 0, 0)).table().splitlines()[1] == "  one term"
    found = run(nn.Conv2d(1, 1, 3, stride=2), np.ones((1, 1, 6, 6), np.float32)).layer
    assert contributions(found, "input", (0, 0, 0, 5)).table() == (
        "dL/dx16 = 0\n  column 6 lies behind the last window, so it is left over"
    )
    assert contributions(found, "input", (0, 0, 0, 5)).table(lang="ko").endswith("남는다")


def test_images_are_listed_by_what_they_have() -> None:
    found = contributions(draw(2).layer, "weight", (0,) * draw(2).layer.weight.ndim)
    lines = found.table().splitlines()
    start = next(k for k, line in enumerate(lines) if line.split() == ["image", "sum", "share"])
    listed = [line.split() for line in lines[start + 1 :]]
    shares = [float(words[2]) for words in listed]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(100, abs=0.3)
    for n, added, *_ in listed:
        assert float(added) == pytest.approx(found.by_image[int(n) - 1], rel=1e-3)


def test_the_rest_of_many_images_is_one_line() -> None:
    layer = run(nn.Conv2d(1, 1, 3), np.ones((9, 1, 5, 5), np.float32)).layer
    last = contributions(layer, "bias", 0).table().splitlines()[-1]
    assert last.split()[:2] == ["4", "more"]
    channels = contributions(draw(6).layer, "input", (0,) * draw(6).x.ndim).table()
    assert "output channel" in channels


def test_calls_have_a_column() -> None:
    layer = nn.Conv2d(1, 1, 3)
    x = pellucid.ones(1, 1, 3, 3)
    with record(layer):
        (layer(x) + 2 * layer(x)).sum().backward()
    lines = contributions(layer, "weight", (0, 0, 0, 0)).table().splitlines()
    assert lines[4] == "  the layer was called 2 times, and all calls add up"
    assert [line.split()[0] for line in lines[6:9]] == ["call", "2", "1"]
    one = contributions(layer, "weight", (0, 0, 0, 0), call=1).table().splitlines()
    assert one[4] == "  this is call 2 of 2 of the layer"


def test_columns_are_aligned_in_both_languages() -> None:
    found = contributions(draw(2).layer, "weight", (0,) * draw(2).layer.weight.ndim)
    for lang in ("en", "ko"):
        lines = found.table(5, lang).splitlines()
        shares = [line for line in lines if line.endswith(" %") and " x" in line]
        assert len(shares) == 5
        assert len({wide(line) for line in shares}) == 1
        assert not [line for line in lines if line != line.rstrip()]


def test_korean() -> None:
    text = small("weight", (0, 0, 0, 1)).table(2, "ko")
    assert "항 4개: 0보다 큰 2개의 합 +34, 작은 1개의 합 -6, 0인 것 1개" in text
    assert "... 외 2개, 2.5 %" in text
    with pytest.raises(ArgumentError, match="there is no language 'fr'"):
        small().table(2, "fr")  # type: ignore[arg-type]


def test_it_prints_itself_and_shows_itself_in_a_notebook() -> None:
    found = small()
    assert str(found) == found.table(10, "en")
    page = found._repr_html_()
    assert page.startswith("<div>")
    assert page.count("<tr>") == 1 + 4
    assert "<td>dL/do21 x31</td>" in page
    assert page.count("<svg ") == page.count("</svg>") == 1
    assert re.search(r"<b>dL/dw11 = 26</b>", page)


def test_numbers() -> None:
    assert [short(v) for v in (0.0, 1e-9, 123456.0)] == ["0", "1e-09", "1.235e+05"]
    assert [signed(v) for v in (0.0, -0.0, 0.5, -2.0)] == ["0", "0", "+0.5", "-2"]
    assert percent(0.0, 0.0) == "0.0 %"
    assert wide("항 1") == 4
