"""The page of contributions: whole, alone, escaped, in both languages."""

from __future__ import annotations

from html.parser import HTMLParser

import numpy as np
import pytest
from explain.network.layers import run

from pellucid import nn
from pellucid.explain import Contributions, contributions
from pellucid.explain.network.document import document
from pellucid.explain.network.table import facts, rows


class Tags(HTMLParser):
    """Checks that tags match, and collects the text outside of styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert not [name for name, _ in attrs if name.startswith("on") or name == "src"]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data if "style" not in self.open else ""


def found() -> Contributions:
    x = np.random.default_rng(0).random((2, 1, 6, 6), np.float32)
    return contributions(run(nn.Conv2d(1, 2, 3), x).layer, "weight", (1, 0, 2, 2))


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_everything_is_on_it(lang: str) -> None:
    page = document(found(), ["a < b"], 5, lang)  # type: ignore[arg-type]
    text = Tags(page).text
    assert page.startswith(f'<!DOCTYPE html>\n<html lang="{lang}">')
    assert "a < b" in text
    assert "a &lt; b" in page
    for fact in facts(found(), lang):  # type: ignore[arg-type]
        assert fact in text
    for row in rows(found(), 5):
        assert row.term in text
    assert page.count("<svg ") == 1
    assert page.count("//") == 1  # the name space of SVG: no address is loaded
    assert "<script" not in page
