"""`pellucid explain`: all of a small problem, one element, LaTeX, Korean, and mistakes."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from cli.command import run

from pellucid.explain import ConvDerivation, Picture, derive, view
from pellucid.explain.page import page

SPEC = "c1 i5x5 o1 k3x3 s2"


def printed(*words: str) -> str:
    """What the command prints where no terminal is: no colours, 80 columns at most."""
    code, out, error = run("explain", *words)
    assert (code, error) == (0, "")
    assert "\x1b" not in out
    return out


def flat(text: str) -> str:
    """The text with broken lines joined and without blanks at their ends."""
    return re.sub(r"\s*\n {6,}\+ ", " + ", re.sub(r" +\n", "\n", text))


def test_the_worked_example_has_all_its_equations() -> None:
    out = printed(SPEC)
    assert max(map(len, out.splitlines())) <= 80
    found = [line.strip() for line in flat(out).splitlines()]
    d = derive(SPEC)
    for part in (d.forward, d.grad_input, d.grad_weight, d.grad_bias):
        for expression in part:
            assert expression.text() in found
    for step in (s for part in d.general().parts for s in part.steps):
        assert " ".join(step.sentence.split()) in " ".join(out.split())
    assert "Convolution: input 5x5, kernel 3x3, stride 2, output 2x2" in out
    assert "left out" not in out
    assert f"pellucid explain '{SPEC}' --grad input --at 0,0,2,2" in out


def test_one_element_with_what_meets_there() -> None:
    out = printed(SPEC, "--grad", "input", "--at", "0,0,0,2")
    assert " dL/dx13   grad_input[0,0,0,2]\n" in re.sub(r" +\n", "\n", out)
    marked = set(re.findall(r"(\w+)\*", out))
    assert marked == {"x13", "o11", "o12", "w11", "w13"}
    assert "Marked: dL/dx13 and what stands in its equation." in out
    assert "h = 0:  i = 0, u = 0\n" in re.sub(r" +\n", "\n", out)
    assert "w = 2:  j = 0, v = 2   j = 1, v = 0\n" in re.sub(r" +\n", "\n", out)
    assert out.rstrip().endswith("dL/dx13 = dL/do11 w13 + dL/do12 w11")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--grad", "weight", "--at", "0,0,0,0"),
         "dL/dw11 = dL/do11 x11 + dL/do12 x13 + dL/do21 x31 + dL/do22 x33"),
        (("--grad", "bias", "--at", "0"), "dL/db = dL/do11 + dL/do12 + dL/do21 + dL/do22"),
        (("--grad", "input", "--at", "0,0,0,2", "--notation", "indices"),
         "dL/dx[0,0,0,2] = dL/dy[0,0,0,0] w[0,0,0,2] + dL/dy[0,0,0,1] w[0,0,0,0]"),
    ],
)  # fmt: skip
def test_other_elements(words: tuple[str, ...], expected: str) -> None:
    assert flat(printed(SPEC, *words)).rstrip().endswith(expected)


def test_one_gradient() -> None:
    out = printed(SPEC, "--grad", "weight")
    assert "Gradient by w" in out
    assert "Gradient by x" not in out
    assert out.count("\n  dL/dw") == 9


def test_an_element_that_no_window_covers_says_why() -> None:
    out = printed("c1 i6x6 o1 k3x3 s2", "--grad", "input", "--at", "0,0,0,5")
    assert "w = 5:  none" in out
    assert "dL/dx16 = 0   left over" in out
    assert "column 6 lies behind the last window, so it is left over" in out


def test_a_large_problem_says_what_it_leaves_out() -> None:
    out = printed("n8 c64 i224x224 o128 k3x3 s2 p1")
    assert "25,690,109 of 25,690,112 equations are left out" in out
    assert len(out.splitlines()) < 110
    assert max(map(len, out.splitlines())) <= 80
    one = printed("n8 c64 i224x224 o128 k3x3 s2 p1", "--grad", "bias", "--at", "0")
    assert "100,352 terms, of which the first and the last are shown." in one
    assert "dL/db[1] = dL/do[1,1,1,1] + dL/do[1,1,1,2] + ... + dL/do[8,1,112,111]" in one


def test_latex() -> None:
    one = printed(SPEC, "--grad", "input", "--at", "0,0,0,2", "--latex")
    assert one == derive(SPEC).grad_input[0, 0, 0, 2].latex() + "\n"
    out = printed(SPEC, "--latex")
    d = derive(SPEC)
    for part in (d.forward, d.grad_input, d.grad_weight, d.grad_bias):
        for expression in part:
            assert rf"\[ {expression.latex()} \]" in out
    for general in d.general().parts:
        assert general.latex() in out
    assert "% 25,690,109 of 25,690,112 equations are left out" in printed(
        "n8 c64 i224x224 o128 k3x3 s2 p1", "--latex"
    )


def test_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    monkeypatch.setattr("webbrowser.open", seen.append)
    file = tmp_path / "page.html"
    options = ("--html", str(file), "--lang", "ko", "--grad", "weight", "--at", "0,0,1,2")
    assert " ".join(printed(SPEC, *options).split()) == f"wrote {file}, open at dL/dw23"
    element = derive(SPEC).grad_weight[0, 0, 1, 2].left
    assert file.read_text(encoding="utf-8") == page(SPEC, "ko", element=element)
    assert seen == []
    printed(SPEC, "--html", str(file), "--notation", "indices", "--view", "gather", "--open")
    assert file.read_text(encoding="utf-8") == page(SPEC, notation="indices", view="gather")
    assert seen == [file.as_uri()]
    options = ("--html", str(file), "--transposed", "--grad", "input", "--at", "0,0,1,0")
    printed(SPEC, *options)
    element = derive(SPEC, transposed=True).grad_input[0, 0, 1, 0].left
    assert file.read_text(encoding="utf-8") == page(SPEC, element=element, transposed=True)
    code, _, error = run("explain", SPEC, "--html", str(tmp_path / "none" / "page.html"))
    assert (code, "cannot be written: No such file or directory" in error) == (2, True)


@pytest.mark.parametrize(
    ("words", "said", "picture"),
    [
        ((), "dL/dx33", lambda d: d.grad_input[0, 0, 2, 2].figure()),
        (("--grad", "weight"), "dL/dw22", lambda d: d.grad_weight[0, 0, 1, 1].figure()),
        (("--grad", "input", "--at", "0,0,0,2", "--lang", "ko"), "dL/dx13",
         lambda d: d.grad_input[0, 0, 0, 2].figure("ko")),
        (("--view", "scatter"), "scatter", lambda d: view(d, "scatter").animation()),
        (("--view", "gather", "--lang", "ko"), "gather",
         lambda d: view(d, "gather").animation("ko")),
    ],
)  # fmt: skip
def test_a_picture(
    words: tuple[str, ...], said: str, picture: Callable[[ConvDerivation], Picture], tmp_path: Path
) -> None:
    file = tmp_path / "picture.svg"
    out = printed(SPEC, *words, "--svg", str(file))
    assert " ".join(out.split()) == f"drew {said} in {file}"
    assert file.read_text(encoding="utf-8") == picture(derive(SPEC)).svg()


def test_a_picture_of_pixels(tmp_path: Path) -> None:
    file = tmp_path / "picture.gif"
    printed("c1 i3 o1 k2", "--view", "scatter", "--svg", str(file))
    assert file.read_bytes().startswith(b"GIF89a")
    code, _, error = run("explain", SPEC, "--svg", str(tmp_path / "none" / "a.svg"))
    assert (code, "cannot be written: No such file or directory" in error) == (2, True)


def test_korean() -> None:
    out = printed("n2 c2 i5x5 o2 k3x3 s2 p1 d1 g2", "--lang", "ko")
    assert "합성곱: 이미지 2장, 입력 2채널 5x5, 커널 3x3, 보폭 2, 패딩 1, 그룹 2개," in out
    for title in ("순전파", "x에 대한 기울기", "w에 대한 기울기", "b에 대한 기울기"):
        assert title in out
    assert "식 100개 가운데 97개는 생략했다." in " ".join(out.split())


@pytest.mark.parametrize("name", ["scatter", "gather", "phases", "windows", "correlation"])
def test_a_view(name: str) -> None:
    for lang in ("en", "ko"):
        out = printed(SPEC, "--view", name, "--lang", lang)
        expected = view(derive(SPEC), name).text(lang)
        assert " ".join(expected.split()) in " ".join(out.split())
    assert "dL/do11 w11  dL/do11 w12  dL/do11 w13" in printed(SPEC, "--view", "scatter")


def test_a_transposed_convolution() -> None:
    out = printed(SPEC, "--transposed")
    assert "Transposed convolution: input 2x2, kernel 3x3, stride 2, output 5x5" in out
    found = [line.strip() for line in flat(out).splitlines()]
    d = derive(SPEC, transposed=True)
    for part in d.parts.values():
        for expression in part:
            assert expression.text() in [re.sub(r" +=", " =", line) for line in found]
    assert f"pellucid explain '{SPEC}' --transposed --grad input --at 0,0,1,1" in out
    one = printed(SPEC, "--transposed", "--grad", "input", "--at", "0,0,1,0")
    assert "i = 1:  u = 0, h = 2   u = 1, h = 3   u = 2, h = 4\n" in re.sub(r" +\n", "\n", one)
    assert flat(one).rstrip().endswith(d.grad_input[0, 0, 1, 0].text())
    weight = printed(SPEC, "--transposed", "--grad", "weight", "--at", "0,0,2,1", "--lang", "ko")
    assert "u = 2:  i = 0, h = 2   i = 1, h = 4\n" in re.sub(r" +\n", "\n", weight)
    assert "전치 합성곱: 입력 2x2, 커널 3x3, 보폭 2, 출력 5x5" in weight
    scatter = printed(SPEC, "--transposed", "--view", "scatter")
    assert " ".join(view(d, "scatter").text().split()) in " ".join(scatter.split())


@pytest.mark.parametrize("spec", ["n0 c1 i5 o1 k3", "c1 i4x4x4 o1 k2x2x2", "c1 i3 o1 k5 p1"])
def test_problems_of_every_kind_are_printed(spec: str) -> None:
    for words in ((), ("--lang", "ko"), ("--latex",), ("--grad", "input")):
        assert printed(spec, *words)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("c1 i5 o1",), "error: ConvSpec.parse: key 'k' is missing\n  'c1 i5 o1'\n"
         "  fix: give at least c, i, o and k, as in c3 i32x32 o16 k3x3\n"),
        ((SPEC, "--at", "0,0"), "error: explain: --at 0,0 is the place of an element, but --grad "
         "does not say of which gradient\n  fix: add --grad input|weight|bias\n"),
        ((SPEC, "--grad", "x"), "error: explain: there is no gradient 'x'\n"
         "  fix: use one of input, weight, bias\n"),
        ((SPEC, "--grad", "input", "--at", "a,b"), "error: explain: --at a,b is not a list of "
         "whole numbers\n  fix: write it as in --at 0,0,0,2\n"),
        ((SPEC, "--grad", "bias", "--at", "3"), "error: grad_bias: o=3 is not from 0 to 0\n"
         "  o 0 .. 0    c1 i5x5 o1 k3x3 s2\n  fix: index it as grad_bias[o], counted from 0\n"),
        ((SPEC, "--notation", "roman"), "error: explain: there is no notation 'roman'\n"
         "  fix: use one of textbook, indices\n"),
        ((SPEC, "--view", "matrix"), "error: explain: there is no view 'matrix'\n"
         "  fix: use one of scatter, gather, phases, windows, correlation\n"),
        ((SPEC, "--view", "gather", "--latex"), "error: explain: --view gather shows a whole "
         "gradient, and --latex something else\n"
         "  fix: leave one of --view and --latex out\n"),
        ((SPEC, "--lang", "fr"), "error: explain: there is no language 'fr'\n"
         "  fix: use one of en, ko\n"),
        ((SPEC, "--open"), "error: explain: --open opens a page, but --html does not say which\n"
         "  fix: add --html FILE\n"),
        ((SPEC, "--svg", "a.svg", "--latex"), "error: explain: --svg draws a picture, and --latex "
         "writes something else\n  fix: leave one of --svg and --latex out\n"),
        ((SPEC, "--svg", "a.svg", "--html", "a.html"), "error: explain: --svg draws a picture, and "
         "--html writes something else\n  fix: leave one of --svg and --html out\n"),
        ((SPEC, "--svg", "a.jpg"), "error: save: there is no picture of the kind '.jpg'\n"
         "  fix: name the file .svg, .png or .gif\n"),
        ((SPEC, "--html", "page.html", "--latex"), "error: explain: --html writes a page, and "
         "--latex prints something else\n  fix: leave one of --html and --latex out\n"),
        ((SPEC, "--html", "page.html", "--view", "correlation"), "error: explain: the page has no "
         "view 'correlation'\n  fix: use one of scatter, gather, phases, windows\n"),
    ],
)  # fmt: skip
def test_what_cannot_be_explained(words: tuple[str, ...], message: str) -> None:
    assert run("explain", *words) == (2, "", message)


def test_the_help_fits_and_names_the_example() -> None:
    code, out, _ = run("explain", "--help")
    assert code == 0
    assert '"c1 i5x5 o1 k3x3 s2"' in out
    assert max(map(len, out.splitlines())) <= 80
