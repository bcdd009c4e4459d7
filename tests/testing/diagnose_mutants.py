"""The mutants of mutants.txt: functions with a mistake, made from the correct ones."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any, NamedTuple

from testing import backwards

TABLE = Path(__file__).with_name("mutants.txt")


class Mutant(NamedTuple):
    """One function of backwards.py, the mistake that it gets, and the texts that are replaced."""

    mistake: str
    function: str
    replaced: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        words = " ".join(self.replaced[0][1].split()) or "left out"
        return f"{self.mistake} in {self.function}: {words}"

    def build(self) -> Any:
        """Return the function with its mistake."""
        source = inspect.getsource(backwards.CORRECT[self.function])
        for old, new in self.replaced:
            assert old in source, f"{self.function} has no {old!r}"
            source = source.replace(old, new)
        namespace = dict(vars(backwards))
        exec(compile(source, str(self), "exec"), namespace)
        return namespace[self.function]


def _replaced(text: str) -> tuple[str, str]:
    """The lines with a minus and those with a plus, without their signs."""
    old, new = ([line[2:] for line in text.splitlines() if line[:1] == sign] for sign in "-+")
    return "\n".join(old), "\n".join(new)


def read(text: str) -> list[Mutant]:
    """Return the mutants of such a table."""
    entries = re.findall(r"^= (\S+) (\S+)\n(.*?)(?=^= |\Z)", text, re.MULTILINE | re.DOTALL)
    return [
        Mutant(mistake, function, tuple(map(_replaced, re.split(r"^@$", body, flags=re.MULTILINE))))
        for mistake, function, body in entries
    ]


MUTANTS = read(TABLE.read_text(encoding="utf-8"))
