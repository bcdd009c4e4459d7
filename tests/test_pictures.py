"""The pictures of the pages: drawn by their scripts, described, and legible."""

from __future__ import annotations

import importlib.util
import re
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

import pellucid
from pellucid.explain.pictures.scene import Box, Label
from pellucid.explain.pictures.text import width
from pellucid.ops import conv2d

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "pictures"
SVG = "{http://www.w3.org/2000/svg}"


def script(name: str) -> Any:
    """Return a script as a module."""
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


EXAMPLE, EXPLAINED = script("worked_example"), script("explained")
DRAWN = {"worked_example": EXAMPLE.pictures(), "explained": EXPLAINED.pictures()}
NAMES = [name for drawn in DRAWN.values() for name in drawn]


@pytest.mark.parametrize("name", DRAWN)
def test_the_files_are_what_the_script_draws(name: str) -> None:
    for file, svg in DRAWN[name].items():
        kept = (FOLDER / file).read_text(encoding="utf-8")
        assert kept == svg, f"run python docs/pictures/{name}.py: {file} is old"


def test_there_are_no_other_files() -> None:
    assert sorted(path.name for path in FOLDER.glob("*.svg")) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_picture_has_a_title_and_a_description(name: str) -> None:
    root = ET.parse(FOLDER / name).getroot()
    for part in ("title", "desc"):
        element = root.find(SVG + part)
        assert element is not None
        assert element.text
        assert element.get("id") in str(root.get("aria-labelledby")).split()
    assert bool(re.search("[가-힣]", "".join(root.itertext()))) == (".ko." in name)


def test_the_dots_are_the_windows_that_reach_a_pixel() -> None:
    grid = EXAMPLE.grid("gx", 110, 0, 44)
    boxes = [shape for shape in EXAMPLE.dots(grid) if isinstance(shape, Box)]
    places = [(box.left + box.width / 2, box.top + box.height / 2) for box in boxes]
    inside = Counter((int(y // 44), int(x // 44)) for x, y in places if x < grid.width)

    x = pellucid.zeros(1, 1, 5, 5, requires_grad=True)
    conv2d(x, pellucid.ones(1, 1, 3, 3), stride=2).sum().backward()
    assert x.grad is not None
    covered = x.grad.numpy()[0, 0]
    assert {pixel: covered[pixel] for pixel in inside} == dict(inside)
    assert len(inside) == covered.size


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_worked_example_has_its_names_and_equations(language: str) -> None:
    scene = EXAMPLE.picture(language).scene
    labels = [shape for shape in scene.shapes if isinstance(shape, Label)]
    texts = [label.text for label in labels]
    assert "$∂L/∂x_{13} = ∂L/∂o_{11} w_{13} + ∂L/∂o_{12} w_{11}$" in texts
    assert (
        "$o_{12} = x_{13} w_{11} + x_{14} w_{12} + x_{15} w_{13} + … + x_{35} w_{33} + b$" in texts
    )
    assert texts.count("$w_{13}$") == 3
    for label in labels:
        half = width(label.text, label.size) / 2
        assert 0 <= label.x - half <= label.x + half <= scene.width


@pytest.mark.parametrize("name", ["page-light", "page-dark", "page-light.ko", "page-dark.ko"])
def test_pictures_of_the_page_are_small(name: str) -> None:
    file = FOLDER / f"{name}.png"
    assert file.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert file.stat().st_size < 200_000
