"""Write the worked example as `pellucid explain` shows it: the page and the terminal's output.

    python docs/worked_example/write.py

The files stand beside this one.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from pellucid.explain.page import page

SPEC = "c1 i5x5 o1 k3x3 s2"
WIDTH = 88
RUN = "import sys; from pellucid.cli import main; sys.argv = ['pellucid', *sys.argv[1:]]; main()"


def terminal(language: str) -> str:
    """Return what a terminal of 88 columns shows, without colours."""
    command = [sys.executable, "-W", "ignore", "-c", RUN, "explain", SPEC, "--lang", language]
    plain = {"COLUMNS": str(WIDTH), "NO_COLOR": "1", "TERM": "dumb", "PYTHONIOENCODING": "utf-8"}
    shown = subprocess.run(
        command, check=True, capture_output=True, encoding="utf-8", env=os.environ | plain
    )
    return "".join(f"{line.rstrip()}\n" for line in shown.stdout.splitlines())


def files() -> dict[str, str]:
    """Return the files by name."""
    return {
        "page.html": page(SPEC),
        "terminal.txt": terminal("en"),
        "terminal.ko.txt": terminal("ko"),
    }


if __name__ == "__main__":
    for name, text in files().items():
        (Path(__file__).parent / name).write_text(text, encoding="utf-8", newline="\n")
