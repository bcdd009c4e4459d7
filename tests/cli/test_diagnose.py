"""`pellucid diagnose FILE:FUNCTION`: what it says, its exit codes, and what it cannot load."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from cli.command import run
from rich.console import Console

pytest.importorskip("pellucid.cli.app")

from pellucid.cli import diagnose

SOURCE = """
import numpy as np

from beside import windows_of

number = 3


def backward(gy, x, w, stride):
    gx, gw = np.zeros(x.shape), np.zeros(w.shape)
    for i, j, window in windows_of(gy, w, stride):
        gx[window] += np.tensordot(gy[:, :, i, j], w, 1)
        gw += np.tensordot(gy[:, :, i, j], x[window], (0, 0))
    return gx, gw, gy.sum((0, 2, 3))


def wrong(gy, x, w, stride):
    gx, gw, gb = backward(gy, x, w, stride)
    return gx, -gw, gb


def forward(x, w, b, stride):
    return None
"""
BESIDE = """
import numpy as np


def windows_of(gy, w, stride):
    KH, KW = w.shape[2:]
    for i, j in np.ndindex(gy.shape[2:]):
        rows = slice(i * stride, i * stride + KH)
        yield i, j, (slice(None), slice(None), rows, slice(j * stride, j * stride + KW))
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "mine.py").write_text(SOURCE)
    (tmp_path / "beside.py").write_text(BESIDE)
    monkeypatch.setattr("sys.path", ["", *__import__("sys").path])
    return tmp_path / "mine.py"


def test_a_function_that_is_right(file: Path) -> None:
    code, out, error = run("diagnose", f"{file}:backward")
    assert (code, error) == (0, "")
    assert out.startswith("gx, gw and gb: right in all ")


def test_a_mistake_is_exit_code_1(file: Path) -> None:
    code, out, error = run("diagnose", f"{file}:wrong")
    assert (code, error) == (1, "")
    assert out.startswith("the sign is wrong in gw. [wrong-sign]\n")
    code, out, _ = run("diagnose", f"{file}:wrong", "--lang", "ko", "--seed", 3)
    assert code == 1
    assert out.startswith("gw: 부호가 틀렸다. [wrong-sign]\n")


def test_the_forward_pass(file: Path) -> None:
    code, out, _ = run("diagnose", f"{file}:backward", "--forward", "forward")
    assert code == 1
    assert out.startswith("None is returned for y. [returns-none]\n")
    code, _, _ = run("diagnose", f"{file}:backward", "--forward", f"{file}:forward")
    assert code == 1


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("{file}", "'{file}' names no function in a file\n"
         "  fix: give it as FILE:FUNCTION, as in my_conv.py:backward"),
        ("{folder}/none.py:f", "there is no file {folder}/none.py\n  fix: check the path"),
        ("{file}:backwards", "{file} has no function 'backwards'\n  fix: did you mean backward?"),
        ("{file}:zzz", "{file} has no function 'zzz'\n"
         "  fix: it has windows_of, backward, wrong, forward"),
        ("{file}:number", "number in {file} is no function but int\n"
         "  fix: give it as FILE:FUNCTION, as in my_conv.py:backward"),
    ],
)  # fmt: skip
def test_what_cannot_be_found(file: Path, target: str, said: str) -> None:
    names = {"file": file, "folder": file.parent}
    assert run("diagnose", target.format(**names)) == (
        2, "", f"error: diagnose: {said.format(**names)}\n"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("x = 1\ny = z\n", "in line 2: NameError: name 'z' is not defined"),
        ("def f():\n    1 / 0\n\nf()\n", "in line 2: ZeroDivisionError: division by zero"),
        ("x = (\n", "in line 1: SyntaxError: '(' was never closed ({file}, line 1)"),
        ("import sys\nsys.exit(3)\n", "in line 2: SystemExit: 3"),
        ("import nothing_like_this\n",
         "in line 1: ModuleNotFoundError: No module named 'nothing_like_this'"),
    ],
)  # fmt: skip
def test_files_that_fail(file: Path, source: str, said: str) -> None:
    file.write_text(source)
    said = f"{file} fails when it is run, {said}".replace("{file}", file.name)
    code, out, error = run("diagnose", f"{file}:f")
    assert (code, out) == (2, "")
    assert error.replace(f"({file}, ", f"({file.name}, ") == (
        f"error: diagnose: {said}\n  fix: make `python {file}` run first\n"
    )


def test_the_language_is_checked_before_anything_runs(file: Path) -> None:
    code, out, error = run("diagnose", f"{file}:backward", "--lang", "de")
    assert (code, out) == (2, "")
    assert error == "error: diagnose: there is no language 'de'\n  fix: use one of en, ko\n"


def test_the_bar_shows_on_a_terminal_after_two_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(diagnose.time, "monotonic", lambda: now[0])
    screen = io.StringIO()
    with diagnose._Bar(Console(file=screen, force_terminal=True, width=60)) as bar:
        bar.show(1, 47)
        assert screen.getvalue() == ""
        now[0] = 2.5
        bar.show(20, 47)
    assert "case 20 of 47" in screen.getvalue()
    plain = io.StringIO()
    with diagnose._Bar(Console(file=plain)) as bar:
        now[0] = 10.0
        bar.show(20, 47)
    assert plain.getvalue() == ""


def test_the_help_says_how_a_function_is_named() -> None:
    code, out, _ = run("diagnose", "--help")
    assert code == 0
    for word in ("FILE:FUNCTION", "--forward", "--lang", "--seed", "exit code is 1"):
        assert word in out
