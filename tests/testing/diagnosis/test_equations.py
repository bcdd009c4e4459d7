"""The equation of an element beside what was summed instead, in names and numbers."""

from __future__ import annotations

import pytest

from pellucid.testing.diagnosis.equations import number, right_text, wrong_text
from pellucid.testing.diagnosis.mistakes import changes
from pellucid.testing.diagnosis.predict import predict
from pellucid.testing.diagnosis.problems import problems

CASES = {str(problem.spec): problem for problem in problems(0)}
EXAMPLE = CASES["c1 i5x5 o1 k3x3 s2"]


@pytest.mark.parametrize(
    ("name", "index", "text"),
    [
        ("gx", (0, 0, 0, 2), "dL/dx13 = dL/do11 w13 + dL/do12 w11 = 1*3 + 10*1 = 13"),
        ("gw", (0, 0, 0, 0), "dL/dw11 = dL/do11 x11 + dL/do12 x13 + dL/do21 x31 + dL/do22 x33 = "
         "1*1 + 10*3 + 100*11 + 1000*13 = 14131"),
        ("gb", (0,), "dL/db = dL/do11 + dL/do12 + dL/do21 + dL/do22 = 1111"),
        ("y", (0, 0, 0, 0), "o11 = x11 w11 + x12 w12 + x13 w13 + ... + x32 w32 + x33 w33 + b = "
         "1*1 + 2*2 + 3*3 + ... + 12*8 + 13*9 + 0 = 411"),
    ],
)  # fmt: skip
def test_the_right_equation(name: str, index: tuple[int, ...], text: str) -> None:
    assert right_text(EXAMPLE, name, index, "en") == text


def test_why_an_element_is_0() -> None:
    left_over = CASES["c1 i6x6 o1 k3x3 s2"]
    text = right_text(left_over, "gx", (0, 0, 5, 0), "en")
    assert text == "dL/dx61 = 0  (row 6 lies behind the last window, so it is left over)"
    assert right_text(left_over, "gx", (0, 0, 5, 0), "ko").startswith("dL/dx61 = 0  (6행은 ")


@pytest.mark.parametrize(
    ("name", "way", "index", "text"),
    [
        ("gx", {"h.flip": "yes", "w.flip": "yes"}, (0, 0, 0, 2),
         "dL/do11 w31 + dL/do12 w33 = 1*7 + 10*9 = 97"),
        ("gx", {"factor": "-1"}, (0, 0, 0, 2),
         "-dL/do11 w13 - dL/do12 w11 = -1*1*3 - 1*10*1 = -13"),
        ("gw", {"h.windows": "last", "w.windows": "last"}, (0, 0, 0, 1),
         "dL/do22 x34 = 1000*14 = 14000"),
        ("gw", {"factor": "1/(OH OW)"}, (0, 0, 0, 0),
         "0.25 dL/do11 x11 + 0.25 dL/do12 x13 + 0.25 dL/do21 x31 + 0.25 dL/do22 x33 = "
         "0.25*1*1 + 0.25*10*3 + 0.25*100*11 + 0.25*1000*13 = 3533"),
        ("gb", {"rows": "last"}, (0,), "dL/do21 + dL/do22 = 1100"),
        ("y", {"h.taps": "last", "w.taps": "last", "bias": "left out"}, (0, 0, 0, 0),
         "x33 w33 = 13*9 = 117"),
    ],
)  # fmt: skip
def test_what_was_summed_instead(name: str, way, index: tuple[int, ...], text: str) -> None:
    found = predict(name, EXAMPLE, way)
    assert found is not None
    assert wrong_text(EXAMPLE, name, index, way, found) == text


def test_only_the_number_where_the_way_is_not_known() -> None:
    found = EXAMPLE.right["gx"] + 1
    assert wrong_text(EXAMPLE, "gx", (0, 0, 0, 2), None, found) == "14"
    assert wrong_text(EXAMPLE, "gx", (0, 0, 0, 2), {}, found) == "14"  # it predicts 13


@pytest.mark.parametrize("name", ["gx", "gw", "gb", "y"])
def test_the_terms_add_up_to_the_prediction(name: str) -> None:
    """Of every mistake, at the last element of a case with groups."""
    problem = CASES["c2 i3x3 o2 k2x2 g2"]
    for change in changes(name):
        found = predict(name, problem, change.way)
        if found is None or found.shape != problem.right[name].shape:
            continue
        index = tuple(size - 1 for size in found.shape)
        text = wrong_text(problem, name, index, change.way, found)
        assert text.endswith(number(found[index])), change
        assert " = " in text or found[index] == 0, change


def test_numbers() -> None:
    assert [number(v) for v in (3.0, -0.5, 1e12, 14131.0, 1 / 3)] == [
        "3", "-0.5", "1e+12", "14131", "0.3333"
    ]  # fmt: skip
