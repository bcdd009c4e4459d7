"""What `diagnose` found, as an object and as text in English and Korean.

Next room: equations.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any

import numpy as np

from pellucid.backend import Array
from pellucid.explain.sentences import Language, as_language
from pellucid.testing.diagnosis import english, korean
from pellucid.testing.diagnosis.equations import number, right_text, wrong_text
from pellucid.testing.diagnosis.mistakes import Change
from pellucid.testing.diagnosis.problems import Problem
from pellucid.testing.diagnosis.search import Explanation

_TEXTS: dict[Language, ModuleType] = {"en": english, "ko": korean}
_HARDLY_KNOWN = "low and high padding"  # which is no option of PyTorch's, and not missed
_LARGEST_SHOWN = 8  # rows and columns of a plane


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: the mistakes, where, and the smallest case that shows it."""

    where: str  # gx, gw, gb or y; "" for what the function does besides
    mistakes: tuple[str, ...]
    problem: Problem
    explanation: Explanation | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    def renamed(self, change: tuple[str, str], name: str) -> Finding:
        """The same with another name for a mistake of that name and form."""
        if self.explanation is None:
            return self
        changes = tuple(
            c._replace(mistake=name) if (c.mistake, c.form) == change else c
            for c in self.explanation.changes
        )
        explanation = replace(self.explanation, changes=changes)
        return replace(self, mistakes=explanation.mistakes, explanation=explanation)

    @property
    def index(self) -> tuple[int, ...] | None:
        """The first element that is wrong; None where a shape is."""
        if self.explanation is None:
            return None
        found, right = self.explanation.first.found, self.problem.right[self.where]
        if found.shape != right.shape:
            return None
        wrong = np.abs(found - right) > self.problem.allowed[self.where]
        return tuple(int(k) for k in np.argwhere(wrong)[0])


@dataclass(frozen=True)
class Diagnosis:
    """What `diagnose` found; `print` it to read it.

    `mistakes` are the names of all that is wrong, and `mistake` is the first of them or None;
    `case` is the spec of the smallest failing case and `element` its first wrong element, as
    `gx[0,0,0,2]`. `supported` are the features that the function was tried with, `unsupported` the
    others, each with the error that it raised or "" where it has no parameter; `tried` is the
    number of cases, `checked` the names of the arrays.
    """

    findings: tuple[Finding, ...]
    checked: tuple[str, ...]
    supported: tuple[str, ...]
    unsupported: Mapping[str, str]
    tried: int

    @property
    def mistakes(self) -> tuple[str, ...]:
        """The names of all mistakes, each once."""
        return tuple(dict.fromkeys(name for f in self.findings for name in f.mistakes))

    @property
    def mistake(self) -> str | None:
        """The name of the first mistake; None when all is right."""
        return self.mistakes[0] if self.findings else None

    @property
    def case(self) -> str | None:
        """The smallest case that shows the first mistake, as the name of its spec."""
        return str(self.findings[0].problem.spec) if self.findings else None

    @property
    def element(self) -> str | None:
        """The first wrong element in that case; None where a shape is wrong, or nothing."""
        for finding in self.findings[:1]:
            if finding.index is not None:
                return _element(finding.where, finding.index)
        return None

    def text(self, lang: str = "en") -> str:
        """Return all of it in words.

        Raises: ArgumentError for a language other than `en` and `ko`.
        """
        return "\n".join(_Writer(self, as_language(lang)).lines())

    def __str__(self) -> str:
        return self.text()


def _element(where: str, index: Sequence[int]) -> str:
    return f"{where}[{','.join(map(str, index))}]"


class _Writer:
    """Writes a diagnosis in one language."""

    def __init__(self, diagnosis: Diagnosis, lang: Language) -> None:
        self.diagnosis, self.lang = diagnosis, lang
        room = _TEXTS[lang]
        self.mistakes, self.phrases, self.features = room.MISTAKES, room.PHRASES, room.FEATURES
        self.unsupported = {
            feature: error
            for feature, error in diagnosis.unsupported.items()
            if feature != _HARDLY_KNOWN
        }

    def say(self, key: str, **facts: Any) -> str:
        return self.phrases[key].format(**facts)

    def joined(self, names: Sequence[str]) -> str:
        return self.phrases["and"].join([", ".join(names[:-1]), names[-1]] if names[1:] else names)

    def lines(self) -> list[str]:
        lines: list[str] = []
        for findings in self.grouped():
            lines += [*self.wrong(findings), ""]
        wrong = {f.where for f in self.diagnosis.findings}
        right = [name for name in self.diagnosis.checked if name not in wrong]
        if not self.diagnosis.tried:
            lines.append(self.say("nothing"))
        elif right and (wrong - {""} or not wrong):
            key = "right in some" if self.unsupported else "right"
            where = self.joined(right)
            lines.append(self.say(key, where=where, tried=self.diagnosis.tried))
        return [*lines, *self.not_tried()]

    def grouped(self) -> list[list[Finding]]:
        """The findings, those of the same mistakes in several arrays together."""
        groups: dict[tuple[str, ...], list[Finding]] = {}
        for finding in self.diagnosis.findings:
            groups.setdefault(finding.mistakes, []).append(finding)
        return list(groups.values())

    def wrong(self, findings: Sequence[Finding]) -> list[str]:
        """What is wrong, where it shows, how to mend it."""
        first, explanation = findings[0], findings[0].explanation
        places = [f.where for f in findings if f.where]
        where = self.joined(places) if places else str(first.facts.get("where", ""))
        changes: Sequence[Change | None] = explanation.changes if explanation else ()
        several = len(first.mistakes) > 1
        lines = [self.say("two", where=where)] if several else []
        thoughts = []
        for k, mistake in enumerate(first.mistakes):
            change = changes[k] if k < len(changes) else None
            title, thought = self.mistake(mistake, change, {**first.facts, "where": where})
            lines.append(self.say("wrong", title=title, name=mistake))
            thoughts.append(thought)
        lines.append("")
        for finding in findings:
            lines += self.evidence(finding)
        lines.append(self.say("thought"))
        for thought in thoughts:
            lines += _wrapped(thought)
        return [*lines, *(self.limits(explanation) if explanation else [])]

    def mistake(
        self, name: str, change: Change | None, facts: Mapping[str, Any]
    ) -> tuple[str, str]:
        form = change.form if change else ""
        form = self.phrases["varies"] if form == "varies" else form
        title, thought = (text.format(**{**facts, "form": form}) for text in self.mistakes[name])
        return title + (
            self.phrases[f"along {change.axis}"] if change and change.axis else ""
        ), thought

    def evidence(self, finding: Finding) -> list[str]:
        """The smallest failing case, its first wrong element, and the whole plane of it."""
        explanation, problem = finding.explanation, finding.problem
        if explanation is None:
            return [f"    {problem.spec}", ""]
        found, right = explanation.first.found, problem.right[finding.where]
        count = self.say("count", wrong=explanation.wrong, tried=explanation.tried)
        lines = [f"{finding.where}: {count}", f"    {problem.spec}"]
        if (index := finding.index) is None:
            lines.append("    " + self.say("shape", found=found.shape, wanted=right.shape))
        else:
            wanted = right_text(problem, finding.where, index, self.lang)
            got = wrong_text(problem, finding.where, index, explanation.way, found)
            lines.append("    " + self.say("first", element=_element(finding.where, index)))
            lines.append(f"        {self.phrases['equation']:<8}{wanted}")
            lines.append(f"        {self.phrases['yours']:<8}{got}")
        return [*lines, *self.planes(finding, index), ""]

    def planes(self, finding: Finding, index: Sequence[int] | None) -> list[str]:
        """The plane of that element, right and as it came back, side by side."""
        assert finding.explanation is not None
        pair = finding.problem.right[finding.where], finding.explanation.first.found
        at = tuple(index[:2]) if index is not None else (0, 0)
        if any(a.ndim != 4 or not all(map(_is_shown, a.shape[2:])) for a in pair):
            return []
        if any(k >= size for a in pair for k, size in zip(at, a.shape, strict=False)):
            return []
        name = _element(finding.where, at).replace("]", ",:,:]")
        blocks = [_block(a[at]) for a in pair]
        height = max(map(len, blocks))
        width = len(blocks[0][0])
        left, right = ([*rows, *[" " * width] * (height - len(rows))] for rows in blocks)
        side_by_side = [f"        {a}      {b}".rstrip() for a, b in zip(left, right, strict=True)]
        return ["    " + self.say("whole", name=name), *side_by_side]

    def limits(self, explanation: Explanation) -> list[str]:
        """What the explanation leaves open."""
        lines = []
        if explanation.beyond:
            lines.append(self.say("beyond", feature=self.features[explanation.beyond]))
        if explanation.alternatives:
            lines.append(self.say("alternatives", names=", ".join(explanation.alternatives)))
        if not explanation.changes and explanation.shared:
            names = ", ".join(self.features[name] for name in explanation.shared)
            lines.append(self.say("shared", features=names))
        return lines

    def not_tried(self) -> list[str]:
        if not self.unsupported:
            return []
        lines = [self.say("unsupported")]
        for feature, error in self.unsupported.items():
            why = self.say("raised", error=error) if error else self.phrases["no parameter"]
            lines.append(f"    {self.features[feature]}: {why}")
        return lines


def _is_shown(size: int) -> bool:
    return 0 < size <= _LARGEST_SHOWN


def _block(plane: Array) -> list[str]:
    """A small matrix as lines of equal length."""
    cells = [[number(value) for value in row] for row in plane]
    width = max(len(cell) for row in cells for cell in row)
    return [" ".join(cell.rjust(width) for cell in row) for row in cells]


def _wrapped(text: str, width: int = 92) -> list[str]:
    """A paragraph as lines; Korean letters are twice as wide."""
    lines, line, length = [], "", 0
    for word in text.split(" "):
        size = sum(2 if ord(letter) > 0x1100 else 1 for letter in word)
        if line and length + 1 + size > width:
            lines.append(f"    {line}")
            line, length = "", 0
        line = f"{line} {word}" if line else word
        length += size + 1
    return [*lines, f"    {line}"]
