"""How much an install of pellucid brings, and how long its import takes, beside PyTorch's.

    python3 -m venv fresh && fresh/bin/pip install .
    fresh/bin/python benchmarks/size_and_import.py

PyTorch is measured where it is installed in the same environment. The size is that of the files
that pip wrote, with all that a package requires. The time is that of a whole process, from its
start to its end, and the packages take turns, so that a busy moment of the machine meets them all.
"""

from __future__ import annotations

import os
import platform
import re
import statistics
import subprocess
import sys
import time
from importlib import metadata

ROUNDS = 15
STATEMENTS = {
    "python alone": "pass",
    "numpy": "import numpy",
    "pellucid": "import pellucid",
    "torch": "import torch",
}


def installed(name: str) -> bool:
    try:
        metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def required(name: str, found: dict[str, int] | None = None) -> dict[str, int]:
    """Return the bytes on disk of a package and of everything that it requires."""
    found = {} if found is None else found
    distribution = metadata.distribution(name)
    found[name] = sum(
        os.path.getsize(path)
        for path in map(distribution.locate_file, distribution.files or [])
        if os.path.isfile(path)
    )
    for requirement in distribution.requires or []:
        other = re.split(r"[^\w.-]", requirement, maxsplit=1)[0].lower()
        if "extra ==" not in requirement and other not in found and installed(other):
            required(other, found)
    return found


def seconds(statement: str) -> float:
    """Return how long a new interpreter takes to run one statement."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True)
    return time.perf_counter() - began


def main() -> None:
    """Print both tables."""
    print(f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores")
    print(f"\ninstalled size, MB{'':14}alone     with what it requires")
    for name in filter(installed, ["pellucid", "torch"]):
        sizes = {part: size / 1e6 for part, size in required(name).items()}
        parts = ", ".join(f"{part} {size:.1f}" for part, size in sizes.items() if part != name)
        title = f"{name} {metadata.version(name)}"
        print(f"  {title:<24}{sizes[name]:9.1f}{sum(sizes.values()):9.1f}   ({parts})")

    statements = {n: s for n, s in STATEMENTS.items() if n == "python alone" or installed(n)}
    for statement in statements.values():
        seconds(statement)  # once without the clock: files come into memory, .pyc files are written
    rounds = [[seconds(statement) for statement in statements.values()] for _ in range(ROUNDS)]
    print(f"\na process that imports, s{'':8}median   smallest   ({ROUNDS} rounds)")
    for name, times in zip(statements, zip(*rounds, strict=True), strict=True):
        print(f"  {name:<26}{statistics.median(times):11.3f}{min(times):11.3f}")


if __name__ == "__main__":
    main()
