"""Collation: many samples of one form become one batch of the same form, with an axis in front.

Arrays and tensors are stacked; Python's and NumPy's numbers become a tensor of float32, int64 or
bool; strings become a list; tuples, lists and mappings keep their form. A batch never requires
grad. Not here: reading the samples (workers.py). Next room: workers.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pellucid.backend import Array
from pellucid.dtypes import DType, as_dtype, bool_, float32, int64
from pellucid.errors import DataError, DTypeError, ShapeError
from pellucid.tensor import Tensor

_FIX = "bring the samples to one form in the dataset, or give the loader a collate_fn"


def default_collate(samples: Sequence[Any]) -> Any:
    """Return the samples as one batch.

    Shapes: N samples of shape (C, H, W) -> (N, C, H, W); N numbers -> (N,).

    Raises: ShapeError, DTypeError or DataError that names two samples that do not fit together.

    >>> default_collate([(1.5, 7), (2.5, 8)])
    (tensor([1.5, 2.5]), tensor([7, 8]))
    """
    return collate(samples, range(len(samples)))


def collate(samples: Sequence[Any], indices: Sequence[int], place: str = "sample") -> Any:
    """Collate samples whose places in the dataset are `indices`, which messages name.

    `place` says which part of each sample `samples` are: `sample[0]`, `sample['x']`.
    """
    forms = [_form(sample) for sample in samples]
    _all_equal(DataError, "form", forms, indices, place)
    first, kind = samples[0], forms[0].split()[0]
    if kind == "strings":
        return list(samples)
    if kind == "numbers":
        return _stack(samples, indices, place)
    if isinstance(first, Mapping):
        return {
            key: collate([s[key] for s in samples], indices, f"{place}[{key!r}]") for key in first
        }
    if isinstance(first, (tuple, list)):
        columns = zip(*samples, strict=True)
        parts = [collate(c, indices, f"{place}[{k}]") for k, c in enumerate(columns)]
        # A named tuple takes its fields one by one.
        return type(first)(*parts) if hasattr(first, "_fields") else type(first)(parts)
    raise DataError(
        "DataLoader", f"{place} is of type {kind}, of which no batch can be made", fix=_FIX
    )


def _form(sample: Any) -> str:
    """Name what must be the same in all samples, its kind first."""
    if isinstance(sample, (Tensor, np.ndarray, np.generic, bool, int, float)):
        return "numbers"
    if isinstance(sample, (str, bytes)):
        return "strings"
    name = type(sample).__name__
    if isinstance(sample, Mapping):
        return f"{name} with the keys {', '.join(sorted(map(repr, sample)))}"
    return f"{name} of {len(sample)}" if isinstance(sample, (tuple, list)) else name


def _stack(samples: Sequence[Any], indices: Sequence[int], place: str) -> Tensor:
    arrays = [_as_array(sample) for sample in samples]
    _all_equal(ShapeError, "shape", [a.shape for a in arrays], indices, place)
    _all_equal(DTypeError, "dtype", [a.dtype for a in arrays], indices, place)
    # N of (C, H, W) -> (N, C, H, W)
    return Tensor(np.stack(arrays, dtype=as_dtype(arrays[0].dtype, "DataLoader")))


def _as_array(value: Any) -> Array:
    """Return a leaf as an array; numbers count as the default dtype of their kind."""
    if isinstance(value, Tensor):
        return value.array
    return value if isinstance(value, np.ndarray) else np.asarray(value, _number_dtype(value))


def _number_dtype(value: Any) -> DType:
    if isinstance(value, (bool, np.bool_)):
        return bool_
    return int64 if isinstance(value, (int, np.integer)) else float32


def _all_equal(
    error: type[ShapeError | DTypeError | DataError],
    what: str,
    found: Sequence[object],
    indices: Sequence[int],
    place: str,
) -> None:
    """Name the first sample and the first that differs from it."""
    for index, value in zip(indices, found, strict=True):
        if value != found[0]:
            raise error(
                "DataLoader",
                f"all samples of a batch must have one {what}, but {place} differs",
                f"sample {indices[0]}: {found[0]}",
                f"sample {index}: {value}",
                fix=_FIX,
            )
