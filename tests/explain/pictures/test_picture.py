"""Pictures: files by their ending, whole or not at all, themes, and notebooks."""

from pathlib import Path

import pytest
from PIL import Image

from pellucid import files
from pellucid.errors import ArgumentError, DataError
from pellucid.explain import derive, view

D = derive("c1 i3 o1 k2")
STILL, MOVING = D.grad_input[0, 0, 1].figure(), view(D, "scatter").animation()


def test_an_svg_is_saved(tmp_path):
    STILL.save(tmp_path / "a.svg")
    STILL.save(str(tmp_path / "b.SVG"), theme="dark")
    assert (tmp_path / "a.svg").read_text(encoding="utf-8") == STILL.svg()
    assert (tmp_path / "b.SVG").read_text(encoding="utf-8") == STILL.svg("dark")
    assert STILL.svg("dark") != STILL.svg("light") != STILL.svg()


@pytest.mark.parametrize("kind", ["png", "gif"])
def test_pixels_are_saved(kind, tmp_path):
    for theme, corner in (("auto", (255, 255, 255)), ("dark", (13, 17, 23))):
        for picture, frames in ((STILL, 1), (MOVING, 2)):
            picture.save(tmp_path / f"a.{kind}", theme)
            with Image.open(tmp_path / f"a.{kind}") as image:
                assert image.format == kind.upper()
                assert getattr(image, "n_frames", 1) == picture.frames == frames
                assert image.convert("RGB").getpixel((1, 1)) == corner


def test_a_file_is_whole_or_not_there(tmp_path, monkeypatch):
    STILL.save(tmp_path / "a.svg")

    def interrupted(*_):
        raise OSError(28, "No space")

    monkeypatch.setattr(files.os, "replace", interrupted)
    with pytest.raises(DataError, match=r"a\.svg cannot be written: No space"):
        MOVING.save(tmp_path / "a.svg")
    assert [path.name for path in tmp_path.iterdir()] == ["a.svg"]
    assert (tmp_path / "a.svg").read_text(encoding="utf-8") == STILL.svg()


def test_what_is_refused(tmp_path):
    with pytest.raises(ArgumentError) as raised:
        STILL.save(tmp_path / "a.jpg")
    assert str(raised.value) == (
        "save: there is no picture of the kind '.jpg'\n  fix: name the file .svg, .png or .gif"
    )
    with pytest.raises(ArgumentError) as raised:
        STILL.svg("sepia")
    assert str(raised.value) == (
        "svg: there is no theme 'sepia'\n  fix: use one of auto, light, dark"
    )
    with pytest.raises(ArgumentError, match="there is no theme 'sepia'"):
        STILL.save(Path("a.svg"), "sepia")
    assert list(tmp_path.iterdir()) == []


def test_a_notebook_shows_it():
    assert STILL._repr_svg_() == STILL._repr_html_() == STILL.svg()
