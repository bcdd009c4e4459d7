"""What a person does with the page: point, press keys, move sliders, type, step, copy, share."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from explain.page.conftest import CHOSEN, EXAMPLE, FRAMES, LIT, Open, cell, code, equation, printed

from pellucid.errors import ShapeError
from pellucid.explain import derive
from pellucid.explain.page import page
from pellucid.kernels.conv import ConvSpec

# --- what is lit ----------------------------------------------------------------------------------


def test_it_opens_with_the_story_told(opened: Open) -> None:
    tab = opened()
    assert sorted(tab.evaluate(LIT)) == [["dL/do11", 0], ["dL/do12", 1], ["w11", 1], ["w13", 0]]
    assert tab.evaluate(FRAMES) == [["gx", 0, 0, 3, 3], ["gx", 0, 2, 3, 3]]
    assert equation(tab) == "13 = 1 · 3 + 10 · 1"
    chosen = tab.locator(".cell.chosen")
    assert chosen.get_attribute("aria-label") == "dL/dx13, 13"
    assert chosen.get_attribute("aria-describedby") == "words reading"
    assert tab.locator("#reading").text_content() == "dL/dx13 = dL/do11 w13 + dL/do12 w11"
    assert code(tab, "latex") == (
        r"\frac{\partial L}{\partial x_{13}} = \frac{\partial L}{\partial o_{11}} w_{13} + "
        r"\frac{\partial L}{\partial o_{12}} w_{11}"
    )


def test_an_element_and_a_notation_are_chosen_from_python(browser: Any, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    element = derive(EXAMPLE).grad_weight[0, 0, 1, 2].left
    file.write_text(page(EXAMPLE, notation="indices", element=element), encoding="utf-8")
    tab = browser.new_page()
    tab.goto(file.as_uri())
    assert tab.locator(".cell.chosen").get_attribute("aria-label").startswith("dL/dw[0,0,1,2], ")
    tab.close()


def test_pointing_shows_and_leaving_returns(opened: Open) -> None:
    tab = opened()
    cell(tab, "y", "o22").hover()
    assert len(tab.evaluate(LIT)) == 19
    assert tab.evaluate(FRAMES) == [["x", 2, 2, 3, 3]]
    assert equation(tab).startswith("952 = 13 · 1 + 14 · 2")
    tab.locator("h1").hover()
    assert equation(tab) == "13 = 1 · 3 + 10 · 1"


def test_clicking_stays(opened: Open) -> None:
    tab = opened()
    cell(tab, "gw", "dL/dw11").click()
    tab.locator("h1").hover()
    assert equation(tab) == "14131 = 1 · 1 + 10 · 3 + 100 · 11 + 1000 · 13"
    lit = [["dL/do11", 0], ["dL/do12", 1], ["dL/do21", 2], ["dL/do22", 3]]
    lit += [["x11", 0], ["x13", 1], ["x31", 2], ["x33", 3]]
    assert sorted(tab.evaluate(LIT)) == lit


@pytest.mark.parametrize(
    ("array", "name", "lit"),
    [
        ("gb", "dL/db", {"dL/do11", "dL/do12", "dL/do21", "dL/do22"}),
        ("b", "b", {"dL/do11", "dL/do12", "dL/do21", "dL/do22", "o11", "o12", "o21", "o22"}),
        ("x", "x12", {"dL/do11", "w12", "o11"}),
        ("w", "w11", {"dL/do11", "dL/do12", "dL/do21", "dL/do22", "o11", "o12", "o21", "o22",
                      "x11", "x13", "x31", "x33"}),
    ],
)  # fmt: skip
def test_each_array_lights_what_it_meets(opened: Open, array: str, name: str, lit: set) -> None:
    tab = opened()
    cell(tab, array, name).click()
    assert {found for found, _ in tab.evaluate(LIT)} == lit


def test_the_terms_of_a_sum_have_different_colours(opened: Open) -> None:
    tab = opened("c1 i5x5 o1 k2", address="#c1+i5x5+o1+k2@gx:0,0,2,2")
    tones = [tone for name, tone in tab.evaluate(LIT) if name.startswith("w")]
    assert sorted(tones) == [0, 1, 2, 3]


def test_an_output_gradient_lights_the_window_it_goes_to(opened: Open) -> None:
    tab = opened()
    cell(tab, "gy", "dL/do12").click()
    found = {name for name, _ in tab.evaluate(LIT)}
    assert {f"dL/dx{row}{column}" for row in (1, 2, 3) for column in (3, 4, 5)} <= found
    assert tab.evaluate(FRAMES) == [["gx", 0, 2, 3, 3]]


def test_terms_and_cells_belong_together_both_ways(opened: Open) -> None:
    tab = opened()
    faded = '() => [...document.querySelectorAll(".stage .faded")].map((c) => c.ariaLabel)'
    tab.locator(".term").nth(1).hover()
    assert sorted(tab.evaluate(faded)) == ["dL/do11, 1", "w13, 3"]
    cell(tab, "w", "w13").hover()
    strong = tab.locator(".term.strong")
    assert strong.get_attribute("aria-label") == "dL/do11 w13, that is 1 × 3"
    assert sorted(tab.evaluate(faded)) == ["dL/do12, 10", "w11, 1"]
    tab.locator(".term").nth(0).focus()
    assert sorted(tab.evaluate(faded)) == ["dL/do12, 10", "w11, 1"]


@pytest.mark.parametrize(
    ("spec", "element", "said", "korean"),
    [
        ("c1 i6x6 o1 k3 s2", "gx:0,0,0,5", "left over behind the last one", "마지막 윈도우 뒤"),
        ("c1 i8 o1 k2 s3", "gx:0,0,2", "the stride is larger than the kernel", "보폭이 커널보다"),
        ("c1 i9 o1 k3 s2 d2", "gx:0,0,1", "in a gap of the dilation", "팽창한 커널의 틈"),
        ("c1 i9 o1 k3 p-1", "gx:0,0,0", "the negative padding cuts it off", "음수 패딩"),
        ("c1 i1 o1 k3 p1", "gw:0,0,0", "this weight lies on padding", "패딩 위에"),
        ("n0 c1 i3 o1 k3", "gw:0,0,0", "no images in the batch", "이미지가 없어"),
    ],
)
def test_what_meets_nothing_says_why(
    opened: Open, spec: str, element: str, said: str, korean: str
) -> None:
    tab = opened(spec, address=f"#{spec.replace(' ', '+')}@{element}")
    assert said in tab.locator("#words").inner_text()
    assert equation(tab) == "0 = 0"
    tab.locator("[data-language=ko]").click()
    assert korean in tab.locator("#words").inner_text()


# --- keys -----------------------------------------------------------------------------------------


def test_arrow_keys_walk_through_an_array(opened: Open) -> None:
    tab = opened()
    cell(tab, "gx", "dL/dx13").focus()
    for key, chosen in [
        ("ArrowRight", "gx:0,0,0,3"), ("ArrowDown", "gx:0,0,1,3"), ("Home", "gx:0,0,1,0"),
        ("ArrowLeft", "gx:0,0,1,0"), ("End", "gx:0,0,1,4"), ("ArrowUp", "gx:0,0,0,4"),
    ]:  # fmt: skip
        tab.keyboard.press(key)
        assert tab.evaluate(CHOSEN) == chosen


def test_arrow_keys_go_on_in_the_next_plane(opened: Open) -> None:
    tab = opened("c2 i3x3 o1 k2")
    cell(tab, "x", "x133").focus()
    tab.keyboard.press("ArrowRight")
    assert tab.evaluate(CHOSEN) == "x:0,1,2,2"
    tab.keyboard.press("ArrowUp")
    assert tab.evaluate(CHOSEN) == "x:0,1,1,2"


def test_each_array_is_one_stop_of_the_tab_key(opened: Open) -> None:
    tab = opened()
    tab.locator("#sliders input").first.focus()
    stops = []
    for _ in range(60):
        tab.keyboard.press("Tab")
        stops.append(
            tab.evaluate("() => document.activeElement.ariaLabel ?? document.activeElement.id")
        )
    arrays = [s for s in stops if re.fullmatch(r"(dL/d)?[xwbo]\d*, [0-9]+", s)]
    assert arrays == [
        "x11, 1", "w11, 1", "b, 1", "o11, 412", "dL/dx13, 13", "dL/dw11, 14131", "dL/db, 1111",
        "dL/do11, 1",
    ]  # fmt: skip


# --- numbers --------------------------------------------------------------------------------------


def test_typing_changes_a_given_number(opened: Open) -> None:
    tab = opened()
    cell(tab, "w", "w13").focus()
    tab.keyboard.type("-2.5")
    tab.keyboard.press("Enter")
    assert cell(tab, "w", "w13").get_attribute("aria-label") == "w13, −2.5"
    assert tab.evaluate("() => document.activeElement.ariaLabel") == "w13, −2.5"
    cell(tab, "gx", "dL/dx13").click()
    assert equation(tab) == "7.5 = 1 · (−2.5) + 10 · 1"


def test_what_is_no_number_is_refused(opened: Open) -> None:
    tab = opened()
    cell(tab, "x", "x11").click()
    tab.locator("#number").fill("1,5")
    tab.keyboard.press("Enter")
    assert tab.locator("#number-problem").inner_text() == "That is not a number."
    assert tab.locator("#number").get_attribute("aria-invalid") == "true"
    tab.keyboard.press("Escape")
    assert tab.evaluate("() => pellucid.state.numbers.at('x', [0, 0, 0, 0])") == 1


def test_computed_numbers_cannot_be_typed(opened: Open) -> None:
    tab = opened()
    cell(tab, "gx", "dL/dx13").click()
    tab.keyboard.type("7")
    assert tab.locator("#edit").is_hidden()
    assert equation(tab) == "13 = 1 · 3 + 10 · 1"


def test_patterns_and_notation(opened: Open) -> None:
    tab = opened()
    tab.locator("#patterns label", has_text="ones").click()
    assert equation(tab) == "2 = 1 · 1 + 1 · 1"
    tab.keyboard.press("ArrowRight")
    assert tab.evaluate("() => pellucid.state.pattern") == "mixed"
    tab.locator("#patterns label", has_text="ones").click()
    tab.locator("#notations label", has_text="all indices").click()
    assert tab.locator(".cell.chosen").get_attribute("aria-label") == "dL/dx[0,0,0,2], 2"
    assert r"\partial y_{0,0,0,0}" in code(tab, "latex")


# --- code -----------------------------------------------------------------------------------------


SHARED = [
    ("counting", EXAMPLE, "gx:0,0,0,2"),
    ("mixed", "n2 c2 i6 o4 k3 s2 p1 g2", "gw:3,0,1"),
    ("counting", "c1 i6x5 o2 k2x3 p0:1x2:0 d1x2", "gx:0,0,3,4"),
    ("mixed", "c1 i7x6 o1 k3 p-1:0", "gx:0,0,2,2"),
    ("ones", "c1 i3x4x4 o1 k2 s1x2x1 p1", "y:0,0,1,1,2"),
    ("mixed", "c2 i4x4 o3 k2", "gb:2"),
]


@pytest.mark.parametrize(("pattern", "spec", "element"), SHARED)
def test_the_code_prints_the_number(opened: Open, pattern: str, spec: str, element: str) -> None:
    tab = opened(spec, address=f"#{spec.replace(' ', '+')}@{element}")
    tab.locator(f"#patterns input[value={pattern}]").check(force=True)
    tab.evaluate(
        "() => pellucid.state.numbers.set('w', pellucid.state.spec.shapes.w.map(() => 0), 2.5)"
    )
    tab.locator("#notations input[value=indices]").check(force=True)
    libraries = ["pellucid", "torch"] if find_spec("torch") else ["pellucid"]
    for library in libraries:
        source = code(tab, library)
        assert "w[0, 0" in source
        value = float(source.rpartition("= ")[2])
        assert printed(source) == pytest.approx(value, rel=1e-12)


def test_copying_copies(opened: Open) -> None:
    tab = opened(permissions=["clipboard-read", "clipboard-write"])
    for button, name in [
        ("[data-copy=torch]", "torch"),
        ("[data-copy=latex]", "latex"),
        ("#copy-latex", "latex"),
    ]:
        tab.locator(button).click()
        tab.locator("#said", has_text="Copied").wait_for()
        assert tab.evaluate("() => navigator.clipboard.readText()") == code(tab, name)


# --- the problem ----------------------------------------------------------------------------------

# Walk through all combinations of the sliders; after each step say what is asked for, what is drawn
# and whether it is complained of.
SLIDERS = """
() => {
  const few = [1, 2];
  const choices = { i: [3, 5], k: [1, 3], s: few, p: [0, 1], d: few, c: few, o: few, g: few };
  const steps = [];
  const set = (key, value) => {
    const slider = document.getElementById(`slider-${key}`);
    if (Number(slider.value) === value) return;
    slider.value = value;
    slider.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const walk = (keys) => {
    if (keys.length === 0) {
      steps.push([pellucid.state.asked, pellucid.formatSpec(pellucid.state.spec),
        document.getElementById("problem").textContent,
        document.querySelectorAll(".stage .is-y .cell").length,
        document.getElementById("spec").value]);
      return;
    }
    for (const value of choices[keys[0]]) { set(keys[0], value); walk(keys.slice(1)); }
  };
  walk(Object.keys(choices));
  return steps;
}
"""


@pytest.mark.slow
def test_every_combination_of_sliders(opened: Open) -> None:
    seen, impossible = set(), 0
    for asked, drawn, problem, outputs, line in opened().evaluate(SLIDERS):
        seen.add(asked)
        assert line == asked
        try:
            spec = ConvSpec.parse(asked)
        except ShapeError:
            impossible += 1
            assert "There is no such convolution." in problem
            assert drawn in problem
        else:
            assert (drawn, problem) == (str(spec), "")
            count = spec.batch * spec.out_channels
            for size in spec.out_size:
                count *= size
            assert outputs == count
    assert len(seen) == 256
    assert impossible > 50


def test_a_spec_is_typed_and_a_mistake_is_explained(opened: Open) -> None:
    tab = opened()
    tab.locator("#spec").fill("c1 i4x4 o1 k5x5")
    assert "d (k − 1) + 1 = 5 > 4" in tab.locator("#problem").inner_text()
    assert "still that of c1 i5x5 o1 k3x3 s2" in tab.locator("#problem").inner_text()
    tab.locator("#spec").fill("c1 i4x4 o1 k3x3")
    assert tab.locator("#problem").inner_text() == ""
    assert tab.locator(".is-x .cell").count() == 16


def test_a_large_problem_says_what_is_left_out_and_derives_single_elements(opened: Open) -> None:
    tab = opened("n8 c3 i224x224 o64 k7x7 s2 p3")
    assert "x has 1,204,224 numbers, and at most 800 are drawn" in tab.locator(".note").inner_text()
    assert tab.locator("#view").is_hidden()
    tab.locator("#goto-array").select_option("gw")
    tab.locator("#goto-index").fill("63, 2, 6, 0")
    tab.locator("#goto button").click()
    assert "97,680 windows use this weight" in tab.locator("#words").inner_text()
    assert tab.locator(".term").count() == 12
    assert "97,668 more" in tab.locator(".more").inner_text()
    tab.locator("#goto-index").fill("64,0,0,0")
    tab.locator("#goto button").click()
    assert tab.locator("#goto-problem").inner_text() == (
        "Give o,c,u,v, each from 0 and below 64,3,7,7."
    )
    tab.locator("#spec").fill(EXAMPLE)
    assert tab.locator(".is-x .cell").count() == 25


# --- the views ------------------------------------------------------------------------------------


def test_steps_go_forth_and_back(opened: Open) -> None:
    tab = opened()
    last = tab.locator("#pictures .picture").last

    def numbers() -> str:
        return " ".join(last.locator(".number").all_text_contents())

    assert numbers() == " ".join(["0"] * 25)
    tab.locator("#next").click()
    tab.locator("#next").click()
    assert numbers().startswith("1 2 13 20 30 4 5 46 50 60 7 8 79")
    assert tab.locator("#step-count").inner_text() == "2 / 4"
    tab.locator("#previous").click()
    assert numbers().startswith("1 2 3 0 0 4 5 6 0 0")
    for tab_name, count in [("Gather", 25), ("Phases", 4), ("Kernel", 4)]:
        tab.get_by_role("tab", name=tab_name).click()
        tab.locator("#seek").fill(str(count))
        assert tab.locator("#step-count").inner_text() == f"{count} / {count}"
        assert tab.locator("#next").is_disabled()
        expected = (
            "14131 15242" if tab_name == "Kernel" else "1 2 13 20 30 4 5 46 50 60 107 208 1379"
        )
        assert numbers().startswith(expected)
    tab.keyboard.press("Tab")
    tab.get_by_role("tab", name="Kernel").focus()
    tab.keyboard.press("ArrowLeft")
    assert tab.get_by_role("tab", name="Phases").get_attribute("aria-selected") == "true"


def test_it_plays_to_the_end_and_stops(opened: Open) -> None:
    tab = opened(reduced_motion="reduce")
    tab.clock.install()
    tab.locator("#play").click()
    assert tab.locator("#play").get_attribute("aria-label") == "Pause"
    tab.clock.run_for(60_000)
    assert tab.locator("#step-count").inner_text() == "4 / 4"
    assert tab.locator("#play").get_attribute("aria-label") == "Play"
    tab.locator("#restart").click()
    assert tab.locator("#step-count").inner_text() == "0 / 4"


def test_the_heat_map_counts_and_gives_reasons(opened: Open) -> None:
    tab = opened("c1 i6x6 o1 k3 s2")
    counts = [n.inner_text() for n in tab.locator("#heat .cell").all()]
    assert counts[:6] == ["1", "1", "2", "1", "1", "L"]
    assert counts[30:] == ["L"] * 6
    assert tab.locator("#legend").inner_text().endswith("left over behind the last window")


# --- languages and themes -------------------------------------------------------------------------


def test_both_languages_have_the_same_words(opened: Open) -> None:
    shape = """() => { const shape = (words) => typeof words === "object"
      ? Object.fromEntries(Object.entries(words).map(([key, value]) => [key, shape(value)])) : "";
      return [shape(pellucid.STRINGS.en), shape(pellucid.STRINGS.ko)]; }"""
    english, korean = opened().evaluate(shape)
    assert english == korean


def test_korean(opened: Open) -> None:
    tab = opened(language="ko")
    assert tab.locator("h1").inner_text() == "기울기는 어디에서 오는가"
    assert tab.evaluate("() => document.documentElement.lang") == "ko"
    sizes = [name.inner_text() for name in tab.locator("#sliders .name").all()]
    assert sizes == ["입력 크기", "커널", "보폭", "패딩", "팽창", "입력 채널", "출력 채널", "그룹"]
    tab.locator("[data-language=en]").click()
    assert tab.locator("h1").inner_text() == "Where a gradient comes from"


def test_the_theme_follows_the_system_and_the_switch(opened: Open) -> None:
    paper = "() => getComputedStyle(document.body).backgroundColor"
    light, dark = "rgb(253, 252, 250)", "rgb(20, 22, 26)"
    tab = opened(color_scheme="dark")
    assert tab.evaluate(paper) == dark
    tab.locator("#theme").click()
    assert tab.evaluate(paper) == light
    tab.locator("#theme").click()
    assert tab.evaluate(paper) == dark
