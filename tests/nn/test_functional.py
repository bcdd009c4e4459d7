"""nn.functional has the ops under PyTorch's names, and nothing of its own."""

from pellucid import ops
from pellucid.nn import functional


def test_every_name_is_an_op():
    names = {name for name in vars(functional) if not name.startswith("_")} - {"annotations"}
    assert len(names) > 25
    for name in names:
        assert getattr(functional, name) is getattr(ops, name)
