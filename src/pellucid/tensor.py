"""Tensor: a NumPy array, its gradient, and the node of the graph that made it.

Its methods are one-line calls of `ops/`, where the mathematics is; names and meaning are
PyTorch's. `+=` rebinds the name to a new tensor instead of changing the old one; the methods that
end in an underscore change it in place. Not here: how tensors are made (creation.py).
Next room: autograd.py for the record and the walk, ops/ for what an operator computes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from pellucid.backend import CPU, Array, Device, device
from pellucid.dtypes import DType, as_dtype, bool_, float32, float64, int64, is_float
from pellucid.errors import DTypeError, GraphError, ShapeError
from pellucid.grad_mode import is_grad_enabled
from pellucid.hooks import RemovableHandle, retain_grad

if TYPE_CHECKING:
    from pellucid.autograd import Function, Hook

Scalar: TypeAlias = "bool | int | float"
Operand: TypeAlias = "Tensor | Scalar | npt.NDArray[Any] | np.generic"
Dims: TypeAlias = "int | Sequence[int] | None"
Flag: TypeAlias = bool  # inside the class, `bool` is a method
_RANKS = {"b": 0, "u": 1, "i": 1, "f": 2}  # of the kinds of dtypes: a float holds an integer


class Tensor:
    """A NumPy array that can record how it was computed.

    `Tensor(array)` shares the array's memory; `pellucid.tensor` copies. `.array` is the array.
    `grad_fn` is the node that made the tensor (None for a leaf), `grad` the gradient that
    `backward` left at a leaf.

    >>> import pellucid
    >>> x = pellucid.tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    tensor([2., 4.])
    """

    __slots__ = (
        "__weakref__",
        "_hooks",
        "_output_index",
        "_requires_grad",
        "_version",
        "array",
        "grad",
        "grad_fn",
    )
    __array_ufunc__ = None  # so that array + tensor is tensor's to answer

    def __init__(self, array: Array, requires_grad: bool = False) -> None:
        self.array = array
        self.grad: Tensor | None = None
        self.grad_fn: Function | None = None
        self._output_index = 0
        self._version = [0]  # shared by all views of one memory
        self._hooks: dict[int, Hook] | None = None
        self._requires_grad = False
        if requires_grad:
            self.requires_grad = True

    @classmethod
    def _made_by(cls, array: Array, version: list[int], node: Function, index: int) -> Tensor:
        """Return an output of `node` again, as its backward needs it."""
        tensor = Tensor(array)
        tensor._version = version
        tensor._set_creator(node, index)
        return tensor

    def _set_creator(self, node: Function, index: int) -> None:
        self.grad_fn, self._output_index, self._requires_grad = node, index, True

    # What it is

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes of the axes."""
        return self.array.shape

    @property
    def dtype(self) -> DType:
        """The dtype of the elements, NumPy's own."""
        return self.array.dtype

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.array.ndim

    @property
    def device(self) -> Device:
        """Where the elements lie: `cpu`."""
        return CPU

    @property
    def is_leaf(self) -> Flag:
        """Whether no recorded op made this tensor."""
        return self.grad_fn is None

    @property
    def requires_grad(self) -> Flag:
        """Whether gradients flow to or through this tensor."""
        return self._requires_grad

    @requires_grad.setter
    def requires_grad(self, value: Flag) -> None:
        if value and not is_float(self.dtype):
            raise DTypeError(
                "requires_grad",
                f"a tensor of {self.dtype} has no gradient",
                fix="make it with dtype=pellucid.float32",
            )
        if not value and self.grad_fn is not None:
            raise GraphError(
                "requires_grad",
                f"it cannot be switched off for the output of {self.grad_fn.name}",
                fix="use detach()",
            )
        self._requires_grad = bool(value)

    def requires_grad_(self, requires_grad: Flag = True) -> Tensor:
        """Set `requires_grad` and return this tensor."""
        self.requires_grad = requires_grad
        return self

    def size(self, dim: int | None = None) -> Any:
        """Return the shape, or the size of one axis."""
        return self.shape if dim is None else self.shape[dim]

    def dim(self) -> int:
        """Return the number of axes."""
        return self.array.ndim

    def numel(self) -> int:
        """Return the number of elements."""
        return self.array.size

    def stride(self) -> tuple[int, ...]:
        """Return how many elements apart neighbours along each axis lie."""
        return tuple(step // self.array.itemsize for step in self.array.strides)

    def is_contiguous(self) -> Flag:
        """Whether the elements lie in row-major order without gaps."""
        return bool(self.array.flags.c_contiguous)

    def __len__(self) -> int:
        return len(self.array)

    def __iter__(self) -> Iterator[Tensor]:
        if self.ndim == 0:
            raise ShapeError("iter", "a 0-d tensor has no axis to go along", fix="use item()")
        return (self[k] for k in range(len(self)))

    def __repr__(self) -> str:
        whole = bool((np.trunc(self.array) == self.array).all())  # 1379. rather than 1.379e+03
        body = np.array2string(
            self.array, separator=", ", precision=4, suppress_small=whole, prefix="tensor("
        )
        suffix = "" if self.dtype in (float32, int64, bool_) else f", dtype={self.dtype}"
        if self.grad_fn is not None:
            suffix += f", grad_fn={self.grad_fn!r}"
        elif self.requires_grad:
            suffix += ", requires_grad=True"
        return f"tensor({body}{suffix})"

    # To other forms

    def numpy(self) -> Array:
        """Return the array itself: both share memory.

        Raises: GraphError when the tensor requires grad.
        """
        if self._requires_grad:
            raise GraphError(
                "numpy",
                f"the tensor of shape {self.shape} requires grad, which an array cannot record",
                fix="use detach().numpy()",
            )
        return self.array

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: Flag | None = None) -> Array:
        array = self.numpy()
        if copy is False and dtype is not None and np.dtype(dtype) != array.dtype:
            raise ValueError(f"a tensor of {array.dtype} is no array of {dtype} without a copy")
        return np.array(array, dtype=dtype) if copy else np.asarray(array, dtype=dtype)

    def __dlpack__(self, **options: Any) -> Any:
        return self.numpy().__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.array.__dlpack_device__()

    def item(self) -> Any:
        """Return the only element as a Python number."""
        if self.array.size != 1:
            raise ShapeError(
                "item",
                f"the tensor has {self.array.size} elements (shape {self.shape}), not one",
                fix="index one element, or use tolist()",
            )
        return self.array.item()

    def tolist(self) -> Any:
        """Return the elements as nested lists of Python numbers."""
        return self.array.tolist()

    def __bool__(self) -> Flag:
        return bool(self.item())

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        if is_float(self.dtype):
            raise DTypeError("index", f"a tensor of {self.dtype} is no index", fix="use int(x)")
        return int(self.item())

    def to(self, *targets: Any, dtype: npt.DTypeLike | None = None) -> Tensor:
        """Return the tensor with another dtype, or itself: `to(float64)`, `to("cpu")`."""
        for target in targets:
            if isinstance(target, Device) or (isinstance(target, str) and _is_device(target)):
                device(target)
            else:
                dtype = target.dtype if isinstance(target, Tensor) else target
        return self if dtype is None else ops.cast(self, as_dtype(dtype, "to"))

    def float(self) -> Tensor:
        """Return the tensor in float32."""
        return self.to(float32)

    def double(self) -> Tensor:
        """Return the tensor in float64."""
        return self.to(float64)

    def long(self) -> Tensor:
        """Return the tensor in int64."""
        return self.to(int64)

    def bool(self) -> Tensor:
        """Return whether each element differs from zero."""
        return self.to(bool_)

    # The graph

    def backward(
        self,
        gradient: Tensor | None = None,
        retain_graph: Flag | None = None,
        create_graph: Flag = False,
    ) -> None:
        """Add the gradient of this tensor to `.grad` of every leaf that it depends on.

        Raises: GraphError for more than one element without `gradient`, for a tensor without a
        graph, and for a second time through saved tensors without `retain_graph=True`.
        """
        autograd.backward([self], [gradient], retain_graph, create_graph)

    def detach(self) -> Tensor:
        """Return a tensor that shares the memory and no history."""
        tensor = Tensor(self.array)
        tensor._version = self._version
        return tensor

    def register_hook(self, hook: Hook) -> RemovableHandle:
        """Call `hook(gradient)` when the gradient is known; what it returns replaces it."""
        if not self._requires_grad:
            raise GraphError(
                "register_hook", "the tensor does not require grad", fix="set requires_grad=True"
            )
        if self.grad_fn is None:
            self._hooks = {} if self._hooks is None else self._hooks
            return RemovableHandle(self._hooks, hook)
        if self.grad_fn._hooks is None:
            self.grad_fn._hooks = {}
        return RemovableHandle(self.grad_fn._hooks.setdefault(self._output_index, {}), hook)

    def retain_grad(self) -> None:
        """Let `backward` keep `.grad` here too, although this is not a leaf."""
        if self.grad_fn is not None:
            retain_grad(self)

    def bump_version(self) -> None:
        """Say that the memory was changed in place: a graph that saved it must not use it."""
        self._version[0] += 1

    # In place

    def _replace(self, op: str, value: Array | Scalar, key: Any = ...) -> Tensor:
        """Write into the memory, which no graph may be recording."""
        if self._requires_grad and is_grad_enabled():
            raise GraphError(
                op,
                f"the tensor of shape {self.shape} requires grad, and a change in place is not "
                "recorded",
                fix="compute a new tensor (pellucid.where), or change it inside no_grad()",
            )
        if not self.array.flags.writeable:
            raise GraphError(
                op,
                f"the memory of the tensor of shape {self.shape} is read-only or repeated",
                fix="change a clone()",
            )
        try:
            self.array[key] = value
        except (ValueError, OverflowError):
            found, room = np.shape(value), self.array[key].shape
            if found == ():
                raise DTypeError(
                    op, f"{value} does not fit into {self.dtype}", fix="use a wider dtype"
                ) from None
            raise ShapeError(
                op, f"values of shape {found} do not fit into shape {room}", fix="reshape them"
            ) from None
        self.bump_version()
        return self

    def _compute(self, op: str, value: Array) -> Tensor:
        """Write the result of arithmetic, unless the dtype would cut it off."""
        if _RANKS[value.dtype.kind] > _RANKS[self.dtype.kind]:
            raise DTypeError(
                op,
                f"the result is {value.dtype}, and a tensor of {self.dtype} would cut it off",
                fix="compute a new tensor, or change one of the wider dtype",
            )
        return self._replace(op, value)

    def copy_(self, source: Operand) -> Tensor:
        """Overwrite the elements with those of `source`."""
        return self._replace("copy_", _array(source))

    def fill_(self, value: Scalar) -> Tensor:
        """Overwrite every element with `value`."""
        return self._replace("fill_", value)

    def zero_(self) -> Tensor:
        """Overwrite every element with zero."""
        return self._replace("zero_", 0)

    def add_(self, other: Operand, alpha: Scalar = 1) -> Tensor:
        """Add `alpha * other` in place."""
        return self._compute("add_", self.array + alpha * _array(other))

    def sub_(self, other: Operand, alpha: Scalar = 1) -> Tensor:
        """Subtract `alpha * other` in place."""
        return self._compute("sub_", self.array - alpha * _array(other))

    def mul_(self, other: Operand) -> Tensor:
        """Multiply by `other` in place."""
        return self._compute("mul_", self.array * _array(other))

    def div_(self, other: Operand) -> Tensor:
        """Divide by `other` in place."""
        return self._compute("div_", self.array / _array(other))

    def __setitem__(self, key: Any, value: Operand) -> None:
        if isinstance(value, Tensor) and value.requires_grad and is_grad_enabled():
            raise GraphError(
                "setitem",
                "the values require grad, and a change in place is not recorded",
                fix="compute a new tensor (pellucid.where or cat), or assign value.detach()",
            )
        if not isinstance(value, (bool, int, float)):  # of these NumPy says if they do not fit
            value = _array(value)
        self._replace("setitem", value, ops.array_index(key))

    # Operators: one op each, with broadcasting

    def __add__(self, other: Operand) -> Tensor:
        return ops.add(self, other)

    def __radd__(self, other: Operand) -> Tensor:
        return ops.add(other, self)

    def __sub__(self, other: Operand) -> Tensor:
        return ops.sub(self, other)

    def __rsub__(self, other: Operand) -> Tensor:
        return ops.sub(other, self)

    def __mul__(self, other: Operand) -> Tensor:
        return ops.mul(self, other)

    def __rmul__(self, other: Operand) -> Tensor:
        return ops.mul(other, self)

    def __truediv__(self, other: Operand) -> Tensor:
        return ops.div(self, other)

    def __rtruediv__(self, other: Operand) -> Tensor:
        return ops.div(other, self)

    def __pow__(self, other: Operand) -> Tensor:
        return ops.pow(self, other)

    def __rpow__(self, other: Operand) -> Tensor:
        return ops.pow(other, self)

    def __matmul__(self, other: Operand) -> Tensor:
        return ops.matmul(self, other)

    def __rmatmul__(self, other: Operand) -> Tensor:
        return ops.matmul(other, self)

    def __mod__(self, other: Operand) -> Tensor:
        return ops.remainder(self, other)

    def __rmod__(self, other: Operand) -> Tensor:
        return ops.remainder(other, self)

    def __floordiv__(self, other: Operand) -> Tensor:
        return ops.floor_divide(self, other)

    def __rfloordiv__(self, other: Operand) -> Tensor:
        return ops.floor_divide(other, self)

    def __neg__(self) -> Tensor:
        return ops.neg(self)

    def __abs__(self) -> Tensor:
        return ops.abs(self)

    def __invert__(self) -> Tensor:
        return ops.logical_not(self)

    def __lt__(self, other: Operand) -> Tensor:
        return ops.lt(self, other)

    def __le__(self, other: Operand) -> Tensor:
        return ops.le(self, other)

    def __gt__(self, other: Operand) -> Tensor:
        return ops.gt(self, other)

    def __ge__(self, other: Operand) -> Tensor:
        return ops.ge(self, other)

    def __and__(self, other: Operand) -> Tensor:
        return ops.logical_and(self, other)

    def __or__(self, other: Operand) -> Tensor:
        return ops.logical_or(self, other)

    def __xor__(self, other: Operand) -> Tensor:
        return ops.logical_xor(self, other)

    def __eq__(self, other: object) -> Tensor:  # type: ignore[override]  # elementwise, as in NumPy
        return ops.eq(self, other)

    def __ne__(self, other: object) -> Tensor:  # type: ignore[override]  # elementwise, as in NumPy
        return ops.ne(self, other)

    __hash__ = object.__hash__

    def __getitem__(self, key: Any) -> Tensor:
        return ops.getitem(self, key)

    # Elementwise

    def exp(self) -> Tensor:
        """Return e to the power of each element."""
        return ops.exp(self)

    def log(self) -> Tensor:
        """Return the natural logarithm of each element."""
        return ops.log(self)

    def sqrt(self) -> Tensor:
        """Return the square root of each element."""
        return ops.sqrt(self)

    def abs(self) -> Tensor:
        """Return the absolute value of each element."""
        return ops.abs(self)

    def neg(self) -> Tensor:
        """Return each element with the other sign."""
        return ops.neg(self)

    def sign(self) -> Tensor:
        """Return the sign of each element."""
        return ops.sign(self)

    def sin(self) -> Tensor:
        """Return the sine of each element."""
        return ops.sin(self)

    def cos(self) -> Tensor:
        """Return the cosine of each element."""
        return ops.cos(self)

    def tanh(self) -> Tensor:
        """Return the hyperbolic tangent of each element."""
        return ops.tanh(self)

    def sigmoid(self) -> Tensor:
        """Return 1 / (1 + exp(-x)) of each element."""
        return ops.sigmoid(self)

    def relu(self) -> Tensor:
        """Return each element, or zero where it is negative."""
        return ops.relu(self)

    def floor(self) -> Tensor:
        """Return the largest integer that is not above each element."""
        return ops.floor(self)

    def ceil(self) -> Tensor:
        """Return the smallest integer that is not below each element."""
        return ops.ceil(self)

    def round(self) -> Tensor:
        """Return the nearest integer to each element, ties to even."""
        return ops.round(self)

    def isnan(self) -> Tensor:
        """Return whether each element is NaN."""
        return ops.isnan(self)

    def isfinite(self) -> Tensor:
        """Return whether each element is neither infinite nor NaN."""
        return ops.isfinite(self)

    def clone(self) -> Tensor:
        """Return a copy that is part of the graph."""
        return ops.clone(self)

    def pow(self, exponent: Operand) -> Tensor:
        """Return each element to the power of `exponent`."""
        return ops.pow(self, exponent)

    def clip(self, min: Operand | None = None, max: Operand | None = None) -> Tensor:
        """Return each element, moved to the nearer bound where it is outside."""
        return ops.clip(self, min, max)

    def clamp(self, min: Operand | None = None, max: Operand | None = None) -> Tensor:
        """PyTorch's name for `clip`."""
        return ops.clip(self, min, max)

    def matmul(self, other: Operand) -> Tensor:
        """Return the matrix product."""
        return ops.matmul(self, other)

    # Reductions

    def sum(self, dim: Dims = None, keepdim: Flag = False) -> Tensor:
        """Return the sum, along all axes or those in `dim`."""
        return ops.sum(self, dim, keepdim)

    def mean(self, dim: Dims = None, keepdim: Flag = False) -> Tensor:
        """Return the mean, along all axes or those in `dim`."""
        return ops.mean(self, dim, keepdim)

    def logsumexp(self, dim: Dims = None, keepdim: Flag = False) -> Tensor:
        """Return the logarithm of the sum of exponentials, along all axes or those in `dim`."""
        return ops.logsumexp(self, dim, keepdim)

    def any(self, dim: Dims = None, keepdim: Flag = False) -> Tensor:
        """Return whether any element differs from zero, along all axes or those in `dim`."""
        return ops.any(self, dim, keepdim)

    def all(self, dim: Dims = None, keepdim: Flag = False) -> Tensor:
        """Return whether all elements differ from zero, along all axes or those in `dim`."""
        return ops.all(self, dim, keepdim)

    def amax(self, dim: Dims = None, keepdim: Flag = False) -> Tensor:
        """Return the largest element along `dim`; ties share the gradient."""
        return ops.amax(self, dim, keepdim)

    def amin(self, dim: Dims = None, keepdim: Flag = False) -> Tensor:
        """Return the smallest element along `dim`; ties share the gradient."""
        return ops.amin(self, dim, keepdim)

    def var(self, dim: Dims = None, correction: int = 1, keepdim: Flag = False) -> Tensor:
        """Return the variance with n - `correction` in the denominator."""
        return ops.var(self, dim, correction, keepdim)

    def std(self, dim: Dims = None, correction: int = 1, keepdim: Flag = False) -> Tensor:
        """Return the standard deviation with n - `correction` in the denominator."""
        return ops.std(self, dim, correction, keepdim)

    def max(self, dim: int | None = None, keepdim: Flag = False) -> Any:
        """Return the largest element; with `dim` a pair of values and indices along it."""
        return ops.max(self, dim, keepdim)

    def min(self, dim: int | None = None, keepdim: Flag = False) -> Any:
        """Return the smallest element; with `dim` a pair of values and indices along it."""
        return ops.min(self, dim, keepdim)

    def argmax(self, dim: int | None = None, keepdim: Flag = False) -> Tensor:
        """Return the index of the largest element (the first of equals)."""
        return ops.argmax(self, dim, keepdim)

    def argmin(self, dim: int | None = None, keepdim: Flag = False) -> Tensor:
        """Return the index of the smallest element (the first of equals)."""
        return ops.argmin(self, dim, keepdim)

    # Shape

    def reshape(self, *shape: Any) -> Tensor:
        """Return the elements in another shape; one size may be -1."""
        return ops.reshape(self, _sizes(shape))

    def view(self, *shape: Any) -> Tensor:
        """PyTorch's name for `reshape`."""
        return ops.reshape(self, _sizes(shape))

    def flatten(self, start_dim: int = 0, end_dim: int = -1) -> Tensor:
        """Join the axes from `start_dim` to `end_dim` into one."""
        return ops.flatten(self, start_dim, end_dim)

    def permute(self, *dims: Any) -> Tensor:
        """Return the axes in another order."""
        return ops.permute(self, _sizes(dims))

    def transpose(self, dim0: int, dim1: int) -> Tensor:
        """Exchange two axes."""
        return ops.transpose(self, dim0, dim1)

    @property
    def T(self) -> Tensor:  # noqa: N802  PyTorch's name
        """The matrix transposed."""
        return ops.transpose(self, 0, 1)

    def squeeze(self, dim: Dims = None) -> Tensor:
        """Drop the axes of size 1, or those of them in `dim`."""
        return ops.squeeze(self, dim)

    def unsqueeze(self, dim: int) -> Tensor:
        """Insert an axis of size 1."""
        return ops.unsqueeze(self, dim)

    def expand(self, *shape: Any) -> Tensor:
        """Repeat axes of size 1 without copying; -1 keeps a size."""
        return ops.expand(self, _sizes(shape))

    def sum_to_size(self, *shape: Any) -> Tensor:
        """Sum the axes that broadcasting `shape` to this shape repeats."""
        return ops.sum_to_size(self, _sizes(shape))

    def flip(self, *dims: Any) -> Tensor:
        """Reverse the order along axes."""
        return ops.flip(self, _sizes(dims))

    def gather(self, dim: int, index: Tensor) -> Tensor:
        """Pick elements along one axis by index."""
        return ops.gather(self, dim, index)

    def contiguous(self) -> Tensor:
        """Return the tensor in row-major order: itself, or a copy."""
        return self if self.is_contiguous() else ops.contiguous(self)


def _sizes(args: tuple[Any, ...]) -> tuple[int, ...]:
    """Accept `f(2, 3)` and `f((2, 3))` alike."""
    sizes = args[0] if len(args) == 1 and isinstance(args[0], (tuple, list)) else args
    return tuple(int(size) for size in sizes)


def _array(value: Operand) -> Array:
    return value.array if isinstance(value, Tensor) else np.asarray(value)


def _is_device(name: str) -> bool:
    """Whether a string names a device rather than a dtype."""
    return name.split(":", maxsplit=1)[0] in ("cpu", "cuda", "mps", "meta")


# The one circle of the library: tensors have operators, and operators are about tensors.
from pellucid import autograd, ops  # noqa: E402
