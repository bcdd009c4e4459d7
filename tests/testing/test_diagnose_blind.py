"""Mistakes by somebody who had not read `diagnose`: at least 14 of 15 named, none wrongly."""

from __future__ import annotations

from testing.diagnose_blind_mutants import MUTANTS

from pellucid.testing import diagnose


def test_most_are_named_and_none_wrongly() -> None:
    found = {f.__name__: (diagnose(f).mistake, right) for f, _, right in MUTANTS}
    wrong = {name: names for name, names in found.items() if names[0] != names[1]}
    assert all(names[0] == "not-recognised" for names in wrong.values()), wrong
    assert len(wrong) <= 1, wrong
