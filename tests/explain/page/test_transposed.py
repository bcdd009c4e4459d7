"""The page of a transposed convolution: x and y have each other's place, and it says so."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import pytest
from explain.page.conftest import CHOSEN, EXAMPLE, FRAMES, LIT, Open, cell, code, equation, printed
from explain.page.test_accessibility import DESKTOP, PHONE, violations

ADDRESS = f"#{EXAMPLE.replace(' ', '+')}+transposed"


def labels(tab: Any, array: str) -> list[str]:
    cells = tab.locator(f".stage .array.is-{array} .cell")
    return [one.get_attribute("aria-label") for one in cells.all()]


def test_it_opens_with_an_output_where_windows_overlap(opened: Open) -> None:
    tab = opened(transposed=True)
    assert labels(tab, "x") == ["x11, 1", "x12, 10", "x21, 100", "x22, 1000"]
    assert labels(tab, "y")[2] == "o13, 14"
    assert labels(tab, "gy")[:2] == ["dL/do11, 1", "dL/do12, 2"]
    assert tab.locator(".cell.chosen").get_attribute("aria-label") == "o13, 14"
    assert tab.locator("#reading").text_content() == "o13 = x11 w13 + x12 w11 + b"
    assert equation(tab) == "14 = 1 · 3 + 10 · 1 + 1"
    assert {name for name, _ in tab.evaluate(LIT)} == {"x11", "w13", "x12", "w11", "b"}
    assert tab.evaluate(FRAMES) == [["y", 0, 0, 3, 3], ["y", 0, 2, 3, 3]]
    assert tab.locator("#controls h2").inner_text().upper() == "THE TRANSPOSED CONVOLUTION"
    assert tab.locator("#sliders .name").first.inner_text() == "output size"


@pytest.mark.parametrize(
    ("array", "name", "said", "lit"),
    [
        ("gx", "dL/dx22", "951 = ", {"dL/do33", "dL/do55", "w11", "w33"}),
        ("x", "x22", "951 = ", {"dL/do33", "dL/do55", "w11", "w33", "o33", "o55"}),
        ("gw", "dL/dw11", "", {"x11", "x12", "x21", "x22", "dL/do11", "dL/do13", "dL/do33"}),
        ("gb", "dL/db", "325 = ", {"dL/do11", "dL/do55"}),
        ("gy", "dL/do13", "14 = ", {"x11", "x12", "w13", "w11", "b", "dL/dx11", "dL/dx12"}),
        ("b", "b", "325 = ", {"dL/do11", "o11", "o55"}),
    ],
)
def test_each_array_lights_what_it_meets(
    opened: Open, array: str, name: str, said: str, lit: set[str]
) -> None:
    tab = opened(transposed=True)
    cell(tab, array, name).click()
    found = {found for found, _ in tab.evaluate(LIT)}
    assert lit <= found
    assert equation(tab).startswith(said)


SHARED = [
    ("counting", EXAMPLE, "y:0,0,0,2"),
    ("mixed", "n2 c2 i6 o4 k3 s2 p1 g2", "gw:3,0,1"),
    ("counting", "c1 i6x5 o2 k2x3 p0:1x2:0 d1x2", "gx:0,1,3,2"),
    ("mixed", "c2 i7x6 o1 k3 s2 p-1:0", "y:0,1,2,2"),
    ("mixed", "c1 i9 o1 k3 s4 p1", "y:0,0,8"),
    ("ones", "c1 i3x4x4 o1 k2 s1x2x1 p1", "y:0,0,1,1,2"),
    ("mixed", "c3 i4x4 o2 k2", "gb:2"),
]


@pytest.mark.parametrize(("pattern", "spec", "element"), SHARED)
def test_the_code_prints_the_number(opened: Open, pattern: str, spec: str, element: str) -> None:
    tab = opened(spec, address=f"#{spec.replace(' ', '+')}+transposed@{element}")
    tab.locator(f"#patterns input[value={pattern}]").check(force=True)
    tab.evaluate(
        "() => pellucid.state.numbers.set('gy', pellucid.state.spec.shapes.gy.map(() => 0), 2.5)"
    )
    tab.locator("#notations input[value=indices]").check(force=True)
    assert tab.evaluate(CHOSEN_NAME) == element
    for library in ["pellucid", "torch"] if find_spec("torch") else ["pellucid"]:
        source = code(tab, library)
        assert "x[0, 0" in source
        assert "conv_transpose" in source
        value = float(source.rpartition("= ")[2])
        assert printed(source) == pytest.approx(value, rel=1e-12)


CHOSEN_NAME = """() => { const { chosen, spec } = pellucid.state;
  return `${pellucid.called(spec, chosen.array)}:${chosen.index}`; }"""


def test_the_switch_and_the_address_lead_there_and_back(opened: Open) -> None:
    tab = opened()
    tab.locator("#kinds label", has_text="transposed").click()
    assert tab.evaluate("() => location.hash") == ADDRESS
    cell(tab, "gx", "dL/dx21").click()
    assert tab.evaluate("() => location.hash") == f"{ADDRESS}@gx:0,0,1,0"
    again = opened(address=f"{ADDRESS}@gx:0,0,1,0/gather")
    assert again.evaluate(CHOSEN_NAME) == "gx:0,0,1,0"
    assert again.locator("#tabs [aria-selected=true]").inner_text() == "Gather"
    again.locator("#kinds label").first.click()
    assert again.evaluate("() => location.hash") == f"#{EXAMPLE.replace(' ', '+')}/gather"
    assert again.evaluate(CHOSEN) == "gx:0,0,0,2"
    assert labels(again, "y") == ["o11, 412", "o12, 502", "o21, 862", "o22, 952"]


def test_sliders_and_the_line_of_text_keep_the_kind(opened: Open) -> None:
    tab = opened(transposed=True)
    tab.locator("#slider-s").fill("1")
    assert tab.locator(".stage .is-x .cell").count() == 9
    tab.locator("#spec").fill("c2 i4 o1 k2 s2")
    assert tab.locator(".stage .is-y .cell").count() == 8
    assert tab.locator(".stage .is-b .cell").count() == 2
    assert tab.evaluate("() => location.hash") == "#c2+i4+o1+k2+s2+transposed"


@pytest.mark.parametrize(
    ("spec", "element", "said", "korean"),
    [
        ("c1 i6x6 o1 k3 s2", "y:0,0,0,5", "left over behind the last one", "마지막 윈도우 뒤"),
        ("c1 i8 o1 k2 s3", "y:0,0,2", "the stride is larger than the kernel", "보폭이 커널보다"),
        ("c1 i9 o1 k3 s2 d2", "y:0,0,1", "in a gap of the dilation", "팽창한 커널의 틈"),
        ("c1 i9 o1 k3 p-1", "y:0,0,0", "in the negative padding", "음수 패딩에"),
    ],
)
def test_an_output_that_no_window_holds_is_the_bias(
    opened: Open, spec: str, element: str, said: str, korean: str
) -> None:
    tab = opened(spec, address=f"#{spec.replace(' ', '+')}+transposed@{element}")
    assert said in tab.locator("#words").inner_text()
    assert "Only b is here." in tab.locator("#words").inner_text()
    assert equation(tab) == "1 = 1"
    tab.locator("[data-language=ko]").click()
    assert korean in tab.locator("#words").inner_text()


def test_elements_are_found_by_their_index(opened: Open) -> None:
    tab = opened("c2 i4x5 o3 k2", transposed=True)
    for name, letters in [("y", "n,o,h,w"), ("gx", "n,c,i,j"), ("gw", "c,o,u,v"), ("gb", "o")]:
        tab.locator("#goto-array").select_option(name)
        assert tab.locator("#goto-letters").inner_text() == f"Index {letters}, counted from 0"
    tab.locator("#goto-array").select_option("gx")
    tab.locator("#goto-index").fill("0,2,2,3")
    tab.locator("#goto button").click()
    assert tab.locator("#reading").text_content().startswith("dL/dx334 = dL/do134 w3111 + ")


@pytest.mark.parametrize("name", ["Scatter", "Gather", "Phases"])
def test_the_views_end_with_the_output_without_b(opened: Open, name: str) -> None:
    tab = opened(transposed=True)
    tab.get_by_role("tab", name=name).click()
    tab.locator("#seek").fill("25" if name == "Gather" else "4")
    last = tab.locator("#pictures .picture").last
    assert last.get_attribute("aria-label") == "O, 5 × 5"
    numbers = " ".join(last.locator(".number").all_text_contents())
    assert numbers.startswith("1 2 13 20 30 4 5 46 50 60 107 208 1379")
    if name == "Gather":
        assert tab.locator("#step-words").inner_text().endswith("= 9000 + b.")


def test_both_languages_replace_the_same_words(opened: Open) -> None:
    shape = """() => { const shape = (words) => typeof words === "object"
      ? Object.fromEntries(Object.entries(words).map(([key, value]) => [key, shape(value)])) : "";
      return [shape(pellucid.TRANSPOSED.en), shape(pellucid.TRANSPOSED.ko),
        shape(pellucid.STRINGS.en)]; }"""
    english, korean, all_words = opened().evaluate(shape)
    assert english == korean
    for key, words in english.items():
        assert key in all_words
        if isinstance(words, dict):
            assert words.keys() <= all_words[key].keys(), key


def test_a_large_problem_is_named_as_it_is_called(opened: Open) -> None:
    tab = opened("c1 i224x224 o1 k3x3 s2", transposed=True)
    assert "y has 50,176 numbers" in tab.locator(".note").inner_text()


@pytest.mark.parametrize(("viewport", "scheme"), [(PHONE, "dark"), (DESKTOP, "light")])
def test_axe_finds_nothing_serious(opened: Open, viewport: Any, scheme: Any) -> None:
    language = "ko" if scheme == "dark" else "en"
    tab = opened(EXAMPLE, language, transposed=True, viewport=viewport, color_scheme=scheme)
    assert violations(tab) == []
    assert tab.evaluate("() => document.documentElement.scrollWidth") <= viewport["width"]
