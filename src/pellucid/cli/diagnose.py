"""`pellucid diagnose FILE:FUNCTION`: which mistake a backward pass in a file makes.

It runs the file, as Python's import does. Not here: the diagnosis (testing/diagnose.py).
Next room: testing/diagnose.py.
"""

from __future__ import annotations

import difflib
import importlib.util
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from pellucid.errors import ArgumentError, DataError
from pellucid.explain.sentences import as_language
from pellucid.testing import diagnose

_FORM = "give it as FILE:FUNCTION, as in my_conv.py:backward"
_SILENT_SECONDS = 2.0


def diagnose_file(backward: str, forward: str | None, lang: str, seed: int) -> tuple[str, bool]:
    """Diagnose functions that are named as `file.py:function`; `forward` may leave the file out.

    Returns the text, and whether a mistake was found.
    Raises: ArgumentError for a name of another form, a function that is not there, or an unknown
    language; DataError for a file that is not there or fails when it is run.
    """
    language = as_language(lang, "diagnose")
    file, name = _parts(backward)
    functions = [_function(_module(file), file, name)]
    if forward is not None:
        other, name = _parts(forward if ":" in forward else f"{file}:{forward}")
        functions.append(_function(_module(other), other, name))
    with _Bar(Console(stderr=True)) as bar:
        found = diagnose(*functions, seed=seed, progress=bar.show)
    return found.text(language), found.mistake is not None


def _parts(target: str) -> tuple[Path, str]:
    file, colon, name = target.rpartition(":")
    if not (file and colon and name):
        raise ArgumentError("diagnose", f"{target!r} names no function in a file", fix=_FORM)
    return Path(file), name


def _module(file: Path) -> ModuleType:
    """Run a file as a module, beside which it finds others as a script does."""
    if not file.is_file():
        raise DataError("diagnose", f"there is no file {file}", fix="check the path")
    spec = importlib.util.spec_from_loader(file.stem, loader=None)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    module.__file__ = str(file)
    folder = str(file.resolve().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        exec(compile(file.read_text(encoding="utf-8"), str(file), "exec"), vars(module))
    except (Exception, SystemExit) as error:
        raise DataError(
            "diagnose",
            f"{file} fails when it is run, in line {_line(error, file)}: "
            f"{type(error).__name__}: {error}",
            fix=f"make `python {file}` run first",
        ) from None
    return module


def _line(error: BaseException, file: Path) -> int | str:
    """The last line of the file that the error came through."""
    if isinstance(error, SyntaxError) and error.filename == str(file):
        return error.lineno or "?"
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(file)]
    return lines[-1] or "?" if lines else "?"


def _function(module: ModuleType, file: Path, name: str) -> Callable[..., Any]:
    found = getattr(module, name, None)
    if callable(found):
        return found
    if found is not None:
        raise ArgumentError(
            "diagnose", f"{name} in {file} is no function but {type(found).__name__}", fix=_FORM
        )
    own = [n for n, v in vars(module).items() if callable(v) and not n.startswith("_")]
    near = difflib.get_close_matches(name, own, n=1)
    fix = f"did you mean {near[0]}?" if near else f"it has {', '.join(own) or 'no functions'}"
    raise ArgumentError("diagnose", f"{file} has no function {name!r}", fix=fix)


class _Bar:
    """A bar that shows after two seconds, on a terminal, how many cases are done."""

    def __init__(self, console: Console) -> None:
        self._terminal = console.is_terminal
        self._progress = Progress(
            TextColumn("case {task.completed:.0f} of {task.total:.0f}"),
            BarColumn(bar_width=None),
            console=console,
            transient=True,
        )
        self._task: TaskID | None = None
        self._began = time.monotonic()

    def __enter__(self) -> _Bar:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._task is not None:
            self._progress.stop()

    def show(self, done: int, total: int) -> None:
        """Move the bar, once there is one."""
        if not self._terminal or time.monotonic() - self._began < _SILENT_SECONDS:
            return
        if self._task is None:
            self._task = self._progress.add_task("", total=total)
            self._progress.start()
        self._progress.update(self._task, completed=done, total=total)
