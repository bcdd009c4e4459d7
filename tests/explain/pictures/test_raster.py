"""PNG and GIF: the colours and the frames of the scene, and no text that is cut off."""

import contextlib
import io

import matplotlib
import matplotlib.font_manager
import numpy as np
import pytest
from PIL import Image

from pellucid.errors import UnsupportedError
from pellucid.explain import derive, view
from pellucid.explain.pictures import raster
from pellucid.explain.pictures.scene import THEMES, Box, Label, Line, Scene, Style
from pellucid.explain.pictures.text import runs

D = derive("c1 i5x5 o1 k3x3 s2")
RED = "tone1"


def scene(*shapes, **more):
    return Scene(60, 40, "title", "desc", "en", shapes, **more)


def opened(data):
    return Image.open(io.BytesIO(data))


def pixel(image, x, y):
    """The colour at a place of the scene, as #rrggbb."""
    at = (round(raster.SCALE * x), round(raster.SCALE * y))
    return "#{:02x}{:02x}{:02x}".format(*image.convert("RGB").getpixel(at))


@pytest.mark.parametrize("theme", THEMES)
def test_shapes_have_their_places_and_colours(theme):
    colours = THEMES[theme]
    image = opened(
        raster.to_png(
            scene(
                Box(10, 10, 20, 10, Style(RED)),
                Box(40, 10, 10, 10, Style("tone0"), radius=5),
                Line(((0, 30), (60, 30)), Style(stroke="ink", width=4)),
                Line(((0, 35), (10, 35), (5, 40)), Style("tile")),
            ),
            theme,
        )
    )
    assert image.size == (60 * raster.SCALE, 40 * raster.SCALE)
    assert pixel(image, 5, 5) == colours["paper"]
    assert pixel(image, 12, 12) == pixel(image, 28, 18) == colours[RED]
    assert pixel(image, 45, 15) == colours["tone0"]
    assert pixel(image, 40, 10) == colours["paper"]  # the corner is round
    assert pixel(image, 30, 30) == colours["ink"]
    assert pixel(image, 5, 36) == colours["tile"]


def test_a_filling_can_be_seen_through():
    image = opened(raster.to_png(scene(Box(0, 0, 60, 40, Style("ink", 0.5))), "light"))
    seen = np.array(image.convert("RGB").getpixel((30, 30)))
    ink = np.array([int(THEMES["light"]["ink"][k : k + 2], 16) for k in (1, 3, 5)])
    assert np.abs(seen - (ink + 255) / 2).max() <= 1


def test_a_label_stands_in_the_middle_of_its_place():
    image = opened(raster.to_png(scene(Label(30, 20, "$x_{13}$", 16)), "light")).convert("L")
    rows, columns = np.nonzero(np.asarray(image) < 128)
    assert abs((columns.min() + columns.max()) / 2 - 30 * raster.SCALE) < 4
    assert rows.min() < 20 * raster.SCALE < rows.max()


def test_a_width_is_kept():
    def wide(**more):
        label = Label(5, 20, "$w w$", 12, anchor="start", **more)
        image = opened(raster.to_png(scene(label), "light")).convert("L")
        columns = np.nonzero(np.asarray(image) < 128)[1]
        return columns.max() - columns.min()

    assert wide(width=50) > 1.5 * wide()


def moving(frames=3):
    boxes = [Box(20 * k, 0, 20, 40, Style(RED), frames=frozenset([k])) for k in range(frames)]
    return scene(*boxes, frames=frames, seconds=0.5, still=1)


@pytest.mark.parametrize("kind", ["png", "gif"])
def test_frames_follow_each_other(kind):
    image = opened(getattr(raster, f"to_{kind}")(moving(), "light"))
    assert (image.format, image.n_frames) == (kind.upper(), 3)
    for k in range(3):
        image.seek(k)
        assert image.info["duration"] == 500
        seen = [pixel(image, 20 * place + 10, 20) for place in range(3)]
        expected = [THEMES["light"]["paper"]] * 3
        expected[k] = THEMES["light"][RED]
        assert seen == expected
    assert image.info["loop"] == 0


def test_one_frame_does_not_move():
    for data in (raster.to_png(moving(1), "dark"), raster.to_gif(moving(1), "dark")):
        assert getattr(opened(data), "n_frames", 1) == 1


def test_equal_scenes_are_equal_files():
    assert raster.to_png(moving(), "light") == raster.to_png(moving(), "light")


def test_the_global_state_of_matplotlib_is_left_alone():
    before = dict(matplotlib.rcParams)
    raster.to_png(moving(1), "light")
    assert dict(matplotlib.rcParams) == before


@pytest.mark.parametrize(
    "picture",
    [
        D.grad_input[0, 0, 0, 2].figure(), D.forward[0, 0, 1, 1].figure(), D.coverage(),
        *(view(D, name).animation() for name in ("scatter", "gather", "phases", "correlation")),
        derive("n8 c64 i224x224 o64 k7x7 s2 p3").grad_input[0, 1, 100, 222].figure(),
    ],
)  # fmt: skip
def test_no_text_is_cut_off(picture):
    """In the fonts inside matplotlib, which are wide."""
    for label in picture.scene.shapes:
        if isinstance(label, Label):
            wide = label.width or sum(raster._of_run(run, label)[1] for run in runs(label.text))
            left = label.x - (wide / 2 if label.anchor == "middle" else 0)
            assert left >= 0, label
            assert left + wide <= picture.scene.width, label
            assert label.y + label.size / 2 <= picture.scene.height, label


def test_korean_needs_a_font_of_the_system(monkeypatch):
    monkeypatch.setattr(matplotlib.font_manager, "findSystemFonts", list)
    raster._hangul_file.cache_clear()
    raster._glyphs.cache_clear()
    with pytest.raises(UnsupportedError) as raised:
        raster.to_png(scene(Label(30, 20, "가중치", 12)), "light")
    assert str(raised.value) == (
        "save: this system has no font with Korean letters that is known here\n"
        "  fix: install Noto Sans KR or NanumGothic, or save an SVG, whose reader brings the font"
    )


def test_korean_is_painted_where_there_is_one():
    raster._hangul_file.cache_clear()
    with contextlib.suppress(UnsupportedError):
        image = opened(raster.to_png(scene(Label(30, 20, "가중치", 12)), "light")).convert("L")
        assert (np.asarray(image) < 128).sum() > 100
