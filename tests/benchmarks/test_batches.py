from __future__ import annotations

from math import isnan
from pathlib import Path
from xml.etree import ElementTree

from benchmarks.batches import draw, page, per_image, table
from benchmarks.bootstrap import Ratio
from benchmarks.train_report import Row


def row(batch: int, our_bytes: int | None = 32 << 10) -> Row:
    bare = Row(f"lenet b{batch}", "training", 2, 1.0, our_bytes, 64 << 10)
    return bare.with_times(2.0, {"channels-last": 3.0}, Ratio(1.5, 1.4, 1.6), 9)


SERIES = {"lenet": {8: row(8), 16: row(16)}, "resnet20": {8: row(8), 16: row(16)}}


def test_numbers_are_for_one_image() -> None:
    assert per_image(row(8), 8) == {"pellucid": (250.0, 4.0), "PyTorch": (375.0, 8.0)}
    assert isnan(per_image(row(8, None), 8)["pellucid"][1])
    wrong = Row("lenet b8", "training", 2, 1.0, 0, 0, wrong=["x differs by 1"])
    assert isnan(per_image(wrong, 8)["PyTorch"][0])


def test_the_table_has_every_number() -> None:
    lines = table(SERIES).splitlines()
    assert len(lines) == 2 + 4
    cells = [cell.strip() for cell in lines[2].strip("|").split("|")]
    assert cells == ["lenet", "8", "250", "375", "1.50", "4", "8"]


def test_the_page_says_what_speaks_against_it() -> None:
    wrong = {"lenet": {8: Row("lenet b8", "training", 2, 1.0, 0, 0, wrong=["x differs by 1"])}}
    text = page(wrong, {"torch": "2.13"}, ["The machine was not idle"], "a.svg")
    assert "**The machine was not idle**" in text
    assert "**lenet b8, training: WRONG, x differs by 1**" in text
    assert "](a.svg)" in text


def test_the_picture_is_the_same_each_time(tmp_path: Path) -> None:
    first, second = tmp_path / "1.svg", tmp_path / "2.svg"
    draw(SERIES, first)
    draw(SERIES, second)
    assert first.read_bytes() == second.read_bytes()
    words = "".join(ElementTree.parse(first).getroot().itertext())
    for word in ("pellucid", "PyTorch", "lenet: microseconds an image", "resnet20: KiB an image"):
        assert word in words
