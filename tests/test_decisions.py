"""The decisions keep their form, stand in the index, and name tests that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "decisions"
DECISIONS = sorted(path.name for path in FOLDER.glob("[0-9]*.md"))


def names_of_tests() -> set[str]:
    """Return the names of all tests of the repository, wherever they stand."""
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py")]
    return {name for text in texts for name in re.findall(r"^ *def (test_\w+)\(", text, re.M)}


def missing_tests(text: str) -> list[str]:
    """Return the tests that a text cites and that are not there."""
    return [name for name in re.findall(r"`(test_\w+)`", text) if name not in names_of_tests()]


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
    held_by = text.partition("## Held by")[2]
    assert re.findall("`test_", held_by)
    assert missing_tests(held_by) == []


def test_a_test_that_is_not_there_is_named() -> None:
    assert missing_tests("`test_the_numbers_go_on_without_gaps` and `test_no_more`") == [
        "test_no_more"
    ]
