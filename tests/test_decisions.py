"""The decisions keep their form, stand in the index, and name tests that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "decisions"
DECISIONS = sorted(path.name for path in FOLDER.glob("[0-9]*.md"))


def missing_tests(text: str) -> list[str]:
    """Return what is cited as `tests/file.py::test_name` and is not there."""
    cited = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text)
    return [
        f"{file}::{name}"
        for file, name in cited
        if not (ROOT / file).exists()
        or not re.search(rf"^ *def {name}\(", (ROOT / file).read_text("utf-8"), re.MULTILINE)
    ]


def test_the_numbers_go_on_without_gaps() -> None:
    assert [int(name[:4]) for name in DECISIONS] == list(range(1, len(DECISIONS) + 1))


def test_the_index_has_every_decision_under_its_title() -> None:
    rows = re.findall(
        r"^\| (\d+) \| \[(.+)\]\((.+)\) \|$", (FOLDER / "README.md").read_text("utf-8"), re.M
    )
    assert [file for _, _, file in rows] == DECISIONS
    for number, title, file in rows:
        first = (FOLDER / file).read_text("utf-8").splitlines()[0]
        assert first == f"# {number}. {title}"


@pytest.mark.parametrize("name", DECISIONS)
def test_a_decision_has_its_parts_and_its_tests(name: str) -> None:
    text = (FOLDER / name).read_text("utf-8")
    assert re.findall(r"^## (.+)$", text, re.M) == ["Why", "What", "What it costs", "Held by"]
    assert re.search(r"^(Accepted in \w+ \d{4}|Replaced by \d+)\.$", text, re.M)
    assert "::test_" in text.partition("## Held by")[2]
    assert missing_tests(text) == []


def test_a_test_that_is_not_there_is_named() -> None:
    here = "`tests/test_decisions.py::test_the_numbers_go_on_without_gaps`"
    gone = "`tests/test_decisions.py::test_no_more` and `tests/none.py::test_a`"
    assert missing_tests(here) == []
    assert missing_tests(gone) == ["tests/test_decisions.py::test_no_more", "tests/none.py::test_a"]
