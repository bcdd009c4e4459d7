"""From rows to what is read: means by class against the targets, networks, and what falls short.

What falls short stands there with what is known of it: its algorithm, and to which of the machine's
two limits it is nearest.

Everything is a table of Markdown with padded columns, which a terminal shows as well as a page.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from math import isnan
from statistics import median
from typing import Any, NamedTuple

from benchmarks.bootstrap import geometric_mean
from benchmarks.measure import DIRECTIONS, Row
from benchmarks.networks import (
    CLASSES,
    DENSE_CLASSES,
    NETWORKS,
    TINY,
    WINOGRAD_CLASSES,
    Use,
    class_of,
)

from pellucid.kernels.conv import ConvSpec, winograd

# How many times as long PyTorch is to take, in float32, as a geometric mean over a class.
TARGETS = {
    "3x3 stride 1": (2.2, 2.2, 2.2),
    "5x5 stride 1": (1.7, 1.7, 2.0),
    "1x1": (1.15, 1.15, 1.25),
    "other dense": (1.1, 1.2, 1.3),
    "first layers": (1.2, 3.0, 2.0),
    "depthwise": (1.3, 1.3, 2.5),
    "thin groups": (2.0, 2.0, 3.0),
}
EQUAL_WEIGHT_TARGETS, ALL_TARGET, FLOAT64_TARGET = (1.45, 1.7, 1.9), 1.7, 1.5
# Shares of the FMA peak on one thread, for dense layers of at least so many FLOP: the geometric
# mean, and the least of all.
LARGE_FLOPS = 0.2e9
DIRECT_SHARE, LEAST_DIRECT_SHARE = 0.72, 0.55
WINOGRAD_SHARES = {"forward": 1.6, "grad_input": 1.6, "grad_weight": 1.1}
NEAR, TINY_MS = 1.05, 0.006

Table = list[list[str]]


class Limits(NamedTuple):
    """What no kernel passes: the FMA peak, and the copying of memory; medians over a run."""

    gflops: float | None
    gbytes: float | None


def markdown(table: Table) -> str:
    """Return a table whose first line is the head."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = [
        "| "
        + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        + " |"
        for line in table
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])


def against(number: float, target: float | None) -> str:
    """Write a number, and whether it reaches its target if it has one."""
    if isnan(number):
        return "-"
    verdict = "" if target is None else f" >= {target:g}" if number >= target else f" < {target:g}"
    return f"{number:.2f}{verdict}"


def means_by_class(rows: Iterable[Row]) -> dict[str, dict[str, float]]:
    """Return the geometric mean of the ratios, for each class that has rows and each direction."""
    rows = list(rows)
    return {
        kind: {
            direction: geometric_mean(
                row.ratio.value for row in rows if (row.kind, row.direction) == (kind, direction)
            )
            for direction in DIRECTIONS
        }
        for kind in CLASSES
        if any(row.kind == kind for row in rows)
    }


def class_table(rows: Sequence[Row]) -> Table:
    """Each class against its targets, then all classes with equal weight."""
    targets = TARGETS if rows[0].dtype == "float32" else {}
    means = means_by_class(rows)
    table = [["class", "shapes", *DIRECTIONS]]
    for kind, by_direction in means.items():
        shapes = len({row.spec for row in rows if row.kind == kind})
        wanted = targets.get(kind, (None,) * len(DIRECTIONS))
        cells = map(against, by_direction.values(), wanted)
        table.append([kind, str(shapes), *cells])
    equal = [
        geometric_mean(m[direction] for m in means.values() if not isnan(m[direction]))
        for direction in DIRECTIONS
    ]
    # The targets are for all seven: a part of them has no right to be held against these.
    whole = bool(targets) and len(means) == len(CLASSES)
    wanted = EQUAL_WEIGHT_TARGETS if whole else (None,) * len(DIRECTIONS)
    table.append(["classes, equal weight", str(len(means)), *map(against, equal, wanted)])
    total = geometric_mean(mean for mean in equal if not isnan(mean))
    table.append(["all", "", against(total, ALL_TARGET if whole else None), "", ""])
    if rows[0].dtype == "float64":
        every = geometric_mean(row.ratio.value for row in rows if row.kind in CLASSES)
        table.append(["all rows, equal weight", "", against(every, FLOAT64_TARGET), "", ""])
    return table


def computed(use: Use, direction: str) -> str | None:
    """Return the direction of the spec that a layer's direction is; None if nobody computes it.

    A transposed convolution runs grad_input forward, and forward as its gradient. The gradient by
    a network's input is not computed.
    """
    if use.transposed:
        return {"forward": "grad_input", "grad_input": "forward"}.get(direction, direction)
    first = direction == "grad_input" and class_of(use.spec) == "first layers"
    return None if first else direction


def network_sums(
    rows: Iterable[Row], uses: Iterable[Use]
) -> dict[str, tuple[float, float, float]] | None:
    """Return our and PyTorch's ms and the FLOP-weighted mean ratio, by direction and "training".

    None if a shape of the network was not measured.
    """
    found = {(row.spec, row.direction): row for row in rows}
    sums, everything = {}, []
    for direction in DIRECTIONS:
        wanted = [(use, computed(use, direction)) for use in uses]
        pairs = [(use.uses, (str(use.spec), way)) for use, way in wanted if way]
        if any(key not in found for _, key in pairs):
            return None
        parts = [(count, found[key]) for count, key in pairs]
        sums[direction] = _sum(parts)
        everything += parts
    return sums | {"training": _sum(everything)}


def _sum(parts: list[tuple[int, Row]]) -> tuple[float, float, float]:
    return (
        sum(count * row.ours_ms for count, row in parts),
        sum(count * row.torch_ms for count, row in parts),
        geometric_mean(
            (row.ratio.value for _, row in parts), (count * row.flops for count, row in parts)
        ),
    )


def network_table(rows: Sequence[Row], networks: dict[str, list[Use]]) -> Table:
    """For each network that was measured whole: ratio of the sums of times, and weighted mean."""
    table = [["network", "ours ms", "PyTorch ms", *DIRECTIONS, "training", "training, by FLOP"]]
    for name, uses in networks.items():
        if sums := network_sums(rows, uses):
            ratios = [f"{theirs / ours:.2f}" for ours, theirs, _ in sums.values()]
            ours, theirs, weighted = sums["training"]
            cells = [NETWORKS[name][0], f"{ours:.2f}", f"{theirs:.2f}"]
            table.append([*cells, *ratios, f"{weighted:.2f}"])
    return table


def limits_of(rows: Iterable[Row]) -> Limits:
    """Return the medians of what was measured along with the rows."""
    rows = list(rows)
    peaks = [row.peak_gflops for row in rows if row.peak_gflops]
    copies = [row.copy_gbytes for row in rows]
    return Limits(median(peaks) if peaks else None, median(copies) if copies else None)


def nearest_limit(row: Row, limits: Limits) -> str:
    """Return the limit of which a row reaches the larger part, and that part: `memory 81%`.

    Winograd's products count, not those that it saves; its transforms do not count.
    """
    made = 1.0  # of the products of the direct sum
    if row.algorithm == "winograd":
        made = winograd.products(ConvSpec.parse(row.spec), row.direction)
    parts = [
        (reached / limit, name)
        for name, reached, limit in (
            ("compute", row.gflops * made, limits.gflops),
            ("memory", row.gbytes, limits.gbytes),
        )
        if limit
    ]
    return "{1} {0:.0%}".format(*max(parts)) if parts else "-"


def large_dense(rows: Iterable[Row], direction: str, minimal: bool) -> list[Row]:
    """Return the rows whose share of the peak has a target, where Winograd applies or elsewhere."""
    return [
        row
        for row in rows
        if row.kind in DENSE_CLASSES
        and row.flops >= LARGE_FLOPS
        and row.direction == direction
        and (row.kind in WINOGRAD_CLASSES) == minimal
        and not (direction == "grad_input" and _in_channels(row) < 16)
    ]


def peak_table(rows: Sequence[Row]) -> Table:
    """The share of the FMA peak, in GFLOP/s of the direct count, of large dense layers."""
    peak = limits_of(rows).gflops
    table = [["large dense layers", "direction", "shapes", "mean share of the peak", "least"]]
    for minimal in (False, True) if peak else ():
        for direction in DIRECTIONS:
            shares = [row.gflops / peak for row in large_dense(rows, direction, minimal)]
            if shares:
                mean = WINOGRAD_SHARES[direction] if minimal else DIRECT_SHARE
                least = None if minimal else LEAST_DIRECT_SHARE
                cells = [against(geometric_mean(shares), mean), against(min(shares), least)]
                name = "where Winograd applies" if minimal else "others"
                table.append([name, direction, str(len(shares)), *cells])
    return table


def short_of_the_peak(rows: Sequence[Row]) -> list[Row]:
    """Return the rows under the least share, or where Winograd applies, under that of the mean."""
    peak = limits_of(rows).gflops
    return [
        row
        for direction in DIRECTIONS
        for minimal in (False, True)
        for row in large_dense(rows, direction, minimal)
        if peak
        and row.gflops / peak < (WINOGRAD_SHARES[direction] if minimal else LEAST_DIRECT_SHARE)
    ]


def _in_channels(row: Row) -> int:
    return next(int(part[1:]) for part in row.spec.split() if part[0] == "c")


def row_table(rows: Iterable[Row], limits: Limits) -> Table:
    """Every number of every row."""
    table = [
        [
            "spec",
            "class",
            "direction",
            "ours ms",
            "PyTorch ms",
            "layout",
            "other layout ms",
            "ratio",
        ]
        + ["95 % interval", "turns", "algorithm", "GFLOP/s", "of peak", "GB/s", "nearest limit"]
        + ["error", "PyTorch's error"]
    ]
    for row in rows:
        other = f"{row.other_layout_ms:.4g}" if row.other_layout_ms else "-"
        low, value, high = (
            f"{part:.2f}" for part in (row.ratio.low, row.ratio.value, row.ratio.high)
        )
        share = f"{row.gflops / limits.gflops:.0%}" if limits.gflops else "-"
        table.append(
            [row.spec, row.kind, row.direction, f"{row.ours_ms:.4g}", f"{row.torch_ms:.4g}"]
            + [row.layout, other, value, f"{low} to {high}", str(row.turns), row.algorithm]
            + [f"{row.gflops:.1f}", share, f"{row.gbytes:.1f}", nearest_limit(row, limits)]
            + [f"{row.our_error.of_sum:.1e}", f"{row.torch_error.of_sum:.1e}"]
        )
    return table


def section(title: str, table: Table, nothing: str = "none") -> str:
    return f"### {title}\n\n{markdown(table) if len(table) > 1 else nothing}\n"


def summary(rows: Sequence[Row], networks: dict[str, list[Use]]) -> str:
    """Return the page about the rows of one thread count."""
    right = [row for row in rows if not row.wrong]
    wrong = [row for row in rows if row.wrong]
    limits = limits_of(rows)
    below = [row for row in right if row.ratio.high < 1]
    near = [row for row in right if row.ratio.value < NEAR and row not in below]
    tiny = [row for row in right if row.kind == TINY]
    threads = "1 thread" if rows[0].threads == 1 else f"{rows[0].threads} threads"
    parts = [f"## {threads}, {rows[0].dtype}\n", limits_line(rows)]
    if wrong:
        table = row_table(wrong, limits)
        parts.append(section("WRONG ANSWERS, left out of all that follows", table))
    if right:
        parts.append(section("PyTorch's time over ours, geometric means", class_table(right)))
        parts.append(section("By network, ratio of summed times", network_table(right, networks)))
    if right and rows[0].threads == 1 and rows[0].dtype == "float32":
        parts.append(section("Share of the FMA peak", peak_table(right)))
        short = row_table(short_of_the_peak(right), limits)
        parts.append(section("Short of their share of the FMA peak", short))
    parts += [
        section(f"The cost of a call, to be at most {TINY_MS} ms", row_table(tiny, limits)),
        section("Slower than PyTorch: the interval lies below 1", row_table(below, limits)),
        section(f"Under {NEAR}, but not surely slower", row_table(near, limits)),
    ]
    return "\n".join(parts)


def limits_line(rows: Sequence[Row]) -> str:
    """Say what the machine could do, and how steady it was."""
    measured = {
        ("FMA peak", "GFLOP/s"): [row.peak_gflops for row in rows if row.peak_gflops],
        ("copies of memory", "GB/s"): [row.copy_gbytes for row in rows],
    }
    parts = [
        f"{name} {median(numbers):.0f} {unit} ({min(numbers):.0f} to {max(numbers):.0f})"
        for (name, unit), numbers in measured.items()
        if numbers
    ]
    return "; ".join(parts) + ".\n"


def page(
    settings: dict[str, str],
    rows: Sequence[Row],
    networks: dict[str, list[Use]],
    remarks: Iterable[str],
) -> str:
    """Return everything: settings, a summary for each thread count, and all rows."""
    parts = ["# Convolution, beside PyTorch\n", *(f"**{remark}**\n" for remark in remarks)]
    parts.append(markdown([["setting", ""], *map(list, settings.items())]) + "\n")
    groups = [[row for row in rows if row.threads == n] for n in sorted({r.threads for r in rows})]
    parts += [summary(group, networks) for group in groups]
    for group in groups:
        title = f"All rows, threads: {group[0].threads}"
        parts.append(section(title, row_table(group, limits_of(group))))
    return "\n".join(parts)


def as_json(
    settings: dict[str, str],
    rows: Sequence[Row],
    networks: dict[str, list[Use]],
    remarks: Iterable[str],
) -> str:
    """Return the same numbers for programs."""
    document: dict[str, Any] = {
        "remarks": list(remarks),
        "settings": settings,
        "summaries": [],
    }
    for threads in sorted({row.threads for row in rows}):
        group = [row for row in rows if row.threads == threads and not row.wrong]
        sums = {name: network_sums(group, uses) for name, uses in networks.items()}
        document["summaries"].append(
            {
                "threads": threads,
                **{f"limit_{name}": limit for name, limit in limits_of(group)._asdict().items()},
                "classes": means_by_class(group),
                "networks": {
                    name: {
                        key: dict(zip(("ours_ms", "torch_ms", "by_flop"), sum_, strict=True))
                        for key, sum_ in by_direction.items()
                    }
                    for name, by_direction in sums.items()
                    if by_direction
                },
            }
        )
    document["rows"] = [row.as_dict() for row in rows]
    return json.dumps(document, indent=1) + "\n"
