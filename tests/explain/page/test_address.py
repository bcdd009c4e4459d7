"""The address of the page carries the problem, the element and the view, and leads back to them."""

from __future__ import annotations

from typing import Any

import pytest
from explain.page.conftest import CHOSEN, EXAMPLE, Open


@pytest.mark.parametrize(
    ("spec", "element"),
    [
        ("n2 c2 i6x5 o4 k3x2 s2x1 p0:1x1:0 d1x2 g2", "gw:3,0,2,1"),
        ("c1 i5x5 o1 k3x3 s2", "gy:0,0,1,1"),
        ("c1 i7 o1 k3 p-1", "x:0,0,6"),
    ],
)
def test_the_address_leads_back(opened: Open, spec: str, element: str) -> None:
    tab = opened()
    tab.locator("#spec").fill(spec)
    array, index = element.split(":")
    tab.evaluate(f"""() => document.querySelectorAll(".array.is-{array} .cell").forEach((cell) => {{
        if (String(cell.element.index) === "{index}") cell.click(); }})""")
    address = tab.evaluate("() => location.hash")
    assert address == f"#{spec.replace(' ', '+')}@{element}"
    again = opened(address=address)
    assert again.evaluate("() => pellucid.formatSpec(pellucid.state.spec)") == spec
    assert again.evaluate(CHOSEN) == element
    assert again.locator("#equation").inner_html() == tab.locator("#equation").inner_html()


def test_the_address_may_change_and_may_be_nonsense(opened: Open) -> None:
    tab = opened(address="#c1+i5+o1+k9@zz:%E0%A4")
    assert "larger than the padded input" in tab.locator("#problem").inner_text()
    assert tab.evaluate(CHOSEN) == "gx:0,0,0,2"
    tab.evaluate("() => { location.hash = '#c1+i4+o1+k2@y:0,0,9' }")
    tab.wait_for_function("() => pellucid.state.spec.k[0] === 2")
    assert tab.evaluate(CHOSEN) == "gx:0,0,1"
    tab.evaluate("() => { location.hash = '#c1+i4+o1+k2@y:0,0,2' }")
    tab.wait_for_function("() => pellucid.state.chosen.array === 'y'")


def open_tab(tab: Any) -> str:
    return tab.locator("#tabs [aria-selected=true]").inner_text()


def test_the_address_carries_the_view(opened: Open) -> None:
    tab = opened(address="#c1+i4+o1+k2@gw:0,0,1/phases")
    assert (open_tab(tab), tab.evaluate(CHOSEN)) == ("Phases", "gw:0,0,1")
    tab.get_by_role("tab", name="Gather").click()
    assert tab.evaluate("() => location.hash") == "#c1+i4+o1+k2@gw:0,0,1/gather"
    assert tab.evaluate("() => document.activeElement.id") == "tab-gather"
    tab.keyboard.press("ArrowLeft")
    assert tab.evaluate("() => location.hash") == "#c1+i4+o1+k2@gw:0,0,1"
    tab.evaluate("() => { location.hash = '#c1+i4+o1+k2/windows' }")
    tab.wait_for_function("() => pellucid.state.view === 'windows'")
    assert (open_tab(tab), tab.evaluate(CHOSEN)) == ("Kernel", "gx:0,0,1")
    tab.evaluate("() => { location.hash = '#c1+i5+o1+k2/sideways' }")
    tab.wait_for_function("() => pellucid.state.spec.i[0] === 5")
    assert open_tab(tab) == "Scatter"


@pytest.mark.parametrize(
    ("view", "title"),
    [("scatter", "Scatter"), ("gather", "Gather"), ("phases", "Phases"), ("windows", "Kernel")],
)
def test_a_view_is_chosen_from_python(opened: Open, view: str, title: str) -> None:
    tab = opened(view=view)
    assert open_tab(tab) == title
    assert tab.locator("#step-count").inner_text().startswith("0 / ")
    tab.get_by_role("tab", name="Scatter").click()
    assert tab.evaluate("() => location.hash") == f"#{EXAMPLE.replace(' ', '+')}"
    tab.reload()
    assert open_tab(tab) == "Scatter"


def test_an_address_without_an_element_leads_to_the_first(opened: Open) -> None:
    tab = opened(address="#c1+i5x5+o1+k2")  # where dL/dx13 of the file's own problem exists too
    assert tab.evaluate(CHOSEN) == "gx:0,0,0,1"
