"""The handle by which a hook is taken away again, and who watches the backward passes of a thread.

Next room: tensor.py, nn/module.py.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class RemovableHandle:
    """What `register_hook` returns; `remove()` takes the hook away again."""

    _keys = itertools.count()

    def __init__(self, hooks: dict[int, Any], hook: Callable[..., Any]) -> None:
        self._hooks = hooks
        self._key = next(self._keys)
        hooks[self._key] = hook

    def remove(self) -> None:
        """Remove the hook; a second call does nothing."""
        self._hooks.pop(self._key, None)


class _Watchers(threading.local):
    now: tuple[Callable[..., object], ...] = ()


_watchers = _Watchers()


def watchers() -> tuple[Callable[..., object], ...]:
    """Return who watches the backward passes that start now in this thread."""
    return _watchers.now


@contextmanager
def watching(watcher: Callable[..., object]) -> Iterator[None]:
    """Let the backward passes of a `with` block, in this thread, call `watcher(node, gradients)`.

    It is called with each node that gradients reach, before the node's `backward` runs, while what
    the node saved is still there. It looks on: what it returns is ignored, and what it wants to
    keep it must copy.
    """
    _watchers.now += (watcher,)
    try:
        yield
    finally:
        _watchers.now = tuple([each for each in _watchers.now if each is not watcher])
