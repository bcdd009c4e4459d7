"""The switch of each thread."""

import threading

import numpy as np
import pytest

import pellucid
from pellucid.grad_mode import run_silently


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


class TestRunSilently:
    def test_numpy_is_silent_inside_and_as_it_was_outside(self):
        def divide():
            assert not pellucid.is_grad_enabled()
            return run_silently(True, lambda: (pellucid.is_grad_enabled(), np.ones(1) / 0))

        with np.errstate(all="raise"):
            recording, quotient = run_silently(False, divide)
            assert recording
            assert np.isinf(quotient).all()
            assert pellucid.is_grad_enabled()
            with pytest.raises(FloatingPointError):
                np.ones(1) / np.zeros(1)

    def test_an_error_leaves_no_trace(self):
        def fail():
            raise KeyError

        with np.errstate(all="raise"):
            for _ in range(2):
                with pytest.raises(KeyError):
                    run_silently(False, fail)
                assert pellucid.is_grad_enabled()
                with pytest.raises(FloatingPointError):
                    np.ones(1) / np.zeros(1)
                assert np.isinf((pellucid.ones(1) / 0).array).all()

    def test_threads_do_not_meet(self):
        inside, done = threading.Event(), threading.Event()

        def wait():
            inside.set()
            assert done.wait(10)

        thread = threading.Thread(target=run_silently, args=(False, wait))
        thread.start()
        assert inside.wait(10)
        with np.errstate(all="raise"):
            assert pellucid.is_grad_enabled()
            assert np.isinf((pellucid.ones(1) / 0).array).all()
        done.set()
        thread.join()
