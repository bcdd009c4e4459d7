"""`python -m pellucid`: the command line, where `pellucid` itself is not on the path.

Not here: the commands (cli/app.py). Next room: cli/__init__.py.
"""

from __future__ import annotations

from pellucid.cli import main

if __name__ == "__main__":
    main()
