"""The handle of a hook."""

from pellucid.hooks import RemovableHandle


def test_remove_takes_its_own_hook_and_no_other():
    hooks: dict = {}
    first, second = RemovableHandle(hooks, len), RemovableHandle(hooks, max)
    first.remove()
    assert list(hooks.values()) == [max]
    first.remove()
    second.remove()
    assert hooks == {}
