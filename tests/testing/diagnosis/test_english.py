"""The English texts: one for every mistake, feature and phrase, also in the table of names."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pellucid.testing.diagnosis
from pellucid.testing.diagnosis.english import FEATURES, MISTAKES
from pellucid.testing.diagnosis.mistakes import changes
from pellucid.testing.diagnosis.problems import FEATURES as KNOWN

FACTS = {"where", "form", "count", "type", "order", "arrays", "error"}


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_every_mistake_has_a_text() -> None:
    known = {change.mistake for name in ("gx", "gw", "gb", "y") for change in changes(name)}
    assert known <= set(MISTAKES)
    for title, thought in MISTAKES.values():
        assert fields(title) <= FACTS
        assert fields(thought) <= FACTS
        assert thought.endswith((".", "gb."))
        assert not title.endswith(".")


def test_every_feature_has_a_text() -> None:
    assert tuple(FEATURES) == KNOWN


def test_the_table_of_names_has_them_all() -> None:
    folder = Path(pellucid.testing.diagnosis.__file__).parent
    table = (folder / "README.md").read_text("utf-8").partition("## The names")[2]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    assert {name for row in rows for name in re.findall("`([^`]+)`", row)} == set(MISTAKES)
