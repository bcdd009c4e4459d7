"""Blocks: where cells stand, when they have names, and numbers of rows where they do not."""

import pytest

from pellucid.explain import derive
from pellucid.explain.pictures.block import GAP, Block, Part
from pellucid.explain.pictures.scene import Label, Style


def part(spec="c1 i5x5 o1 k3x3 s2", key="x", places=None, lead=(0, 0), **kinds):
    names = derive(spec, **kinds).names
    if places is None:
        places = tuple(map(range, names.arrays[key[-1]].shape[2:]))
    return Part(names, key, lead, places)


def labels(shapes):
    return [shape.text for shape in shapes if isinstance(shape, Label)]


def test_cells_stand_on_a_grid():
    block = Block(part(), 40, True)
    block.left, block.top = 10, 100
    assert (block.width, block.height) == (200, 200)
    assert block.corner((0, 0)) == (10, 100)
    assert block.middle((2, 3)) == (10 + 3.5 * 40, 100 + 2.5 * 40)


def test_a_row_and_slices():
    row = Block(part("c1 i4 o1 k2"), 40, True)
    assert (row.width, row.height, row.corner((3,))) == (160, 40, (120, 0))
    slices = Block(part("c1 i2x3x4 o1 k2x2x2"), 40, True)
    assert slices.height == 2 * 3 * 40 + GAP
    x, y = slices.corner((0, 0, 0))
    assert slices.corner((1, 2, 3)) == (x + 3 * 40, y + 3 * 40 + GAP + 2 * 40)
    assert labels(slices.numbers()) == ["$d=1$", "$d=2$"]


def test_a_bias_is_one_cell():
    names = derive("c1 i5x5 o3 k3x3").names
    block = Block(Part(names, "gb", (2,), ()), 40, True)
    assert (block.width, block.height) == (40, 40)
    assert labels(block.labels()) == ["$∂L/∂b_{3}$"]


def test_places_that_are_left_out_leave_a_gap():
    block = Block(part(places=((0, 1, 4), (0, 1, 4))), 40, False)
    assert block.corner((4, 4))[0] - block.corner((0, 1))[0] == 40 + GAP
    assert labels(block.numbers()) == ["1", "2", "5"] * 2


def test_names_are_written_where_they_fit_and_numbers_where_not():
    wide, narrow = Block(part(key="gx"), 52, True), Block(part(key="gx"), 30, True)
    assert wide.labelled
    assert labels(wide.labels())[:2] == ["$∂L/∂x_{11}$", "$∂L/∂x_{12}$"]
    assert labels(wide.numbers()) == []
    assert not narrow.labelled
    assert labels(narrow.labels()) == []
    assert labels(narrow.numbers()) == ["1", "2", "3", "4", "5"] * 2
    indices = Block(part(key="gx", notation="indices"), 30, True)
    assert labels(indices.numbers())[:3] == ["0", "1", "2"]


def test_padding_has_dashes_and_zeros_and_no_numbers():
    padded = part("c1 i2x2 o1 k2x2 p1", places=(range(-1, 3), range(-1, 3)))
    block = Block(padded, 40, True)
    boxes = list(block.cells(padded.text))
    assert [box.title for box in boxes if box.title] == ["x11", "x12", "x21", "x22"]
    assert sum(box.style.dash > 0 for box in boxes) == 12
    assert {box.style.dash for box in boxes} == {0, 2.5}
    uneven = Block(padded, 43, True).cells(padded.text)
    assert {43 / box.style.dash % 2 for box in uneven if box.style.dash} == {0}
    assert labels(block.zeros()) == ["$0$"] * 12
    small = Block(padded, 20, False)
    assert labels(small.numbers()) == ["1", "2"] * 2


@pytest.mark.parametrize(
    ("spec", "key", "lead", "notation", "title"),
    [
        ("c1 i5x5 o1 k3x3", "x", (0, 0), "textbook", "$X$"),
        ("c1 i5x5 o1 k3x3", "gy", (0, 0), "textbook", "$∂L/∂O$"),
        ("n2 c4 i5x5 o4 k3x3 g2", "w", (3, 1), "textbook", "$W_{o=4,c=2}$"),
        ("n2 c4 i5x5 o4 k3x3 g2", "gx", (1, 2), "indices", "$∂L/∂x_{n=1,c=2}$"),
    ],
)
def test_titles(spec, key, lead, notation, title):
    assert part(spec, key, lead=lead, notation=notation).title == title


def test_an_outline_is_cut_at_the_edge():
    block = Block(part(), 40, True)
    style = Style(stroke="tone0")
    (box,) = block.outline([range(-1, 2), range(3, 6)], style, 2)
    assert (box.left, box.top, box.width, box.height) == (122, 2, 76, 76)
    assert list(block.outline([range(5, 8), range(3)], style, 2)) == []
    deep = Block(part("c1 i3x3x3 o1 k2x2x2"), 40, True)
    assert len(list(deep.outline([range(1, 3)] * 3, style, 2))) == 2
