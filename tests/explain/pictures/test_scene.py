"""The colours: both themes have all of them, all eyes tell them apart, and letters can be read."""

import re
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

import pellucid.explain.page
from pellucid.explain.pictures.coverage import _DARK
from pellucid.explain.pictures.figure import _SHADE
from pellucid.explain.pictures.scene import THEMES, TONES, tone


def channels(colour: str) -> np.ndarray:
    return np.array([int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)])


def linear(rgb: np.ndarray) -> np.ndarray:
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def luminance(rgb: np.ndarray) -> float:
    """The relative luminance of WCAG 2."""
    return float(linear(rgb) @ [0.2126, 0.7152, 0.0722])


def contrast(a: np.ndarray, b: np.ndarray) -> float:
    low, high = sorted([luminance(a), luminance(b)])
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_that_of_wcag():
    assert contrast(channels("#000000"), channels("#ffffff")) == pytest.approx(21)
    assert contrast(channels("#777777"), channels("#ffffff")) == pytest.approx(4.48, abs=0.01)


def test_both_themes_have_the_same_colours():
    assert list(THEMES["light"]) == list(THEMES["dark"])
    assert {tone(k) for k in range(20)} == {f"tone{k}" for k in range(TONES)} <= set(THEMES["dark"])


@pytest.mark.parametrize("theme", THEMES)
def test_everything_can_be_read(theme):
    colours = {name: channels(colour) for name, colour in THEMES[theme].items()}
    paper = colours["paper"]
    for name in ("ink", "soft"):
        assert contrast(colours[name], paper) >= 4.5
        assert contrast(colours[name], colours["tile"]) >= 4.5
    for k in range(TONES):
        shade = colours[tone(k)]
        assert contrast(shade, paper) >= 4.5  # lines, and numbers on discs
        assert contrast(colours["over"], shade) >= 4.5
        lit = paper + _SHADE * (shade - paper)
        assert contrast(colours["ink"], lit) >= 4.5
    heat = paper + _DARK * (colours["tone0"] - paper)
    assert contrast(colours["ink"], heat) >= 4.5


# What eyes without one kind of cones see of linear red, green and blue: Machado et al., "A
# physiologically-based model for simulation of color vision deficiency" (2009), severity 1.
EYES = {
    "three kinds": np.eye(3),
    "no long": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                [-0.003882, -0.048116, 1.051998]],
    "no middle": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                  [-0.011820, 0.042940, 0.968881]],
    "no short": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
                 [0.004733, 0.691367, 0.303900]],
}  # fmt: skip


def lab(seen: np.ndarray) -> np.ndarray:
    """CIE L*a*b* of linear red, green and blue, in which a distance of 2.3 is just seen."""
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    x, y, z = np.cbrt(to_xyz @ seen / [0.9505, 1, 1.089])  # none of these colours is near black
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def distance(a: str, b: str, eyes: str) -> float:
    seen = [np.clip(EYES[eyes] @ linear(channels(colour)), 0, 1) for colour in (a, b)]
    return float(np.linalg.norm(lab(seen[0]) - lab(seen[1])))


def tones_of_the_page() -> tuple[list[str], list[str]]:
    css = Path(pellucid.explain.page.__file__).with_name("page.css").read_text()
    light, dark = zip(*re.findall(r"--tone-\d: light-dark\((#\w{6}), (#\w{6})\)", css), strict=True)
    return list(light), list(dark)


@pytest.mark.parametrize("eyes", EYES)
def test_all_eyes_tell_the_tones_apart(eyes):
    palettes = [[THEMES[theme][tone(k)] for k in range(TONES)] for theme in THEMES]
    for tones in (*palettes, *tones_of_the_page()):
        assert len(tones) == TONES
        for a, b in combinations(tones, 2):
            assert distance(a, b, eyes) > 10, (a, b)


def test_such_a_distance_can_fail():
    blue, violet = "#0072b2", "#5a5fb0"
    assert distance(blue, violet, "no middle") < 2
    assert distance(blue, violet, "three kinds") > 20
