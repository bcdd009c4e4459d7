"""The pictures of the pages: drawn by their script, well formed, described, and legible."""

from __future__ import annotations

import importlib.util
import re
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest

import pellucid
from pellucid.ops import conv2d

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "pictures"
SVG = "{http://www.w3.org/2000/svg}"


def drawing() -> Any:
    """Return the script as a module."""
    spec = importlib.util.spec_from_file_location("worked_example", FOLDER / "worked_example.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


DRAWING = drawing()


def luminance(colour: str) -> float:
    """The relative luminance of WCAG 2."""
    channels = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


def contrast(a: str, b: str) -> float:
    low, high = sorted([luminance(a), luminance(b)])
    return (high + 0.05) / (low + 0.05)


def test_the_files_are_what_the_script_draws() -> None:
    drawn = DRAWING.pictures()
    assert {path.name for path in FOLDER.glob("*.svg")} == set(drawn)
    for name, svg in drawn.items():
        kept = (FOLDER / name).read_text(encoding="utf-8")
        assert kept == svg, f"run python docs/pictures/worked_example.py: {name} is old"


@pytest.mark.parametrize("name", DRAWING.pictures())
def test_every_picture_has_a_title_and_a_description(name: str) -> None:
    root = ET.parse(FOLDER / name).getroot()
    for part in ("title", "desc"):
        element = root.find(SVG + part)
        assert element is not None
        assert element.text
        assert element.get("id") in str(root.get("aria-labelledby")).split()
    assert bool(re.search("[가-힣]", "".join(root.itertext()))) == (".ko." in name)


@pytest.mark.parametrize("theme", DRAWING.THEMES)
def test_colours_stand_out_from_the_page(theme: str) -> None:
    colours = DRAWING.THEMES[theme]
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    for name in ("ink", "faint"):
        assert contrast(colours[name], colours["paper"]) >= 4.5
    for colour in colours["o"]:
        assert contrast(colour, colours["paper"]) >= 3


def test_the_dots_are_the_windows_that_reach_a_pixel() -> None:
    grid = DRAWING.Grid(0, 0, 42, 5)
    svg = " ".join(DRAWING.Picture("light", "en").dots(grid))
    places = [(float(x), float(y)) for x, y in re.findall(r'cx="(\S+)" cy="(\S+)"', svg)]
    inside = Counter((int(y // 42), int(x // 42)) for x, y in places if x < grid.width)

    x = pellucid.zeros(1, 1, 5, 5, requires_grad=True)
    conv2d(x, pellucid.ones(1, 1, 3, 3), stride=2).sum().backward()
    assert x.grad is not None
    covered = x.grad.numpy()[0, 0]
    assert {pixel: covered[pixel] for pixel in inside} == dict(inside)
    assert len(inside) == covered.size


@pytest.mark.parametrize("name", ["page-light", "page-dark", "page-light.ko", "page-dark.ko"])
def test_pictures_of_the_page_are_small(name: str) -> None:
    file = FOLDER / f"{name}.png"
    assert file.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert file.stat().st_size < 200_000
