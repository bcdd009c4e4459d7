"""Scatter and windows, word for word."""

from pellucid.explain import derive, view

SCATTER = """\
Scatter: every element of dL/do spreads the kernel, scaled by it and not flipped, over the window \
that it came from; where windows overlap, they add up.
dL/do11 adds to dL/dx11 .. dL/dx22:
    dL/do11 w11  dL/do11 w12
    dL/do11 w21  dL/do11 w22
dL/do12 adds to dL/dx12 .. dL/dx23:
    dL/do12 w11  dL/do12 w12
    dL/do12 w21  dL/do12 w22"""

WINDOWS = """\
Windows: every element of dL/do, times the window of x that it came from, is added into dL/dw.
dL/do1 adds nothing: its window lies in the padding.
dL/do2 adds to dL/dw2 .. dL/dw2:
    dL/do2 x1
dL/do3 adds to dL/dw1 .. dL/dw2:
    dL/do3 x1  dL/do3 x2"""


def test_scatter():
    assert view(derive("c1 i2x3 o1 k2x2"), "scatter").text() == SCATTER


def test_windows():
    assert view(derive("c1 i2 o1 k2 p2:0"), "windows").text() == WINDOWS


def test_korean():
    text = view(derive("c1 i2 o1 k2 p2:0"), "windows").text("ko")
    assert text.splitlines() == [
        "윈도우(windows): dL/do의 원소마다 자기 x 윈도우에 곱해 dL/dw에 더한다.",
        "dL/do1: 윈도우가 패딩에만 놓여 더할 것이 없다.",
        "dL/do2: dL/dw2 .. dL/dw2에 더한다.",
        "    dL/do2 x1",
        "dL/do3: dL/dw1 .. dL/dw2에 더한다.",
        "    dL/do3 x1  dL/do3 x2",
    ]


def test_many_steps_are_shortened_and_channels_not_drawn():
    text = view(derive("c1 i20 o1 k3"), "scatter").text()
    assert text.endswith("... and 9 more.")
    assert len(view(derive("c2 i20 o1 k3"), "scatter").text().splitlines()) == 1


def test_a_transposed_convolution_scatters_forward():
    seen = view(derive("c1 i3 o1 k2", transposed=True), "scatter")
    assert [add.text() for add in seen.steps[1].adds] == ["o2 += x2 w1", "o3 += x2 w2"]
    seen = view(derive("c1 i3 o1 k2", transposed=True), "windows")
    assert [add.text() for add in seen.steps[1].adds] == [
        "dL/dw1 += dL/do2 x2", "dL/dw2 += dL/do3 x2",
    ]  # fmt: skip
