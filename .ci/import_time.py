"""`import pellucid` takes at most 0.1 s more than `import numpy`.

Both are timed as whole processes, in turns, so that a busy moment of the machine meets both; the
medians are compared. Run by `.ci/run`.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

REPEATS, LIMIT = 15, 0.1


def seconds(statement: str) -> float:
    """Return how long a new interpreter takes to run one statement."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True)
    return time.perf_counter() - began


def main() -> int:
    """Measure, print the medians and return 1 where the difference is too large."""
    statements = ("import numpy", "import pellucid")
    for statement in statements:
        seconds(statement)  # once without the clock: files come into memory, .pyc files are written
    rounds = [[seconds(statement) for statement in statements] for _ in range(REPEATS)]
    numpy, pellucid = (statistics.median(column) for column in zip(*rounds, strict=True))
    print(
        f"import numpy {numpy:.3f} s, import pellucid {pellucid:.3f} s, "
        f"{pellucid - numpy:+.3f} s of at most {LIMIT} s (medians of {REPEATS})"
    )
    return int(pellucid - numpy > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
