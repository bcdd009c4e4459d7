"""Convolution beside PyTorch: forward, grad_input and grad_weight, shape by shape.

    python -m benchmarks.conv                            one thread, then all; 15 minutes at most
    python -m benchmarks.conv --full --out results/conv  every shape; results/conv.md and .json
    python -m benchmarks.conv --full --out results/conv --resume      go on where it was cut off
    python -m benchmarks.conv --only '3x3 stride 1.*forward' --threads 1
    python -m benchmarks.conv --quick --only resnet20    to see that it runs; no numbers to quote

Run from the root of the repository, on a machine with nothing else to do. How it measures, and how
to read what it prints, stands in benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import re
import shlex
import sys
import time

from benchmarks import networks
from benchmarks.driver import Pair
from benchmarks.machine import common_parser, cores, load, machine, remarks
from benchmarks.measure import DIRECTIONS, QUICK, TOLERANCE, Budget, Plan, Row, measure
from benchmarks.networks import class_of
from benchmarks.record import OtherSettingsError, Record

from pellucid.kernels.conv import ConvSpec

# Rows that are still unsure get further turns as long as the run keeps to this.
MINUTES, FULL_MINUTES = 14, 45


def arguments() -> argparse.Namespace:
    parser = common_parser(__doc__, None, "where to write, without .md and .json")
    both = ",".join(map(str, sorted({1, cores()})))
    parser.add_argument("--threads", default=both, help=f"thread counts, default {both}")
    parser.add_argument("--dtype", default="float32", choices=TOLERANCE)
    parser.add_argument("--only", default="", metavar="REGEX", help="as --list shows the shapes")
    parser.add_argument("--quick", action="store_true", help="three turns, no interval worth it")
    parser.add_argument("--full", action="store_true", help="the long networks too")
    parser.add_argument("--resume", action="store_true", help="keep the rows that --out has")
    parser.add_argument("--list", action="store_true", help="print the shapes, and measure nothing")
    options = parser.parse_args()
    if options.resume and not options.out:
        parser.error("--resume goes on with the files of --out, and there is no --out")
    return options


def chosen(full: bool, only: str) -> dict[ConvSpec, list[str]]:
    """Return the specs to be measured, each once, with the directions that --only leaves."""
    found: dict[ConvSpec, list[str]] = {}
    for spec, names in files_of_specs(full).items():
        where = " ".join(names)
        directions: list[str] = [
            d for d in DIRECTIONS if re.search(only, f"{label(spec)} {d} {where}")
        ]
        if directions:
            found[spec] = directions
    return found


def files_of_specs(full: bool) -> dict[ConvSpec, list[str]]:
    """Return for each spec the files that list it."""
    found: dict[ConvSpec, list[str]] = {}
    for name in networks.NETWORKS | networks.SINGLES:
        if full or name not in networks.FULL_ONLY:
            for use in networks.read(name):
                names = found.setdefault(use.spec, [])
                if name not in names:
                    names.append(name)
    return found


def label(spec: ConvSpec) -> str:
    return f"{spec} {class_of(spec)}"


def line(row: Row, place: str) -> str:
    """Write a row for those who wait."""
    share = f"{row.gflops / row.peak_gflops:5.0%}" if row.peak_gflops else "    -"
    ratio = f"{row.ratio.value:5.2f} [{row.ratio.low:.2f}, {row.ratio.high:.2f}]"
    return (
        f"{place:>9}  {row.spec:<42} {row.direction:<11} {row.ours_ms:9.3f} ms"
        f" {row.torch_ms:9.3f} ms {row.layout:<13} {ratio:<19} x{row.turns:<3}"
        f"{row.gflops:8.1f} GFLOP/s {share}{'  WRONG' if row.wrong else ''}"
    )


Work = dict[int, dict[ConvSpec, list[str]]]  # by the number of threads


def count(work: Work) -> int:
    """Return how many rows are to be measured."""
    return sum(len(directions) for specs in work.values() for directions in specs.values())


def remaining(work: Work, record: Record) -> Work:
    """Return what a record has no row of."""
    left: Work = {}
    for threads, specs in work.items():
        for spec, directions in specs.items():
            missing = [d for d in directions if not record.has(str(spec), d, threads)]
            if missing:
                left.setdefault(threads, {})[spec] = missing
    return left


def run(options: argparse.Namespace, record: Record) -> None:
    """Measure what was asked for and is not there yet, and write it down after each shape."""
    plan = QUICK if options.quick else Plan()
    wanted = chosen(options.full, options.only)
    work = {int(threads): wanted for threads in options.threads.split(",")}
    left = remaining(work, record)
    record.missing = count(left)
    # Of the time of a run, the part that the missing rows are of it.
    seconds = 60 * (FULL_MINUTES if options.full else MINUTES) * record.missing
    budget = Budget(seconds / max(count(work), 1), max(record.missing, 1))
    minutes_before = float(record.settings.get("minutes", 0))
    for threads, specs in left.items():
        with Pair(threads, options.isa) as pair:
            record.describe(pair.settings())
            print(f"\nthreads: {threads}; ours, PyTorch's better layout, ratio, GFLOP/s, of peak")
            for index, (spec, directions) in enumerate(specs.items()):
                rows = measure(pair, spec, options.dtype, directions, plan, budget)
                for row in rows:
                    print(line(row, f"{index + 1}/{len(specs)}"), flush=True)
                record.rows += rows
                record.missing -= len(rows)
                minutes = minutes_before + (time.perf_counter() - budget.began) / 60
                record.describe({"minutes": f"{minutes:.1f}"})
                record.write()


def main() -> int:
    options = arguments()
    if options.list:
        for spec, names in files_of_specs(options.full).items():
            print(f"{label(spec):<56} {spec.flops / 1e9:8.3f} GFLOP  {' '.join(names)}")
        return 0
    record = Record.resumed(options.out) if options.resume else Record(options.out)
    record.remark(remarks(options.quick, load()))
    print("\n".join(record.remarks))
    turns = "3" if options.quick else f"{Plan().turns} to {Plan().most_turns}"
    settings = {"command": shlex.join(sys.argv[1:]), "dtype": options.dtype, "turns": turns}
    try:
        record.describe(machine() | settings)
        run(options, record)
    except KeyboardInterrupt:
        print("interrupted")
    except OtherSettingsError as reason:
        print(f"--resume: {reason}; choose another --out")
        return 2
    if not record.rows:
        print("no shape was measured")
        return 1
    print("\n" + record.page())
    record.write()
    return 1 if any(row.wrong for row in record.rows) else 0


if __name__ == "__main__":
    sys.exit(main())
