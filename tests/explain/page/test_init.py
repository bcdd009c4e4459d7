"""The file: complete in itself, small, and made of modules that are read in order."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest

from pellucid.errors import ArgumentError
from pellucid.explain import derive
from pellucid.explain import page as package
from pellucid.explain.page import page
from pellucid.kernels.conv import ConvSpec

FOLDER = Path(package.__file__).parent
MODULES = {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.js")}
LINES = 400


def test_one_file_without_a_network() -> None:
    text = page("c1 i5x5 o1 k3x3 s2")
    assert len(text.encode()) < 200_000
    assert not re.search(r"https?://|@import|url\(", text)
    assert not re.search(r"^(import|export) ", text, re.MULTILINE)


def test_spec_and_language_are_put_in() -> None:
    text = page(ConvSpec.parse("n1 c1 i5x5 o1 k3x3 s2"), "ko")
    assert '<html lang="ko" data-spec="c1 i5x5 o1 k3x3 s2"' in text
    assert "<title>pellucid: c1 i5x5 o1 k3x3 s2</title>" in text
    assert 'data-kind="convolution"' in text
    assert 'data-kind="transposed"' in page("c1 i5x5 o1 k3x3 s2", transposed=True)


def test_a_language_without_words_is_refused() -> None:
    with pytest.raises(ArgumentError) as raised:
        page("c1 i5 o1 k3", "de")
    assert str(raised.value) == "explain: there is no language 'de'\n  fix: use one of en, ko"


def test_a_view_that_the_page_does_not_have_is_refused() -> None:
    with pytest.raises(ArgumentError) as raised:
        page("c1 i5 o1 k3", view="correlation")
    assert str(raised.value) == (
        "explain: the page has no view 'correlation'\n"
        "  fix: use one of scatter, gather, phases, windows"
    )


def test_a_page_is_of_a_spec_alone() -> None:
    with pytest.raises(ArgumentError) as raised:
        page(derive("c1 i5 o1 k3", transposed=True))  # type: ignore[arg-type]
    assert str(raised.value) == (
        "explain: a page is of a spec, and ConvDerivation is none\n"
        "  fix: give d.spec, and transposed=d.transposed, of d = derive(...)"
    )


def test_modules_are_read_in_the_order_in_which_they_are_defined() -> None:
    order = list(package._MODULES)
    assert sorted(order) == sorted(MODULES)
    for name, following in pairwise(order):
        head = MODULES[name].split("\n\n")[0]
        assert f"Read on: {following}.js." in head.replace("\n// ", " "), name


def test_modules_import_from_those_before_them() -> None:
    order = list(package._MODULES)
    for name, text in MODULES.items():
        for imported in re.findall(r'from "\./(\w+)\.js"', text):
            assert order.index(imported) < order.index(name), (name, imported)


def test_modules_are_small() -> None:
    long = {name: len(text.splitlines()) for name, text in MODULES.items()}
    assert not {name: count for name, count in long.items() if count > LINES}
