"""Gather: the zeros, the leftover rows, the padding and the flipped kernel."""

import numpy as np
import pytest

from pellucid.explain import derive, view
from pellucid.explain.axis import Axis
from pellucid.explain.views.gather import GatherAxis

TEXT = """\
Gather: dL/dx is one convolution with stride 1, of dL/do with zeros in it and the flipped kernel.
Spread dL/do: 1x1 zeros between neighbours, 1x0 leftover behind, and padding d (k - 1) - p of 1x0 \
before and 1x1 behind (negative: cropped), 4x4 in all (0: a zero between or behind, .: padding):
    .        .  .        .
    dL/do11  0  dL/do12  .
    0        0  0        .
    .        .  .        .
Flip the kernel along every axis, its taps d apart:
    w22  w21
    w12  w11
Slide it with stride 1; what is not zero, for the element in the middle:
    dL/dx22 = dL/do12 w21"""


def test_the_text():
    assert view(derive("c1 i3x3 o1 k2x2 s2 p0x1:0"), "gather").text() == TEXT


def kinds(place):
    return "".join(
        {"element": "o", "inserted": "0", "leftover": "-", "padding": "."}[cell.kind]
        for cell in place.cells()
    )


@pytest.mark.parametrize(
    ("axis", "cells", "kernel"),
    [
        (Axis(5, 3, 2, 0, 0, 1), "..o0o..", (2, 1, 0)),
        (Axis(6, 3, 2, 0, 0, 1), "..o0o-..", (2, 1, 0)),  # a leftover row
        (Axis(5, 3, 2, 1, 1, 1), ".o0o0o.", (2, 1, 0)),
        (Axis(5, 2, 1, 0, 0, 3), "...oo...", (1, None, None, 0)),  # a gap of the dilation
        (Axis(3, 1, 3, 1, 1, 1), "00o", (0,)),  # the padding crops: more than the kernel reaches
        (Axis(4, 1, 2, 0, 0, 1), "o0o-", (0,)),
        (Axis(6, 2, 1, -1, 0, 1), "..oooo.", (1, 0)),  # negative padding adds
    ],
)
def test_the_geometry_of_an_axis(axis, cells, kernel):
    place = GatherAxis(axis)
    assert kinds(place) == cells
    assert place.kernel() == kernel
    assert len(cells) == axis.size + axis.reach - 1  # so that stride 1 gives every pixel
    for h in range(axis.size):
        assert place.meetings(h) == axis.of_pixel(h)


def test_the_arrays_are_those_that_are_drawn():
    seen = view(derive("c1 i6x5 o1 k2x3 s2 p1x0 d1x2"), "gather")
    gy = np.arange(1.0, 1 + np.prod(seen.spec.y_shape)).reshape(seen.spec.y_shape)
    rows, columns = (place.cells() for place in seen.places)
    drawn = [[0.0 if None in (r.at, c.at) else gy[0, 0, r.at, c.at] for c in columns] for r in rows]
    assert seen.spread(gy)[0, 0].tolist() == drawn
    w = np.arange(1.0, 7.0).reshape(1, 1, 2, 3)
    assert seen.kernel(w)[0, 0].tolist() == [[6, 0, 5, 0, 4], [3, 0, 2, 0, 1]]


def test_one_axis_and_a_kernel_with_gaps():
    text = view(derive("c1 i5 o1 k2 d2", notation="indices"), "gather").text()
    assert "    .  .  dL/dy[0,0,0]  dL/dy[0,0,1]  dL/dy[0,0,2]  .  .\n" in text
    assert "\n    w[0,0,1]  0  w[0,0,0]\n" in text
