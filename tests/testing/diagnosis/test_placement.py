"""One axis: the right table, and what each wrong way does to it."""

from __future__ import annotations

import numpy as np
import pytest

from pellucid.kernels.conv import ConvSpec
from pellucid.testing.diagnosis import placement
from pellucid.testing.diagnosis.placement import Axis, axes_of, table

# 6 pixels with one of padding, 3 taps, stride 2: windows at -1, 1, 3, and a row left over.
AXIS = Axis(size=6, low=1, high=1, kernel=3, stride=2, dilation=1, windows=3)
OTHER = Axis(size=5, low=0, high=0, kernel=2, stride=1, dilation=2, windows=3)


def meetings(**fields: str) -> set[tuple[int, ...]]:
    """The entries (pixel, window, tap) that are 1."""
    found = table(AXIS, OTHER, tuple(fields.items()))
    assert found is not None
    return set(map(tuple, np.argwhere(found == 1).tolist()))


RIGHT = {(h, i, u) for h in range(6) for i in range(3) for u in range(3) if h == 2 * i + u - 1}


def test_the_right_table() -> None:
    assert meetings() == RIGHT
    assert (AXIS.leftover, AXIS.padded, AXIS.reach, AXIS.spread, AXIS.natural) == (1, 8, 2, 5, 5)
    spec = ConvSpec.parse("c1 i6x5 o1 k3x2 s2x1 p1x0 d1x2")
    assert axes_of(spec) == (AXIS, OTHER)


@pytest.mark.parametrize(
    ("fields", "meets"),
    [
        ({"stride": "one"}, lambda h, i, u: h == i + u - 1),
        ({"stride": "other"}, lambda h, i, u: h == i + u - 1),
        ({"stride": "more"}, lambda h, i, u: h == 3 * i + u - 1),
        ({"dilation": "other"}, lambda h, i, u: h == 2 * i + 2 * u - 1),
        ({"low": "zero"}, lambda h, i, u: h == 2 * i + u),
        ({"low": "both ends"}, lambda h, i, u: h == 2 * i + u - 2),
        ({"low": "leftover"}, lambda h, i, u: h == 2 * i + u),
        ({"flip": "yes"}, lambda h, i, u: h == 2 * i + (2 - u) - 1),
        ({"windows": "last"}, lambda h, i, u: h == 2 * i + u - 1 and i == 2),
        ({"windows": "but the last"}, lambda h, i, u: h == 2 * i + u - 1 and i < 2),
        ({"windows": "each stride"}, lambda h, i, u: h == 2 * i + u - 1 and i != 1),
        ({"taps": "but the first"}, lambda h, i, u: h == 2 * i + u - 1 and u > 0),
        ({"limit": "yes"}, lambda h, i, u: h == 2 * i + u - 1 and h < 5),
        ({"border": "negative"}, lambda h, i, u: h == (2 * i + u - 1) % 6),
    ],
)
def test_a_wrong_way(fields: dict[str, str], meets) -> None:
    wanted = {(h, i, u) for h in range(6) for i in range(3) for u in range(3) if meets(h, i, u)}
    assert meetings(**fields) == wanted != RIGHT


def test_one_of_the_windows_on_a_pixel_wins() -> None:
    last, first = meetings(winner="last of pixel"), meetings(winner="first of pixel")
    assert RIGHT - last == {(1, 0, 2), (3, 1, 2)}
    assert RIGHT - first == {(1, 1, 0), (3, 2, 0)}
    assert meetings(winner="last of tap") == {(3, 2, 0), (4, 2, 1), (5, 2, 2)}
    assert meetings(winner="last of window") == {(1, 0, 2), (3, 1, 2), (5, 2, 2)}


def test_a_mean_over_the_windows_on_a_pixel() -> None:
    found = table(AXIS, OTHER, (("mean", "yes"),))
    assert found is not None
    np.testing.assert_array_equal(found.sum((1, 2)), 1)
    assert found[1, 0, 2] == 0.5


@pytest.mark.parametrize(
    ("size", "pixels"),
    [("natural", 5), ("padded", 8), ("cropped twice", 4), ("other", 5), ("low cropped", 7),
     ("natural rest", 6), ("always rest", 6), ("at most", 5),
     ("nothing", 3), ("p", 5), ("p rest", 6)],
)  # fmt: skip
def test_how_many_pixels_come_out(size: str, pixels: int) -> None:
    found = table(AXIS, OTHER, (("size", size),))
    assert found is not None
    assert found.shape == (pixels, 3, 3)


def test_how_many_taps_and_windows_come_out() -> None:
    shapes = {
        fields: getattr(table(AXIS, OTHER, fields), "shape", None)
        for fields in [
            (("kernel", "natural"),), (("kernel", "bare"),), (("count", "bare"),),
            (("stride", "one"), ("count", "natural")), (("stride", "one"), ("kernel", "natural")),
        ]
    }  # fmt: skip
    assert list(shapes.values()) == [(6, 3, 4), (6, 3, 2), (6, 2, 3), (6, 6, 3), (6, 3, 6)]


def test_what_is_empty_and_what_is_impossible() -> None:
    bare = AXIS._replace(low=0, high=0, windows=2)
    empty = table(bare, OTHER, (("size", "empty"),))
    assert empty is not None
    assert empty.shape == (0, 2, 3)
    assert table(AXIS._replace(windows=1), OTHER, (("size", "nothing"),)) is None


@pytest.mark.parametrize("mode", ["edge", "reflect", "wrap"])
def test_borders_are_those_of_numpy(mode: str) -> None:
    pixels = np.arange(-3, 9)
    name = {"edge": "edge", "reflect": "reflect", "wrap": "circular"}[mode]
    np.testing.assert_array_equal(
        placement.BORDERS[name](pixels, 6), np.pad(np.arange(6), 3, mode=mode)
    )
