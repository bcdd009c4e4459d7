"""Labels: what is mathematics, what is lowered, and how wide they are."""

import pytest

from pellucid.explain.pictures.text import Run, plain, runs, width, wrapped


def test_runs():
    assert runs("$x_{1,13}$: the pixel") == [
        Run("x", True, False), Run("1,13", True, True), Run(": the pixel", False, False),
    ]  # fmt: skip
    assert runs("a_{1}") == [Run("a_{1}", False, False)]
    assert runs("") == []
    assert plain("$∂L/∂x_{13}$ = 0") == "∂L/∂x13 = 0"


def test_subscripts_are_narrower_and_hangul_is_wider():
    assert width("$x_{13}$", 10) < width("$x13$", 10)
    assert width("$x$", 20) == 2 * width("$x$", 10)
    assert width("합성곱", 10) > width("abc", 10)


@pytest.mark.parametrize("text", ["one two three four five six", "하나 둘 셋 넷 다섯 여섯"])
def test_lines_fit_and_are_about_as_long_as_each_other(text):
    lines = wrapped(text, 10, 0.55 * width(text, 10))
    assert " ".join(lines) == text
    assert len(lines) == 2
    assert all(width(line, 10) <= 0.62 * width(text, 10) for line in lines)


def test_mathematics_is_not_cut():
    assert wrapped("$x_{1} w_{1}$ and", 10, 1) == ["$x_{1} w_{1}$", "and"]
    assert wrapped("", 10, 100) == []
