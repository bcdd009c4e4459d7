"""One function tried on all cases: what it supports, what came back, what it does besides.

Cases that fail with an error say that the one feature they bring is not supported; an error with
features that have all worked before is a mistake. Next room: search.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import permutations
from typing import Any

import numpy as np

from pellucid.testing.diagnosis.call import RESULTS, Caller, Outcome
from pellucid.testing.diagnosis.problems import FEATURES, Problem
from pellucid.testing.diagnosis.search import Sample

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Fault:
    """A mistake that is none of arithmetic: its name, where it showed, what its text says."""

    mistake: str
    problem: Problem
    facts: dict[str, Any] = field(default_factory=dict)


class Trial:
    """The outcomes of one function.

    `unsupported` has a reason for each feature, "" where there is no parameter for it.
    """

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self.outcomes: list[Outcome] = []
        self.faults: list[Fault] = []
        self.unsupported: dict[str, str] = {}
        self._pending: list[Outcome] = []
        self._failures: Counter[str] = Counter()  # cases with this new feature alone
        self._works: set[str] = set()

    @property
    def supported(self) -> tuple[str, ...]:
        """The features of the cases that ran."""
        return tuple(feature for feature in FEATURES if feature in self._works)

    def run(self, problems: Sequence[Problem], progress: Progress | None) -> None:
        """Try all cases; stop at the first return value that cannot be read."""
        self.caller.settle(problems[:2])
        for done, problem in enumerate(problems):
            if progress is not None:
                progress(done, len(problems))
            self.unsupported.update(dict.fromkeys(self.caller.lacks(problem.features), ""))
            if problem.features & self.unsupported.keys():
                continue
            outcome = self.caller.attempt(problem)
            if outcome.error is not None:
                self._failed(outcome, outcome.error)
            else:
                self._works |= problem.features
                self._keep(outcome)
            if any(fault.mistake in _FATAL for fault in self.faults):
                return
        for outcome in self._pending:
            for feature in outcome.problem.features - self._works:
                self.unsupported.setdefault(feature, said(outcome.error))
        self._sort()
        self._check_integers()

    def _failed(self, outcome: Outcome, error: BaseException) -> None:
        new = outcome.problem.features - self._works
        if new:
            self._pending.append(outcome)
            for feature in new if len(new) == 1 else ():
                self._failures[feature] += 1
                if self._failures[feature] == _TRIALS:
                    self.unsupported[feature] = said(error)
        elif not isinstance(error, NotImplementedError):
            self._add("raises", outcome.problem, error=said(error))

    def _keep(self, outcome: Outcome) -> None:
        problem = outcome.problem
        if outcome.fault is not None:
            self._add(outcome.fault, problem, **outcome.facts)
        if outcome.changed:
            self._add("inputs-modified", problem, arrays=", ".join(outcome.changed))
        if outcome.unset:
            self._add("memory-not-initialised", problem, where=", ".join(outcome.unset))
        if not self.outcomes and outcome.results:
            again = self.caller.attempt(problem).results
            differs = [
                name
                for name, a in outcome.results.items()
                if np.isfinite(a).all()
                and not (name in again and problem.is_near(name, a, again[name]))
            ]
            if differs:
                self._add("changes-between-calls", problem, where=", ".join(differs))
        self.outcomes.append(outcome)

    def _add(self, mistake: str, problem: Problem, **facts: Any) -> None:
        """Keep a fault, each kind once: with its smallest case."""
        if all(fault.mistake != mistake for fault in self.faults):
            self.faults.append(Fault(mistake, problem, facts))

    def _sort(self) -> None:
        """Put results that are returned in another order into the right one."""
        names = [n for n in RESULTS[self.caller.kind] if all(n in o.results for o in self.outcomes)]
        if not self.outcomes or _shapes_agree(self.outcomes, names, names):
            return
        for order in permutations(names):
            if _shapes_agree(self.outcomes, names, order):
                self._add("results-exchanged", self.outcomes[0].problem, order=", ".join(order))
                for outcome in self.outcomes:
                    given = [outcome.results[name] for name in names]
                    outcome.results = dict(zip(order, given, strict=True))
                return

    def samples(self, name: str) -> list[Sample]:
        """Return the arrays of that name, but for cases in which they say nothing."""
        silent = {"not-finite", "changes-between-calls"}
        if any(f.mistake in silent and name in f.facts.get("where", "") for f in self.faults):
            return []
        return [
            Sample(o.problem, o.results[name])
            for o in self.outcomes
            if name in o.results and (o.problem.is_whole or name not in o.integers)
        ]

    def is_unset(self, name: str) -> bool:
        """Whether memory that was never written is in an array of that name."""
        return any(name in outcome.unset for outcome in self.outcomes)

    def _check_integers(self) -> None:
        """Find arrays of integers that cut off what is behind the point."""
        for outcome in self.outcomes:
            for name in outcome.integers & outcome.results.keys():
                found = outcome.results[name]
                if not outcome.problem.is_whole and not outcome.problem.is_right(name, found):
                    self._add("integer-dtype", outcome.problem, where=name)


_TRIALS = 3  # cases with a feature that fail before the others are left out
_LONGEST_ERROR = 80
_FATAL = {"returns-none", "wrong-number-of-results", "not-numbers"}


def _shapes_agree(outcomes: Sequence[Outcome], names: Sequence[str], order: Sequence[str]) -> bool:
    """Whether the results, taken in this order, have the shapes of the right ones."""
    return all(
        outcome.results[name].shape == outcome.problem.right[wanted].shape
        for outcome in outcomes
        for name, wanted in zip(names, order, strict=True)
    )


def said(error: BaseException | None) -> str:
    """Return the kind of an error and the beginning of its text."""
    text = str(error).strip().split("\n")[0]
    text = text if len(text) <= _LONGEST_ERROR else f"{text[:_LONGEST_ERROR]}..."
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
