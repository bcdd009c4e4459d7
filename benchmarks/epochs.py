"""LeNet on MNIST beside PyTorch: seconds for an epoch, and the test accuracy after each of two.

    PELLUCID_DATA_DIR=... python -m benchmarks.epochs               three trainings; three minutes
    python -m benchmarks.epochs --data FOLDER --isa avx2 --threads 2 --seeds 5

Run from the root of the repository, on a machine with nothing else to do. Both libraries begin from
the same weights and take the same images in the same order, with Adam and batches of 144; their
epochs alternate, in processes of their own, and every other pair runs in the opposite order.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from pathlib import Path
from statistics import median

from benchmarks.driver import INSTRUCTION_SETS, Side
from benchmarks.epochs_worker import BATCH, RATE
from benchmarks.machine import add_threads, common_parser, load, machine, remarks
from benchmarks.record import replace
from benchmarks.report import markdown
from benchmarks.train import RESULTS, tell

EPOCHS = 2
NAMES = {"pellucid": "pellucid", "torch": "PyTorch"}
SUBFOLDERS = "mnist", "MNIST/raw", "."


class Results:
    """What was measured: by library, for each seed and epoch."""

    def __init__(self) -> None:
        self.seconds: dict[str, list[list[float]]] = {kind: [] for kind in NAMES}
        self.losses: dict[str, list[list[float]]] = {kind: [] for kind in NAMES}
        self.accuracies: dict[str, list[list[float]]] = {kind: [] for kind in NAMES}

    def median_seconds(self, kind: str) -> float:
        return median(second for seed in self.seconds[kind] for second in seed)

    def table(self) -> list[list[str]]:
        """A line for each library, with medians over seeds, and the ratio of times."""
        found = [["library", "s an epoch", "least", "most"]]
        for epoch in range(1, EPOCHS + 1):
            found[0] += [f"loss of epoch {epoch}", f"test accuracy after {epoch}"]
        for kind, name in NAMES.items():
            times = [second for seed in self.seconds[kind] for second in seed]
            cells = [f"{number:.3g}" for number in (median(times), min(times), max(times))]
            for epoch in range(EPOCHS):
                loss = median(seed[epoch] for seed in self.losses[kind])
                accuracy = median(seed[epoch] for seed in self.accuracies[kind])
                cells += [f"{loss:.4f}", f"{accuracy:.2%}"]
            found.append([name, *cells])
        ratio = self.median_seconds("torch") / self.median_seconds("pellucid")
        return [*found, ["ratio", f"{ratio:.2f}", *[""] * (len(found[0]) - 2)]]


def train(sides: dict[str, Side], seed: int, results: Results) -> None:
    """Train both from one seed, epoch by epoch in turns."""
    for kind, side in sides.items():
        side.ask("begin", seed)
        for kept in (results.seconds, results.losses, results.accuracies):
            kept[kind].append([])
    for epoch in range(EPOCHS):
        turn = list(sides.items())
        for kind, side in turn if (seed + epoch) % 2 == 0 else reversed(turn):
            seconds, loss = side.ask("epoch", seed, epoch)
            accuracy = side.ask("accuracy")
            results.seconds[kind][-1].append(seconds)
            results.losses[kind][-1].append(loss)
            results.accuracies[kind][-1].append(accuracy)
            told = f"{seconds:.2f} s, loss {loss:.4f}, test accuracy {accuracy:.2%}"
            tell(f"seed {seed}, epoch {epoch + 1}, {NAMES[kind]}: {told}")


def page(results: Results, settings: dict[str, str], above: list[str]) -> str:
    """Return the page: what speaks against the numbers, the settings, the table."""
    parts = ["# Two epochs of LeNet on MNIST, beside PyTorch\n"]
    parts += [f"**{remark}**\n" for remark in above]
    parts += [markdown([["setting", ""], *map(list, settings.items())]) + "\n"]
    return "\n".join([*parts, markdown(results.table()) + "\n"])


def folder_of(given: str | None) -> str:
    """Return the folder with the four files, in or below the one that is given."""
    base = Path(given or os.environ.get("PELLUCID_DATA_DIR", ""))
    for name in SUBFOLDERS:
        if list((base / name).glob("train-images-idx3-ubyte*")):
            return str(base / name)
    raise SystemExit(f"found no MNIST in {base}: give --data, or set PELLUCID_DATA_DIR")


def arguments() -> argparse.Namespace:
    parser = common_parser(__doc__, RESULTS / "epochs", "what the name begins with")
    parser.add_argument("--data", help="a folder with MNIST, default that of PELLUCID_DATA_DIR")
    parser.add_argument("--seeds", type=int, default=3, metavar="N", help="trainings, default 3")
    add_threads(parser)
    return parser.parse_args()


def main() -> int:
    options = arguments()
    folder, above = folder_of(options.data), remarks(quick=False, load_before=load())
    settings = machine() | {"command": shlex.join(sys.argv[1:]), "threads": str(options.threads)}
    settings |= {"instruction sets": INSTRUCTION_SETS[options.isa].meaning}
    settings |= {"training": f"Adam({RATE}), batches of {BATCH}, {options.seeds} seeds"}
    sides = {
        kind: Side(kind, options.threads, options.isa, "benchmarks.epochs_worker") for kind in NAMES
    }
    results = Results()
    try:
        for side in sides.values():
            settings |= side.ask("settings")
            side.ask("load", folder)
        for seed in range(options.seeds):
            train(sides, seed, results)
    finally:
        for side in sides.values():
            side.close()
    text = page(results, settings, above)
    replace(options.out.with_name(f"{options.out.name}-{options.threads}-threads.md"), text)
    print("\n" + text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
