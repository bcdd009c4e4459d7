"""`main`: one line where the extra is missing, and nothing of it imported before that is known."""

from __future__ import annotations

import subprocess
import sys

import pytest

from pellucid import cli

LINE = 'The command line needs the extra "app": pip install "pellucid[app]"'
EXTRA = ("typer", "rich", "jinja2", "matplotlib")


@pytest.mark.parametrize("missing", EXTRA)
@pytest.mark.parametrize("words", [[], ["train"], ["info"], ["--help"]])
def test_without_the_extra_there_is_one_line(
    missing: str, words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    found = cli.find_spec
    monkeypatch.setattr(cli, "find_spec", lambda name: None if name == missing else found(name))
    monkeypatch.setattr(sys, "argv", ["pellucid", *words])
    with pytest.raises(SystemExit) as raised:
        cli.main()
    assert raised.value.code == LINE  # which Python prints to stderr, and exits with 1
    assert capsys.readouterr() == ("", "")


def test_the_line_and_nothing_else_is_printed() -> None:
    script = "from pellucid import cli; cli.find_spec = lambda name: None; cli.main()"
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (1, "", f"{LINE}\n")


def test_importing_main_brings_nothing_of_the_extra() -> None:
    script = f"import sys, pellucid.cli; print([n for n in {EXTRA} if n in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


def test_main_runs_what_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(sys, "argv", ["pellucid", "--version"])
    with pytest.raises(SystemExit) as raised:
        cli.main()
    assert raised.value.code == 0
    assert capsys.readouterr().out.startswith("pellucid ")
