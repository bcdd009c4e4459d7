"""The index equation of one axis, against trying every window and tap."""

from itertools import product

import pytest

from pellucid.explain.axis import Axis, axes_of
from pellucid.kernels.conv import ConvSpec

AXES = [
    Axis(size, kernel, stride, low, high, dilation)
    for size, kernel, stride, low, high, dilation in product(
        range(1, 8), range(1, 4), range(1, 5), range(-1, 3), range(-1, 3), range(1, 4)
    )
    if size + low + high >= dilation * (kernel - 1) + 1
]


def meetings(axis):
    """All (window, tap, pixel) that meet, by the definition."""
    return [
        (i, u, h)
        for i in range(axis.windows)
        for u in range(axis.kernel)
        for h in [i * axis.stride + u * axis.dilation - axis.low]
        if 0 <= h < axis.size
    ]


def test_the_worked_example():
    axis = Axis(5, kernel=3, stride=2, low=0, high=0, dilation=1)
    assert axis.windows == 2
    assert [axis.of_pixel(h) for h in range(5)] == [
        ((0, 0),),
        ((0, 1),),
        ((0, 2), (1, 0)),
        ((1, 1),),
        ((1, 2),),
    ]
    assert axis.of_window(1) == ((0, 2), (1, 3), (2, 4))
    assert axis.of_tap(2) == ((0, 2), (1, 4))


def test_all_three_readings_find_the_same_meetings():
    assert len(AXES) > 2000
    for axis in AXES:
        expected = meetings(axis)
        by_window = [(i, u, h) for i in range(axis.windows) for u, h in axis.of_window(i)]
        by_tap = [(i, u, h) for u in range(axis.kernel) for i, h in axis.of_tap(u)]
        by_pixel = [(i, u, h) for h in range(axis.size) for i, u in axis.of_pixel(h)]
        assert by_window == expected, axis
        assert sorted(by_tap) == expected, axis
        assert sorted(by_pixel) == expected, axis
        for found in map(axis.of_pixel, range(axis.size)):
            assert list(found) == sorted(found), axis


def test_uncovered_pixels_say_why():
    seen = set()
    for axis in AXES:
        covered = {h for _, _, h in meetings(axis)}
        spans = [
            range(first, first + axis.dilation * (axis.kernel - 1) + 1)
            for first in (i * axis.stride - axis.low for i in range(axis.windows))
        ]
        for h in range(axis.size):
            why = axis.why_uncovered(h)
            seen.add(why)
            if h in covered:
                expected = None
            elif h + axis.low < 0 or h >= axis.size + axis.high:
                expected = "crop"
            elif h > spans[-1][-1]:
                expected = "leftover"
            elif any(h in span for span in spans):
                expected = "dilation"
            else:
                expected = "stride"
            assert why == expected, (axis, h)
    assert seen == {None, "crop", "leftover", "dilation", "stride"}


@pytest.mark.parametrize(
    ("name", "reasons"),
    [
        ("c1 i6 o1 k3 s2", [None] * 5 + ["leftover"]),
        ("c1 i8 o1 k2 s3", [None, None, "stride"] * 2 + [None, None]),
        ("c1 i9 o1 k3 s2 d2", [None, "dilation"] * 4 + [None]),
        ("c1 i4 o1 k2 p-1", ["crop", None, None, "crop"]),
    ],
)
def test_the_reasons_by_example(name, reasons):
    (axis,) = axes_of(ConvSpec.parse(name))
    assert [axis.why_uncovered(h) for h in range(axis.size)] == reasons


def test_the_axes_of_a_spec():
    assert axes_of(ConvSpec.parse("c1 i7x6 o1 k3x2 s2x1 p0:1x-1:2 d1x3")) == (
        Axis(7, 3, 2, 0, 1, 1),
        Axis(6, 2, 1, -1, 2, 3),
    )
