"""What `register_full_backward_hook` stands on: an identity before a module and one behind it.

The gradients that pass them are those of the module's inputs and outputs, whatever it computes in
between. Not here: how gradients pass (autograd.py). Next room: module.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from pellucid.autograd import Function
from pellucid.backend import Array
from pellucid.errors import DTypeError, ShapeError
from pellucid.tensor import Tensor

if TYPE_CHECKING:
    from pellucid.nn.module import Module

Gradients: TypeAlias = "tuple[Tensor | None, ...]"
BackwardHook: TypeAlias = Callable[..., Any]  # (module, grad_input, grad_output) -> gradients, None


class Entry(Function):
    """The identity at the inputs of a module: what passes back is the module's grad_input."""

    equation = "y[i] = x[i]"

    @staticmethod
    def forward(ctx: Any, watch: Watch, *xs: Tensor) -> tuple[Array, ...]:
        """Return the inputs."""
        ctx.watch = watch
        return tuple([x.array for x in xs])

    @staticmethod
    def backward(ctx: Any, *gx: Tensor) -> Any:
        """Return the gradients as the hooks leave them."""
        return None, *ctx.watch.at_inputs(gx)


class Exit(Function):
    """The identity at the outputs of a module: what arrives is the module's grad_output."""

    equation = "y[i] = x[i]"

    @staticmethod
    def forward(ctx: Any, watch: Watch, *ys: Tensor) -> tuple[Array, ...]:
        """Return the outputs."""
        ctx.watch = watch
        return tuple([y.array for y in ys])

    @staticmethod
    def backward(ctx: Any, *gy: Tensor) -> Any:
        """Return the gradients as they came."""
        ctx.watch.at_outputs(gy)
        return None, *gy


class Watch:
    """One call of a module whose backward pass hooks wait for.

    `enter` stands before the call and `leave` behind it. No gradient is None but for arguments
    that are no tensors or require no grad; without any input that does, the hooks see
    grad_output alone.
    """

    def __init__(self, module: Module, hooks: Sequence[BackwardHook]) -> None:
        self._module, self._hooks = module, hooks
        self._inputs: list[int] = []  # which arguments have gradients
        self._outputs: list[int] = []
        self._arguments = self._results = 0
        self._grad_output: Gradients = ()

    def enter(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the arguments with those that require grad led through the identity."""
        self._arguments, self._inputs = len(args), _with_grad(args)
        return _led(Entry, self, args, self._inputs)

    def leave(self, result: Any) -> Any:
        """Return the result, a tensor or a tuple, led through the identity."""
        if not isinstance(result, (Tensor, tuple)):
            raise DTypeError(
                f"{type(self._module).__name__}.register_full_backward_hook",
                f"forward returned a {type(result).__name__}, whose gradients cannot be watched",
                fix="return a tensor or a tuple of tensors",
            )
        results = result if isinstance(result, tuple) else (result,)
        self._results, self._outputs = len(results), _with_grad(results)
        led = _led(Exit, self, results, self._outputs)
        return led if isinstance(result, tuple) else led[0]

    def at_outputs(self, gy: tuple[Tensor, ...]) -> None:
        """Keep what arrived at the outputs until the inputs have theirs."""
        self._grad_output = _spread(_copies(gy), self._outputs, self._results)
        if not self._inputs:
            self._run((None,) * self._arguments)

    def at_inputs(self, gx: tuple[Tensor, ...]) -> Gradients:
        """Call the hooks and return the gradients of the inputs that require grad."""
        found = self._run(_spread(_copies(gx), self._inputs, self._arguments))
        return _copies([found[k] for k in self._inputs])

    def _run(self, grad_input: Gradients) -> Gradients:
        grad_output, self._grad_output = self._grad_output, ()
        for hook in self._hooks:
            replaced = hook(self._module, grad_input, grad_output)
            if replaced is not None:
                replaced = replaced if isinstance(replaced, tuple) else (replaced,)
                if len(replaced) != len(grad_input):
                    raise ShapeError(
                        f"{type(self._module).__name__}.register_full_backward_hook",
                        f"the hook returned {len(replaced)} gradients for {len(grad_input)} inputs",
                        fix="return one gradient, or None, for each input",
                    )
                grad_input = replaced
        return grad_input


def _with_grad(values: tuple[Any, ...]) -> list[int]:
    return [k for k, x in enumerate(values) if isinstance(x, Tensor) and x.requires_grad]


def _led(
    way: type[Function], watch: Watch, values: tuple[Any, ...], which: list[int]
) -> tuple[Any, ...]:
    """Return the values with those of the numbers in `which` led through an identity."""
    if not which:
        return values
    led = list(values)
    for k, tensor in zip(which, way.apply(watch, *[values[k] for k in which]), strict=True):
        led[k] = tensor
    return tuple(led)


def _copies(gradients: Sequence[Tensor | None]) -> Gradients:
    """Return copies: hooks may keep what they see, and a leaf takes over what reaches it."""
    return tuple([None if g is None else g.clone() for g in gradients])


def _spread(gradients: Gradients, which: list[int], size: int) -> Gradients:
    """Return a tuple of `size` with the gradients at their places and None elsewhere."""
    spread: list[Tensor | None] = [None] * size
    for k, gradient in zip(which, gradients, strict=True):
        spread[k] = gradient
    return tuple(spread)
