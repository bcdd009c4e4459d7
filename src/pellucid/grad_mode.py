"""Whether ops record a graph: a switch of each thread, and the blocks that turn it.

Beside it stands whether NumPy has been told to be silent, which costs more than the rest of an op's
bookkeeping: so a backward pass tells it once. Next room: autograd.py, which asks for both.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ContextDecorator
from typing import Any

import numpy as np


class _GradMode(threading.local):
    enabled = True
    silent = False


_mode = _GradMode()


def is_grad_enabled() -> bool:
    """Whether ops record a graph in this thread."""
    return _mode.enabled


def run_silently(recording: bool, function: Callable[..., Any], *args: Any) -> Any:
    """Call a function with recording on or off, and without a word of NumPy's.

    >>> run_silently(False, np.log, np.float32(0))
    np.float32(-inf)
    """
    outside, _mode.enabled = _mode.enabled, recording
    try:
        if _mode.silent:
            return function(*args)
        _mode.silent = True
        try:
            return _silently(function, *args)
        finally:
            _mode.silent = False
    finally:
        _mode.enabled = outside


@np.errstate(all="ignore")
def _silently(function: Callable[..., Any], *args: Any) -> Any:
    return function(*args)


class set_grad_enabled(ContextDecorator):  # noqa: N801  PyTorch's name
    """Switch recording on or off inside a `with` block or a decorated function.

    >>> import pellucid
    >>> x = pellucid.ones(2, requires_grad=True)
    >>> with set_grad_enabled(False):
    ...     (x * 2).requires_grad
    False
    """

    def __init__(self, mode: bool) -> None:
        self._inside = mode
        self._outside: list[bool] = []  # a stack: one decorator may be entered recursively

    def __enter__(self) -> None:
        self._outside.append(_mode.enabled)
        _mode.enabled = self._inside

    def __exit__(self, *_: object) -> None:
        _mode.enabled = self._outside.pop()


class no_grad(set_grad_enabled):  # noqa: N801  PyTorch's name
    """Record nothing inside a `with` block or a decorated function."""

    def __init__(self) -> None:
        super().__init__(False)


class enable_grad(set_grad_enabled):  # noqa: N801  PyTorch's name
    """Record again inside a `no_grad` block."""

    def __init__(self) -> None:
        super().__init__(True)
