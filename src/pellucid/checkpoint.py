"""Tensors in safetensors files, and checkpoints from which training goes on with the same bits.

`save` and `load` are for weights: every program that knows safetensors shares these files. A
`Checkpoint` is one such file with all that training depends on. A file appears whole or not at all,
and nothing in it is ever executed (no pickle). Not here: what the states mean (nn/module.py,
optim/optimizer.py). Next room: nn/module.py.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors import numpy as safetensors_numpy

from pellucid.backend import Array, native
from pellucid.errors import ArgumentError, DataError, DTypeError, StateError, UnsupportedError
from pellucid.files import write
from pellucid.random import RngState, get_rng_state, set_rng_state
from pellucid.tensor import Tensor

FORMAT = "1"  # the version of what pellucid adds to safetensors: the metadata

_RESERVED = "pellucid."
_FORMAT_KEY, _CHECKPOINT_KEY = "pellucid.format", "pellucid.checkpoint"
_READABLE = {"F64", "F32", "I64", "I32", "I16", "I8", "U8", "BOOL"}
_FOREIGN = {
    b"PK\x03\x04": "a zip archive, such as torch.save and np.savez write",
    b"\x80": "a pickle, which can run any code when it is read",
}

PathLike: TypeAlias = "str | os.PathLike[str]"


# --- tensors --------------------------------------------------------------------------------------


def save(
    tensors: Mapping[str, Tensor], path: PathLike, metadata: Mapping[str, str] | None = None
) -> None:
    """Write tensors, in any layout, to a safetensors file that appears whole or not at all.

    A tensor with two names is stored under both. `metadata` are texts beside the tensors.
    Cost: for a moment a second copy of all tensors.
    Raises: DTypeError for what is no tensor, ArgumentError for reserved names, DataError when the
    file cannot be written; then a file that was there before is as it was.

    >>> import pellucid, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save({"weight": pellucid.ones(2)}, f"{folder}/model.safetensors")
    ...     load(f"{folder}/model.safetensors")
    {'weight': tensor([1., 1.])}
    """
    texts = dict(metadata or {})
    for key, text in texts.items():
        _check_metadata(key, text)
    _save("save", tensors, Path(path), texts)


def load(path: PathLike) -> dict[str, Tensor]:
    """Return the tensors of a safetensors file, whoever wrote it, as copies in memory.

    Raises: DataError for a file that is missing, damaged, no safetensors or of a newer format;
    UnsupportedError for tensors of a dtype that pellucid does not have, such as float16.
    """
    return _load("load", Path(path))[0]


def load_metadata(path: PathLike) -> dict[str, str]:
    """Return the texts beside the tensors of a safetensors file.

    Raises: DataError as `load`.
    """
    metadata = _load("load_metadata", Path(path), with_tensors=False)[1]
    return {key: text for key, text in metadata.items() if not key.startswith(_RESERVED)}


def _check_metadata(key: Any, text: Any) -> None:
    if not isinstance(key, str) or not isinstance(text, str):
        raise DTypeError(
            "save",
            f"metadata[{key!r}] is a {type(text).__name__}; safetensors keeps texts under texts",
            fix="use json.dumps(...) on it",
        )
    if key.startswith(_RESERVED):
        raise ArgumentError(
            "save",
            f"metadata[{key!r}] is reserved",
            fix=f"use a key that does not start with '{_RESERVED}'",
        )


def _save(op: str, tensors: Mapping[str, Tensor], path: Path, metadata: dict[str, str]) -> None:
    if not isinstance(tensors, Mapping):
        raise DTypeError(
            op,
            f"a {type(tensors).__name__} is no mapping of names to tensors",
            fix="save model.state_dict(), or a dict of tensors",
        )
    arrays = {name: _row_major(op, name, tensor) for name, tensor in tensors.items()}
    write(op, path, safetensors_numpy.save(arrays, {_FORMAT_KEY: FORMAT, **metadata}))


def _row_major(op: str, name: Any, tensor: Any) -> Array:
    """Return the memory of a tensor as safetensors stores it: raw, in row-major order."""
    if not isinstance(name, str) or not isinstance(tensor, Tensor):
        raise DTypeError(
            op,
            f"{name!r} is a {type(tensor).__name__}; names are texts and values are tensors",
            fix="use pellucid.tensor on arrays and numbers, and leave out the rest",
        )
    if name == "__metadata__":
        raise ArgumentError(
            op, "the name '__metadata__' is reserved by safetensors", fix="use another name"
        )
    # Not np.ascontiguousarray, which makes 0-d arrays 1-d.
    return np.asarray(native(tensor.array), order="C")


def _load(
    op: str, path: Path, with_tensors: bool = True
) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return the tensors and the metadata of a file."""
    if not path.is_file():
        raise DataError(op, f"there is no file {path}", fix="check the path")
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = dict(file.metadata() or {})
            _check_format(op, path, metadata)
            names = list(file.keys()) if with_tensors else []
            for name in names:
                _check_readable(op, path, name, file.get_slice(name).get_dtype())
            return {name: Tensor(file.get_tensor(name)) for name in names}, metadata
    except OSError as error:
        raise DataError(
            op, f"{path} cannot be read: {error.strerror or error}", fix="look at its permissions"
        ) from error
    except SafetensorError as error:
        raise _foreign(op, path, str(error)) from error


def _foreign(op: str, path: Path, problem: str) -> DataError:
    """Return what to say about a file that safetensors refuses."""
    with path.open("rb") as file:
        beginning = file.read(4)
    for magic, kind in _FOREIGN.items():
        if beginning.startswith(magic):
            return DataError(
                op,
                f"{path} is {kind}, not a safetensors file",
                fix="write it with pellucid.save, or safetensors.torch.save_file where it was made",
            )
    return DataError(
        op,
        f"{path} is cut short, damaged, or no safetensors file: {problem}",
        fix="copy or save it again",
    )


def _check_format(op: str, path: Path, metadata: Mapping[str, str]) -> None:
    found = metadata.get(_FORMAT_KEY, FORMAT)  # files of other programs say nothing
    if found != FORMAT:
        raise DataError(
            op,
            f"{path} has format version {found}, and this pellucid reads version {FORMAT}",
            fix="read it with the pellucid that wrote it, or a newer one",
        )


def _check_readable(op: str, path: Path, name: str, dtype: str) -> None:
    if dtype not in _READABLE:
        raise UnsupportedError(
            op,
            f"tensor '{name}' of {path} is {dtype}, which pellucid does not have",
            fix="save it as float32 (F32) where it was made",
        )


# --- checkpoints ----------------------------------------------------------------------------------


class Stateful(Protocol):
    """What has a state dict: a model, an optimizer, a scheduler."""

    def state_dict(self) -> Any:
        """Return the state."""

    def load_state_dict(self, state_dict: Any) -> Any:
        """Take over a state."""


@dataclass(eq=False)
class Checkpoint:
    """All that training depends on, at one place of one epoch, in one safetensors file.

    `epoch` and `batch` say what comes next: batch number `batch` of epoch number `epoch`, both
    counted from 0, as `DataLoader.set_epoch` takes them. `metadata` is anything of numbers, texts,
    lists, dicts and tensors, such as the options that the model is made with.

    For the weights alone: `model.load_state_dict(Checkpoint.load(path).model)`.

    >>> import tempfile
    >>> from pellucid import nn, optim
    >>> model = nn.Linear(4, 2)
    >>> optimizer = optim.Adam(model.parameters())
    >>> checkpoint = Checkpoint.capture(model, optimizer, epoch=3, batch=17, metadata={"size": 4})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     checkpoint.save(f"{folder}/checkpoint.safetensors")
    ...     checkpoint = Checkpoint.load(f"{folder}/checkpoint.safetensors")
    >>> checkpoint.restore(model, optimizer)
    >>> checkpoint.epoch, checkpoint.batch, checkpoint.metadata
    (3, 17, {'size': 4})
    """

    model: dict[str, Tensor]
    optimizer: dict[str, Any] | None = None
    scheduler: dict[str, Any] | None = None
    random: RngState = field(default_factory=get_rng_state)
    epoch: int = 0
    batch: int = 0
    metadata: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def capture(
        cls,
        model: Stateful,
        optimizer: Stateful | None = None,
        scheduler: Stateful | None = None,
        *,
        epoch: int = 0,
        batch: int = 0,
        metadata: Mapping[str, Any] | None = None,
    ) -> Checkpoint:
        """Return the present state of all these and of the random numbers.

        It shares their memory: save it before they go on.
        """
        return cls(
            model.state_dict(),
            None if optimizer is None else optimizer.state_dict(),
            None if scheduler is None else scheduler.state_dict(),
            epoch=epoch,
            batch=batch,
            metadata=dict(metadata or {}),
        )

    def save(self, path: PathLike) -> None:
        """Write the checkpoint to a file that appears whole or not at all.

        Raises: DTypeError for what the file cannot hold, DataError when it cannot be written.
        """
        tensors: dict[str, Tensor] = {}
        structure = {name: _pack(name, value, tensors) for name, value in vars(self).items()}
        _save("Checkpoint", tensors, Path(path), {_CHECKPOINT_KEY: json.dumps(structure)})

    @classmethod
    def load(cls, path: PathLike) -> Checkpoint:
        """Read a checkpoint, and change nothing yet.

        Raises: DataError as `pellucid.load`, and for a file that is no checkpoint.
        """
        tensors, metadata = _load("Checkpoint", Path(path))
        if _CHECKPOINT_KEY not in metadata:
            raise DataError(
                "Checkpoint",
                f"{path} holds tensors but no checkpoint",
                fix="read it with pellucid.load",
            )
        try:
            structure = json.loads(metadata[_CHECKPOINT_KEY])
            parts = {name: _unpack(value, tensors) for name, value in structure.items()}
            parts["random"] = RngState(*parts["random"])
            return cls(**parts)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise DataError(
                "Checkpoint",
                f"{path} is damaged: its tensors and their description do not agree",
                fix="use another checkpoint",
            ) from error

    def restore(
        self,
        model: Stateful,
        optimizer: Stateful | None = None,
        scheduler: Stateful | None = None,
    ) -> None:
        """Put all states back, that of the random numbers too.

        Raises: StateError when a part is missing on one side, or does not fit.
        """
        for name, part in (("optimizer", optimizer), ("scheduler", scheduler)):
            saved = getattr(self, name)
            if (part is None) != (saved is None):
                raise StateError(
                    "Checkpoint",
                    f"restore was {'not ' if part is None else ''}given the {name}, and the "
                    f"checkpoint has {'no' if saved is None else 'a'} state of it",
                    fix="pass to restore what was passed to capture; for the weights alone, "
                    "model.load_state_dict(checkpoint.model)",
                )
        model.load_state_dict(self.model)
        if optimizer is not None:
            optimizer.load_state_dict(self.optimizer)
        if scheduler is not None:
            scheduler.load_state_dict(self.scheduler)
        set_rng_state(self.random)


def _pack(name: str, value: Any, tensors: dict[str, Tensor]) -> Any:
    """Return nested data as JSON can hold it, with its tensors moved to `tensors` by name.

    JSON has no tuples, and only texts as keys: dicts and tuples become marked lists.
    """
    if isinstance(value, Tensor):
        if name in tensors:
            raise ArgumentError("Checkpoint", f"two tensors are '{name}'", fix="rename one")
        tensors[name] = value
        return {"tensor": name}
    if isinstance(value, Mapping):
        if odd := [key for key in value if not isinstance(key, (str, int))]:
            raise DTypeError(
                "Checkpoint",
                f"a key of {name} is a {type(odd[0]).__name__}",
                fix="use texts and whole numbers as keys",
            )
        return {"items": [[k, _pack(f"{name}.{k}", v, tensors)] for k, v in value.items()]}
    if isinstance(value, (list, tuple)):
        items = [_pack(f"{name}.{k}", item, tensors) for k, item in enumerate(value)]
        return {"tuple": items} if isinstance(value, tuple) else items
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise DTypeError(
        "Checkpoint",
        f"{name} is a {type(value).__name__}, which a file without pickle cannot hold",
        fix="use numbers, texts, lists, tuples, dicts and tensors",
    )


def _unpack(packed: Any, tensors: dict[str, Tensor]) -> Any:
    """Return what `_pack` was given."""
    if isinstance(packed, list):
        return [_unpack(item, tensors) for item in packed]
    if not isinstance(packed, dict):
        return packed
    if "tensor" in packed:
        return tensors[packed["tensor"]]
    if "tuple" in packed:
        return tuple([_unpack(item, tensors) for item in packed["tuple"]])
    return {key: _unpack(item, tensors) for key, item in packed["items"]}
