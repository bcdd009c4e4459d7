"""How the time and the memory of a training step grow with the batch, beside PyTorch.

    python -m benchmarks.batches                        lenet and resnet20; about three minutes
    python -m benchmarks.batches --isa avx2 --threads 2 --out benchmarks/results/batches-avx2
    python -m benchmarks.batches --batches 8,16 --alternations 3 --out /tmp/batches    does it run?

Run from the root of the repository, on a machine with nothing else to do. It measures as train.py
does, PyTorch channels-last, and writes a table (.md) and a picture (.svg).
"""

from __future__ import annotations

import argparse
import shlex
import sys
from dataclasses import replace as changed
from pathlib import Path
from typing import Any

import matplotlib as mpl
from benchmarks.machine import add_threads, common_parser, load, machine, remarks
from benchmarks.record import replace
from benchmarks.report import markdown
from benchmarks.train import JOBS, RESULTS, Processes, settings_of, tell, timed
from benchmarks.train_report import Row, line
from benchmarks.train_worker import TRAINING, VARIANTS
from matplotlib.figure import Figure

BATCHES = "8,16,32,64,128,256"
MODELS = {"lenet": JOBS["lenet b144"][0], "resnet20": JOBS["resnet20 b128 32x32"][0]}
NAMES = "pellucid", "PyTorch"
COLOURS = {"pellucid": "#0072b2", "PyTorch": "#d55e00"}  # those of the other pictures
LAYOUT = "channels-last"


def measure(name: str, batch: int, options: argparse.Namespace, threads: int) -> Row:
    """Return the row of one model with one batch."""
    job = MODELS[name]
    job = changed(job, x_shape=(batch, *job.x_shape[1:]))
    with Processes(job, TRAINING, threads, options.isa) as processes:
        for kind in VARIANTS:
            processes.start(kind, LAYOUT)
        row = Row(
            name=f"{name} b{batch}",
            mode=TRAINING,
            threads=threads,
            target=1,
            our_bytes=processes.least_memory("pellucid"),
            torch_bytes=processes.least_memory("torch"),
            wrong=processes.compare(),
        )
        return row if row.wrong else timed(row, processes, options.alternations)


def per_image(row: Row, batch: int) -> dict[str, tuple[float, float]]:
    """Return microseconds and KiB for an image, of each library; nan where nobody tells."""
    (torch_ms,) = (row.torch_ms or {LAYOUT: float("nan")}).values()
    times = dict(zip(NAMES, (row.ours_ms, torch_ms), strict=True))
    sizes = dict(zip(NAMES, (row.our_bytes, row.torch_bytes), strict=True))
    nan = float("nan")
    return {
        name: (
            1e3 * times[name] / batch,
            nan if sizes[name] is None else (sizes[name] or 0) / 1024 / batch,
        )
        for name in NAMES
    }


Series = dict[str, dict[int, Row]]  # by model and batch


def table(series: Series) -> str:
    """Return every number, in Markdown."""
    head = ["model", "batch", "us an image", "PyTorch us", "ratio", "KiB an image", "PyTorch KiB"]
    found = [head]
    for name, rows in series.items():
        for batch, row in rows.items():
            (ours, our_size), (theirs, their_size) = per_image(row, batch).values()
            cells = [f"{ours:.4g}", f"{theirs:.4g}", f"{row.ratio.value:.2f}"]
            found.append([name, str(batch), *cells, f"{our_size:.0f}", f"{their_size:.0f}"])
    return markdown(found)


def page(series: Series, settings: dict[str, str], above: list[str], picture: str) -> str:
    """Return the page: what speaks against the numbers, the settings, the table, the picture."""
    parts = ["# A training step as the batch grows, beside PyTorch\n"]
    parts += [f"**{remark}**\n" for remark in above]
    wrong = [row for rows in series.values() for row in rows.values() if row.wrong]
    parts += [f"**{line(row)}**\n" for row in wrong]
    parts += [markdown([["setting", ""], *map(list, settings.items())]) + "\n"]
    parts += [table(series) + "\n", f"![time and memory of an image]({picture})\n"]
    return "\n".join(parts)


def draw(series: Series, path: Path) -> None:
    """Write the picture: a row for each model, the time of an image beside its memory."""
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "batches", "font.size": 9}):
        figure = Figure((7, 2.6 * len(series)), layout="constrained")
        panels = figure.subplots(len(series), 2, squeeze=False)
        for (name, rows), panel in zip(series.items(), panels, strict=True):
            for axes, which, what in zip(panel, (0, 1), ("microseconds", "KiB"), strict=True):
                plot(axes, {b: per_image(row, b) for b, row in rows.items()}, which)
                axes.set_title(f"{name}: {what} an image", loc="left")
        panels[0][0].legend(frameon=False)
        figure.savefig(path, format="svg", metadata={"Date": None})


def plot(axes: Any, numbers: dict[int, dict[str, tuple[float, float]]], which: int) -> None:
    """Draw one panel: a line for each library, over the batch."""
    for name, colour in COLOURS.items():
        values = [of[name][which] for of in numbers.values()]
        axes.plot(list(numbers), values, color=colour, marker="o", markersize=4, label=name)
    axes.set_xscale("log", base=2)
    axes.set_xticks(list(numbers), [str(batch) for batch in numbers])
    axes.set_ylim(bottom=0)
    axes.set_xlabel("batch")
    axes.grid(axis="y", linewidth=0.4)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def arguments() -> argparse.Namespace:
    parser = common_parser(__doc__, RESULTS / "batches", "what names begin with")
    parser.add_argument("--models", default=",".join(MODELS), help=f"of {', '.join(MODELS)}")
    parser.add_argument("--batches", default=BATCHES, help=f"default {BATCHES}")
    add_threads(parser)
    parser.add_argument("--alternations", type=int, default=9, metavar="N", help="default 9")
    return parser.parse_args()


def main() -> int:
    options = arguments()
    above = remarks(quick=False, load_before=load())
    settings = machine() | settings_of(options, options.threads)
    settings["command"] = shlex.join(sys.argv[1:])
    out = options.out.with_name(f"{options.out.name}-{options.threads}-threads")
    series: Series = {}
    for name in options.models.split(","):
        for batch in map(int, options.batches.split(",")):
            row = measure(name, batch, options, options.threads)
            tell(line(row))
            series.setdefault(name, {})[batch] = row
    draw(series, out.with_suffix(".svg"))
    text = page(series, settings, above, f"{out.name}.svg")
    replace(out.with_suffix(".md"), text)
    print("\n" + text)
    return int(any(row.wrong for rows in series.values() for row in rows.values()))


if __name__ == "__main__":
    sys.exit(main())
