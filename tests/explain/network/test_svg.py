"""Heat maps as SVG: the cells of each strength, and a file that is whole and safe."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from pellucid.explain.network.svg import Column, Panel, Sheet, to_svg
from pellucid.explain.pictures.scene import THEMES

SVG = "{http://www.w3.org/2000/svg}"


def sheet(cells: np.ndarray, signed: bool = True, **options: object) -> Sheet:
    limit = float(np.abs(cells).max())
    panel = Panel("terms", cells, limit, signed, **options)  # type: ignore[arg-type]
    blank = Panel("x", np.zeros((2, 2)), 1.0, False)
    columns = [Column("image <1>", "+1", blank, panel)]
    return Sheet("a & b", "what it shows", "en", columns, ("adds", "takes"), ["a note"])


def painted(text: str, shape: tuple[int, int]) -> np.ndarray:
    """What the paths of the last panel paint, read back cell by cell."""
    groups = ElementTree.fromstring(text).findall(f"{SVG}g")
    cells = np.zeros(shape)
    for path in groups[-1].findall(f"{SVG}path"):
        sign = -1 if path.attrib["class"] == "n" else 1
        for left, top, wide in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", path.attrib["d"]):
            part = cells[int(top), int(left) : int(left) + int(wide)]
            assert not part.any()  # nothing is painted twice
            part += sign * float(path.attrib["fill-opacity"])
    return cells


@pytest.mark.parametrize("shape", [(8, 8), (1, 20), (5, 3)])
def test_every_cell_has_its_strength(shape: tuple[int, int]) -> None:
    cells = np.random.default_rng(0).standard_normal(shape)
    seen = painted(to_svg(sheet(cells)), shape)
    np.testing.assert_allclose(seen, cells / np.abs(cells).max(), atol=0.5 / 12 + 0.006)


def test_a_frame_marks_a_cell() -> None:
    text = to_svg(sheet(np.ones((4, 4)), mark=(1, 2)))
    (mark,) = [r for r in ElementTree.fromstring(text).iter(f"{SVG}rect") if r.get("class") == "m"]
    assert float(mark.attrib["width"]) == 33.0
    assert float(mark.attrib["x"]) == 16 + 2 * 33


def test_it_is_well_formed_titled_and_alone() -> None:
    text = to_svg(sheet(np.eye(3)))
    root = ElementTree.fromstring(text)
    name = root.attrib["id"]
    assert root.attrib["aria-labelledby"] == f"{name}-title {name}-desc"
    assert root.find(f"{SVG}title").text == "a & b"  # type: ignore[union-attr]
    assert root.find(f"{SVG}desc").text == "what it shows"  # type: ignore[union-attr]
    assert "image &lt;1&gt;" in text
    assert text.count("//") == 1  # the name space
    assert "a note" in text
    for theme in THEMES.values():
        for tone, colour in theme.items():
            assert f"--{tone}:{colour}" in text
    assert "prefers-color-scheme:dark" in text


def test_equal_pictures_are_equal_files_and_others_have_other_names() -> None:
    one, same, other = (to_svg(sheet(np.eye(k))) for k in (3, 3, 4))
    assert one == same
    assert re.search(r'id="(\w+)"', one)[1] != re.search(r'id="(\w+)"', other)[1]  # type: ignore[index]


def test_cells_without_a_number_stay_empty() -> None:
    cells = np.array([[np.nan, 1.0], [np.inf, -1.0]])
    panel = Panel("terms", cells, np.nan, True)
    blank = Panel("x", np.zeros((2, 2)), 1.0, False)
    text = to_svg(Sheet("a", "b", "en", [Column("c", "d", blank, panel)], ("e", "f"), []))
    assert not painted(text, (2, 2)).any()
