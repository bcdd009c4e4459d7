"""Transforms: the right pixels, and random numbers that belong to the sample."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid.data import Augmented, Compose, Normalize, RandomCrop, RandomHorizontalFlip
from pellucid.errors import ArgumentError, DTypeError, ShapeError
from pellucid.random import keyed_generator
from pellucid.tensor import Tensor

IMAGE = np.arange(1.0, 25.0, dtype=np.float32).reshape(2, 3, 4)
BOTH = Compose([RandomCrop(3, padding=2), RandomHorizontalFlip()])


def draw(transform: Any, image: np.ndarray = IMAGE, count: int = 200) -> list[np.ndarray]:
    return [transform(image, keyed_generator(0, 0, k)) for k in range(count)]


def test_normalize_uses_one_mean_for_each_channel_or_for_all() -> None:
    found = Normalize([1, 2], [2, 4])(IMAGE, keyed_generator(0))
    assert found.dtype == np.float32
    assert np.array_equal(found[0], (IMAGE[0] - 1) / 2)
    assert np.array_equal(found[1], (IMAGE[1] - 2) / 4)
    assert np.array_equal(Normalize(1, [2, 4])(IMAGE, keyed_generator(0))[0], found[0])
    assert Normalize(0.5, 1)(IMAGE.astype(np.float64), keyed_generator(0)).dtype == np.float64


def test_random_crop_gives_every_window_of_the_padded_image_and_no_other() -> None:
    padded = np.pad(IMAGE, [(0, 0), (1, 1), (1, 1)])
    windows = {padded[:, h : h + 2, w : w + 5].tobytes() for h in range(4) for w in range(2)}
    crops = draw(RandomCrop((2, 5), padding=1))
    assert {crop.tobytes() for crop in crops} == windows
    assert all(np.array_equal(crop, IMAGE) for crop in draw(RandomCrop((3, 4)), count=3))
    assert {crop.shape for crop in draw(RandomCrop(2))} == {(2, 2, 2)}


@pytest.mark.parametrize(("p", "low", "high"), [(0.0, 0, 0), (0.25, 30, 70), (1.0, 200, 200)])
def test_random_flip_mirrors_left_and_right(p: float, low: int, high: int) -> None:
    flips = draw(RandomHorizontalFlip(p))
    mirrored = sum(np.array_equal(flip, IMAGE[:, :, ::-1]) for flip in flips)
    assert low <= mirrored <= high
    assert mirrored + sum(np.array_equal(flip, IMAGE) for flip in flips) == 200


def test_transforms_leave_the_image_as_it_was() -> None:
    before = IMAGE.copy()
    for image in draw(Compose([BOTH, Normalize(1, 2)])):
        image[:] = 0
    np.testing.assert_array_equal(before, IMAGE)


def test_compose_draws_in_turn() -> None:
    generator = keyed_generator(3)
    first = RandomCrop(3, padding=2)(IMAGE, generator)
    assert np.array_equal(RandomHorizontalFlip()(first, generator), BOTH(IMAGE, keyed_generator(3)))


def test_reprs() -> None:
    assert repr(Compose([*BOTH.transforms, Normalize(0.5, [0.25, 1])])) == (
        "Compose([RandomCrop(size=(3, 3), padding=2), RandomHorizontalFlip(p=0.5), "
        "Normalize(mean=[0.5], std=[0.25, 1.0])])"
    )


def test_augmented_depends_on_seed_epoch_and_sample_alone() -> None:
    data = Augmented([(IMAGE, k) for k in range(20)], BOTH, seed=5)

    def epoch(dataset: Augmented) -> list[bytes]:
        return [dataset[k][0].array.tobytes() for k in range(20)]

    first = epoch(data)
    assert epoch(data) == first
    assert [data[k][0].array.tobytes() for k in reversed(range(20))] == first[::-1]
    assert len(set(first)) > 10
    assert epoch(data.at_epoch(0)) == first
    assert epoch(data.at_epoch(1)) != first
    assert epoch(Augmented(data.dataset, BOTH, seed=6)) != first
    pellucid.manual_seed(5)
    assert epoch(Augmented(data.dataset, BOTH)) == first
    assert data[-1][0].array.tobytes() == first[19]
    with pytest.raises(IndexError):
        data[20]


def test_augmented_changes_x_and_nothing_else() -> None:
    mirror = RandomHorizontalFlip(1.0)
    x, y, z = Augmented([[Tensor(IMAGE), 7, "z"]], mirror, seed=0)[0]
    assert isinstance(x, Tensor)
    assert np.array_equal(x.array, IMAGE[:, :, ::-1])
    assert (y, z) == (7, "z")
    assert np.array_equal(Augmented([IMAGE], mirror, seed=0)[0].array, IMAGE[:, :, ::-1])


def test_augmented_datasets_nest() -> None:
    inner = Augmented([np.zeros((1, 1, 1))], lambda x, g: x + g.random(), seed=1)
    outer = Augmented(inner, lambda x, g: x + 10, seed=2)
    assert outer.at_epoch(3)[0].item() == inner.at_epoch(3)[0].item() + 10
    assert outer.at_epoch(3)[0].item() != outer.at_epoch(4)[0].item()


MESSAGES = [
    (
        lambda: Normalize(0, [1, 0]),
        ArgumentError,
        "Normalize: std is [1, 0], which must be positive\n  fix: use a std above 0",
    ),
    (
        lambda: Normalize(0, 1)(IMAGE.astype(np.uint8), keyed_generator(0)),
        DTypeError,
        "Normalize: x is uint8\n  fix: scale it to float32 first",
    ),
    (
        lambda: Normalize([1, 2, 3], 1)(IMAGE, keyed_generator(0)),
        ShapeError,
        "Normalize: x has C=2 channels, but there are 3 means and 1 standard deviations\n"
        "  x (C=2, H=3, W=4)\n  fix: give one of each, or 2",
    ),
    (
        lambda: RandomCrop((3, 0)),
        ArgumentError,
        "RandomCrop: size is (3, 0) and padding 0\n"
        "  fix: use a size of at least 1 (an int, or H and W) and a padding of at least 0",
    ),
    (
        lambda: RandomCrop(3, -1),
        ArgumentError,
        "RandomCrop: size is 3 and padding -1\n"
        "  fix: use a size of at least 1 (an int, or H and W) and a padding of at least 0",
    ),
    (
        lambda: RandomCrop(6, 1)(IMAGE, keyed_generator(0)),
        ShapeError,
        "RandomCrop: a window of 6x6 does not fit into 5x6 (padding 1 included)\n"
        "  x (C=2, H=3, W=4)\n  fix: use a smaller size or more padding",
    ),
    (
        lambda: RandomHorizontalFlip(1.5),
        ArgumentError,
        "RandomHorizontalFlip: p is 1.5, not a probability\n  fix: use 0 <= p <= 1",
    ),
    *(
        (
            lambda transform=transform: transform(IMAGE[0], keyed_generator(0)),
            ShapeError,
            f"{type(transform).__name__}: x has 2 axes, not 3\n  x (3, 4)\n"
            "  fix: give an image (C, H, W)",
        )
        for transform in (Normalize(0, 1), RandomCrop(2), RandomHorizontalFlip())
    ),
]


@pytest.mark.parametrize(("call", "error", "message"), MESSAGES)
def test_messages(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == message
