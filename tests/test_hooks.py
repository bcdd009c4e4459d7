"""The handle of a hook, and the watch over backward passes."""

import threading

import pytest

import pellucid
from pellucid.hooks import RemovableHandle, watchers, watching


def test_remove_takes_its_own_hook_and_no_other():
    hooks: dict = {}
    first, second = RemovableHandle(hooks, len), RemovableHandle(hooks, max)
    first.remove()
    assert list(hooks.values()) == [max]
    first.remove()
    second.remove()
    assert hooks == {}


def test_who_watches_does_so_in_its_block_alone():
    x = pellucid.tensor(3.0, requires_grad=True)
    seen: list = []

    def look(node, gradients):
        seen.append((node.name, float(gradients[0]), [float(s) for s in node.saved_tensors]))

    y = x * x
    with watching(look):
        assert watchers() == (look,)
        with watching(print):
            pass
        y.backward()
    assert seen == [("Mul", 1.0, [3.0, 3.0])]
    (x * x).backward()
    assert len(seen) == 1
    assert watchers() == ()


def test_an_error_ends_the_watch():
    with pytest.raises(ZeroDivisionError), watching(print):
        raise ZeroDivisionError
    assert watchers() == ()


def test_other_threads_are_not_watched():
    found: list = []
    with watching(print):
        other = threading.Thread(target=lambda: found.append(watchers()))
        other.start()
        other.join()
    assert found == [()]


def test_nodes_that_no_gradient_is_asked_through_are_not_seen():
    x, z = (pellucid.tensor(3.0, requires_grad=True) for _ in range(2))
    seen: list = []
    with watching(lambda node, gradients: seen.append(node.name)):
        pellucid.autograd.grad(x * 2 + z.exp(), x)
    assert seen == ["Add", "Mul"]
