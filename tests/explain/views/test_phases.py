"""Phases: pixels, taps and padding of each, by docs/maths.md, 10."""

import pytest
from explain.test_axis import AXES

from pellucid.explain import derive, view
from pellucid.explain.axis import Axis
from pellucid.explain.views.phases import PhaseAxis

TEXT = """\
Phases: the places with the same (h + p) mod s are met by the same taps. So dL/dx falls into 4 \
convolutions of dL/do with stride 1, without zeros.
rows 1, 3, 5; columns 1, 3, 5: dL/do, padded by 1:1x1:1 (low:high, negative: cropped), with \
dilation 1x1 and the flipped taps
    w33  w31
    w13  w11
rows 1, 3, 5; columns 2, 4: dL/do, padded by 1:1x0:0 (low:high, negative: cropped), with dilation \
1x1 and the flipped taps
    w32
    w12
rows 2, 4; columns 1, 3, 5: dL/do, padded by 0:0x1:1 (low:high, negative: cropped), with dilation \
1x1 and the flipped taps
    w23  w21
rows 2, 4; columns 2, 4: dL/do, padded by 0:0x0:0 (low:high, negative: cropped), with dilation 1x1 \
and the flipped taps
    w22"""


def test_the_worked_example():
    assert view(derive("c1 i5x5 o1 k3x3 s2"), "phases").text() == TEXT


def test_one_phase_is_said_as_one():
    d = derive("c1 i5 o1 k3")
    assert "falls into one convolution of dL/do" in view(d, "phases").text()
    assert "dL/do의 합성곱 하나로 나뉜다" in view(d, "phases").text("ko")
    assert repr(view(d, "phases")) == "<phases of <derivation of the convolution c1 i5 o1 k3>>"


def test_a_phase_without_taps_and_many_phases():
    text = view(derive("c1 i9 o1 k3 s2 d2"), "phases").text()
    assert text.endswith("\nplaces 2, 4, 6, 8: no tap meets them, so they are 0.")
    assert "... and 7 more." in view(derive("c1 i9x9 o1 k3x3 s4"), "phases").text()
    assert "    2, 1; 1\n" in view(derive("c2 i4x4 o1 k2x2 s1x2"), "phases").text() + "\n"


@pytest.mark.parametrize(
    ("axis", "phase", "pixels", "taps", "pads"),
    [
        (Axis(5, 3, 2, 0, 0, 1), 0, [0, 2, 4], [0, 2], (1, 1)),
        (Axis(5, 3, 2, 0, 0, 1), 1, [1, 3], [1], (0, 0)),
        (Axis(6, 3, 2, 1, 1, 1), 0, [1, 3, 5], [0, 2], (0, 1)),
        (Axis(7, 3, 2, 0, 0, 3), 0, [0, 2, 4, 6], [0, 2], (3, 3)),
        (Axis(6, 1, 2, -1, 0, 1), 1, [0, 2, 4], [], None),
        (Axis(6, 1, 2, -1, 0, 1), 0, [1, 3, 5], [0], (0, 0)),
    ],
)
def test_the_geometry_of_a_phase(axis, phase, pixels, taps, pads):
    found = PhaseAxis(axis, phase)
    assert (list(found.pixels), list(found.taps)) == (pixels, taps)
    if pads is not None:
        assert found.pads == pads


def test_the_phases_hold_every_meeting_once():
    for axis in AXES[::5]:
        phases = [PhaseAxis(axis, phase) for phase in range(axis.stride)]
        assert sorted(h for phase in phases for h in phase.pixels) == list(range(axis.size))
        for phase in phases:
            for m, h in enumerate(phase.pixels):
                found = phase.meetings(m) if len(phase.taps) else ()
                assert found == axis.of_pixel(h), (axis, phase.phase, h)
