"""What the operands of an op must be: floats, all of one dtype.

Arithmetic on elements promotes (elementwise.py); where a sum runs over many products, as in a
convolution, a matrix product or a normalisation, the precision is the user's to choose.
Next room: dtypes.py.
"""

from __future__ import annotations

from pellucid.dtypes import float32, float64, is_float
from pellucid.errors import DTypeError
from pellucid.tensor import Tensor


def check_float(op: str, name: str, x: Tensor) -> None:
    """Refuse integers and bools.

    Raises: DTypeError.
    """
    if not is_float(x.dtype):
        raise DTypeError(
            op,
            f"{name} is {x.dtype}, and the result is no integer",
            fix=f"cast it, as in {name}.float()",
        )


def check_same_float(op: str, **operands: Tensor | None) -> None:
    """Refuse integers, bools and a mixture of float32 and float64 among the operands given.

    Raises: DTypeError.
    """
    dtypes = [x.array.dtype for x in operands.values() if x is not None]
    if dtypes[0] in (float32, float64) and dtypes.count(dtypes[0]) == len(dtypes):
        return  # as it mostly is
    given = [(name, x) for name, x in operands.items() if x is not None]
    first, reference = given[0]
    for name, x in given:
        check_float(op, name, x)
        if x.dtype != reference.dtype:
            raise DTypeError(
                op,
                f"{first} is {reference.dtype}, but {name} is {x.dtype}",
                fix=f"cast one of them, as in {first}.to({name}.dtype)",
            )
