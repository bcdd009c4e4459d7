"""Pictures: of the right size, on both papers, with the colours that say what they should."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest

from pellucid.training import EpochDone
from pellucid.training import pictures as module
from pellucid.training.pictures import (
    DARK,
    LIGHT,
    Theme,
    draw_confusion,
    draw_curves,
    draw_filters,
    draw_image,
)

image = pytest.importorskip("matplotlib.image")

HISTORY = [EpochDone(k, 1 / k, 1.5 / k, 1 - 0.5 / k) for k in range(1, 6)]
CONFUSION = np.array([[9, 1, 0], [0, 8, 0], [0, 4, 3]])


def pixels(png: bytes) -> np.ndarray:
    return image.imread(io.BytesIO(png))[..., :3]


def size(png: bytes) -> tuple[int, int]:
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", png[16:24])


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_every_picture_on_both_papers(theme: Theme) -> None:
    weight = np.random.default_rng(0).standard_normal((12, 2, 3, 3))
    for png in (
        draw_curves(HISTORY, theme),
        draw_confusion(CONFUSION, ["cat", "dog", "ant"], theme),
        draw_filters(weight, theme),
    ):
        assert size(png)[0] == 1120
        np.testing.assert_allclose(pixels(png)[0, 0], module._rgb(theme.paper), atol=0.005)
        assert np.ptp(pixels(png)) > 0.5


def test_equal_pictures_are_equal_files() -> None:
    five = draw_curves(HISTORY)
    assert draw_curves(HISTORY) == five
    assert draw_curves(HISTORY[:1]) != five  # one epoch is a picture too


def test_confusion_is_blue_where_it_is_right_and_orange_where_it_is_wrong() -> None:
    colours = module._confusion_colours(CONFUSION, LIGHT)
    paper = module._rgb(LIGHT.paper)
    red, blue = colours[..., 0], colours[..., 2]
    assert (blue > red)[np.eye(3, dtype=bool)].all()
    wrong = [(0, 1), (2, 1)]
    assert all(red[at] > blue[at] for at in wrong)
    distance = np.abs(colours - paper).sum(axis=-1)
    assert distance[2, 1] > distance[0, 1] > 0  # 4 of 7 against 1 of 10
    assert all((colours[at] == paper).all() for at in [(0, 2), (1, 0), (1, 2), (2, 0)])


@pytest.mark.parametrize("confusion", [np.diag([3, 4]), np.zeros((2, 2), int)])
def test_confusion_without_mistakes_or_without_images(confusion: np.ndarray) -> None:
    colours = module._confusion_colours(confusion, DARK)
    assert np.isfinite(colours).all()
    assert ((colours >= 0) & (colours <= 1)).all()
    assert (colours[0, 1] == module._rgb(DARK.paper)).all()


@pytest.mark.parametrize("count", [1, 9])
def test_filters_are_blue_above_zero_and_orange_below(count: int) -> None:
    for sign in (1, -1):
        found = pixels(draw_filters(np.full((count, 1, 3, 3), sign * 0.5)))
        colour = module._rgb(LIGHT.blue if sign > 0 else LIGHT.orange)
        share = (np.abs(found - colour).max(axis=-1) < 0.02).mean()
        assert share > 0.3 * count / (8 * -(-count // 8))


def test_filters_that_are_all_zero() -> None:
    assert size(draw_filters(np.zeros((4, 1, 5, 5))))[0] == 1120


def test_an_image_is_drawn_pixel_for_pixel_with_dark_ink() -> None:
    x = np.array([[0.0, 1.0], [0.5, 0.25], [0.0, 0.0]], np.float32)
    assert size(draw_image(x)) == (2, 3)
    np.testing.assert_allclose(pixels(draw_image(x))[..., 0], 1 - x, atol=0.005)
