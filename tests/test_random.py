"""Random numbers as a function of a key."""

import numpy as np
import pytest

import pellucid
from pellucid.errors import ArgumentError
from pellucid.random import keyed_generator, next_generator


def test_the_seed_repeats_every_draw():
    pellucid.manual_seed(3)
    first = [pellucid.rand(4).tolist(), pellucid.randn(4).tolist()]
    pellucid.manual_seed(3)
    assert [pellucid.rand(4).tolist(), pellucid.randn(4).tolist()] == first
    pellucid.manual_seed(4)
    assert pellucid.rand(4).tolist() != first[0]


def test_a_state_goes_on_from_the_middle():
    pellucid.manual_seed(3)
    pellucid.rand(5)
    state = pellucid.get_rng_state()
    wanted = pellucid.rand(5).tolist()
    pellucid.manual_seed(99)
    pellucid.set_rng_state(state)
    assert pellucid.rand(5).tolist() == wanted


def test_calls_do_not_overlap():
    pellucid.manual_seed(0)
    draws = np.stack([next_generator().random(1000) for _ in range(20)])
    assert np.unique(draws).size == draws.size


def test_keys_are_independent_of_calls_and_of_each_other():
    draws = [keyed_generator(0, *key).random(100) for key in [(), (1,), (0, 1), (0, 0, 1), (1, 1)]]
    pellucid.manual_seed(0)
    draws.append(next_generator().random(100))
    assert np.unique(np.stack(draws)).size == 600
    np.testing.assert_array_equal(keyed_generator(0, 1, 1).random(100), draws[4])


def test_negative_and_large_seeds():
    assert keyed_generator(-1, 2).random() == keyed_generator(2**64 - 1, 2).random()
    pellucid.manual_seed(-5)
    assert 0 <= pellucid.rand(1).item() < 1


@pytest.mark.parametrize("seed", ["a", 1.5, None])
def test_a_seed_is_a_whole_number(seed):
    with pytest.raises(ArgumentError) as caught:
        pellucid.manual_seed(seed)
    assert str(caught.value) == (
        f"manual_seed: seed={seed!r} is no whole number\n  fix: use one such as 0"
    )
    pellucid.manual_seed(np.int64(3))
    assert pellucid.random.get_rng_state() == (3, 0)
