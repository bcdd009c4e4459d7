"""Layout: blocks beside each other without overlap, equations in lines that fit."""

import pytest
from explain.problems import draw

from pellucid.explain import derive
from pellucid.explain.pictures.layout import MARGIN, Piece, Sheet, disc, during
from pellucid.explain.pictures.plan import Plan
from pellucid.explain.pictures.scene import Label

WIDEST = 860  # fits a page of GitHub without being made smaller


def sheet(expression):
    return Sheet(Plan(expression.derivation, expression).columns, "A heading of some words")


@pytest.mark.parametrize("number", range(40))
def test_blocks_do_not_overlap_and_are_inside(number):
    d = derive(draw(number, largest=9, seed=3))
    for elements in (d.grad_input, d.grad_weight, d.grad_bias):
        if not len(elements):
            continue
        found = sheet(next(iter(elements)))
        assert found.wide <= WIDEST
        boxes = [(b.left, b.top - 24, b.left + b.width, b.top + b.height) for b in found.blocks]
        for k, (left, top, right, bottom) in enumerate(boxes):
            assert MARGIN - 0.1 <= left < right <= found.wide - MARGIN + 0.1
            assert 30 < top < bottom < found.y
            for other in boxes[:k]:
                apart = right <= other[0] or other[2] <= left or bottom <= other[1] or (
                    other[3] <= top
                )  # fmt: skip
                assert apart, (number, elements.title)


def test_a_long_equation_has_lines_that_begin_with_a_sign():
    found = sheet(derive("c1 i5x5 o1 k3x3 s2").grad_bias[0])
    found.shapes.clear()
    pieces = [Piece("$x$"), *(Piece(f"$x_{{{k}}} w_{{{k}}}$", "+", None) for k in range(20))]
    top = found.y
    found.equation(pieces)
    lines = {}
    for label in found.shapes:
        lines.setdefault(label.y, []).append(label)
    assert list(lines) == [top, top + 28, top + 56]
    assert [line[0].text for line in lines.values()] == ["$x$", "$+$", "$+$"]
    for line in lines.values():
        last = line[-1]
        assert last.x + last.width <= found.wide - MARGIN + 0.1
        assert line[0].x >= MARGIN - 0.1


def test_numbers_of_terms_stand_under_them():
    found = sheet(derive("c1 i5x5 o1 k3x3 s2").grad_bias[0])
    found.shapes.clear()
    found.equation([Piece("$x$"), Piece("$w$", "=", 4)], frozenset([2]))
    name, sign, term, line, circle, number = found.shapes
    assert (name.text, sign.text, term.text, number.text) == ("$x$", "$=$", "$w$", "5")
    assert line.style.fill == circle.style.fill == "tone4"
    assert number.x == term.x + term.width / 2
    assert {shape.frames for shape in found.shapes} == {frozenset([2])}


def test_discs_and_frames():
    assert [shape.frames for shape in during(disc(0, 0, 8), frozenset([1]))] == [frozenset([1])] * 2
    assert [shape.text for shape in disc(0, 0, 8) if isinstance(shape, Label)] == ["9"]
