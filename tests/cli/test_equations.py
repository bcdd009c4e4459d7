"""What equations look like on a console: colours, breaks, what is left out."""

from __future__ import annotations

import pytest
from rich.console import Console

from pellucid.explain import derive, view

equations = pytest.importorskip("pellucid.cli.equations")


def screen(spec: str, width: int = 80, colours: bool = False) -> tuple[Console, object]:
    system = "standard" if colours else None
    console = Console(width=width, record=True, force_terminal=colours, color_system=system)
    return console, equations.Screen(console, derive(spec), "en")


def test_colours_are_those_of_the_arrays() -> None:
    console, on = screen("c1 i2 o1 k1", colours=True)
    on.part(on.derivation.grad_input)
    text = console.export_text(styles=True)
    assert "\x1b[36mdL/dx1\x1b[0m = \x1b[32mdL/do1\x1b[0m \x1b[33mw1\x1b[0m" in text


def test_marked_boxes_are_reversed() -> None:
    console, on = screen("c1 i2 o1 k1", colours=True)
    on.arrays()
    text = console.export_text(styles=True)
    assert "\x1b[1;7;36mx1\x1b[0m" in text
    assert "\x1b[36mx2\x1b[0m" in text


def test_names_in_a_view_have_their_colours() -> None:
    console, _ = screen("c1 i3 o1 k2", colours=True)
    derivation = derive("c1 i3 o1 k2")
    equations.Screen(console, derivation, "ko").view(view(derivation, "gather"))
    text = console.export_text(styles=True)
    assert "\x1b[36mdL/dx\x1b[0m는" in text
    assert "\x1b[33mw2\x1b[0m  \x1b[33mw1\x1b[0m" in text
    assert "\x1b[32mdL/do1\x1b[0m  \x1b[32mdL/do2\x1b[0m" in text


@pytest.mark.parametrize("width", [50, 60, 80, 120])
def test_equations_break_before_a_plus(width: int) -> None:
    console, on = screen("c1 i5x5 o1 k3x3 s2", width=width)
    for part in (on.derivation.forward, on.derivation.grad_weight):
        on.part(part)
    lines = [line for line in console.export_text().splitlines() if "w11" in line or "x33" in line]
    assert lines
    assert max(map(len, lines)) <= width
    for line in lines:
        assert line.startswith(("  o", "  dL/dw", "      + ", "          + "))


def test_few_equations_of_many() -> None:
    part = derive("c1 i10x10 o1 k3x3").grad_input
    shown, left_out = equations.shown(part)
    assert [e.left.index[2:] for e in shown] == [(0, 0), (5, 5), (9, 9)]
    assert left_out == 97
    shown, left_out = equations.shown(derive("c1 i7x7 o1 k3x3").grad_input)
    assert (len(shown), left_out) == (49, 0)


def test_few_terms_of_many() -> None:
    d = derive("c5 i3x3 o1 k3x3")
    assert equations.most(d.forward[0, 0, 0, 0]) == equations.FEW_TERMS
    assert equations.most(d.grad_input[0, 0, 0, 0]) is None
