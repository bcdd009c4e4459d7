"""Arrays as boxes: names, padding, marks, and where there is no room."""

from __future__ import annotations

import re

import pytest
from rich.console import Console

from pellucid.explain import derive

grids = pytest.importorskip("pellucid.cli.grids")


def drawn(spec: str, keys: tuple[str, ...], notation: str = "textbook", **marked: set) -> str:
    console = Console(width=80, record=True, color_system=None)
    table = grids.boxes(derive(spec, notation=notation), keys, marked, 78, plain=True)
    console.print(table)
    return "\n".join(line.rstrip() for line in console.export_text().splitlines())


def test_boxes_side_by_side() -> None:
    assert drawn("c1 i2x2 o1 k2x1", ("x", "w", "gy"), x={(0, 0, 0, 1)}) == (
        "x             w       dL/do\n"
        "┌────┬────┐   ┌───┐   ┌───┬───┐\n"
        "│x11 │x12*│   │w11│   │o11│o12│\n"
        "├────┼────┤   ├───┤   └───┴───┘\n"
        "│x21 │x22 │   │w21│\n"
        "└────┴────┘   └───┘"
    )


def test_the_padding_stands_around_x() -> None:
    assert drawn("c1 i1x2 o1 k1x2 p0:1x1:0", ("x",), "indices") == (
        "x\n┌───┬───┬───┐\n│ 0 │0,0│0,1│\n├───┼───┼───┤\n│ 0 │ 0 │ 0 │\n└───┴───┴───┘"
    )


def test_a_transposed_convolution_has_no_padding_around_x_and_uncovered_outputs() -> None:
    console = Console(width=80, record=True, force_terminal=True, color_system="standard")
    d = derive("c1 i4 o1 k1 s2 p1", transposed=True)
    console.print(grids.boxes(d, ("x", "y"), {}, 78, plain=False))
    text = console.export_text(styles=True)
    assert re.findall(r"\x1b\[2m([xo]\d)\x1b", text) == ["o1", "o3"]
    assert "0" not in re.sub(r"\x1b\[[\d;]*m", "", text)


def test_one_axis_is_a_row() -> None:
    assert drawn("c1 i3 o1 k2 p1:0", ("x", "y")) == (
        "x               o\n"
        "┌──┬──┬──┬──┐   ┌──┬──┬──┐\n"
        "│0 │x1│x2│x3│   │o1│o2│o3│\n"
        "└──┴──┴──┴──┘   └──┴──┴──┘"
    )


def test_uncovered_elements_are_dim() -> None:
    console = Console(width=80, record=True, force_terminal=True, color_system="standard")
    console.print(grids.boxes(derive("c1 i2 o1 k1 s2"), ("gx",), {}, 78, plain=False))
    text = console.export_text(styles=True)
    assert "\x1b[36mx1\x1b[0m" in text
    assert "\x1b[2mx2\x1b[0m" in text


@pytest.mark.parametrize(
    "spec", ["n2 c1 i3 o1 k1", "c2 i3 o1 k1", "c1 i3 o2 k1", "c1 i3x3x3 o1 k1", "c1 i30x30 o1 k1"]
)
def test_what_is_not_drawn(spec: str) -> None:
    assert grids.boxes(derive(spec), ("x", "w", "y"), {}, 78, plain=True) is None


def test_a_tall_array_is_left_out_without_making_its_cells(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(grids._Box, "_cell")
    derivation = derive("c1 i999999x3 o1 k3x3")
    assert grids.boxes(derivation, ("w", "gy"), {}, 78, plain=True) is None
