"""Which known mistake explains what came back: in every case, to rounding, or not at all.

One array at a time (gx, gw, gb, y). A mistake explains it when its predictions are what came back
in all cases, those where it does no harm included. Failing that, two mistakes at once are tried,
and then one mistake in the cases without some feature. What nothing explains is "not recognised": a
name is never a guess. Next room: report.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from pellucid.backend import Array
from pellucid.testing.diagnosis.mistakes import NEEDS, Change, changes, factor_mistake
from pellucid.testing.diagnosis.predict import FACTORS, Way, predict
from pellucid.testing.diagnosis.problems import FEATURES, UNEQUAL, Problem

NOT_RECOGNISED = "not-recognised"
_NOT_OF_PLANES = frozenset({"batch", "input channels", "output channels"})
_UNEXPLAINED = 1e-2  # of what is off, where something is added to the right numbers
_LOW_PRECISION = 1e-2  # of the sum of absolute terms, where float32 is far below 1e-5


@dataclass(frozen=True, eq=False)
class Sample:
    """One array that came back, and the case that it is of."""

    problem: Problem
    found: Array


@dataclass(frozen=True)
class Explanation:
    """What is wrong with one of the arrays."""

    name: str
    changes: tuple[Change, ...]  # one, or two at once; none where it is not recognised
    first: Sample  # the first case that fails
    wrong: int
    tried: int
    beyond: str = ""  # a feature with which something else is wrong as well
    shared: tuple[str, ...] = ()  # the features of all failing cases
    way: Way | None = None  # what the changes make together
    alternatives: tuple[str, ...] = ()  # other mistakes that explain the same samples

    @property
    def mistakes(self) -> tuple[str, ...]:
        """Their names, each once."""
        return tuple(dict.fromkeys(change.mistake for change in self.changes)) or (NOT_RECOGNISED,)

    @property
    def is_vague(self) -> bool:
        """Whether it says less than how the numbers come about."""
        return set(self.mistakes) <= {NOT_RECOGNISED, "low-precision", "wrong-factor"}


def explain(name: str, samples: Sequence[Sample]) -> Explanation | None:
    """Return what is wrong with the arrays of that name; None when all are right."""
    failing = [s for s in samples if not s.problem.is_right(name, s.found)]
    if not failing:
        return None
    with np.errstate(all="ignore"):  # whatever a function returns
        found, beyond = _changes(name, samples, failing), ""
        alternatives = _alternatives(name, samples, found) if len(found) == 1 else ()
        if not found:
            found, beyond = _without_a_feature(name, samples)
    shared = frozenset.intersection(*(s.problem.features for s in failing))
    way = {key: value for change in found for key, value in change.way.items()} if found else None
    first = failing[0]
    return Explanation(
        name, found, first, len(failing), len(samples), beyond,
        tuple(feature for feature in FEATURES if feature in shared), way, alternatives,
    )  # fmt: skip


def _changes(name: str, samples: Sequence[Sample], failing: Sequence[Sample]) -> tuple[Change, ...]:
    """The changes that explain all samples."""
    # Those that fail first, and of them those with most features: most hypotheses end there.
    telling = sorted(failing, key=lambda s: -len(s.problem.features))
    ordered = [*telling, *(s for s in samples if s not in failing)]
    for search in (_factor, _single, _number_of_rows, _other_shape, _scaled, _pair, _rough):
        if found := search(name, ordered):
            return found
    return ()


def fits(name: str, samples: Sequence[Sample], way: Way) -> bool:
    """Whether a way predicts all of these arrays."""
    for sample in samples:
        wanted = predict(name, sample.problem, way)
        if wanted is None or not sample.problem.is_near(name, sample.found, wanted):
            return False
    return True


def _factor(name: str, samples: Sequence[Sample]) -> tuple[Change, ...]:
    """The right arrays times a factor: one of FACTORS, or constant, or another in each case."""
    if change := _common_factor(name, samples, {}):
        return (change,)
    if any(s.found.shape != s.problem.right[name].shape for s in samples):
        return ()
    factors = [_ratio(s.found, s.problem.right[name]) for s in samples]
    if _are_factors(name, samples, factors) and _is_telling(name, samples, factors):
        return (Change("wrong-factor", "varies", {}),)
    return ()


def _common_factor(name: str, samples: Sequence[Sample], way: Way) -> Change | None:
    """The factor between what a way predicts and what came back, if there is one in all cases."""
    first = samples[0]
    wanted = predict(name, first.problem, way)
    if wanted is None or wanted.shape != first.found.shape:
        return None
    ratio = _ratio(first.found, wanted)
    if not first.problem.is_near(name, first.found, ratio * wanted):
        return None
    for key, of in FACTORS.items():
        near = abs(of(first.problem.spec) - ratio) <= 1e-3 * max(abs(ratio), 1e-3)
        if near and fits(name, samples, {**way, "factor": key}):
            return Change(factor_mistake(key), key, {"factor": key})
    for s in samples:
        wanted = predict(name, s.problem, way)
        if wanted is None or not s.problem.is_near(name, s.found, ratio * wanted):
            return None
    return Change("wrong-factor", f"{ratio:.4g}", {})


def _scaled(name: str, samples: Sequence[Sample]) -> tuple[Change, ...]:
    """One mistake and a factor."""
    for change in candidates(name, samples):
        if "factor" not in change.way:
            factor = _common_factor(name, samples, change.way)
            if factor is not None:
                return change, factor
    return ()


def _ratio(found: Array, wanted: Array) -> float:
    size = float((wanted * wanted).sum())
    return float((found * wanted).sum()) / size if size else 1.0


def _are_factors(name: str, samples: Sequence[Sample], factors: Sequence[float]) -> bool:
    """Whether each array is the right one times the factor of its case."""
    return all(
        s.problem.is_near(name, s.found, factor * s.problem.right[name])
        for s, factor in zip(samples, factors, strict=True)
    )


def _is_telling(name: str, samples: Sequence[Sample], factors: Sequence[float]) -> bool:
    """Whether factors were found where not every array is a multiple of the right one."""
    if any(abs(factor) < 1e-3 for factor in factors):  # zeros are no multiples
        return False
    pairs = zip(samples, factors, strict=True)
    return sum(s.problem.right[name].size >= 4 and abs(f - 1) > 1e-3 for s, f in pairs) >= 3


def candidates(name: str, samples: Sequence[Sample]) -> list[Change]:
    """Return the changes that the features of the samples leave room for."""
    features = frozenset().union(*(s.problem.features for s in samples))
    return [c for c in changes(name) if c.mistake not in NEEDS or NEEDS[c.mistake] & features]


def _singles(name: str, samples: Sequence[Sample]) -> list[Change]:
    """All single changes that explain the samples, the simplest first.

    One that does what a simpler one does, and more that does not show, is left out.
    """
    found = [c for c in candidates(name, samples) if fits(name, samples, c.way)]
    found.sort(key=lambda change: len(change.way))  # stable: else in the order of the list
    kept: list[Change] = []
    for change in found:
        if not any(simpler.way.items() <= change.way.items() for simpler in kept):
            kept.append(change)
    return kept


def _single(name: str, samples: Sequence[Sample]) -> tuple[Change, ...]:
    return tuple(_singles(name, samples)[:1])


def _alternatives(
    name: str, samples: Sequence[Sample], found: tuple[Change, ...]
) -> tuple[str, ...]:
    """The names of other single mistakes that explain the same: too few features tell."""
    names = dict.fromkeys(change.mistake for change in _singles(name, samples))
    return tuple(other for other in names if other != found[0].mistake)


def _number_of_rows(name: str, samples: Sequence[Sample]) -> tuple[Change, ...]:
    """A gx that is right but for how many last rows and columns it has, where there is a stride."""
    if name != "gx" or any(s.found.ndim != 4 for s in samples):
        return ()
    failing = (s for s in samples if s.found.shape != s.problem.right[name].shape)
    if not any(UNEQUAL.isdisjoint(s.problem.features) for s in failing):
        return ()  # it may be the other axis that is wrong
    for s in samples:
        right = s.problem.right[name]
        common = np.s_[:, :, : right.shape[2], : right.shape[3]]
        there = np.s_[:, :, : s.found.shape[2], : s.found.shape[3]]
        if not s.problem.is_near(name, s.found[common], right[there]):
            return ()
        if s.found.shape != right.shape and "stride" not in s.problem.features:
            return ()
    return (Change("leftover-misplaced", "number", {}),)


def _other_shape(name: str, samples: Sequence[Sample]) -> tuple[Change, ...]:
    """The right numbers in another shape, or those of a mistake."""
    if any(s.found.size != s.problem.right[name].size for s in samples):
        return ()
    reshaped = [Sample(s.problem, s.found.reshape(s.problem.right[name].shape)) for s in samples]
    if all(a.found.shape == b.found.shape for a, b in zip(samples, reshaped, strict=True)):
        return ()
    shape = Change("wrong-shape", "reshaped", {})
    if all(s.problem.is_right(name, s.found) for s in reshaped):
        return (shape,)
    inside = _factor(name, reshaped) or _single(name, reshaped)
    return (*inside, shape) if inside else ()


def _pair(name: str, samples: Sequence[Sample]) -> tuple[Change, ...]:
    """Two mistakes at once; where several pairs explain all, what they have in common."""
    found = [
        (one, two)
        for one, two in _pairs(name, samples)
        if fits(name, samples, {**one.way, **two.way})
    ]
    for sample in samples:
        sample.problem.cache.clear()  # thousands of ways were tried
    if not found:
        return ()
    certain = set.intersection(*({change.mistake for change in pair} for pair in found))
    kept = tuple(change for change in found[0] if change.mistake in certain)
    return found[0] if len(kept) == 2 else kept


def _pairs(name: str, samples: Sequence[Sample]) -> Iterator[tuple[Change, Change]]:
    """Two changes that do not touch the same; along both axes, but for flips.

    With one image and one channel many changes do nothing at all (they are idle), whatever else
    is wrong; then the other one must explain those samples alone.
    """
    planes = [s for s in samples if not s.problem.features & _NOT_OF_PLANES]
    none: Way = {}
    are_right = fits(name, planes, none)
    whole = [
        c
        for c in candidates(name, samples)
        if "factor" not in c.way and (not c.axis or "flip" in str(c.way))
    ]
    alone = [fits(name, planes, change.way) for change in whole]
    idle = [not _is_of_axes(change) and _does_nothing(name, planes, change) for change in whole]
    for (one, fit, rests), (other, other_fit, other_rests) in combinations(
        zip(whole, alone, idle, strict=True), 2
    ):
        possible = (other_fit or not rests) and (fit or not other_rests)
        if rests and other_rests:
            possible = are_right
        scrambled = one.mistake == other.mistake == "reshape-for-transpose"
        if possible and not scrambled and not one.way.keys() & other.way.keys():
            yield one, other


def _is_of_axes(change: Change) -> bool:
    """Whether it changes where windows lie and nothing else."""
    return all(key[:2] in {"h.", "w."} for key in change.way)


def _does_nothing(name: str, samples: Sequence[Sample], change: Change) -> bool:
    """Whether what it predicts for all of these cases is right."""
    wanted = ((s.problem, predict(name, s.problem, change.way)) for s in samples)
    return all(found is not None and problem.is_right(name, found) for problem, found in wanted)


def _rough(name: str, samples: Sequence[Sample]) -> tuple[Change, ...]:
    """The right numbers to two digits: float16, or a coarse finite difference."""
    for s in samples:
        right = s.problem.right[name]
        if s.found.shape != right.shape:
            return ()
        scale = _LOW_PRECISION * max(float(np.abs(right).max(initial=0)), 1e-30)
        if np.abs(s.found - right).max(initial=0) > scale:
            return ()
    return () if _adds_something(name, samples) else (Change("low-precision", "", {}),)


def _adds_something(name: str, samples: Sequence[Sample]) -> bool:
    """Whether all that is off is one number, or one multiple of x in gx or w in gw: no rounding."""
    added = {"gx": "x", "gw": "w"}.get(name)
    off = np.concatenate([(s.found - s.problem.right[name]).ravel() for s in samples])
    patterns = [np.ones(off.size)]
    if added is not None:
        patterns.append(np.concatenate([getattr(s.problem, added).ravel() for s in samples]))
    size = float(np.abs(off).sum())
    multiples = ((float(off @ p) / max(float(p @ p), 1e-30)) * p for p in patterns)
    return any(float(np.abs(off - p).sum()) <= _UNEXPLAINED * size for p in multiples)


def _without_a_feature(name: str, samples: Sequence[Sample]) -> tuple[tuple[Change, ...], str]:
    """One mistake that explains the cases without some feature, and that feature."""
    best: tuple[int, tuple[Change, ...], str] = (0, (), "")
    for feature in FEATURES:
        without = [s for s in samples if feature not in s.problem.features]
        failing = [s for s in without if not s.problem.is_right(name, s.found)]
        if len(failing) < 2 or len(failing) <= best[0]:
            continue
        ordered = [*failing, *(s for s in without if s not in failing)]
        singles = _singles(name, ordered)
        # These cases show one side of a mistake with the feature; they cannot tell which it is.
        if any(feature in NEEDS.get(change.mistake, ()) for change in singles):
            continue
        found = _factor(name, ordered) or tuple(singles[:1])
        if found and found[0].mistake != "all-zero":
            best = (len(failing), found, feature)
    return best[1], best[2]
