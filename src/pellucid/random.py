"""Random numbers that are a function of a key, never of the order of threads or workers.

All draws come from NumPy's Philox, a counter-based generator: `manual_seed` sets the seed, and
each draw of the library (an initialisation, a dropout mask) takes the next call number as the
second half of its key. Data augmentation is keyed by (seed, epoch, sample) instead.
Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (2011).
Next room: errors.py.
"""

from __future__ import annotations

import operator
import threading
from typing import NamedTuple

import numpy as np

from pellucid.errors import ArgumentError

_MASK = (1 << 64) - 1


class RngState(NamedTuple):
    """All that the next draw depends on: the seed and how many draws were made since."""

    seed: int
    calls: int


_lock = threading.Lock()
_state = RngState(0, 0)


def manual_seed(seed: int) -> None:
    """Start the sequence of draws again from `seed` (any integer; 64 bits of it count).

    Raises: ArgumentError for what is no integer.

    >>> import pellucid
    >>> pellucid.manual_seed(7); a = pellucid.rand(3)
    >>> pellucid.manual_seed(7); bool((a == pellucid.rand(3)).all())
    True
    """
    try:
        number = operator.index(seed)
    except TypeError:
        raise ArgumentError(
            "manual_seed", f"seed={seed!r} is no whole number", fix="use one such as 0"
        ) from None
    set_rng_state(RngState(number & _MASK, 0))


def get_rng_state() -> RngState:
    """Return what `set_rng_state` needs to repeat all later draws."""
    return _state


def set_rng_state(state: RngState) -> None:
    """Go on from a state that `get_rng_state` returned."""
    global _state  # noqa: PLW0603  the one process-wide state, behind a lock
    with _lock:
        _state = RngState(*state)


def next_key() -> RngState:
    """Return the key of the next draw and count it."""
    global _state  # noqa: PLW0603  the one process-wide state, behind a lock
    with _lock:
        key = _state
        _state = RngState(key.seed, key.calls + 1)
    return key


def next_generator() -> np.random.Generator:
    """Return the generator of the next draw and count it."""
    return generator_of(next_key())


def generator_of(key: RngState) -> np.random.Generator:
    """Return the generator of a draw, from its beginning, as often as it is asked for.

    >>> key = next_key()
    >>> bool(generator_of(key).random() == generator_of(key).random())
    True
    """
    return _philox(key, (0, 0))


def keyed_generator(seed: int, *key: int) -> np.random.Generator:
    """Return the generator that belongs to `seed` and up to three more non-negative integers.

    The key is spread over Philox's second key word and the high counter words, which no draw of
    fewer than 2**64 numbers reaches.

    >>> a, b = keyed_generator(0, 1, 5), keyed_generator(0, 1, 5)
    >>> bool(a.integers(100) == b.integers(100))
    True
    """
    assert len(key) <= 3
    stream, high, higher = (*key, 0, 0, 0)[:3]
    # The flipped top bit keeps these keys apart from those of next_generator, (seed, calls).
    return _philox((seed & _MASK, (stream ^ (1 << 63)) & _MASK), (high, higher))


def _philox(key: tuple[int, int], place: tuple[int, int]) -> np.random.Generator:
    # As uint64: NumPy would make a list with one number above 2**63 a list of doubles.
    words = np.array(key, np.uint64), np.array([0, 0, *place], np.uint64)
    return np.random.Generator(np.random.Philox(key=words[0], counter=words[1]))
