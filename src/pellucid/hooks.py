"""The handle of a hook, the hook that keeps a gradient, and who watches what a thread computes.

Next room: tensor.py, nn/module.py.
"""

from __future__ import annotations

import itertools
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol


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


def retain_grad(tensor: Any) -> None:
    """Let `backward` keep the gradient of an inner tensor, without keeping the tensor alive."""
    reference = weakref.ref(tensor)

    def keep(gradient: Any) -> None:
        inner = reference()
        if inner is not None:
            inner.grad = gradient.clone() if inner.grad is None else inner.grad + gradient

    tensor.register_hook(keep)


class Timer(Protocol):
    """What measures ops and layers. Ops leave their calls to it, and it returns what came.

    Next room: profiler.py.
    """

    def forward(self, op: Any, args: tuple[Any, ...]) -> Any:
        """Call `op._apply(*args)`."""

    def backward(self, node: Any, call: Callable[..., None], *args: Any) -> None:
        """Call `call(*args)`, which passes gradients back through a node."""

    def layer(self, module: Any) -> AbstractContextManager[None]:
        """Let the ops of a `with` block count for a layer."""

    def region(self, name: str) -> AbstractContextManager[None]:
        """Measure a `with` block."""


class _Watchers(threading.local):
    """Who watches the backward passes that start now in this thread, and who measures all of it."""

    now: tuple[Callable[..., object], ...] = ()
    timer: Timer | None = None


watchers = _Watchers()


@contextmanager
def watching(watcher: Callable[..., object]) -> Iterator[None]:
    """Let the backward passes of a `with` block, in this thread, call `watcher(node, gradients)`.

    It is called with each node that gradients reach, before the node's `backward` runs, while what
    the node saved is still there. It looks on: what it returns is ignored, and what it wants to
    keep it must copy.
    """
    watchers.now += (watcher,)
    try:
        yield
    finally:
        watchers.now = tuple([each for each in watchers.now if each is not watcher])
