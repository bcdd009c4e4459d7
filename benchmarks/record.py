"""What a run has measured so far: whole on disk after every shape, and taken up again by --resume.

Next room: report.py, which makes the page.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from benchmarks import networks, report
from benchmarks.measure import Row

# What may differ between a run and the one that goes on with it.
FREE_SETTINGS = ("command", "minutes")


class OtherSettingsError(Exception):
    """Rows that were measured with other settings are no part of the same record."""


class Record:
    """Rows, the settings that all of them were measured with, and remarks against the numbers."""

    def __init__(self, out: Path | None) -> None:
        self.out = out  # without .md and .json; None to write nothing
        self.settings: dict[str, str] = {}
        self.remarks: list[str] = []
        self.rows: list[Row] = []
        self.missing = 0

    @staticmethod
    def resumed(out: Path) -> Record:
        """Return the record of an earlier run; an empty one if it left none."""
        record, path = Record(out), ending(out, ".json")
        if path.exists():
            document = json.loads(path.read_text())
            record.settings = document["settings"]
            record.remarks = document["remarks"]
            record.rows = [Row.from_dict(row) for row in document["rows"]]
        return record

    def describe(self, settings: dict[str, str]) -> None:
        """Add settings; those that are there must be the same."""
        for key, value in settings.items():
            before = self.settings.get(key, value)
            if before != value and key not in FREE_SETTINGS:
                raise OtherSettingsError(
                    f"the rows there have {key} {before!r}, and now it is {value!r}"
                )
        self.settings |= settings

    def remark(self, remarks: Iterable[str]) -> None:
        self.remarks += [remark for remark in remarks if remark not in self.remarks]

    def has(self, spec: str, direction: str, threads: int) -> bool:
        wanted = spec, direction, threads
        return any(wanted == (row.spec, row.direction, row.threads) for row in self.rows)

    def page(self) -> str:
        return report.page(self.settings, self.rows, _uses(), self._remarks())

    def _remarks(self) -> list[str]:
        cut = f"The run did not come to its end: {self.missing} rows are missing (--resume)."
        return self.remarks + [cut] * (self.missing > 0)

    def write(self) -> None:
        """Write the page and the numbers; each file is the old or the new one, and always whole."""
        if self.out:
            numbers = report.as_json(self.settings, self.rows, _uses(), self.remarks)
            for name, text in ((".json", numbers), (".md", self.page())):
                replace(ending(self.out, name), text)


def ending(out: Path, suffix: str) -> Path:
    return out.with_name(out.name + suffix)


def replace(path: Path, text: str) -> None:
    """Write a file so that nobody ever sees a part of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    beside.write_text(text)
    os.replace(beside, path)


@lru_cache
def _uses() -> dict[str, list[networks.Use]]:
    return {name: networks.read(name) for name in networks.NETWORKS}
