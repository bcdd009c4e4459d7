"""`diagnose`: which mistake somebody's own backward pass of a convolution makes.

Not here: how a mistake is recognised (diagnosis/). Next room: diagnosis/problems.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pellucid.errors import ArgumentError
from pellucid.testing.diagnosis.call import RESULTS, Caller
from pellucid.testing.diagnosis.problems import problems
from pellucid.testing.diagnosis.report import Diagnosis, Finding
from pellucid.testing.diagnosis.search import NOT_RECOGNISED, explain
from pellucid.testing.diagnosis.trial import Progress, Trial


def diagnose(
    backward: Callable[..., Any],
    forward: Callable[..., Any] | None = None,
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> Diagnosis:
    """Find the mistake in a backward pass of conv2d: its name, the smallest case, the equation.

    Shapes: `backward(gy, x, w, stride, padding, dilation, groups) -> gx, gw, gb` gets NumPy arrays
    x (N, C, H, W), w (O, C/G, KH, KW), gy (N, O, OH, OW) in float64 and returns arrays of the
    shapes of x, w and (O,). gb may be left out or None. A function without a parameter for an
    option, or that raises an error with a feature, is tried on what it supports; one that takes
    planes (H, W), (KH, KW), (OH, OW) is given planes. An option is a number where both axes agree,
    as `stride=2`, else a pair, as `stride=(2, 1)`; `padding=((1, 2), (0, 1))` is low and high.
    Likewise `forward(x, w, b, stride, padding, dilation, groups) -> y`, with or without b.
    Maths: each known mistake predicts what a function that makes it returns; the one that predicts
    the results of all cases, to the rounding of float32, is named, or two of them together. What
    none predicts is "not-recognised". `seed` draws the numbers and the last specs. The names are
    explained in src/pellucid/testing/diagnosis/README.md. `progress(done, total)` is called before
    each case.
    Cost: some fifty calls on a few hundred numbers, a tenth of a second for functions that use
    NumPy well; a second or two more where the cause is not recognised at once.
    Raises: ArgumentError for a function whose parameters cannot be filled.

    >>> import numpy as np
    >>> def backward(gy, x, w, stride):
    ...     gx, gw = np.zeros(x.shape), np.zeros(w.shape)
    ...     KH, KW = w.shape[2:]
    ...     for i, j in np.ndindex(gy.shape[2:]):
    ...         window = np.s_[:, :, i * stride : i * stride + KH, j * stride : j * stride + KW]
    ...         gx[window] = np.tensordot(gy[:, :, i, j], w, 1)
    ...         gw += np.tensordot(gy[:, :, i, j], x[window], (0, 0))
    ...     return gx, gw, gy.sum((0, 2, 3))
    >>> found = diagnose(backward)
    >>> found.mistake, found.case, found.element
    ('assigned-not-added', 'c1 i5x5 o1 k3x3 s2', 'gx[0,0,0,2]')
    """
    for function in (backward, forward):
        if function is not None and not callable(function):
            raise ArgumentError(
                "diagnose",
                f"a {type(function).__name__} is no function",
                fix="pass backward(gy, x, w, stride, padding, dilation, groups)",
            )
    if backward is None and forward is None:
        raise ArgumentError(
            "diagnose", "there is no function", fix="pass a backward pass, a forward pass or both"
        )
    findings: list[Finding] = []
    trials = []
    for kind, function in (("forward", forward), ("backward", backward)):
        if function is not None:
            trial = Trial(Caller(function, kind))
            trial.run(problems(seed), progress)
            findings += _findings(trial)
            trials.append(trial)
    checked = {name: None for t in trials for o in t.outcomes for name in o.results}
    last = trials[-1]
    return Diagnosis(
        tuple(findings), tuple(checked), last.supported, last.unsupported, len(last.outcomes)
    )


def _findings(trial: Trial) -> list[Finding]:
    """All that is wrong with one function: what is certain first, what is not recognised last."""
    faults: list[Finding] = []
    crashes: list[Finding] = []
    known: list[Finding] = []
    unknown: list[Finding] = []
    for fault in trial.faults:
        found = Finding("", (fault.mistake,), fault.problem, facts=fault.facts)
        (crashes if fault.mistake == "raises" else faults).append(found)
    for name in RESULTS[trial.caller.kind]:
        explanation = explain(name, trial.samples(name))
        if explanation is None:
            continue
        problem = explanation.first.problem
        found = Finding(name, explanation.mistakes, problem, explanation)
        if trial.is_unset(name) and explanation.is_vague:
            continue  # the numbers are those of old memory
        (unknown if explanation.mistakes == (NOT_RECOGNISED,) else known).append(found)
    several = [*faults, *_agreed(known), *unknown]
    return several or crashes


def _agreed(findings: list[Finding]) -> list[Finding]:
    """Call a gx that cannot be told from one without padding by the name that gw has."""
    if not any("padding-ignored" in f.mistakes for f in findings):
        return findings
    return [f.renamed(("padding-on-wrong-side", "zero"), "padding-ignored") for f in findings]
