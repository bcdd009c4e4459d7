"""The command line: `pellucid train`, `explain`, `diagnose`, `bench` and `info`.

It needs the extra `app`; without it, one line says how to install it. So nothing of the extra is
imported here before that is known. Not here: the training itself (training/). Next room: app.py.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec

_NEEDED = ("typer", "rich", "jinja2", "matplotlib")


def main() -> None:
    """Run the command that `sys.argv` names, and exit with its code."""
    if any(find_spec(name) is None for name in _NEEDED):
        sys.exit('The command line needs the extra "app": pip install "pellucid[app]"')
    from pellucid.cli.app import app  # noqa: PLC0415  it imports the extra

    app()
