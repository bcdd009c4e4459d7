"""From rows of train.py to its page, of training or of inference."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from benchmarks.bootstrap import Ratio, geometric_mean
from benchmarks.report import Table, against, markdown

MEAN_TARGETS = {"training": 2.2, "inference": 1.8}
NOT_MEASURED = Ratio(*[float("nan")] * 3)
WHERE = "Where a step goes: ms of ours / of PyTorch's, each with its own profiler"
ALL_ROWS = 7  # a part of them has no right to be held against the target of their mean


@dataclass(frozen=True)
class Row:
    """What was measured for one model; it has no times where its answers were wrong."""

    name: str
    mode: str
    threads: int
    target: float
    our_bytes: int | None
    torch_bytes: int | None
    remarks: Sequence[str] = ()
    wrong: Sequence[str] = ()
    ours_ms: float = float("nan")
    torch_ms: dict[str, float] | None = None  # by variant, the best one first
    ratio: Ratio = NOT_MEASURED
    turns: int = 0
    profiled: str = ""  # which variant of PyTorch's
    families: dict[str, tuple[float, float]] | None = None  # ms of a step: ours and PyTorch's

    def with_times(
        self, ours_ms: float, torch_ms: dict[str, float], ratio: Ratio, turns: int
    ) -> Row:
        return replace(self, ours_ms=ours_ms, torch_ms=torch_ms, ratio=ratio, turns=turns)

    def with_families(self, of: str, ours: dict[str, float], theirs: dict[str, float]) -> Row:
        """Add where the steps go: the seconds of each family of ops."""
        both = {name: (1e3 * ours[name], 1e3 * theirs[name]) for name in ours}
        return replace(self, profiled=of, families=both)

    def variants(self) -> list[tuple[str, float]]:
        """Return PyTorch's times, the best one first."""
        return list((self.torch_ms or {}).items())


def mebibytes(count: int | None) -> str:
    return "-" if count is None else f"{count / 2**20:.0f}"


def line(row: Row) -> str:
    """Write a row for those who wait."""
    if row.wrong:
        return f"{row.name}, {row.mode}: WRONG, {'; '.join(row.wrong)}"
    times = ", ".join(f"{variant} {ms:.4g}" for variant, ms in row.variants())
    interval = f"[{row.ratio.low:.2f}, {row.ratio.high:.2f}]"
    parts = [f"{row.name}, {row.mode}: {against(row.ratio.value, row.target)} {interval}"]
    parts += [f"ours {row.ours_ms:.4g} ms, PyTorch {times} ms"]
    parts += [f"memory {mebibytes(row.our_bytes)} and {mebibytes(row.torch_bytes)} MiB"]
    return "; ".join([*parts, *row.remarks])


def table(rows: Sequence[Row]) -> Table:
    """Every number of every row of one mode, and the mean of the ratios."""
    head = ["model", "ours ms", "PyTorch ms", "its best", "others ms", "ratio", "95 % interval"]
    found = [[*head, "turns", "ours MiB", "PyTorch MiB"]]
    right = [row for row in rows if not row.wrong]
    for row in right:
        (best, ms), *others = row.variants()
        rest = ", ".join(f"{variant} {ms:.4g}" for variant, ms in others)
        cells = [row.name, f"{row.ours_ms:.4g}", f"{ms:.4g}", best, rest]
        cells += [against(row.ratio.value, row.target)]
        cells += [f"{row.ratio.low:.2f} to {row.ratio.high:.2f}", str(row.turns)]
        found.append([*cells, mebibytes(row.our_bytes), mebibytes(row.torch_bytes)])
    if right:
        mean = geometric_mean(row.ratio.value for row in right)
        target = MEAN_TARGETS[rows[0].mode] if len(right) == ALL_ROWS else None
        found.append(["geometric mean", *[""] * 4, against(mean, target), *[""] * 4])
    return found


def family_table(rows: Sequence[Row]) -> Table:
    """Return where the steps of both libraries go, for each family of ops."""
    known = [(row, row.families) for row in rows if row.families]
    names = list(known[0][1]) if known else []
    table = [["model", "of PyTorch's", *names]]
    for row, families in known:
        cells = [f"{ours:.3g} / {theirs:.3g}" for ours, theirs in families.values()]
        table.append([row.name, row.profiled, *cells])
    return table


def page(settings: dict[str, str], rows: Sequence[Row], all_rows: int, above: Iterable[str]) -> str:
    """Return the page: what speaks against the numbers, the settings, a table for each mode."""
    modes = {row.mode for row in rows}
    titles = {"training": "A step of training", "inference": "Inference"}
    above_all = " and ".join(mode.capitalize() for mode in MEAN_TARGETS if mode in modes)
    parts = [f"# {above_all}, beside PyTorch\n", *(f"**{remark}**\n" for remark in above)]
    if len(rows) < all_rows:
        parts.append(f"**The run did not come to its end: {len(rows)} of {all_rows} rows.**\n")
    parts += [f"**{line(row)}**\n" for row in rows if row.wrong]
    parts.append(markdown([["setting", ""], *map(list, settings.items())]) + "\n")
    for mode, title in titles.items():
        some = [row for row in rows if row.mode == mode]
        if some:
            count = some[0].threads
            threads = "1 thread" if count == 1 else f"{count} threads"
            parts.append(f"## {title}, {threads}\n\n{markdown(table(some))}\n")
        if any(row.families for row in some):
            parts.append(f"### {WHERE}\n\n{markdown(family_table(some))}\n")
    remarks = [f"- {row.name}, {row.mode}: {text}" for row in rows for text in row.remarks]
    return "\n".join([*parts, *(["Left out:\n", *remarks, ""] if remarks else [])])
