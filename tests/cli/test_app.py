"""The commands and options, and how errors become one message and an exit code."""

from __future__ import annotations

import errno
import os
from typing import Any

import pytest
from cli.command import run

import pellucid
from pellucid.training.build import DATA, MODELS, OPTIMIZERS

app = pytest.importorskip("pellucid.cli.app")

OPTIONS = ["--data", "--data-dir", "--model", "--epochs", "--batch-size", "--lr", "--optimizer",
           "--seed", "--out", "--resume"]  # fmt: skip


def test_the_version() -> None:
    assert run("--version") == (0, f"pellucid {pellucid.__version__}\n", "")


@pytest.mark.parametrize("words", [["--help"], ["-h"]])
def test_the_help_names_the_commands(words: list[str]) -> None:
    code, out, _ = run(*words)
    assert code == 0
    assert "train" in out
    assert "info" in out
    assert "..." not in out.replace("[ARGS]...", "")  # the line of each command is whole


def test_the_help_of_train_names_every_option_and_choice() -> None:
    code, out, _ = run("train", "--help")
    assert code == 0
    for option in OPTIONS:
        assert f"{option} " in out
    for table in (DATA, MODELS, OPTIMIZERS):
        assert "|".join(table) in out
    assert max(map(len, out.splitlines())) <= 80


def test_info_is_printed() -> None:
    code, out, error = run("info")
    assert (code, error) == (0, "")
    assert out.startswith(f"pellucid  {pellucid.__version__}\n")


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["nothing"], "'nothing'"),
        (["train", "--nothing"], "--nothing"),
        (["train", "--epochs", "many"], "'--epochs'"),
        (["train", "more"], "(more)"),
    ],
)
def test_what_the_command_line_does_not_know(words: list[str], named: str) -> None:
    code, out, error = run(*words)
    assert (code, out) == (2, "")
    assert named in error
    assert "Traceback" not in error


def test_no_command_is_a_question_for_help() -> None:
    code, out, error = run()
    assert code in {0, 2}  # it depends on the version of typer
    assert "Usage: " in out + error


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        (pellucid.errors.DataError("train", "no", fix="yes"), 2, "error: train: no\n  fix: yes\n"),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "there"), 1,
         "error: [Errno 28] No space left on device: 'there'\n"),
    ],
)  # fmt: skip
def test_errors_are_words(
    raised: Exception, code: int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise raised

    monkeypatch.setattr(app, "train", fail)
    assert run("train") == (code, "", said)


def test_errors_of_our_own_making_keep_their_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(app, "train", fail)
    with pytest.raises(ZeroDivisionError):
        run("train")
