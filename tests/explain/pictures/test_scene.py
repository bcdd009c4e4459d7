"""The colours: both themes have all of them, and letters can be read on what they stand on."""

import numpy as np
import pytest

from pellucid.explain.pictures.coverage import _DARK
from pellucid.explain.pictures.figure import _SHADE
from pellucid.explain.pictures.scene import THEMES, TONES, tone


def channels(colour: str) -> np.ndarray:
    return np.array([int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)])


def luminance(rgb: np.ndarray) -> float:
    """The relative luminance of WCAG 2."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


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
