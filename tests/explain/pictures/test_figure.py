"""Figures: what the SVG lights is what the equation has, and every cell says its own equation."""

import random
import re
import time

import pytest
from explain.pictures.reading import Reading, short
from explain.problems import draw

from pellucid.errors import ArgumentError, UnsupportedError
from pellucid.explain import Expression, derive

EXAMPLE = derive("c1 i5x5 o1 k3x3 s2")


def arrays(d):
    return [d.forward, d.grad_input, d.grad_weight, d.grad_bias]


def read(expression, lang="en"):
    return Reading(expression.figure(lang).svg("light"))


def name_of(said: str) -> str:
    """The name that a cell's tooltip begins with."""
    return said.split(" = ", maxsplit=1)[0]


def lit(reading):
    """The names of the cells that are filled with a colour, but for the grey of the uncovered."""
    return {
        name_of(said)
        for said, styles in reading.fills().items()
        if any("fill-opacity" in style for style in styles)
    }


@pytest.mark.parametrize("number", range(40))
def test_what_is_lit_is_what_the_equation_has(number):
    d, rng = derive(draw(number, seed=1), transposed=number % 4 == 0), random.Random(number)
    for elements in arrays(d):
        if not len(elements):
            continue
        expression = elements[tuple(rng.randrange(size) for size in elements.shape)]
        picture = expression.figure()
        reading = Reading(picture.svg("light"))
        factors = [f for k in range(len(expression.terms)) for f in expression.terms[k].factors]
        expected = {f.text() for f in factors if f.key != "b"} | {expression.left.text()}
        if "Only a part is drawn" in "".join(reading.root.itertext()):
            assert lit(reading) <= expected
            assert expression.left.text() in lit(reading)
        else:
            assert lit(reading) == expected
        assert expression.text(9) in reading.text("desc")


@pytest.mark.parametrize("notation", ["textbook", "indices"])
def test_every_cell_has_its_name_and_says_its_equation(notation):
    d = derive("c1 i5x5 o1 k3x3 s2", notation=notation)
    for elements in arrays(d):
        for expression in elements:
            reading = read(expression)
            for said, cell in reading.cells().items():
                for written in reading.label_in(cell):
                    assert written == short(name_of(said))
            if elements.title != "grad_bias" and notation == "textbook":
                assert {other.text(6) for other in elements} <= set(reading.cells())
    reading = read(d.forward[0, 0, 0, 0])
    assert all(reading.label_in(cell) for cell in reading.cells().values())


def test_the_equation_stands_below_and_its_terms_have_the_numbers_of_their_cells():
    reading = read(EXAMPLE.grad_input[0, 0, 0, 2])
    texts = [label.text for label in reading.labels()]
    below = texts[texts.index("=") - 1 :]
    assert [text for text in below if not text.isdigit()] == [
        "∂L/∂x13", "=", "∂L/∂o11 w13", "+", "∂L/∂o12 w11",
    ]  # fmt: skip
    cells = reading.cells()
    for number, names in {"1": ["dL/do11", "w13"], "2": ["dL/do12", "w11"]}.items():
        for name in names:
            left, top, side = cells[name]
            assert [
                label.text
                for label in reading.labels()
                if abs(label.x - left - side + 4) < 0.1 and abs(label.y - top - 4) < 0.1
            ] == [number]


def test_what_no_window_covers_is_grey_and_says_why():
    d = derive("c1 i6x6 o1 k3x3 s2")
    reading = read(d.grad_input[0, 0, 0, 5])
    grey = {
        name_of(said)
        for said, styles in reading.fills().items()
        if any(style == "fill:#eaeef2" for style in styles)
    }
    rim = {f"dL/dx{h}{w}" for h in range(1, 7) for w in range(1, 7) if 6 in (h, w)}
    assert grey == rim
    texts = [label.text for label in reading.labels()]
    assert "∂L/∂x16 = 0: column 6 lies behind the last window, so it is left over" in texts
    korean = [label.text for label in read(d.grad_input[0, 0, 0, 5], "ko").labels()]
    assert "∂L/∂x16 = 0: 6열은 마지막 윈도우 뒤에 남는다" in korean


def test_of_a_transposed_convolution_what_no_window_covers_is_the_bias():
    d = derive("c1 i4 o1 k1 s2", transposed=True)
    assert (
        "o2 = b: place 2 lies between two windows: the stride 2 is larger than the 1 that a "
        in (" ".join(label.text for label in read(d.forward[0, 0, 1]).labels()))
    )


def test_padding_and_dilation_are_shown_as_they_are():
    reading = read(derive("c1 i4x4 o1 k2x2 p1 d2").forward[0, 0, 0, 0])
    zeros = [label for label in reading.labels() if label.text == "0"]
    assert len(zeros) == 6 * 6 - 4 * 4
    assert lit(reading) == {"o11", "x22", "w22"}


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_titles_and_descriptions(lang):
    for elements in arrays(EXAMPLE):
        expression = next(iter(elements))
        reading = read(expression, lang)
        assert expression.left.text() in reading.text("title")
        assert "c1 i5x5 o1 k3x3 s2" in reading.text("title")
        assert expression.text(9) in reading.text("desc")
        assert reading.root.get("lang") == lang
        words = "".join(label.text for label in reading.labels()) + reading.text("desc")
        assert bool(re.search("[가-힣]", words)) == (lang == "ko")


def test_a_large_problem_is_drawn_at_once_in_part():
    d = derive("n8 c64 i224x224 o64 k7x7 s2 p3")
    began = time.perf_counter()
    pictures = [
        d.forward[7, 63, 50, 100].figure(), d.grad_input[0, 1, 100, 222].figure(),
        d.grad_weight[0, 1, 1, 2].figure(), d.grad_bias[5].figure(),
    ]  # fmt: skip
    assert time.perf_counter() - began < 5
    for picture in pictures:
        svg = picture.svg()
        assert len(svg) < 60_000
        assert "Only a part is drawn" in svg
        assert picture.scene.width < 870
        assert picture.scene.height < 1000


def test_the_worked_example_is_small():
    for elements in arrays(EXAMPLE):
        for expression in elements:
            picture = expression.figure()
            assert len(picture.svg()) < 20_000
            assert picture.scene.width < 700
            assert picture.scene.height < 500


def test_what_figure_refuses():
    lone = Expression(EXAMPLE.forward[0, 0, 0, 0].left, EXAMPLE.forward[0, 0, 0, 0].terms)
    with pytest.raises(UnsupportedError) as raised:
        lone.figure()
    assert str(raised.value) == (
        "figure: o11 is of no convolution, and only these have pictures\n"
        "  fix: look at .text(), .latex() or .mathml()"
    )
    with pytest.raises(ArgumentError, match="there is no language 'fr'"):
        EXAMPLE.forward[0, 0, 0, 0].figure("fr")
