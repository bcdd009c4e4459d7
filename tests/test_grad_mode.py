"""The switch of each thread."""

import threading

import pytest

import pellucid


def leaf(*values):
    return pellucid.tensor(values, requires_grad=True)


def test_no_grad_as_block_and_decorator():
    x = leaf(1.0)
    with pellucid.no_grad():
        assert not (x * 2).requires_grad
        with pellucid.enable_grad():
            assert (x * 2).requires_grad
    assert (x * 2).requires_grad

    @pellucid.no_grad()
    def countdown(n):
        return (x * 2).requires_grad or (n > 0 and countdown(n - 1))

    assert not countdown(3)
    assert pellucid.is_grad_enabled()


def test_the_mode_survives_an_error():
    with pytest.raises(KeyError), pellucid.no_grad():
        raise KeyError
    assert pellucid.is_grad_enabled()


def test_each_thread_has_its_own_mode():
    found = []
    with pellucid.no_grad():
        thread = threading.Thread(target=lambda: found.append(pellucid.is_grad_enabled()))
        thread.start()
        thread.join()
    assert found == [True]
