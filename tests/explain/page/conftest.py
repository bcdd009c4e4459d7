"""A real Chromium, from the system, in which the tests of the page open it.

Where there is no Chromium, or Playwright is not installed, they skip; CI allows no skip.
"""

from __future__ import annotations

import io
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from pellucid.explain.page import page

Open = Callable[..., Any]
EXAMPLE = "c1 i5x5 o1 k3x3 s2"
CHOSEN = "() => pellucid.state.chosen.array + ':' + pellucid.state.chosen.index"

CELL = '.array.is-{} .cell[aria-label^="{},"]'

# The cells that are lit, with the number of their colour; and the windows that are framed.
LIT = """
() => [...document.querySelectorAll(".stage .cell.lit")].map((cell) => [
  cell.getAttribute("aria-label").split(",")[0],
  Number(cell.style.getPropertyValue("--tone").match(/[0-9]+/)[0])])
"""
FRAMES = """
() => [...document.querySelectorAll(".stage .frame")].map((frame) => [
  frame.closest(".array").className.replace("array is-", ""),
  ...["row", "column", "rows", "columns"].map(
    (name) => Number(frame.style.getPropertyValue(`--${name}`)))])
"""


def cell(tab: Any, array: str, name: str) -> Any:
    """The cell of an element, by the name that is read out."""
    return tab.locator(CELL.format(array, name))


def equation(tab: Any) -> str:
    """The numbers below the equation, as in `13 = 1 · 3 + 10 · 1`."""
    parts = tab.locator("#equation .numbers, #equation .sign span:last-child")
    return " ".join(parts.all_text_contents())


def code(tab: Any, name: str) -> str:
    return tab.locator(f".is-{name}.source code").inner_text()


def printed(source: str) -> float:
    out = io.StringIO()
    with redirect_stdout(out):
        exec(source, {})
    return float(re.search(r"-?\d[\d.]*(e[+-]?\d+)?", out.getvalue())[0])


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Return Playwright's Chromium."""
    sync_api = pytest.importorskip("playwright.sync_api")
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("there is no Chromium on this machine")
    with sync_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def functions(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return a page that is opened once, for tests that only call its functions."""
    file = tmp_path_factory.mktemp("page") / "page.html"
    file.write_text(page(EXAMPLE), encoding="utf-8")
    tab = browser.new_page()
    tab.goto(file.as_uri())
    return tab


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Open]:
    """Return a function that opens the page of a spec; at the end nothing was complained of."""
    complaints: list[str] = []
    contexts: list[Any] = []

    def open_page(
        spec: str = EXAMPLE,
        language: str = "en",
        address: str = "",
        view: str = "scatter",
        transposed: bool = False,
        **options: Any,
    ) -> Any:
        file = tmp_path / "page.html"
        file.write_text(page(spec, language, view=view, transposed=transposed), encoding="utf-8")
        context = browser.new_context(**({"viewport": {"width": 1280, "height": 900}} | options))
        contexts.append(context)
        context.on("request", lambda request: check_request(request.url))
        tab = context.new_page()
        tab.on("console", lambda said: complaints.append(f"{said.type}: {said.text}"))
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.goto(file.as_uri() + address)
        return tab

    def check_request(url: str) -> None:
        if not url.startswith(("file:", "data:")):
            complaints.append(f"asks for {url}")

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
