"""Parameter: a tensor that a module owns and an optimizer changes.

It is a leaf that requires grad; being assigned to an attribute of a module registers it there.
Not here: the values it starts from (init.py). Next room: module.py.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pellucid.backend import Array, Device, device
from pellucid.dtypes import DEFAULT_FLOAT, as_dtype
from pellucid.tensor import Tensor


class Parameter(Tensor):
    """A tensor to be learned; it shares the memory of the tensor or array it is made of.

    Raises: DTypeError for integers with `requires_grad`, UnsupportedError for float16.

    >>> import pellucid
    >>> Parameter(pellucid.zeros(2))
    Parameter containing:
    tensor([0., 0.], requires_grad=True)
    """

    __slots__ = ()

    def __init__(self, data: Tensor | Array, requires_grad: bool = True) -> None:
        source = data if isinstance(data, Tensor) else Tensor(np.asarray(data))
        as_dtype(source.dtype, "Parameter")
        super().__init__(source.array, requires_grad)
        self._version = source._version

    def __repr__(self) -> str:
        return f"Parameter containing:\n{super().__repr__()}"


def empty_parameter(
    shape: Sequence[int],
    place: str | Device | None = None,
    dtype: npt.DTypeLike | None = None,
) -> Parameter:
    """Return a parameter whose elements are whatever its memory holds.

    `place` and `dtype` are what a layer was given as `device` and `dtype`, None for the defaults.
    """
    if place is not None:
        device(place)
    return Parameter(np.empty(tuple(shape), DEFAULT_FLOAT if dtype is None else as_dtype(dtype)))
