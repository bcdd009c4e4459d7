"""Arithmetic on each element, with broadcasting and promotion.

Each op states what it computes and how its gradient passes; `sum_to_size` sums a gradient over the
axes that broadcasting repeated. Not here: activations (activation.py) and reductions (reduce.py).
Next room: shape.py for `sum_to_size`, dtypes.py for promotion.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pellucid.autograd import Function
from pellucid.backend import Array, native
from pellucid.dtypes import DEFAULT_FLOAT, DType, as_dtype, is_float, result_type
from pellucid.errors import ArgumentError, DTypeError, ShapeError
from pellucid.kernels import elementwise as kernels
from pellucid.tensor import Operand, Tensor


def as_tensor_of(op: str, value: Operand, dtype: DType) -> Tensor:
    """Return an operand as a tensor of `dtype`; a cast is part of the graph."""
    if isinstance(value, Tensor):
        return value if value.dtype == dtype else value.to(dtype)
    if isinstance(value, np.ndarray):
        as_dtype(value.dtype, op)
        return Tensor(native(value).astype(dtype, copy=False))
    try:
        return Tensor(np.asarray(value, dtype))
    except OverflowError:
        raise DTypeError(
            op, f"{value} does not fit into {dtype}", fix="cast the tensor to a wider dtype"
        ) from None


def _check_operand(op: str, value: Any) -> None:
    if not isinstance(value, (Tensor, np.ndarray, np.generic, bool, int, float)):
        raise DTypeError(
            op,
            f"an operand is a {type(value).__name__}, neither tensor, array nor number",
            fix="make a tensor of it with pellucid.tensor",
        )


def promote(op: str, *operands: Operand, floating: bool = False) -> tuple[Tensor, ...]:
    """Return the operands as tensors of their common dtype whose shapes broadcast.

    `floating`: integers become the default float, as in a division.
    """
    for value in operands:
        _check_operand(op, value)
    dtype = result_type(*operands)
    if floating and not is_float(dtype):
        dtype = DEFAULT_FLOAT
    tensors = tuple([as_tensor_of(op, value, dtype) for value in operands])
    first = tensors[0].shape
    if any(t.shape not in (first, ()) for t in tensors):
        check_broadcast(op, *[t.shape for t in tensors])
    return tensors


def check_broadcast(op: str, *shapes: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape that `shapes` broadcast to.

    Raises: ShapeError where, from the right, two sizes differ and neither is 1.
    """
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        raise ShapeError(
            op,
            f"shapes {' and '.join(str(s) for s in shapes)} do not broadcast: from the right, "
            "sizes must be equal or 1",
            fix="reshape or unsqueeze one of them",
        ) from None


def check_divisor(op: str, b: Tensor) -> None:
    """Refuse to divide integers by zero, for which they have no answer (floats have inf and NaN).

    Raises: ArgumentError.
    """
    if not is_float(b.dtype) and not b.array.all():
        raise ArgumentError(
            op, f"{b.dtype} is divided by zero", fix="divide floats, which have inf and NaN"
        )


class Add(Function):
    """a + b."""

    equation = "y[i] = a[i] + b[i]"

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Array:
        ctx.shapes = a.shape, b.shape
        return kernels.add(a.array, b.array)

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Any:
        need_a, need_b = ctx.needs_input_grad
        ga = gy.sum_to_size(ctx.shapes[0]) if need_a else None
        gb = gy.sum_to_size(ctx.shapes[1]) if need_b else None
        return ga, gb


class Sub(Function):
    """a - b."""

    equation = "y[i] = a[i] - b[i]"

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Array:
        ctx.shapes = a.shape, b.shape
        return a.array - b.array

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Any:
        need_a, need_b = ctx.needs_input_grad
        ga = gy.sum_to_size(ctx.shapes[0]) if need_a else None
        gb = (-gy).sum_to_size(ctx.shapes[1]) if need_b else None
        return ga, gb


class Mul(Function):
    """a * b."""

    equation = "y[i] = a[i] * b[i]"

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Array:
        ctx.save_for_backward(a, b)
        return a.array * b.array

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Any:
        a, b = ctx.saved_tensors
        need_a, need_b = ctx.needs_input_grad
        ga = (gy * b).sum_to_size(a.shape) if need_a else None
        gb = (gy * a).sum_to_size(b.shape) if need_b else None
        return ga, gb


class Div(Function):
    """a / b."""

    equation = "y[i] = a[i] / b[i]"

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Array:
        ctx.save_for_backward(a, b)
        return np.divide(a.array, b.array)

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Any:
        a, b = ctx.saved_tensors
        need_a, need_b = ctx.needs_input_grad
        ga = (gy / b).sum_to_size(a.shape) if need_a else None
        gb = (-gy * a / (b * b)).sum_to_size(b.shape) if need_b else None
        return ga, gb


class Pow(Function):
    """a ** b."""

    equation = "y[i] = a[i] ^ b[i]"

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Array:
        ctx.save_for_backward(a, b)
        return np.power(a.array, b.array).astype(a.dtype, copy=False)  # of bools it is int8

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Any:
        a, b = ctx.saved_tensors
        ga = gb = None
        if ctx.needs_input_grad[0]:
            # x^0 is constant, also where x^-1 is infinite
            slope = where(b == 0, 0.0, b * a ** where(b == 0, 1.0, b - 1))
            ga = (gy * slope).sum_to_size(a.shape)
        if ctx.needs_input_grad[1]:
            # 0^b is 0 for all b > 0, although log 0 is infinite
            slope = where(a == 0, 0.0, a**b * where(a == 0, 1.0, a).log())
            gb = (gy * slope).sum_to_size(b.shape)
        return ga, gb


class Remainder(Function):
    """a - b floor(a / b): the remainder that has the sign of b."""

    equation = "y[i] = a[i] - b[i] * floor(a[i] / b[i])"

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Array:
        ctx.save_for_backward(a, b)
        return np.remainder(a.array, b.array)

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Any:
        a, b = ctx.saved_tensors
        ga = gy.sum_to_size(a.shape) if ctx.needs_input_grad[0] else None
        gb = None
        if ctx.needs_input_grad[1]:
            gb = (-gy * (a // b)).sum_to_size(b.shape)
        return ga, gb


class Neg(Function):
    """-x."""

    equation = "y[i] = -x[i]"

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Array:
        return np.negative(x.array)

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Tensor:
        return -gy


class Abs(Function):
    """|x|; the gradient at 0 is 0."""

    equation = "y[i] = abs(x[i])"

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Array:
        ctx.save_for_backward(x)
        return np.abs(x.array)

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return gy * sign(x)


class Exp(Function):
    """e^x."""

    equation = "y[i] = exp(x[i])"

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Array:
        y = np.asarray(np.exp(x.array))
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        return gy * y


class Log(Function):
    """The natural logarithm."""

    equation = "y[i] = log(x[i])"

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Array:
        ctx.save_for_backward(x)
        return np.log(x.array)

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return gy / x


class Sqrt(Function):
    """The square root; the gradient at 0 is infinite."""

    equation = "y[i] = sqrt(x[i])"

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Array:
        y = np.asarray(np.sqrt(x.array))
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        return gy / (2 * y)


class Sin(Function):
    """The sine."""

    equation = "y[i] = sin(x[i])"

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Array:
        ctx.save_for_backward(x)
        return np.sin(x.array)

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return gy * cos(x)


class Cos(Function):
    """The cosine."""

    equation = "y[i] = cos(x[i])"

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Array:
        ctx.save_for_backward(x)
        return np.cos(x.array)

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return -gy * sin(x)


class Maximum(Function):
    """The larger of two elements; equals share the gradient."""

    equation = "y[i] = max(a[i], b[i])"

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Array:
        ctx.save_for_backward(a, b)
        return np.maximum(a.array, b.array)

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Any:
        a, b = ctx.saved_tensors
        return _shared(gy, a, b, a > b)


class Minimum(Function):
    """The smaller of two elements; equals share the gradient."""

    equation = "y[i] = min(a[i], b[i])"

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Array:
        ctx.save_for_backward(a, b)
        return np.minimum(a.array, b.array)

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Any:
        a, b = ctx.saved_tensors
        return _shared(gy, a, b, a < b)


def _shared(gy: Tensor, a: Tensor, b: Tensor, a_wins: Tensor) -> tuple[Tensor, Tensor]:
    """Return the gradients of two operands of which one, or by halves both, made the result."""
    share = where(a == b, 0.5, a_wins.to(gy.dtype))
    return (gy * share).sum_to_size(a.shape), (gy * (1 - share)).sum_to_size(b.shape)


class Where(Function):
    """a where the condition holds, else b."""

    equation = "y[i] = a[i] if condition[i] else b[i]"

    @staticmethod
    def forward(ctx: Any, condition: Tensor, a: Tensor, b: Tensor) -> Array:
        ctx.save_for_backward(condition)
        ctx.shapes = a.shape, b.shape
        return np.where(condition.array, a.array, b.array)

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Any:
        (condition,) = ctx.saved_tensors
        _, need_a, need_b = ctx.needs_input_grad
        ga = where(condition, gy, 0.0).sum_to_size(ctx.shapes[0]) if need_a else None
        gb = where(condition, 0.0, gy).sum_to_size(ctx.shapes[1]) if need_b else None
        return None, ga, gb


class Staircase(Function):
    """A function with steps, such as floor: its gradient is 0 wherever there is one."""

    equation = "y[i] = step(x[i])"

    @staticmethod
    def forward(ctx: Any, x: Tensor, step: Callable[[Array], Array]) -> Array:
        return step(x.array)

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Any:
        return gy * 0.0, None


def add(a: Operand, b: Operand) -> Tensor:
    """Return a + b."""
    return Add.apply(*promote("add", a, b))


def sub(a: Operand, b: Operand) -> Tensor:
    """Return a - b."""
    a, b = promote("sub", a, b)
    if a.dtype.kind == "b":
        raise DTypeError("sub", "bool has no difference", fix="use ^, or cast to an integer")
    return Sub.apply(a, b)


def mul(a: Operand, b: Operand) -> Tensor:
    """Return a * b."""
    return Mul.apply(*promote("mul", a, b))


def div(a: Operand, b: Operand) -> Tensor:
    """Return a / b in floating point (1 / 0 is inf, as IEEE 754 has it)."""
    return Div.apply(*promote("div", a, b, floating=True))


def pow(a: Operand, b: Operand) -> Tensor:
    """Return a to the power of b.

    Raises: DTypeError for integers to a negative power.
    """
    a, b = promote("pow", a, b)
    if not is_float(a.dtype) and (b.array < 0).any():
        raise DTypeError("pow", "integers have no negative powers", fix="cast to float32 first")
    return Pow.apply(a, b)


def remainder(a: Operand, b: Operand) -> Tensor:
    """Return what is left of a after taking b as often as it goes; it has the sign of b.

    Raises: ArgumentError for integers divided by zero.
    """
    a, b = promote("remainder", a, b)
    check_divisor("remainder", b)
    return Remainder.apply(a, b)


def maximum(a: Operand, b: Operand) -> Tensor:
    """Return the larger of a and b; equals share the gradient."""
    return Maximum.apply(*promote("maximum", a, b))


def minimum(a: Operand, b: Operand) -> Tensor:
    """Return the smaller of a and b; equals share the gradient."""
    return Minimum.apply(*promote("minimum", a, b))


def where(condition: Tensor, a: Operand, b: Operand) -> Tensor:
    """Return a where `condition` (a bool tensor) holds, else b.

    >>> import pellucid
    >>> x = pellucid.tensor([-1.0, 2.0])
    >>> where(x > 0, x, 0.0)
    tensor([0., 2.])
    """
    if condition.dtype.kind != "b":
        raise DTypeError(
            "where", f"the condition is {condition.dtype}, not bool", fix="compare, as in x > 0"
        )
    a, b = promote("where", a, b)
    check_broadcast("where", condition.shape, a.shape, b.shape)
    return Where.apply(condition, a, b)


def clip(x: Tensor, min: Operand | None = None, max: Operand | None = None) -> Tensor:
    """Return x, moved to the nearer bound where it is outside; on a bound the gradient passes."""
    if min is not None:
        x = where(x < min, min, x)
    if max is not None:
        x = where(x > max, max, x)
    return x


def _unary(op: type[Function], x: Tensor) -> Tensor:
    """Apply an op whose result is a float: integers are cast first."""
    return op.apply(x if is_float(x.dtype) else x.to(DEFAULT_FLOAT))


def neg(x: Tensor) -> Tensor:
    """Return -x."""
    return Neg.apply(x)


def abs(x: Tensor) -> Tensor:
    """Return |x|; the gradient at 0 is 0."""
    return Abs.apply(x)


def exp(x: Tensor) -> Tensor:
    """Return e^x."""
    return _unary(Exp, x)


def log(x: Tensor) -> Tensor:
    """Return the natural logarithm of x (-inf at 0, NaN below)."""
    return _unary(Log, x)


def sqrt(x: Tensor) -> Tensor:
    """Return the square root of x (NaN below 0)."""
    return _unary(Sqrt, x)


def sin(x: Tensor) -> Tensor:
    """Return the sine of x in radians."""
    return _unary(Sin, x)


def cos(x: Tensor) -> Tensor:
    """Return the cosine of x in radians."""
    return _unary(Cos, x)


def sign(x: Tensor) -> Tensor:
    """Return -1, 0 or 1 by the sign of x; the gradient is 0."""
    return Staircase.apply(x, np.sign)


def floor(x: Tensor) -> Tensor:
    """Return the largest integers that are not above x; the gradient is 0."""
    return Staircase.apply(x, np.floor)


def ceil(x: Tensor) -> Tensor:
    """Return the smallest integers that are not below x; the gradient is 0."""
    return Staircase.apply(x, np.ceil)


def round(x: Tensor) -> Tensor:
    """Return the integers nearest to x, ties to even; the gradient is 0."""
    return Staircase.apply(x, np.round)
