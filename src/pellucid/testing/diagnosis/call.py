"""How somebody else's function is called: its parameters, its arrays, and what it does besides.

The three arrays are passed by the names `gy`, `x`, `w` where the function has them, else as its
first three parameters; the options by name, and what it has no parameter for it does not know. An
option is one number where both axes agree, `stride=2`, and a pair of them elsewhere, `stride=(2,
1)`; low and high padding is `((1, 2), (0, 1))`. A function that fails with numbers is called with
pairs everywhere, and one that fails with four axes with planes (H, W). Next room: placement.py.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np

from pellucid.backend import Array
from pellucid.errors import ArgumentError
from pellucid.testing.diagnosis.problems import Problem

ARRAYS = {"backward": ("gy", "x", "w"), "forward": ("x", "w", "b")}
RESULTS = {"backward": ("gx", "gw", "gb"), "forward": ("y",)}
# Option -> the names that a parameter for it may have.
OPTIONS = {
    "stride": ("stride", "strides"),
    "padding": ("padding", "pad"),
    "dilation": ("dilation", "dilations"),
    "groups": ("groups", "group"),
}


@dataclass
class Outcome:
    """What one call came to: results by name, or an error, and which inputs it changed."""

    problem: Problem
    results: dict[str, Array] = field(default_factory=dict)
    error: Exception | SystemExit | None = None
    fault: str | None = None  # a mistake that is none of arithmetic, by name
    facts: dict[str, Any] = field(default_factory=dict)  # what the text of the fault says
    changed: tuple[str, ...] = ()
    unset: tuple[str, ...] = ()  # results with memory that was never written
    integers: set[str] = field(default_factory=set)  # results that are no floats


class Caller:
    """A function with the way in which it wants to be called.

    Raises: ArgumentError for a function whose parameters cannot all be filled.
    """

    def __init__(self, function: Callable[..., Any], kind: str) -> None:
        self.function, self.kind = function, kind
        self.with_pairs = self.with_planes = False
        self.options: dict[str, str] = {}
        self.positional = list(ARRAYS[kind])
        self.by_name: dict[str, str] = {}
        self.has_bias = kind == "backward"
        self._read_signature()

    def _read_signature(self) -> None:
        try:
            parameters = list(inspect.signature(self.function).parameters.values())
        except (TypeError, ValueError):  # a function without one: all of them, by name
            self.options, self.has_bias = {name: name for name in OPTIONS}, True
            return
        if any(p.kind is p.VAR_KEYWORD for p in parameters):
            self.options = {name: name for name in OPTIONS}
        names = [p.name for p in parameters if p.kind not in {p.VAR_KEYWORD, p.VAR_POSITIONAL}]
        for option, aliases in OPTIONS.items():
            self.options |= {option: name for name in names if name in aliases}  # noqa: B035
        others = [name for name in names if name not in self.options.values()]
        wanted = ARRAYS[self.kind]
        least = wanted if self.kind == "backward" else wanted[:2]
        if set(least) <= set(others):
            self.by_name = {name: name for name in wanted if name in others}
        else:
            self.by_name = dict(zip(wanted, others, strict=False))
        required = [p.name for p in parameters if p.default is p.empty and p.name in others]
        self._check(least, [name for name in required if name not in self.by_name.values()])
        self.has_bias = self.kind == "backward" or "b" in self.by_name

    def _check(self, least: Sequence[str], unfilled: list[str]) -> None:
        """Hold the parameters to those that can be filled."""
        signature = f"{self.kind}({', '.join(ARRAYS[self.kind])}, {', '.join(OPTIONS)})"
        name = getattr(self.function, "__name__", str(self.function))
        if len(self.by_name) < len(least):
            raise ArgumentError(
                "diagnose",
                f"{name} has {len(self.by_name)} parameters for the {len(least)} arrays "
                f"{', '.join(least)}",
                fix=f"wrap it in a function {signature}; options that it does not know may be "
                "left out",
            )
        if unfilled:
            raise ArgumentError(
                "diagnose",
                f"{name} has a parameter '{unfilled[0]}' that is neither an array nor an option",
                fix=f"wrap it in a function {signature}; options that it does not know may be "
                "left out",
            )

    def lacks(self, features: frozenset[str]) -> frozenset[str]:
        """Return those of the features that the parameters alone rule out."""
        unknown = {option for option in OPTIONS if option not in self.options}
        return features & (unknown | (_NOT_OF_PLANES if self.with_planes else set()))

    def attempt(self, problem: Problem) -> Outcome:
        """Call it once, in memory full of NaN; once more where that shows in a result."""
        outcome = self._call(problem, np.nan)
        if odd := _not_finite(outcome):
            outcome = self._call(problem, 0.0)
            still = _not_finite(outcome)
            outcome.unset = tuple(name for name in odd if name not in still)
            if still:
                outcome.fault, outcome.facts = "not-finite", {"where": ", ".join(still)}
        return outcome

    def _call(self, problem: Problem, memory: float) -> Outcome:
        given = {name: getattr(problem, name).copy() for name in ARRAYS[self.kind]}
        if self.with_planes:
            given = {name: a if name == "b" else a[0, 0].copy() for name, a in given.items()}
        before = {name: a.copy() for name, a in given.items()}
        words = {parameter: given[name] for name, parameter in self.by_name.items()}
        arguments = [] if words else [given[name] for name in self.positional]
        words |= {parameter: self._option(problem, o) for o, parameter in self.options.items()}
        outcome = Outcome(problem)
        _fill_free_memory(problem, memory)
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                returned = self.function(*arguments, **words)
        except (Exception, SystemExit) as error:  # whatever it is, it is what the function does
            outcome.error = error
            return outcome
        outcome.changed = tuple(n for n, a in given.items() if not np.array_equal(a, before[n]))
        self._read(returned, outcome)
        return outcome

    def _option(self, problem: Problem, option: str) -> Any:
        if option == "groups":
            return problem.spec.groups
        numbers: tuple[Any, ...] = getattr(problem.spec, option)
        if option == "padding":
            if all(low == high for low, high in numbers):
                numbers = tuple(low for low, _ in numbers)
            elif not self.with_pairs:
                return numbers
        return numbers if self.with_pairs or len(set(numbers)) > 1 else numbers[0]

    def _read(self, returned: Any, outcome: Outcome) -> None:
        """Sort what the function returned into arrays by name."""
        names = RESULTS[self.kind]
        if returned is None:
            outcome.fault, outcome.facts = "returns-none", {"where": ", ".join(names)}
            return
        values = [returned] if self.kind == "forward" else returned
        if not isinstance(values, (tuple, list)) or len(values) not in {len(names), 2, 1}:
            count = len(values) if isinstance(values, (tuple, list)) else 1
            outcome.fault, outcome.facts = "wrong-number-of-results", {"count": count}
            return
        if self.kind == "backward" and len(values) == 1:
            outcome.fault, outcome.facts = "wrong-number-of-results", {"count": 1}
            return
        for name, value in zip(names, values, strict=False):
            if value is None and name == "gb":
                continue
            self._take(name, value, outcome)

    def _take(self, name: str, value: Any, outcome: Outcome) -> None:
        """Keep one result as an array in float64, or say why that is not possible."""
        if value is None:
            outcome.fault, outcome.facts = "returns-none", {"where": name}
            return
        try:
            array = np.asarray(value)
            if array.dtype.kind not in "fiub":
                raise TypeError
        except Exception:
            outcome.fault = "not-numbers"
            outcome.facts = {"where": name, "type": type(value).__name__}
            return
        if array.dtype.kind != "f":
            outcome.integers.add(name)
        array = array.astype(np.float64)
        if self.with_planes:
            if name == "gb" and array.size == 1:
                array = array.reshape(1)
            elif array.ndim == 2:
                array = array[None, None]
        if self.kind == "forward" and not self.has_bias and array.ndim == 4:
            bias = outcome.problem.b[:, None, None]
            array = array + bias if array.shape[1] == len(bias) else array
        outcome.results[name] = array

    def settle(self, trials: Sequence[Problem]) -> None:
        """Find out whether it takes numbers or pairs, arrays or planes, from the first cases."""
        for problem in trials:
            if self.lacks(problem.features):
                continue
            for planes, pairs in product((False, True), (False, True)):
                self.with_planes, self.with_pairs = planes, pairs
                outcome = self._call(problem, 0.0)
                if outcome.error is None and not self._prefers_planes(problem, outcome):
                    return
        self.with_planes = self.with_pairs = False

    def _prefers_planes(self, problem: Problem, outcome: Outcome) -> bool:
        """Whether it is wrong with four axes, and takes two and returns two."""
        if self.with_planes or not outcome.results:
            return self.with_planes and not _all_planes(outcome)
        right = all(problem.is_right(name, a) for name, a in outcome.results.items())
        if right:
            return False
        trial = Caller(self.function, self.kind)
        trial.with_planes, trial.with_pairs = True, self.with_pairs
        return _all_planes(trial._call(problem, 0.0))


def _not_finite(outcome: Outcome) -> list[str]:
    """The results with NaN or infinity."""
    return [name for name, a in outcome.results.items() if not np.isfinite(a).all()]


_NOT_OF_PLANES = frozenset(
    {"batch", "input channels", "output channels", "unequal channels", "groups"}
)


def _all_planes(outcome: Outcome) -> bool:
    """Whether the results but gb are planes, as `_take` has put them into four axes."""
    planes = [a.ndim == 4 for name, a in outcome.results.items() if name != "gb"]
    return bool(planes) and all(planes)


def _fill_free_memory(problem: Problem, value: float) -> None:
    """Leave `value` in memory that np.empty is likely to give out next: that of small arrays."""
    spec = problem.spec
    padded = tuple(a.padded for a in problem.axes)
    shapes = (
        spec.x_shape, (*spec.x_shape[:2], *padded), spec.w_shape, spec.b_shape, spec.y_shape,
        padded, spec.in_size, spec.kernel,
    )  # fmt: skip
    for shape in shapes:
        for dtype in (np.float64, np.float32):
            # NumPy and the system keep up to seven free blocks of a size.
            blocks = [np.full(shape, value, dtype) for _ in range(8)]
            del blocks
