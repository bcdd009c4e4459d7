"""The walk of ARCHITECTURE.md is the way that a convolution really takes through the files."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import pellucid
from pellucid import nn

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = Path(pellucid.__file__).parent


class Stop(NamedTuple):
    """One line of the walk: a file, the functions that run there in this order, and the room."""

    file: str
    functions: list[str]
    room: str


def walk(page: str) -> tuple[list[Stop], list[Stop]]:
    """Return the stops on the way there and on the way back."""
    block = page.partition("## The walk")[2].partition("\n\n**1.")[0]
    there, _, back = block.partition(".backward()")
    row = re.compile(r"^ {5}[1-6-]  (\S+\.py) +(\S.*?)(?: {2,}([A-D]))?$", re.MULTILINE)
    ways = []
    for way in (there, back):
        ways.append([Stop(f, re.split(r" -> |, ", names), r) for f, names, r in row.findall(way)])
    return ways[0], ways[1]


def calls(function: Callable[[], Any]) -> list[tuple[str, str]]:
    """Run a function and return every call inside the package, as file and name."""
    found: list[tuple[str, str]] = []

    def note(frame: FrameType, event: str, _: object) -> None:
        path = Path(frame.f_code.co_filename)
        if event == "call" and PACKAGE in path.parents:
            found.append((path.relative_to(PACKAGE).as_posix(), frame.f_code.co_name))

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        function()
    finally:
        sys.setprofile(before)
    return found


def missing(stops: list[Stop], made: list[tuple[str, str]]) -> list[str]:
    """Return the functions of the walk that were not called after those before them."""
    remaining = iter(made)
    return [
        f"{stop.file}: {name}"
        for stop in stops
        for name in stop.functions
        if (stop.file, name.split(".")[-1]) not in remaining
    ]


LAYER = nn.Conv2d(8, 16, 3)
X, GY = pellucid.ones(2, 8, 8, 8, requires_grad=True), pellucid.ones(2, 16, 6, 6)
THERE = calls(lambda: LAYER(X))
OUTPUT = LAYER(X)
BACK = calls(lambda: OUTPUT.backward(GY))
STOPS = walk((ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8"))


def test_the_page_has_six_stops_in_four_rooms_and_the_engine_between() -> None:
    there, back = STOPS
    assert [stop.room for stop in there] == ["A", "B", "C", "D"]
    assert [stop.room for stop in back] == ["", "B", "D"]
    files = {stop.room: stop.file for stop in there}
    assert [stop.file for stop in back[1:]] == [files["B"], files["D"]]


def test_a_convolution_takes_that_way() -> None:
    there, back = STOPS
    assert missing(there, THERE) == []
    assert missing(back, BACK) == []


def test_the_way_back_enters_no_new_file() -> None:
    assert {file for file, _ in BACK} <= {file for file, _ in THERE}


def test_another_way_is_noticed() -> None:
    there, back = STOPS
    assert missing([Stop("ops/conv.py", ["conv3d"], "")], THERE) == ["ops/conv.py: conv3d"]
    assert missing(list(reversed(there)), THERE) != []
    assert missing(back, THERE) != []
