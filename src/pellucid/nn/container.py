"""Containers: modules that are lists of modules. Their submodules are named 0, 1, 2, ...

Next room: module.py.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

from pellucid.errors import IndexingError
from pellucid.nn.fusion import can_fuse, with_relu
from pellucid.nn.module import Module

Self = TypeVar("Self", bound="_Chain")


class _Chain(Module):
    """What `Sequential` and `ModuleList` have in common: a list's ways."""

    def _key(self, index: int) -> str:
        keys = list(self._modules)
        if not -len(keys) <= index < len(keys):
            raise IndexingError(
                type(self).__name__,
                f"index {index} lies outside its {len(keys)} modules",
                fix=f"use an index from {-len(keys)} to {len(keys) - 1}",
            )
        return keys[index]

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._modules.values())

    def __setitem__(self, index: int, module: Module) -> None:
        self.add_module(self._key(index), module)

    def append(self: Self, module: Module) -> Self:
        """Add a module at the end."""
        number = len(self)
        while str(number) in self._modules:  # a slice keeps its names, which may start above 0
            number += 1
        self.add_module(str(number), module)
        return self

    def extend(self: Self, modules: Iterable[Module]) -> Self:
        """Add modules at the end."""
        for module in modules:
            self.append(module)
        return self


class Sequential(_Chain):
    """Modules in a row, each called with what the one before it returned.

    It takes modules, or one dictionary from names to modules.

    >>> from pellucid import nn
    >>> net = nn.Sequential(nn.Flatten(), nn.Linear(8, 2), nn.ReLU())
    >>> net[:2]
    Sequential(
      (0): Flatten(start_dim=1, end_dim=-1)
      (1): Linear(in_features=8, out_features=2, bias=True)
    )
    """

    def __init__(self, *args: Module | Mapping[str, Module]) -> None:
        super().__init__()
        named = args[0] if len(args) == 1 and isinstance(args[0], Mapping) else None
        for name, module in (_numbered(args) if named is None else named).items():
            self.add_module(name, module)

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            named = zip(list(self._modules)[index], list(self)[index], strict=True)
            return Sequential(dict(named))
        return self._modules[self._key(index)]

    def forward(self, x: Any) -> Any:
        """Call each module with the output of the one before; fusion.py says which two at once."""
        modules = itertools.zip_longest(self, itertools.islice(self, 1, None))
        for module, after in modules:
            if after is not None and can_fuse(module, after):
                x = with_relu(module, after, x)
                next(modules)
            else:
                x = module(x)
        return x


def _numbered(modules: Iterable[Any]) -> Mapping[str, Any]:
    return {str(k): module for k, module in enumerate(modules)}


class ModuleList(_Chain):
    """Modules in a list; the module that owns it decides how to call them."""

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        super().__init__()
        self.extend(modules)

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return ModuleList(list(self)[index])
        return self._modules[self._key(index)]

    def _child_reprs(self) -> list[tuple[str, str]]:
        """Equal neighbours stand in one line, `(0-2): 3 x ReLU()`."""
        children = []
        for text, group in itertools.groupby(super()._child_reprs(), key=lambda child: child[1]):
            names = [name for name, _ in group]
            alone = len(names) == 1
            name = names[0] if alone else f"{names[0]}-{names[-1]}"
            children.append((name, text if alone else f"{len(names)} x {text}"))
        return children
