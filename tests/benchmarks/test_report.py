from __future__ import annotations

import json
from dataclasses import replace
from math import nan

import pytest
from benchmarks import report
from benchmarks.bootstrap import Ratio
from benchmarks.measure import DIRECTIONS, Error, Row
from benchmarks.networks import Use, class_of

from pellucid.kernels.conv import ConvSpec

DENSE = "n8 c64 i56x56 o64 k3x3 p1"
FIRST = "n8 c3 i224x224 o64 k7x7 s2 p3"
UP = "n4 c64 i128x128 o128 k2x2 s2"


def row(spec: str, direction: str, ratio: float = 2.0, ours_ms: float = 10.0) -> Row:
    parsed = ConvSpec.parse(spec)
    return Row(
        spec=spec,
        kind=class_of(parsed),
        direction=direction,
        dtype="float32",
        threads=1,
        flops=parsed.flops,
        ours_ms=ours_ms,
        torch_ms=ratio * ours_ms,
        layout="channels-last",
        other_layout_ms=None,
        ratio=Ratio(ratio, ratio - 0.01, ratio + 0.01),
        turns=15,
        algorithm="direct",
        peak_gflops=100.0,
        bytes=4_000_000,
        copy_gbytes=10.0,
        our_error=Error(1e-7, 1e-6),
        torch_error=Error(1e-7, 1e-5),
    )


def test_class_means_stand_beside_their_targets() -> None:
    other = DENSE.replace("c64", "c32")
    rows = [row(DENSE, "forward", 1.0), row(other, "forward", 4.0), row(DENSE, "grad_input", 2.5)]
    table = report.class_table(rows)
    assert table[1] == ["3x3 stride 1", "2", "2.00 < 2.2", "2.50 >= 2.2", "-"]
    # One class is not all seven: no target for the mean over classes.
    assert table[2] == ["classes, equal weight", "1", "2.00", "2.50", "-"]


def test_a_network_sums_times_as_often_as_it_uses_them() -> None:
    uses = [Use(1, ConvSpec.parse(FIRST)), Use(3, ConvSpec.parse(DENSE))]
    rows = [row(FIRST, d, ratio=1, ours_ms=6) for d in DIRECTIONS]
    rows += [row(DENSE, d, ratio=4, ours_ms=2) for d in DIRECTIONS]
    sums = report.network_sums(rows, uses)
    assert sums is not None
    assert sums["forward"][:2] == (6 + 3 * 2, 6 + 3 * 8)
    assert sums["grad_input"][:2] == (3 * 2, 3 * 8), "nobody computes the gradient by the image"
    assert sums["training"][:2] == (12 + 6 + 12, 30 + 24 + 30)
    assert 1 < sums["training"][2] < 4
    assert report.network_sums(rows[1:], uses) is None, "not measured whole"


def test_a_transposed_layer_runs_grad_input_forward() -> None:
    rows = [row(UP, d, ours_ms=ms) for d, ms in zip(DIRECTIONS, (1, 2, 4), strict=True)]
    sums = report.network_sums(rows, [Use(1, ConvSpec.parse(UP), transposed=True)])
    assert sums is not None
    assert [sums[direction][0] for direction in DIRECTIONS] == [2, 1, 4]


@pytest.mark.parametrize(
    "change",
    [
        {"our_error": Error(3e-6, 1e-6)},
        {"our_error": Error(1e-7, 6e-6)},
        {"our_error": Error(nan, nan)},
        {"torch_error": Error(3e-6, 1e-5)},
        {"torch_error": Error(nan, nan)},
    ],
)
def test_wrong_answers_are_named_and_left_out(change: dict[str, Error]) -> None:
    good, wrong = row(DENSE, "forward"), replace(row(FIRST, "forward", 50.0), **change)
    assert wrong.wrong
    assert not good.wrong
    text = report.summary([good, wrong], {})
    left_out, means = text.split("### ")[1:3]
    assert left_out.startswith("WRONG")
    assert FIRST in left_out
    assert "first layers" not in means


def test_what_is_slower_and_what_is_near_is_listed() -> None:
    rows = [row(DENSE, "forward", 0.9), row(DENSE, "grad_input", 1.0), row(DENSE, "grad_weight")]
    slower, near = report.summary(rows, {}).split("### ")[-2:]
    assert [name for name in DIRECTIONS if name in slower] == ["forward"]
    assert [name for name in DIRECTIONS if name in near] == ["grad_input"]


def test_shares_of_the_peak_are_those_of_large_dense_layers() -> None:
    flops = ConvSpec.parse(DENSE).flops
    small, thin = "n1 c64 i8x8 o64 k3x3 p1", "n8 c128 i56x56 o128 k3x3 p1 g32"
    rows = [row(spec, "forward", ours_ms=flops / 2e8) for spec in (DENSE, FIRST, small, thin)]
    rows.append(row(FIRST, "grad_input"))
    direct, winograd = report.peak_table(rows)[1:]
    assert direct[:3] == ["others", "forward", "1"]
    assert winograd == ["where Winograd applies", "forward", "1", "2.00 >= 1.6", "2.00"]


def test_what_falls_short_stands_with_its_algorithm_and_the_limit_it_is_nearest_to() -> None:
    flops = row(FIRST, "forward").flops
    by_compute = row(FIRST, "forward", ours_ms=flops / 40e6)  # 40 of 100 GFLOP/s
    by_memory = replace(
        row(DENSE, "forward", 0.9), algorithm="winograd", bytes=80_000_000
    )  # 8 of 10 GB/s, and 185 / 4 of 100 GFLOP/s
    seven = "n8 c32 i27x27 o32 k7x7 p3"  # whose products are 4 36/9 of 49
    by_parts = replace(
        row(seven, "forward", ours_ms=ConvSpec.parse(seven).flops / 49e6), algorithm="winograd"
    )
    assert report.nearest_limit(by_parts, report.Limits(100.0, 1e9)) == "compute 16%"
    text = report.summary([by_compute, by_memory], {})
    assert "FMA peak 100 GFLOP/s (100 to 100); copies of memory 10 GB/s (10 to 10)." in text
    short, _, slower, _ = text.split("### ")[4:]
    assert short.startswith("Short of their share of the FMA peak")
    cells = [cell.strip() for cell in short.splitlines()[-2].split("|")]
    assert cells[1] == FIRST
    assert "compute 40%" in cells
    assert slower.startswith("Slower than PyTorch")
    cells = [cell.strip() for cell in slower.splitlines()[-2].split("|")]
    assert {"winograd", "8.0", "memory 80%"} <= set(cells)


def test_where_nothing_is_known_of_the_peak_the_other_limit_stands_alone() -> None:
    unknown = replace(row(FIRST, "forward", 0.9), peak_gflops=None)
    text = report.summary([unknown], {})
    assert "copies of memory 10 GB/s" in text
    assert "FMA peak" not in text.partition("###")[0]
    assert "memory 4%" in text


def test_the_json_holds_the_same_numbers() -> None:
    rows = [row(DENSE, direction) for direction in DIRECTIONS]
    document = json.loads(report.as_json({"processor": "one"}, rows, {}, ["busy"]))
    assert document["settings"] == {"processor": "one"}
    assert document["remarks"] == ["busy"]
    assert document["summaries"][0]["classes"]["3x3 stride 1"]["forward"] == pytest.approx(2)
    assert document["rows"][0]["ratio"] == {"value": 2.0, "low": 1.99, "high": 2.01}
    assert document["rows"][0]["gbytes"] == pytest.approx(0.4)
    assert [Row.from_dict(numbers) for numbers in document["rows"]] == rows


def test_the_page_has_a_part_for_each_thread_count() -> None:
    rows = [row(DENSE, "forward"), replace(row(DENSE, "forward"), threads=2)]
    text = report.page({"processor": "one"}, rows, {}, ["busy"])
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        "## 1 thread, float32",
        "## 2 threads, float32",
    ]
    assert "**busy**" in text
