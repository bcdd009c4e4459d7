"""What the operands of an op must be: tensors, of floats, all of one dtype.

Arithmetic on elements promotes (elementwise.py); where a sum runs over many products, as in a
convolution, a matrix product or a normalisation, the precision is the user's to choose.
Next room: dtypes.py.
"""

from __future__ import annotations

from pellucid.dtypes import float32, float64, is_float
from pellucid.errors import DTypeError
from pellucid.tensor import Tensor


def check_tensor(op: str, name: str, x: object) -> None:
    """Refuse what is no tensor, such as a NumPy array.

    Raises: DTypeError.
    """
    if not isinstance(x, Tensor):
        raise DTypeError(
            op,
            f"{name} is a {type(x).__name__}, not a Tensor",
            fix="make a tensor of it with pellucid.tensor",
        )


def check_float(op: str, name: str, x: Tensor) -> None:
    """Refuse integers, bools and what is no tensor.

    Raises: DTypeError.
    """
    check_tensor(op, name, x)
    if not is_float(x.dtype):
        raise DTypeError(
            op,
            f"{name} is {x.dtype}, and the result is no integer",
            fix=f"cast it, as in {name}.float()",
        )


def check_same_float(op: str, x: Tensor, **others: Tensor | None) -> None:
    """Refuse integers, bools, a mixture of float32 and float64, and what is no tensor.

    Raises: DTypeError.
    """
    try:
        dtype = x.array.dtype
        if dtype in (float32, float64):
            dtypes = [other.array.dtype for other in others.values() if other is not None]
            if dtypes.count(dtype) == len(dtypes):
                return  # as it mostly is
    except AttributeError:  # no tensor: found below
        pass
    check_float(op, "x", x)
    for name, other in others.items():
        if other is None:
            continue
        check_float(op, name, other)
        if other.dtype != x.dtype:
            raise DTypeError(
                op,
                f"x is {x.dtype}, but {name} is {other.dtype}",
                fix=f"cast one of them, as in x.to({name}.dtype)",
            )
