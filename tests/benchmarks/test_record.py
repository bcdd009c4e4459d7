"""A run that is cut off keeps its rows, and one that goes on with it measures only the others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from benchmarks import conv, record
from benchmarks.measure import DIRECTIONS, Budget, Plan, Row
from benchmarks.record import OtherSettingsError, Record, replace
from benchmarks.test_report import row

from pellucid.kernels.conv import ConvSpec

SETTINGS = {"engine": "native, avx2"}


class FakePair:
    """Stands in for both workers."""

    def __init__(self, threads: int, isa: str | None) -> None:
        self.threads = threads

    def settings(self) -> dict[str, str]:
        return SETTINGS

    def __enter__(self) -> FakePair:
        return self

    def __exit__(self, *_: object) -> None:
        pass


class Killed(BaseException):
    """What nothing catches."""


class Bench:
    """Runs the command with made-up rows, and remembers which it was asked for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, out: Path) -> None:
        self.monkeypatch, self.out = monkeypatch, out
        self.asked: list[tuple[str, tuple[str, ...]]] = []
        self.most = 1000
        monkeypatch.setattr(conv, "Pair", FakePair)
        monkeypatch.setattr(conv, "measure", self.measure)
        monkeypatch.setattr(conv, "load", lambda: 0.0)

    def measure(
        self,
        pair: Any,
        spec: ConvSpec,
        dtype: str,
        directions: list[str],
        plan: Plan,
        budget: Budget,
    ) -> list[Row]:
        if len(self.asked) == self.most:
            raise Killed
        self.asked.append((str(spec), tuple(directions)))
        return [row(str(spec), direction) for direction in directions]

    def run(self, *arguments: str) -> int:
        options = ["--only", "dilated", "--threads", "1", "--out", str(self.out), *arguments]
        self.monkeypatch.setattr("sys.argv", ["conv.py", *options])
        self.asked = []
        return conv.main()

    @property
    def document(self) -> dict[str, Any]:
        return json.loads(self.out.with_name("conv.json").read_text())


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Bench:
    return Bench(monkeypatch, tmp_path / "results" / "conv")


def test_a_run_that_is_killed_keeps_its_rows_and_says_what_is_missing(bench: Bench) -> None:
    bench.most = 2
    with pytest.raises(Killed):
        bench.run()
    assert len(bench.document["rows"]) == 2 * len(DIRECTIONS)
    missing = len(DIRECTIONS) * (len(conv.chosen(False, "dilated")) - 2)
    assert missing > 0
    page = bench.out.with_name("conv.md").read_text()
    assert f"**The run did not come to its end: {missing} rows are missing (--resume).**" in page
    assert sorted(file.name for file in bench.out.parent.iterdir()) == ["conv.json", "conv.md"]


def test_going_on_measures_only_what_is_missing(bench: Bench) -> None:
    assert bench.run() == 0
    whole = bench.document["rows"]
    everything = bench.asked
    bench.most = 2
    with pytest.raises(Killed):
        bench.run()
    bench.most = 1000
    assert bench.run("--resume") == 0
    assert bench.asked == everything[2:]
    assert bench.document["rows"] == whole
    assert "did not come to its end" not in bench.out.with_name("conv.md").read_text()
    assert bench.run("--resume") == 0
    assert bench.asked == []


def test_going_on_with_a_part_of_a_shape(bench: Bench) -> None:
    bench.run("--only", "forward.*dilated")
    bench.run("--only", "dilated", "--resume")
    assert {directions for _, directions in bench.asked} == {("grad_input", "grad_weight")}


def test_without_resume_a_run_begins_anew(bench: Bench) -> None:
    bench.run()
    first = bench.asked
    bench.run()
    assert bench.asked == first


def test_rows_with_other_settings_are_not_mixed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.run()
    before = bench.document
    assert bench.run("--resume", "--dtype", "float64") == 2
    assert (
        "--resume: the rows there have dtype 'float32', and now it is 'float64'; "
        "choose another --out"
    ) in capsys.readouterr().out
    assert bench.run("--resume", "--quick") == 2
    bench.most = 1
    with pytest.raises(Killed):
        bench.run()
    bench.most = 1000
    monkeypatch.setitem(SETTINGS, "engine", "native, avx512")
    assert bench.run("--resume") == 2
    assert len(bench.document["rows"]) == len(DIRECTIONS)
    assert before["settings"]["engine"] == "native, avx2"


def test_minutes_add_up_and_remarks_stay(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(conv, "load", lambda: 1.5)
    bench.most = 1
    with pytest.raises(Killed):
        bench.run()
    bench.most = 1000
    document = bench.document
    document["settings"]["minutes"] = "7.0"
    bench.out.with_name("conv.json").write_text(json.dumps(document))
    monkeypatch.setattr(conv, "load", lambda: 0.0)
    bench.run("--resume")
    assert bench.document["settings"]["minutes"] == "7.0"
    assert bench.document["remarks"] == ["The machine was not idle before the run (load 1.50)."]


def test_nothing_to_resume_is_a_run_from_the_beginning(bench: Bench) -> None:
    assert bench.run("--resume") == 0
    assert len(bench.asked) == len(conv.chosen(False, "dilated"))


def test_a_file_is_the_old_one_or_the_new_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "deep" / "page.md"
    replace(path, "old")

    def killed(*_: object) -> None:
        raise Killed

    monkeypatch.setattr(record.os, "replace", killed)
    with pytest.raises(Killed):
        replace(path, "new, and longer")
    assert path.read_text() == "old"


def test_a_record_without_a_file_writes_nothing(tmp_path: Path) -> None:
    memory = Record(None)
    memory.describe({"dtype": "float32"})
    memory.write()
    with pytest.raises(OtherSettingsError, match="dtype 'float32', and now it is 'float64'"):
        memory.describe({"dtype": "float64"})
