"""axe-core finds nothing serious, and nothing sticks out of a narrow screen."""

from __future__ import annotations

from typing import Any

import pytest
from explain.page.conftest import EXAMPLE, Open

PHONE = {"width": 360, "height": 740}
DESKTOP = {"width": 1280, "height": 900}
SPECS = [
    EXAMPLE,
    "n2 c2 i6x6 o4 k3x3 s3 p1 g2",
    "c1 i9 o2 k3 s2 d2",
    "c1 i3x4x4 o1 k2",
    "c3 i224x224 o64 k7",
]


def violations(tab: Any) -> list[str]:
    """What axe-core calls serious or critical: the rule and the elements."""
    sync_playwright = pytest.importorskip("axe_playwright_python.sync_playwright")
    found = sync_playwright.Axe().run(tab).response["violations"]
    return [
        f"{one['impact']} {one['id']}: {[node['html'][:120] for node in one['nodes'][:3]]}"
        for one in found
        if one["impact"] in {"serious", "critical"}
    ]


@pytest.mark.parametrize(
    "spec", [EXAMPLE, *(pytest.param(spec, marks=pytest.mark.slow) for spec in SPECS[1:])]
)
@pytest.mark.parametrize(("viewport", "scheme"), [(PHONE, "dark"), (DESKTOP, "light")])
def test_axe_finds_nothing_serious(opened: Open, spec: str, viewport: Any, scheme: Any) -> None:
    tab = opened(spec, "ko" if scheme == "dark" else "en", viewport=viewport, color_scheme=scheme)
    assert violations(tab) == []


@pytest.mark.slow
@pytest.mark.parametrize("viewport", [PHONE, DESKTOP])
def test_axe_finds_nothing_serious_after_use(opened: Open, viewport: Any) -> None:
    tab = opened("c1 i6x6 o1 k2 s3 p1", viewport=viewport)
    for name in ("Gather", "Phases", "Kernel"):
        tab.get_by_role("tab", name=name).click()
        tab.locator("#next").click()
        assert violations(tab) == []
    tab.locator(".array.is-x .cell").first.click()
    tab.locator("#number").fill("one")
    tab.keyboard.press("Enter")
    tab.locator("#spec").fill("c1 i2x2 o1 k7")
    assert violations(tab) == []


@pytest.mark.parametrize("spec", SPECS)
def test_a_phone_needs_no_scrolling_sideways(opened: Open, spec: str) -> None:
    tab = opened(spec, viewport=PHONE)
    width = "() => document.documentElement.scrollWidth"
    assert tab.evaluate(width) <= PHONE["width"]
    tab.locator("[data-language=ko]").click()
    assert tab.evaluate(width) <= PHONE["width"]


def test_nothing_moves_where_less_motion_is_asked_for(opened: Open) -> None:
    duration = "() => getComputedStyle(document.querySelector('.cell')).transitionDuration"
    assert opened().evaluate(duration) != "0s"
    assert opened(reduced_motion="reduce").evaluate(duration) == "0s"


def test_the_focus_is_seen(opened: Open) -> None:
    tab = opened()
    tab.locator(".cell.chosen").focus()
    tab.keyboard.press("ArrowRight")
    style = "() => getComputedStyle(document.activeElement).outlineStyle"
    assert tab.evaluate(style) == "solid"
