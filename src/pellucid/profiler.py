"""profile: where the time and the memory of a `with` block go, by layer and by op.

Ops, layers and the steps of optimizers tell the timer of their thread (hooks.py) when they begin;
without a `profile` around them there is none, and nothing is measured. A gradient counts for the
layer whose call made its node, so that each layer has a forward and a backward.
Not here: how fast one convolution could be (cli/bench.py). Next room: hooks.py.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any
from weakref import WeakKeyDictionary

from pellucid.autograd import Function
from pellucid.errors import ArgumentError
from pellucid.files import write
from pellucid.hooks import watchers
from pellucid.kernels.native import module as native

FORWARD, BACKWARD, REGION = "forward", "backward", "region"
_NO_LAYER = "-"


@dataclass
class Event:
    """One op, or one region, from its beginning to its end.

    `begin` is in seconds since the profile began, `seconds` the whole time and `inner` that of the
    events inside of it. `kept` is how many bytes more the buffer pool had handed out at the end
    than at the beginning, `peak` how many at most; both are 0 on NumPy kernels, which have no pool.
    """

    name: str
    phase: str  # "forward", "backward" or "region"
    layer: str
    depth: int  # 0: inside of no other
    begin: float
    seconds: float = 0.0
    inner: float = 0.0
    kept: int = 0
    peak: int = 0

    @property
    def own(self) -> float:
        """The seconds that no event inside of it has."""
        return self.seconds - self.inner


class profile:  # noqa: N801  PyTorch's name
    """Measure what the ops of a `with` block, in this thread, take of time and memory.

    `table()` says it by layer, `table("op")` by op, `str(...)` both; `export_chrome_trace(path)`
    writes the events for chrome://tracing or Perfetto. Layers are named as in the outermost module
    that is called. Fused ops have names of their own, such as `BatchNormReLU`.

    Cost: about 3 microseconds for each op; memory for each event, so measure a few steps.
    Raises: ArgumentError inside of another profile of the same thread.

    >>> import pellucid
    >>> model = pellucid.nn.Sequential(pellucid.nn.Linear(4, 2), pellucid.nn.ReLU())
    >>> with profile() as found:
    ...     model(pellucid.ones(3, 4)).sum().backward()
    >>> [(event.layer, event.name, event.phase) for event in found.events if event.depth == 0][:3]
    [('0', 'Linear', 'forward'), ('1', 'ReLU', 'forward'), ('-', 'Sum', 'forward')]
    """

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.seconds = 0.0
        self._begin = 0.0
        self._open: list[Event] = []
        self._used: list[int] = []  # bytes in use when each open event began
        self._layers: list[str] = []  # the layers that are called now, the innermost last
        self._names: dict[int, str] = {}
        self._kinds: dict[str, str] = {}
        self._layer_of: WeakKeyDictionary[Function, str] = WeakKeyDictionary()

    def __enter__(self) -> profile:
        if watchers.timer is not None:
            raise ArgumentError(
                "profile",
                "there is a profile around this one, and it measures the same ops",
                fix="leave one of them out",
            )
        watchers.timer = self
        self._begin = time.perf_counter() - self.seconds
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.seconds = time.perf_counter() - self._begin
        watchers.timer = None

    # What ops and layers call (hooks.Timer)

    def forward(self, op: type[Function], args: tuple[Any, ...]) -> Any:
        """Call an op, and remember for which layer it made its node."""
        phase = self._open[-1].phase if self._open else FORWARD
        layer = self._open[-1].layer if phase == BACKWARD else self._now
        y = self._measured(op.__name__, phase, layer, op._apply, args)
        first = y[0] if isinstance(y, tuple) else y
        if first.grad_fn is not None:
            self._layer_of[first.grad_fn] = layer
        return y

    def backward(self, node: Function, call: Callable[..., None], *args: Any) -> None:
        """Call what passes gradients back through a node."""
        layer = self._layer_of.get(node, _NO_LAYER)
        self._measured(node.name, BACKWARD, layer, call, args)

    @contextmanager
    def layer(self, module: Any) -> Iterator[None]:
        """Let the ops of a `with` block count for a layer, unless one inside of it takes them."""
        if not self._layers:
            self._names = {id(inner): name for name, inner in module.named_modules()}
        kind = type(module).__name__
        name = self._names.get(id(module)) or kind
        self._kinds.setdefault(name, kind)
        self._layers.append(name)
        try:
            yield
        finally:
            self._layers.pop()

    @contextmanager
    def region(self, name: str) -> Iterator[None]:
        """Measure a `with` block as an event of that name."""
        event = self._enter(name, REGION, self._now)
        try:
            yield
        finally:
            self._leave(event)

    @property
    def _now(self) -> str:
        return self._layers[-1] if self._layers else _NO_LAYER

    def _measured(
        self, name: str, phase: str, layer: str, call: Callable[..., Any], args: tuple[Any, ...]
    ) -> Any:
        event = self._enter(name, phase, layer)
        try:
            return call(*args)
        finally:
            self._leave(event)

    def _enter(self, name: str, phase: str, layer: str) -> Event:
        self._see_peak()
        self._used.append(_bytes_in_use())
        now = time.perf_counter() - self._begin
        event = Event(name, phase, layer, len(self._open), now)
        self.events.append(event)
        self._open.append(event)
        return event

    def _leave(self, event: Event) -> None:
        event.seconds = time.perf_counter() - self._begin - event.begin
        self._see_peak()
        event.kept = _bytes_in_use() - self._used.pop()
        self._open.pop()
        if self._open:
            self._open[-1].inner += event.seconds

    def _see_peak(self) -> None:
        """Let all open events know how much memory was in use since this was last asked."""
        if native is None:
            return
        peak = native.take_pool_peak()
        for event, used in zip(self._open, self._used, strict=True):
            event.peak = max(event.peak, peak - used)

    # What a user reads

    def table(self, by: str = "layer") -> str:
        """Return a table: by "layer" in the order of the calls, or by "op", the slowest first.

        Milliseconds and the share of the block are sums over it; `kept` is what a layer's forward
        leaves in memory for each call (its results and what backward needs), `peak` the most that
        one call of an op takes at a time.

        Raises: ArgumentError for another word.
        """
        if by not in ("layer", "op"):
            raise ArgumentError(
                "profile", f"there is no table by {by!r}", fix="use 'layer' or 'op'"
            )
        return self._by_layer() if by == "layer" else self._by_op()

    def export_chrome_trace(self, path: str | Path) -> None:
        """Write the events in the format that chrome://tracing and Perfetto open.

        Raises: DataError when the file cannot be written.
        """
        thread = threading.get_ident() % 100_000
        events = [
            {
                "name": event.name,
                "cat": event.phase,
                "ph": "X",
                "ts": round(1e6 * event.begin, 3),
                "dur": round(1e6 * event.seconds, 3),
                "pid": 0,
                "tid": thread,
                "args": {"layer": event.layer, "kept": event.kept, "peak": event.peak},
            }
            for event in self.events
        ]
        write("profile", Path(path), json.dumps({"traceEvents": events}) + "\n")

    def __str__(self) -> str:
        return f"{self.table('layer')}\n\n{self.table('op')}"

    def _by_layer(self) -> str:
        rows = []
        outer = [event for event in self.events if event.depth == 0]
        for layer in dict.fromkeys(e.layer for e in outer if e.phase != REGION):
            mine = [event for event in outer if event.layer == layer]
            there, back = (
                [event for event in mine if event.phase == phase] for phase in (FORWARD, BACKWARD)
            )
            first = [e for e in there if e.name == there[0].name]
            rows.append(
                [
                    layer,
                    self._kinds.get(layer, "no layer"),
                    _ms(sum(e.seconds for e in there)),
                    _ms(sum(e.seconds for e in back)),
                    self._share(sum(e.seconds for e in mine)),
                    _mb(sum(e.kept for e in there) / max(len(first), 1)),
                    _mb(max((e.peak for e in mine), default=0)),
                ]
            )
        for name in dict.fromkeys(e.name for e in outer if e.phase == REGION):
            spent = sum(e.seconds for e in outer if e.name == name and e.phase == REGION)
            rows.append([name, "region", _ms(spent), "", self._share(spent), "", ""])
        rest = self.seconds - sum(e.seconds for e in outer)
        rows.append(["between ops", "", _ms(rest), "", self._share(rest), "", ""])
        head = ["layer", "kind", "forward ms", "backward ms", "share", "kept MB", "peak MB"]
        return _columns([head, *rows], left=2)

    def _by_op(self) -> str:
        groups: dict[tuple[str, str], list[Event]] = {}
        for event in self.events:
            groups.setdefault((event.name, event.phase), []).append(event)
        spent = {key: sum(event.own for event in events) for key, events in groups.items()}
        rows = [
            [
                name,
                phase,
                str(len(groups[name, phase])),
                _ms(own),
                _ms(own / len(groups[name, phase])),
                self._share(own),
                _mb(max(event.peak for event in groups[name, phase])),
            ]
            for (name, phase), own in sorted(spent.items(), key=lambda item: -item[1])
        ]
        head = ["op", "phase", "calls", "own ms", "ms a call", "share", "peak MB"]
        return _columns([head, *rows], left=2)

    def _share(self, seconds: float) -> str:
        return f"{100 * seconds / self.seconds:.1f} %" if self.seconds else "-"


def _bytes_in_use() -> int:
    return 0 if native is None else int(native.pool_state()[0])


def _ms(seconds: float) -> str:
    return f"{1e3 * seconds:.2f}"


def _mb(size: float) -> str:
    return f"{size / 1e6:.1f}"


def _columns(rows: Sequence[Sequence[str]], left: int) -> str:
    """Return rows as lines of columns, the first `left` of them set left and the others right."""
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    lines = [
        "  ".join(
            cell.ljust(width) if k < left else cell.rjust(width)
            for k, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return "\n".join(lines)
