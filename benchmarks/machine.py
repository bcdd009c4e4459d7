"""The machine that a benchmark runs on, and the options that all those beside PyTorch have.

Not here: what a benchmark measures, and its own options (conv.py, train.py, batches.py, epochs.py).
Next room: conv.py.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
from pathlib import Path

from benchmarks.driver import INSTRUCTION_SETS

HUGE_PAGES = Path("/sys/kernel/mm/transparent_hugepage/enabled")
PROCESSOR = Path("/proc/cpuinfo")
# More than this, before a run, and its numbers say so.
MOST_LOAD = 0.3


def cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def machine() -> dict[str, str]:
    """Say where this runs."""
    models = re.findall(r"model name\s*: (.*)", PROCESSOR.read_text()) if PROCESSOR.exists() else []
    return {
        "processor": models[0] if models else platform.processor(),
        "cores": str(cores()),
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "huge pages": HUGE_PAGES.read_text().strip() if HUGE_PAGES.exists() else "unknown",
    }


def load() -> float:
    """Return how many processes have wanted a core in the last minute; nan where nobody knows."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")


def remarks(quick: bool, load_before: float) -> list[str]:
    """Return what stands above every table, if there is something against the numbers in it."""
    found = []
    if quick:
        found.append("Measured with --quick: no number here is worth quoting.")
    if load_before > MOST_LOAD:
        found.append(f"The machine was not idle before the run (load {load_before:.2f}).")
    return found


def common_parser(description: str | None, out: Path | None, what: str) -> argparse.ArgumentParser:
    """Return a parser with the options that all have: --isa, and --out, `what` it is."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    isas = [isa for isa in INSTRUCTION_SETS if isa]
    parser.add_argument("--isa", choices=isas, help="see benchmarks/README.md")
    parser.add_argument("--out", type=Path, default=out, help=what)
    return parser


def add_threads(parser: argparse.ArgumentParser) -> None:
    """Add --threads for a benchmark that runs with one number of them."""
    parser.add_argument("--threads", type=int, default=cores(), help=f"default {cores()}")
