"""Correlation: dilation and stride change places, and leftover rows are cropped."""

import pytest

from pellucid.explain import derive, view
from pellucid.explain.axis import Axis
from pellucid.explain.views.correlation import positions

TEXT = """\
Correlation: dL/dw is one convolution of x and dL/do: padded by 0:0x0:0 (low:high), the one slides \
over the other as a kernel with dilation 2x2 (the stride), with stride 1x1 (the dilation):
    dL/do11  dL/do12
    dL/do21  dL/do22
It fits 3x3 times, once for each tap. So:
    dL/dw11 = dL/do11 x11 + dL/do12 x13 + dL/do21 x31 + dL/do22 x33"""


def test_the_worked_example():
    assert view(derive("c1 i5x5 o1 k3x3 s2"), "correlation").text() == TEXT


def test_leftover_rows_are_cropped():
    text = view(derive("c1 i6x5 o1 k3x3 s2"), "correlation").text()
    assert "It fits 4x3 times; the first 3x3 are the taps, the rest is cropped. So:" in text


@pytest.mark.parametrize(
    ("axis", "count"),
    [(Axis(5, 3, 2, 0, 0, 1), 3), (Axis(6, 3, 2, 0, 0, 1), 4), (Axis(9, 3, 4, 0, 0, 2), 3),
     (Axis(12, 2, 5, 0, 0, 2), 4)],
)  # fmt: skip
def test_how_often_gy_fits(axis, count):
    assert positions(axis) == count


def test_a_transposed_convolution():
    text = view(derive("c1 i3 o1 k2", transposed=True), "correlation").text()
    assert "    x1  x2\n" in text
    assert text.endswith("dL/dw1 = dL/do1 x1 + dL/do2 x2")
