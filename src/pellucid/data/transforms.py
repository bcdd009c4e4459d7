"""Transforms: an image in, an image out, with random numbers that belong to the sample.

A transform is any function `transform(x, generator)` of an array (C, H, W) and a NumPy generator.
`Augmented` applies one to each sample of a dataset and hands it a generator keyed by (seed, epoch,
sample index): what a sample looks like in an epoch does not depend on the batch it is in, on the
order or on the workers. Not here: batches (loader.py). Next room: idx.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from pellucid.backend import Array
from pellucid.data.dataset import Dataset, Stream, at_epoch, seed_or_current
from pellucid.dtypes import is_float
from pellucid.errors import ArgumentError, DTypeError, ShapeError, named_shape
from pellucid.random import keyed_generator
from pellucid.tensor import Tensor

Transform: TypeAlias = "Callable[[Array, np.random.Generator], Array]"


class Augmented(Dataset):
    """A dataset whose samples go through a transform, each time anew in each epoch.

    A sample `(x, ...)` becomes `(transform(x), ...)`, any other sample `x` becomes `transform(x)`.
    The loader chooses the epoch (`at_epoch`); indexed directly, the samples are those of epoch 0.
    `seed=None` means that of `manual_seed` when the dataset is made.

    >>> import numpy as np
    >>> data = Augmented([np.zeros((1, 8, 8)), np.ones((1, 8, 8))], RandomCrop(6), seed=0)
    >>> data[1].shape
    (1, 6, 6)
    """

    def __init__(
        self, dataset: Dataset, transform: Transform, seed: int | None = None, *, epoch: int = 0
    ) -> None:
        self.dataset = dataset
        self.transform = transform
        self.seed = seed_or_current(seed)
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int, /) -> Any:
        sample = self.dataset[index]
        position = index + len(self) if index < 0 else index
        generator = keyed_generator(self.seed, self.epoch, position, Stream.AUGMENT)
        if isinstance(sample, (tuple, list)):
            return (self._transformed(sample[0], generator), *sample[1:])
        return self._transformed(sample, generator)

    def at_epoch(self, epoch: int) -> Augmented:
        """Return the same dataset with the random numbers of that epoch."""
        dataset = at_epoch(self.dataset, epoch)
        return Augmented(dataset, self.transform, self.seed, epoch=epoch)

    def _transformed(self, x: Any, generator: np.random.Generator) -> Tensor:
        array = x.array if isinstance(x, Tensor) else np.asarray(x)
        return Tensor(self.transform(array, generator))


class Compose:
    """Transforms one after another, which draw from the same generator in turn."""

    def __init__(self, transforms: Sequence[Transform]) -> None:
        self.transforms = list(transforms)

    def __call__(self, x: Array, generator: np.random.Generator) -> Array:
        """Return x after all transforms."""
        for transform in self.transforms:
            x = transform(x, generator)
        return x

    def __repr__(self) -> str:
        return f"Compose({self.transforms})"


class Normalize:
    """`(x - mean) / std`, with one mean and one standard deviation for each channel, or for all.

    Raises: ArgumentError for a std of 0; DTypeError for integers; ShapeError for other channels.

    >>> import numpy as np
    >>> Normalize(0.5, 0.25)(np.full((1, 1, 2), 1.0), None)
    array([[[2., 2.]]])
    """

    def __init__(self, mean: npt.ArrayLike, std: npt.ArrayLike) -> None:
        self.mean, self.std = np.atleast_1d(np.asarray(mean)), np.atleast_1d(np.asarray(std))
        if not (self.std > 0).all():
            raise ArgumentError(
                "Normalize", f"std is {std!r}, which must be positive", fix="use a std above 0"
            )

    def __call__(self, x: Array, generator: np.random.Generator) -> Array:
        """Return x with mean 0 and standard deviation 1."""
        _check_image("Normalize", x)
        if not is_float(x.dtype):
            raise DTypeError("Normalize", f"x is {x.dtype}", fix="scale it to float32 first")
        C = x.shape[0]
        if not {self.mean.size, self.std.size} <= {1, C}:
            raise ShapeError(
                "Normalize",
                f"x has C={C} channels, but there are {self.mean.size} means and "
                f"{self.std.size} standard deviations",
                named_shape("x", "C H W", x.shape),
                fix=f"give one of each, or {C}",
            )
        # mean and std (C,) -> (C, 1, 1)
        mean, std = (a.astype(x.dtype).reshape(-1, 1, 1) for a in (self.mean, self.std))
        normal: Array = (x - mean) / std
        return normal

    def __repr__(self) -> str:
        return f"Normalize(mean={self.mean.tolist()}, std={self.std.tolist()})"


class RandomCrop:
    """A window of `size` (an int or H, W) at a random place, after `padding` zeros on each side.

    Raises: ArgumentError for sizes below 1; ShapeError when the padded image is too small.
    """

    def __init__(self, size: int | tuple[int, int], padding: int = 0) -> None:
        self.size = (size, size) if isinstance(size, int) else tuple(size)
        self.padding = padding
        if len(self.size) != 2 or min(self.size) < 1 or padding < 0:
            raise ArgumentError(
                "RandomCrop",
                f"size is {size} and padding {padding}",
                fix="use a size of at least 1 (an int, or H and W) and a padding of at least 0",
            )

    def __call__(self, x: Array, generator: np.random.Generator) -> Array:
        """Return a random window of x."""
        _check_image("RandomCrop", x)
        (C, H, W), (OH, OW), p = x.shape, self.size, self.padding
        high, wide = H + 2 * p, W + 2 * p
        if high < OH or wide < OW:
            raise ShapeError(
                "RandomCrop",
                f"a window of {OH}x{OW} does not fit into {high}x{wide} (padding {p} included)",
                named_shape("x", "C H W", x.shape),
                fix="use a smaller size or more padding",
            )
        h = int(generator.integers(high - OH + 1))
        w = int(generator.integers(wide - OW + 1))
        padded = x
        if p:
            padded = np.zeros((C, high, wide), x.dtype)
            padded[:, p : p + H, p : p + W] = x
        return padded[:, h : h + OH, w : w + OW]

    def __repr__(self) -> str:
        return f"RandomCrop(size={self.size}, padding={self.padding})"


class RandomHorizontalFlip:
    """Exchange left and right with probability `p`.

    Raises: ArgumentError for a p outside 0..1.
    """

    def __init__(self, p: float = 0.5) -> None:
        if not 0 <= p <= 1:
            raise ArgumentError(
                "RandomHorizontalFlip", f"p is {p}, not a probability", fix="use 0 <= p <= 1"
            )
        self.p = p

    def __call__(self, x: Array, generator: np.random.Generator) -> Array:
        """Return x or its mirror image."""
        _check_image("RandomHorizontalFlip", x)
        return x[..., ::-1] if generator.random() < self.p else x

    def __repr__(self) -> str:
        return f"RandomHorizontalFlip(p={self.p})"


def _check_image(op: str, x: Array) -> None:
    if x.ndim != 3:
        raise ShapeError(
            op, f"x has {x.ndim} axes, not 3", f"x {x.shape}", fix="give an image (C, H, W)"
        )
