from __future__ import annotations

from math import prod

from benchmarks.bootstrap import Ratio
from benchmarks.train import JOBS
from benchmarks.train_report import ALL_ROWS, WHERE, Row, family_table, line, page, table


def row(name: str = "lenet b1", ratio: float = 3.0, mode: str = "training") -> Row:
    bare = Row(name, mode, 2, 2.5, our_bytes=2 << 20, torch_bytes=None)
    times = {"compiled": 3.0, "contiguous": 4.0}
    return bare.with_times(1.0, times, Ratio(ratio, ratio - 0.5, ratio + 0.5), 15)


def test_a_row_is_told_with_both_numbers_and_its_target() -> None:
    assert line(row()) == (
        "lenet b1, training: 3.00 >= 2.5 [2.50, 3.50]; ours 1 ms, PyTorch compiled 3, "
        "contiguous 4 ms; memory 2 and - MiB"
    )
    assert "2.00 < 2.5" in line(row(ratio=2.0))


def test_the_mean_has_a_target_where_all_models_are_there() -> None:
    assert len(JOBS) == ALL_ROWS
    head, first, mean = table([row()])
    assert len(head) == len(first) == len(mean)
    assert (mean[0], mean[5]) == ("geometric mean", "3.00")
    assert table([row(ratio=2.0), *[row()] * (ALL_ROWS - 1)])[-1][5] == "2.83 >= 2.2"


def test_a_page_has_a_table_for_each_mode_and_says_what_is_missing_or_wrong() -> None:
    wrong = Row("unet b4", "training", 2, 1.9, 0, 0, ["compiled: no compiler"], ["x differs by 1"])
    rows = [row(), wrong, row(mode="inference")]
    text = page({"torch": "2.13"}, rows, 4, ["The machine was not idle"])
    assert "**The machine was not idle**" in text
    assert "3 of 4 rows" in text
    assert "**unet b4, training: WRONG, x differs by 1**" in text
    assert "- unet b4, training: compiled: no compiler" in text
    assert "| unet b4 " not in text
    assert text.index("## A step of training, 2 threads") < text.index("## Inference, 2 threads")
    assert "did not come" not in page({}, [row()], 1, [])


def test_a_page_says_where_steps_go() -> None:
    ours, theirs = {"Linear": 1e-3, "the rest": 2e-6}, {"Linear": 2e-3, "the rest": 4e-3}
    told = row().with_families("contiguous", ours, theirs)
    assert family_table([row(), told])[1:] == [["lenet b1", "contiguous", "1 / 2", "0.002 / 4"]]
    assert f"### {WHERE}" in page({}, [row(), told], 2, [])
    assert WHERE not in page({}, [row()], 1, [])


def test_jobs_are_those_of_the_table() -> None:
    sizes = {name: prod(job.x_shape) for name, (job, _) in JOBS.items()}
    assert sizes["resnet18 b8 224x224"] == 8 * 3 * 224 * 224
    for name, (job, target) in JOBS.items():
        assert name.startswith(f"{job.model} b{job.x_shape[0]}")
        assert target >= 1.7
