"""Who holds the memory of a gradient: whether arrays share it, and how a leaf gets its own.

Not here: which gradients there are (autograd.py). Next room: autograd.py, which calls this.
"""

from __future__ import annotations

import numpy as np

from pellucid.backend import Array
from pellucid.errors import DTypeError, ShapeError
from pellucid.grad_mode import enable_grad
from pellucid.tensor import Tensor


def share_memory(a: Array, b: Array) -> bool:
    """Whether both are the same array or views of one; NumPy keeps chains of bases short."""
    owner = a if a.base is None else a.base
    return b is owner or b.base is owner or b.base is a


def owner_of(array: Array) -> Array:
    """Return the array that owns the memory that `array` is a view of."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def accumulate(leaf: Tensor, gradient: Tensor, held: set[int], create_graph: bool) -> None:
    """Add to a leaf's `.grad`, which has the layout of the leaf and shares memory with nobody.

    Raises: ShapeError, DTypeError for a `.grad` that somebody set and that is no gradient of it.
    """
    if leaf.grad is not None:
        _check_own(leaf)
    if leaf.grad is not None and create_graph:
        with enable_grad():
            leaf.grad = leaf.grad + gradient
        return
    if leaf.grad is not None:
        with np.errstate(all="ignore"):
            np.add(leaf.grad.array, gradient.array, out=leaf.grad.array)
        leaf.grad.bump_version()
        return
    if create_graph:
        leaf.grad = gradient
        return
    # A leaf takes over the memory of its gradient, unless somebody else may hold it too.
    array = gradient.array
    owner = owner_of(array)
    free = owner.nbytes == array.nbytes and owner.flags.writeable and id(owner) not in held
    if not free or array.strides != leaf.array.strides:
        own = np.empty_like(leaf.array, dtype=array.dtype)
        own[...] = array
        array = own
    held.add(id(owner_of(array)))
    leaf.grad = Tensor(array)


def _check_own(leaf: Tensor) -> None:
    """Hold what somebody set as `.grad` to the shape of its leaf: else the sum would broadcast."""
    if not isinstance(leaf.grad, Tensor):
        raise DTypeError(
            "backward",
            f".grad of a leaf of shape {leaf.shape} is a {type(leaf.grad).__name__}, not a Tensor",
            fix="set .grad to a tensor or None",
        )
    if leaf.grad.array.shape != leaf.array.shape:
        raise ShapeError(
            "backward",
            f".grad has shape {leaf.grad.shape}, its leaf {leaf.shape}",
            fix="set .grad to a tensor of the leaf's shape, or None",
        )
