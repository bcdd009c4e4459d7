"""Where one algorithm overtakes another: the measurement behind the constants that choose.

    python -m benchmarks.thresholds                                   everything; about five minutes
    python -m benchmarks.thresholds --only winograd --isa avx2 --dtype float32

One thread, every algorithm that does not refuse, turn and turn about, medians. How to read the
tables stands in benchmarks/README.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import ceil
from statistics import median
from timeit import timeit
from typing import Any

import numpy as np
from benchmarks.bootstrap import geometric_mean
from benchmarks.measure import DIRECTIONS
from benchmarks.report import markdown, section
from benchmarks.worker import numbers

import pellucid
from pellucid.kernels import conv, matmul
from pellucid.kernels.conv import ConvSpec, winograd
from pellucid.kernels.layout import as_channels_last
from pellucid.kernels.native import module

Calls = dict[str, Callable[[], Any]]  # by algorithm
Ratios = dict[int, dict[str, float]]  # the rival's time over the winner's, by number and direction
ALGORITHMS = "winograd", "lanewise", "direct"
TURNS, TURN_SECONDS = 15, 0.002


@dataclass(frozen=True)
class Sweep:
    """Problems along one number, and the constant that says for which of them one should win."""

    title: str
    winner: str
    rival: str
    upwards: bool  # the winner wins from the crossover on, else up to it
    problems: dict[int, list[str]]
    constant: int | None = None  # None where nothing is chosen by this number


CHANNELS = 4, 8, 12, 16, 24, 32, 64
SWEEPS = [
    *(
        Sweep(
            f"winograd._LEAST_CHANNELS, {kernel}: the channels of the narrower side",
            "winograd", "direct", True,
            {
                c: [f"n8 c{a} i28x28 o{b} {kernel}" for a, b in ((c, c), (c, 64), (64, c))]
                for c in CHANNELS
            },
            winograd._LEAST_CHANNELS,
        )
        for kernel in ("k3x3 p1", "k5x5 p2")
    ),
    Sweep(
        "winograd._LEAST_IN_MANY of forward and grad_input: the channels of each of 16 groups",
        "winograd", "direct", True,
        {
            c: [f"n8 c{16 * c} i{i}x{i} o{16 * c} k3x3 p1 g16" for i in (7, 14, 28)]
            for c in (16, 20, 24, 32)
        },
        winograd._LEAST_IN_MANY,
    ),
    Sweep(
        "winograd._LEAST_PIXELS of grad_weight: the pixels of gy", "winograd", "direct", True,
        {
            n * i * i: [f"n{n} c{c} i{i}x{i} o{c} k3x3 p1" for c in (16, 64, 256)]
            for n, i in ((1, 4), (1, 7), (2, 7), (3, 7), (1, 14), (2, 14))
        },
        winograd._LEAST_PIXELS,
    ),
    Sweep(
        "winograd, no constant: the side of the image", "winograd", "direct", True,
        {i: [f"n8 c{c} i{i}x{i} o{c} k3x3 p1" for c in (32, 128)] for i in (2, 4, 7, 14, 28, 56)},
    ),
    Sweep(
        "lanewise, no constant: the channels of a group", "lanewise", "direct", False,
        {c: [f"n8 c64 i28x28 o64 k3x3 p1 g{64 // c}"] for c in (1, 2, 4, 8, 16)},
    ),
    Sweep(
        "lanewise, no constant: the outputs of a group of one channel", "lanewise", "direct", False,
        {o: [f"n8 c32 i28x28 o{32 * o} k3x3 p1 g32"] for o in (1, 2, 4, 8, 16)},
    ),
    Sweep(
        "matmul._VERY_FEW: the rows of a", "read", "packed", False,
        {m: [f"{m} 1152 256", f"{m} 2048 1000"] for m in (1, 2, 4, 8, 16, 32)},
        matmul._VERY_FEW,
    ),
]  # fmt: skip


def conv_calls(spec: ConvSpec, dtype: str) -> dict[str, Calls]:
    """Return for each direction the calls of the algorithms that do not refuse."""
    shapes = spec.x_shape, spec.w_shape, spec.y_shape
    x, w, gy = (numbers(shape, dtype, seed) for seed, shape in enumerate(shapes))
    x, gy = as_channels_last(x), as_channels_last(gy)
    runs: dict[conv.Direction, Callable[[str], Any]] = {
        "forward": lambda name: conv.forward(x, w, None, spec, name),
        "grad_input": lambda name: conv.grad_input(gy, w, spec, name),
        "grad_weight": lambda name: conv.grad_weight(gy, x, spec, name),
    }
    return {
        direction: {
            name: partial(run, name)
            for name in ALGORITHMS
            if not conv.ALGORITHMS[name].refuses(spec, direction, np.dtype(dtype))
        }
        for direction, run in runs.items()
    }


def matmul_calls(M: int, K: int, N: int, dtype: str) -> dict[str, Calls]:
    """Return the product of a linear layer, with b read as it lies and with b packed."""
    x, w = numbers((M, K), dtype, 0), numbers((N, K), dtype, 1)

    def with_few(rows: int) -> Any:
        before, matmul._VERY_FEW = matmul._VERY_FEW, rows
        y = matmul.product(x, w.T)
        matmul._VERY_FEW = before
        return y

    return {"forward": {"read": partial(with_few, M), "packed": partial(with_few, 0)}}


def calls_of(problem: str, dtype: str) -> dict[str, Calls]:  # a spec, or M K N
    if problem[0].isdigit():
        return matmul_calls(*map(int, problem.split()), dtype=dtype)
    return conv_calls(ConvSpec.parse(problem), dtype)


def times(calls: Calls, turns: int) -> dict[str, float]:
    """Return the median seconds of each, taken in turns, every other time in opposite order."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call()
    counts = {name: ceil(TURN_SECONDS / timeit(call, number=1)) for name, call in calls.items()}
    for turn in range(turns):
        for name in list(calls)[:: -1 if turn % 2 else 1]:
            seconds[name].append(timeit(calls[name], number=counts[name]) / counts[name])
    return {name: median(taken) for name, taken in seconds.items()}


def measure(sweep: Sweep, dtype: str, turns: int) -> tuple[Ratios, list[list[str]]]:
    """Return the ratios of a sweep (nan where one refuses) and a table of every time."""
    names = ALGORITHMS if sweep.winner in ALGORITHMS else (sweep.winner, sweep.rival)
    table = [["problem", "direction", *(f"{name} us" for name in names), "fastest"]]
    ratios: Ratios = {}
    for number, problems in sweep.problems.items():
        found: dict[str, list[float]] = {}
        for problem in problems:
            for direction, calls in calls_of(problem, dtype).items():
                taken = times(calls, turns)
                cells = [f"{1e6 * taken[n]:.1f}" if n in taken else "-" for n in names]
                table.append([problem, direction, *cells, min(taken, key=taken.__getitem__)])
                pair = [taken.get(name, float("nan")) for name in (sweep.rival, sweep.winner)]
                found.setdefault(direction, []).append(pair[0] / pair[1])
        ratios[number] = {way: geometric_mean(several) for way, several in found.items()}
    return ratios, table


def crossover(ratios: Ratios, direction: str, upwards: bool) -> int | None:
    """Return the number from which (or up to which) the winner wins throughout; None if nowhere."""
    last = None
    for number in sorted(ratios, reverse=upwards):
        if not ratios[number][direction] > 1:
            break
        last = number
    return last


def report(sweep: Sweep, dtype: str, isa: str, turns: int) -> str:
    """Measure a sweep, and return what it says of its constant."""
    ratios, table = measure(sweep, dtype, turns)
    directions = [way for way in DIRECTIONS if way in next(iter(ratios.values()))]
    means = [["number", *directions]]
    means += [
        [str(number), *(f"{r[way]:.2f}" for way in directions)] for number, r in ratios.items()
    ]
    found = (f"{way} {crossover(ratios, way, sweep.upwards)}" for way in directions)
    verdict = f"{sweep.winner} wins {'from' if sweep.upwards else 'up to'}: {', '.join(found)}"
    constant = "" if sweep.constant is None else f"; the constant is {sweep.constant}"
    times_of_all = section(f"{sweep.title} ({isa}, {dtype})", table)
    over = f"{sweep.rival}'s time over {sweep.winner}'s, geometric means:"
    return f"{times_of_all}\n{over}\n\n{markdown(means)}\n\n{verdict}{constant}\n"


def main() -> None:
    assert module is not None, "thresholds are those of the native module"
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", default="", help="sweeps whose title has this")
    parser.add_argument("--isa", choices=module.isas(), action="append", help="default: all")
    parser.add_argument("--dtype", choices=["float32", "float64"], action="append")
    parser.add_argument("--turns", type=int, default=TURNS)
    options = parser.parse_args()
    pellucid.set_num_threads(1)
    for isa in options.isa or module.isas():
        module.select_isa(isa)
        for dtype in options.dtype or ["float32", "float64"]:
            for sweep in SWEEPS:
                if options.only in sweep.title:
                    print(report(sweep, dtype, isa, options.turns), flush=True)


if __name__ == "__main__":
    main()
