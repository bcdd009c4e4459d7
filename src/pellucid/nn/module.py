"""Module: a network or a part of one, which knows its parameters, buffers and submodules.

A `Parameter` or a `Module` assigned to an attribute is registered under that name;
`register_buffer` does it for tensors that are state but not learned. Names are joined by dots, and
state dicts are PyTorch's key by key. Not here: any mathematics (ops/). Next room: conv.py.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from pellucid.backend import Array, Device
from pellucid.dtypes import DEFAULT_FLOAT, float32, float64, is_float
from pellucid.errors import ArgumentError, DTypeError, StateError, UnsupportedError
from pellucid.grad_mode import no_grad
from pellucid.hooks import RemovableHandle, watchers
from pellucid.nn.backward_hook import BackwardHook, Watch
from pellucid.nn.parameter import Parameter
from pellucid.tensor import Tensor

Self = TypeVar("Self", bound="Module")
ForwardHook: TypeAlias = Callable[["Module", Any, Any], Any]
ForwardPreHook: TypeAlias = Callable[["Module", Any], Any]


class IncompatibleKeys(NamedTuple):
    """What `load_state_dict` found on one side only."""

    missing_keys: list[str]
    unexpected_keys: list[str]


class Module:
    """The base of all layers and networks: subclasses define `__init__` and `forward`.

    `training` says which of two ways layers such as dropout and batch normalisation behave.

    >>> from pellucid import nn
    >>> class Net(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.linear = nn.Linear(4, 2)
    ...
    ...     def forward(self, x):
    ...         return self.linear(x).relu()
    >>> Net()
    Net(
      (linear): Linear(in_features=4, out_features=2, bias=True)
    )
    >>> [name for name, _ in Net().named_parameters()]
    ['linear.weight', 'linear.bias']
    """

    training: bool

    def __init__(self) -> None:
        self._parameters: dict[str, Parameter | None] = {}
        self._buffers: dict[str, Tensor | None] = {}
        self._modules: dict[str, Module | None] = {}
        self._not_persistent: set[str] = set()
        self._forward_pre_hooks: dict[int, ForwardPreHook] = {}
        self._forward_hooks: dict[int, ForwardHook] = {}
        self._backward_hooks: dict[int, BackwardHook] = {}
        self.training = True

    # Attributes

    def __setattr__(self, name: str, value: Any) -> None:
        slot = self._slot_of(name)
        if isinstance(value, Parameter):
            self._register("_parameters", name, value)
        elif isinstance(value, Module) and slot != "_parameters":
            self._register("_modules", name, value)
        elif slot is None:
            object.__setattr__(self, name, value)
        elif value is None or isinstance(value, _HELD[slot]):
            self.__dict__[slot][name] = value
        else:
            kind = _HELD[slot].__name__
            raise DTypeError(
                type(self).__name__,
                f"a {type(value).__name__} cannot take the place of {_ARTICLE[slot]} '{name}'",
                fix=f"assign a {kind} or None, or choose another name",
            )

    def __getattr__(self, name: str) -> Any:
        slot = self._slot_of(name)
        if slot is not None:
            return self.__dict__[slot][name]
        hint = "" if "_modules" in self.__dict__ else " (super().__init__() has not run)"
        raise AttributeError(
            f"'{type(self).__name__}' object has no attribute '{name}'{hint}", name=name, obj=self
        )

    def __delattr__(self, name: str) -> None:
        slot = self._slot_of(name)
        if slot is None:
            object.__delattr__(self, name)
        else:
            del self.__dict__[slot][name]
            self._not_persistent.discard(name)

    def __dir__(self) -> list[str]:
        held = [name for slot in _HELD for name in self.__dict__.get(slot, ())]
        return sorted({*super().__dir__(), *held})

    def _slot_of(self, name: str) -> str | None:
        """Return which of the three dictionaries holds `name`."""
        for slot in _HELD:
            if name in self.__dict__.get(slot, ()):
                return slot
        return None

    def _register(self, slot: str, name: str, value: Parameter | Tensor | Module | None) -> None:
        """Put a parameter, buffer or submodule into its dictionary and out of the others."""
        owner = type(self).__name__
        if slot not in self.__dict__:
            raise StateError(
                owner,
                f"{_ARTICLE[slot]} '{name}' is assigned before Module.__init__ has run",
                fix="call super().__init__() first in __init__",
            )
        if not name or "." in name:
            raise ArgumentError(
                owner, f"'{name}' is no name: it is empty or has a dot", fix="use an identifier"
            )
        if hasattr(type(self), name):
            raise ArgumentError(
                owner,
                f"{_ARTICLE[slot]} cannot be named '{name}', which the class already defines",
                fix="choose another name",
            )
        for other in ("_parameters", "_buffers", "_modules"):
            if other != slot:
                self.__dict__[other].pop(name, None)
        self.__dict__.pop(name, None)
        self._not_persistent.discard(name)
        self.__dict__[slot][name] = value

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter, or with None the place for one."""
        self._check_held("_parameters", name, param)
        self._register("_parameters", name, param)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that is state but not learned; `persistent` puts it into state dicts."""
        self._check_held("_buffers", name, tensor)
        self._register("_buffers", name, tensor)
        if not persistent:
            self._not_persistent.add(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a submodule under a name that need not be an identifier, such as `0`."""
        self._check_held("_modules", name, module)
        self._register("_modules", name, module)

    def _check_held(self, slot: str, name: str, value: object) -> None:
        kind = _HELD[slot].__name__
        if value is not None and not isinstance(value, _HELD[slot]):
            raise DTypeError(
                type(self).__name__,
                f"{_ARTICLE[slot]} '{name}' is a {type(value).__name__}, no {kind}",
                fix=f"pass a {kind} or None",
            )

    # What there is

    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """Yield this module and all below it with their dotted names, each once."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                yield from module.named_modules(memo, _join(prefix, name), remove_duplicate)

    def modules(self) -> Iterator[Module]:
        """Yield this module and all below it, each once."""
        return (module for _, module in self.named_modules())

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Yield the submodules right below, each once."""
        seen: set[Module] = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def children(self) -> Iterator[Module]:
        """Yield the submodules right below, each once."""
        return (module for _, module in self.named_children())

    def _named_held(
        self, slot: str, prefix: str, recurse: bool, remove_duplicate: bool
    ) -> Iterator[tuple[str, Any]]:
        """Yield the parameters or the buffers; a tied tensor under its first name only."""
        seen: set[int] = set()
        below = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate)
        for path, module in below if recurse else [(prefix, self)]:
            for name, tensor in getattr(module, slot).items():
                if tensor is not None and id(tensor) not in seen:
                    if remove_duplicate:
                        seen.add(id(tensor))
                    yield _join(path, name), tensor

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """Yield the parameters with their dotted names, tied ones once."""
        return self._named_held("_parameters", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """Yield the parameters, tied ones once."""
        return (parameter for _, parameter in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """Yield the buffers with their dotted names, each once."""
        return self._named_held("_buffers", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """Yield the buffers, each once."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    # The state

    def _named_state(self) -> dict[str, Tensor]:
        """Return the parameters and persistent buffers themselves; tied ones under every name."""
        state: dict[str, Tensor] = {}
        for path, module in self.named_modules(remove_duplicate=False):
            for name, tensor in (*module._parameters.items(), *module._buffers.items()):
                if tensor is not None and name not in module._not_persistent:
                    state[_join(path, name)] = tensor
        return state

    def state_dict(self) -> dict[str, Tensor]:
        """Return the parameters and persistent buffers by name, sharing their memory.

        >>> from pellucid import nn
        >>> list(nn.Conv2d(1, 2, 3).state_dict())
        ['weight', 'bias']
        """
        return {name: tensor.detach() for name, tensor in self._named_state().items()}

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True
    ) -> IncompatibleKeys:
        """Copy tensors or arrays into the parameters and buffers of the same names.

        With `strict=False`, what only one side has is left alone and returned.
        Raises: StateError that lists what is missing, unexpected or of another shape, DTypeError
        for what is no array of numbers; in both cases nothing has been changed.
        """
        op = f"{type(self).__name__}.load_state_dict"
        if not isinstance(state_dict, Mapping) or not all(isinstance(k, str) for k in state_dict):
            raise DTypeError(
                op,
                f"a {type(state_dict).__name__} is no mapping of names to tensors",
                fix="pass what state_dict() or pellucid.load(path) returned",
            )
        state = self._named_state()
        arrays = {name: _as_array(name, value) for name, value in state_dict.items()}
        missing = [name for name in state if name not in arrays]
        unexpected = [name for name in arrays if name not in state]
        common = {name: tensor for name, tensor in state.items() if name in arrays}
        misfits = [
            f"{name} is {arrays[name].shape}, not {tensor.shape}"
            for name, tensor in common.items()
            if arrays[name].shape != tensor.shape
        ]
        if misfits or (strict and (missing or unexpected)):
            found = (missing, unexpected) if strict else ([], [])
            raise _misfit(type(self).__name__, *found, misfits)
        read_only = [name for name, x in common.items() if not x.array.flags.writeable]
        if read_only:
            raise StateError(
                op,
                f"the memory of {', '.join(read_only)} is read-only",
                fix="make these parameters and buffers of copies",
            )
        with no_grad():
            for name, tensor in common.items():
                tensor.copy_(arrays[name])
        return IncompatibleKeys(missing, unexpected)

    # Modes and conversions

    def train(self: Self, mode: bool = True) -> Self:
        """Switch this module and all below it to training, or with False to evaluation."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self: Self) -> Self:
        """Switch this module and all below it to evaluation."""
        return self.train(False)

    def apply(self: Self, function: Callable[[Module], object]) -> Self:
        """Call `function` with each module, submodules first."""
        for module in self.children():
            module.apply(function)
        function(self)
        return self

    def requires_grad_(self: Self, requires_grad: bool = True) -> Self:
        """Let gradients reach the parameters, or with False freeze them."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of the parameters, or set them to zero."""
        for parameter in self.parameters():
            if parameter.grad is not None:
                zeros = None if set_to_none else Tensor(np.zeros_like(parameter.array))
                parameter.grad = zeros

    def to(
        self: Self,
        *targets: Any,
        device: str | Device | None = None,
        dtype: npt.DTypeLike | None = None,
    ) -> Self:
        """Convert all floating-point parameters, gradients and buffers: `to(float64)`, `to("cpu")`.

        The tensors stay the same objects, so optimizers and ties go on as before.
        Raises: DTypeError for a dtype that is not floating, UnsupportedError for float16,
        DeviceError for a device that is not there.
        """
        targets = targets if device is None else (*targets, device)

        def converted(tensor: Tensor) -> Tensor:
            return tensor.to(*targets, dtype=dtype)

        wanted = converted(Tensor(np.empty(0, DEFAULT_FLOAT))).dtype
        if not is_float(wanted):
            raise DTypeError(
                f"{type(self).__name__}.to",
                f"parameters of {wanted} have no gradient",
                fix="use float32 or float64",
            )
        with no_grad():
            for tensor in (*self.parameters(), *self.buffers()):
                if is_float(tensor.dtype) and converted(tensor).dtype != tensor.dtype:
                    tensor.array = converted(tensor).array
                    tensor.grad = None if tensor.grad is None else converted(tensor.grad)
        return self

    def float(self: Self) -> Self:
        """Convert to float32."""
        return self.to(float32)

    def double(self: Self) -> Self:
        """Convert to float64."""
        return self.to(float64)

    # The call

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the output; every subclass defines it."""
        raise UnsupportedError(
            type(self).__name__, "the module has no forward", fix="define forward(self, x)"
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run forward between its hooks."""
        timer = watchers.timer
        if timer is None:
            return self._call(*args, **kwargs)
        with timer.layer(self):
            return self._call(*args, **kwargs)

    def _call(self, *args: Any, **kwargs: Any) -> Any:
        """Do what a call does, unmeasured."""
        if not self.has_hooks:
            return self.forward(*args, **kwargs)
        for before in list(self._forward_pre_hooks.values()):
            replaced = before(self, args)
            if replaced is not None:
                args = replaced if isinstance(replaced, tuple) else (replaced,)
        watch = Watch(self, list(self._backward_hooks.values()))
        if self._backward_hooks:
            args = watch.enter(args)
        y = self.forward(*args, **kwargs)
        for after in list(self._forward_hooks.values()):
            replaced = after(self, args, y)
            y = y if replaced is None else replaced
        return watch.leave(y) if self._backward_hooks else y

    @property
    def has_hooks(self) -> bool:
        """Whether anybody looks at its calls."""
        return bool(self._forward_pre_hooks or self._forward_hooks or self._backward_hooks)

    def register_forward_pre_hook(self, hook: ForwardPreHook) -> RemovableHandle:
        """Call `hook(module, args)` before forward; what it returns replaces the arguments."""
        return RemovableHandle(self._forward_pre_hooks, hook)

    def register_forward_hook(self, hook: ForwardHook) -> RemovableHandle:
        """Call `hook(module, args, output)` after forward; what it returns replaces the output."""
        return RemovableHandle(self._forward_hooks, hook)

    def register_full_backward_hook(self, hook: BackwardHook) -> RemovableHandle:
        """Call `hook(module, grad_input, grad_output)` when the gradients of a call are known.

        Both are tuples with a gradient, or None, for each positional argument of forward and for
        each of its results; what the hook returns replaces grad_input.
        """
        return RemovableHandle(self._backward_hooks, hook)

    # In words

    def extra_repr(self) -> str:
        """Return what stands in brackets behind the name; subclasses define it."""
        return ""

    def _child_reprs(self) -> list[tuple[str, str]]:
        return [(name, repr(module)) for name, module in self._modules.items()]

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = extra.splitlines()
        for name, text in self._child_reprs():
            first, *rest = text.splitlines()
            lines += [f"({name}): {first}", *rest]
        body = extra if lines == [extra] else f"\n{textwrap.indent(chr(10).join(lines), '  ')}\n"
        return f"{type(self).__name__}({body if lines else ''})"


# What each of the three dictionaries holds, and how an error calls it.
_HELD: dict[str, type] = {"_parameters": Parameter, "_buffers": Tensor, "_modules": Module}
_ARTICLE = {"_parameters": "the parameter", "_buffers": "the buffer", "_modules": "the submodule"}


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _as_array(name: str, value: Any) -> Array:
    """Return an entry of a state dict as an array."""
    array = value.array if isinstance(value, Tensor) else np.asarray(value)
    if array.dtype.kind not in "fiub":
        raise DTypeError(
            "load_state_dict",
            f"'{name}' is a {type(value).__name__}, neither tensor nor array of numbers",
            fix="pass what state_dict() returned",
        )
    return array


def _misfit(
    owner: str, missing: list[str], unexpected: list[str], misfits: list[str]
) -> StateError:
    """Return the error that lists what keeps a state from fitting a module."""
    found = {"missing": missing, "unexpected": unexpected, "of another shape": misfits}
    counts = ", ".join(f"{len(names)} {kind}" for kind, names in found.items() if names)
    listed = [
        f"{kind}: {('; ' if names is misfits else ', ').join(names)}"
        for kind, names in found.items()
        if names
    ]
    fix = "build the module as it was when the state was saved"
    if not misfits:
        fix += ", or pass strict=False to load what both have"
    rule = f"the state does not fit the module: {counts}"
    return StateError(f"{owner}.load_state_dict", rule, *listed, fix=fix)
