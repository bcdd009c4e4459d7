"""The report: its attributes, and what its text says and leaves out."""

from __future__ import annotations

import pytest

from pellucid.testing.diagnosis.mistakes import Change
from pellucid.testing.diagnosis.problems import problems
from pellucid.testing.diagnosis.report import Diagnosis, Finding, _wrapped
from pellucid.testing.diagnosis.search import Explanation, Sample

EXAMPLE = problems(0)[0]


def finding(where: str = "gx", mistake: str = "wrong-sign", form: str = "-1") -> Finding:
    sample = Sample(EXAMPLE, -EXAMPLE.right[where])
    change = Change(mistake, form, {"factor": "-1"})
    explanation = Explanation(where, (change,), sample, 3, 5, way=change.way)
    return Finding(where, (mistake,), EXAMPLE, explanation)


def report(*findings: Finding, tried: int = 5, unsupported: dict[str, str] | None = None) -> str:
    return Diagnosis(findings, ("gx", "gw", "gb"), (), unsupported or {}, tried).text()


def test_nothing_is_wrong() -> None:
    found = Diagnosis((), ("gx",), ("stride",), {}, 5)
    assert (found.mistake, found.mistakes, found.case, found.element) == (None, (), None, None)
    assert str(found) == "gx: right in all 5 cases."


def test_something_is_wrong() -> None:
    found = Diagnosis((finding(),), ("gx", "gw", "gb"), (), {}, 5)
    assert (found.mistake, found.case, found.element) == (
        "wrong-sign", "c1 i5x5 o1 k3x3 s2", "gx[0,0,0,0]"
    )  # fmt: skip
    assert found.text().startswith(
        "the sign is wrong in gx. [wrong-sign]\n\ngx: 3 of 5 cases fail; the smallest of them:\n"
        "    c1 i5x5 o1 k3x3 s2\n    first wrong element: gx[0,0,0,0]\n"
        "        right   dL/dx11 = dL/do11 w11 = 1*1 = 1\n"
        "        yours   -dL/do11 w11 = -1*1*1 = -1\n"
        "    gx[0,0,:,:], right and yours:\n"
        "           1    2   13   20   30         -1    -2   -13   -20   -30\n"
    )
    assert found.text().endswith("\ngw and gb: right in all 5 cases.")


def test_the_same_mistake_in_two_arrays_is_told_once() -> None:
    text = report(finding(), finding("gw"))
    assert text.startswith("the sign is wrong in gx and gw. [wrong-sign]\n")
    assert text.count("To mend it:") == 1
    assert text.count("3 of 5 cases fail") == 2


def test_two_mistakes_are_told_one_after_the_other() -> None:
    text = report(finding(), finding("gb", "all-zero"))
    assert text.index("[wrong-sign]") < text.index("[all-zero]")
    assert text.count("To mend it:") == 2
    assert text.endswith("gw: right in all 5 cases.")


def test_a_wrong_shape_has_no_element() -> None:
    sample = Sample(EXAMPLE, EXAMPLE.right["gx"][:, :, 1:])
    explanation = Explanation("gx", (), sample, 5, 5, shared=("stride",))
    found = Diagnosis((Finding("gx", ("not-recognised",), EXAMPLE, explanation),), (), (), {}, 5)
    assert found.element is None
    assert "shape (1, 1, 4, 5), but it must be (1, 1, 5, 5)" in found.text()
    assert "All failing cases have: stride." in found.text()


def test_arrays_without_a_plane_are_not_drawn() -> None:
    for array in (EXAMPLE.right["gx"][0, 0], EXAMPLE.right["gx"][:, :, :0]):
        explanation = Explanation("gx", (), Sample(EXAMPLE, array), 5, 5)
        found = Diagnosis(
            (Finding("gx", ("not-recognised",), EXAMPLE, explanation),), (), (), {}, 5
        )
        assert "right and yours" not in found.text()


def test_what_a_function_does_besides() -> None:
    fault = Finding("", ("inputs-modified",), EXAMPLE, facts={"arrays": "gy, w"})
    found = Diagnosis((fault,), ("gx",), (), {}, 5)
    assert (found.mistake, found.element) == ("inputs-modified", None)
    assert found.text().startswith(
        "the function changes its inputs: gy, w. [inputs-modified]\n\n    c1 i5x5 o1 k3x3 s2\n"
    )


def test_what_was_not_tried_is_told() -> None:
    text = report(unsupported={"groups": "", "stride": "ValueError: no"})
    assert text == (
        "gx, gw and gb: right in all 5 cases of what the function supports.\n"
        "not tried, because the function does not support it:\n"
        "    groups: no parameter for it\n    stride: raises ValueError: no"
    )
    assert "not tried" not in report(unsupported={"low and high padding": "TypeError"})


def test_nothing_ran() -> None:
    assert report(tried=0) == "The function ran in no case."


@pytest.mark.parametrize("text", ["a " * 100, "가나다 " * 60])
def test_paragraphs_are_cut_into_lines(text: str) -> None:
    lines = _wrapped(text.strip())
    widths = [sum(2 if letter > "ᄀ" else 1 for letter in line) for line in lines]
    assert max(widths) <= 96
    assert min(widths[:-1]) > 80
    assert " ".join(line.strip() for line in lines) == text.strip()
