"""The errors that a user can cause, and the one formatter of their messages.

Every message names the op, the rule that failed with its numbers, every shape with letters, and a
fix. Inner truths of the library use `assert` instead. Next room: backend.py.
"""

from __future__ import annotations

from collections.abc import Iterable


def named_shape(name: str, letters: str, shape: Iterable[int]) -> str:
    """Return a shape with its letters, `x (N=8, C=3, H=32, W=32)`.

    `letters` are separated by blanks. A shape of another length than its letters, which is often
    the very error to report, is given without them.

    >>> named_shape("x", "N C H W", (8, 3, 32, 32))
    'x (N=8, C=3, H=32, W=32)'
    >>> named_shape("x", "N C H W", (8, 3))
    'x (8, 3)'
    """
    sizes, axes = tuple(shape), letters.split()
    if len(sizes) != len(axes):
        return f"{name} {sizes}"
    return f"{name} ({', '.join(f'{axis}={size}' for axis, size in zip(axes, sizes, strict=True))})"


def _rebuild(kind: type[PellucidError], message: str) -> PellucidError:
    """Make an error again from its text: a worker process sends its errors pickled."""
    error = BaseException.__new__(kind)  # kind.__new__ may be MemoryError's, for itself alone
    Exception.__init__(error, message)
    return error


class PellucidError(Exception):
    """The base of all errors that pellucid raises on purpose.

    `PellucidError(op, rule, *facts, fix=...)` reads

        op: rule
          fact    fact
          fix: ...

    where the facts are shapes (`named_shape`), specs and the like.
    """

    def __init__(self, op: str, rule: str, *facts: str, fix: str) -> None:
        lines = [f"{op}: {rule}"]
        if facts:
            lines.append("  " + "    ".join(facts))
        lines.append(f"  fix: {fix}")
        super().__init__("\n".join(lines))

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), str(self))


class ShapeError(PellucidError, ValueError):
    """Shapes, sizes or axes that do not fit together."""


class IndexingError(PellucidError, IndexError):
    """An index outside its axis, or one that is no index."""


class DTypeError(PellucidError, TypeError):
    """A dtype, or a mixture of dtypes, that the op does not take."""


class DeviceError(PellucidError, RuntimeError):
    """A device that is not there, or two tensors on different ones."""


class OutOfMemoryError(PellucidError, MemoryError):
    """More memory than this machine, or the container it runs in, has."""


class UnsupportedError(PellucidError, NotImplementedError):
    """Something sensible that pellucid does not do, and says so."""


class ArgumentError(PellucidError, ValueError):
    """An option outside its range, such as a negative learning rate."""


class GraphError(PellucidError, RuntimeError):
    """The recorded graph cannot answer: released, changed in place, or never recorded."""


class StateError(PellucidError, RuntimeError):
    """A module used before it was set up, or a state that does not fit the object it is for."""


class DataError(PellucidError, ValueError):
    """A file of a data set or a checkpoint that is missing, damaged or not what it says."""


class CheckError(PellucidError, AssertionError):
    """A gradient that a check of `pellucid.testing` found to be wrong."""
