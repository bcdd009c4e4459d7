"""`python -m pellucid` is the command line."""

from __future__ import annotations

import subprocess
import sys

import pytest

import pellucid


def test_python_runs_the_command_line() -> None:
    pytest.importorskip("typer")
    command = [sys.executable, "-m", "pellucid", "--version"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, f"pellucid {pellucid.__version__}\n", "")
