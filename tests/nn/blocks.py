"""Two small modules that the tests of Module work on."""

import pellucid
from pellucid import nn


class Block(nn.Module):
    """A parameter, a buffer of each kind, a plain attribute and a submodule."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(pellucid.tensor([2.0, 3.0]))
        self.register_buffer("seen", pellucid.tensor([1, 2]))
        self.register_buffer("scratch", pellucid.zeros(2), persistent=False)
        self.plain = pellucid.ones(2)
        self.linear = nn.Linear(2, 2)

    def forward(self, x):
        return self.linear(x * self.scale)


class Tied(nn.Module):
    """One parameter under two names, and one module under two names."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(2, 2, bias=False)
        self.second = nn.Linear(2, 2)
        self.second.weight = self.first.weight
        self.again = self.second

    def forward(self, x):
        return self.again(self.second(self.first(x)))
