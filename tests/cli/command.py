"""How the tests run `pellucid`: in this process, or in another one that can get signals."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

PROGRAM = [sys.executable, "-W", "error", "-c", "from pellucid.cli import main; main()"]


def run(*words: Any) -> tuple[int, str, str]:
    """Run the command in this process; return its exit code, output and errors."""
    from pellucid.cli.app import app

    ran = CliRunner().invoke(app, [str(word) for word in words])
    if ran.exception is not None and not isinstance(ran.exception, SystemExit):
        raise ran.exception
    return ran.exit_code, ran.stdout, ran.stderr


def start(folder: Path, *words: Any) -> subprocess.Popen[str]:
    """Start the command in another process that works in `folder`."""
    # On a busy machine, the threads of small matrix products wait for each other for ever.
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    environment.pop("PELLUCID_DATA_DIR", None)
    return subprocess.Popen(
        [*PROGRAM, *(str(word) for word in words)], cwd=folder, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Wait for the end; return the exit code, the rest of the output, and the errors."""
    out, error = process.communicate(timeout=120)
    return process.returncode, out, error
