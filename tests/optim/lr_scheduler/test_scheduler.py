"""What all schedulers share."""

from __future__ import annotations

import numpy as np
import pytest

import pellucid
from pellucid.errors import ArgumentError, DTypeError, StateError
from pellucid.optim import SGD, Adam
from pellucid.optim.lr_scheduler import (
    CosineAnnealingLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    LRScheduler,
    MultiStepLR,
    OneCycleLR,
    ReduceLROnPlateau,
    StepLR,
)

METRICS = [1.0, 0.9, 0.9, 0.9, 0.8, 0.8, 0.8, 0.8, 0.1, 0.2, 0.2, 0.2]
MAKERS = {
    "StepLR": lambda optimizer: StepLR(optimizer, 2, 0.5),
    "MultiStepLR": lambda optimizer: MultiStepLR(optimizer, [2, 5], 0.5),
    "ExponentialLR": lambda optimizer: ExponentialLR(optimizer, 0.5),
    "CosineAnnealingLR": lambda optimizer: CosineAnnealingLR(optimizer, 7, 0.01),
    "LinearLR": lambda optimizer: LinearLR(optimizer, 0.1, total_iters=6),
    "LambdaLR": lambda optimizer: LambdaLR(optimizer, lambda epoch: 0.9**epoch),
    "OneCycleLR": lambda optimizer: OneCycleLR(optimizer, [0.1, 0.2], 12, three_phase=True),
    "ReduceLROnPlateau": lambda optimizer: ReduceLROnPlateau(optimizer, patience=1, cooldown=1),
}
each = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)


def make_optimizer(kind=SGD):
    groups = [{"params": pellucid.zeros(1)}, {"params": pellucid.zeros(1), "lr": 0.3}]
    return kind(groups, lr=0.5)


def run(scheduler, steps) -> list:
    rates = []
    for step in steps:
        scheduler.step(*[METRICS[step]] * isinstance(scheduler, ReduceLROnPlateau))
        rates.append(scheduler.get_last_lr())
        assert rates[-1] == [group["lr"] for group in scheduler.optimizer.param_groups]
    return rates


@each
def test_resumes_with_the_same_rates(make):
    through = run(make(make_optimizer()), range(12))
    assert through[0] != through[-1]

    first = make_optimizer()
    scheduler = make(first)
    head = run(scheduler, range(5))
    optimizer = make_optimizer()
    resumed = make(optimizer)
    resumed.load_state_dict(scheduler.state_dict())
    optimizer.load_state_dict(first.state_dict())
    assert head + run(resumed, range(5, 12)) == through


@each
def test_a_group_added_later_is_noticed(make):
    optimizer = make_optimizer()
    scheduler = make(optimizer)
    optimizer.add_param_group({"params": pellucid.zeros(1)})
    with pytest.raises(ArgumentError) as caught:
        run(scheduler, range(1))
    assert str(caught.value) == (
        f"{type(scheduler).__name__}: the optimizer has 3 param groups, and had 2 when the "
        "scheduler was made\n  fix: make the scheduler after the last add_param_group"
    )


@each
def test_state_dicts_of_strangers(make):
    scheduler = make(make_optimizer())
    name = type(scheduler).__name__
    fix = "\n  fix: load it into a scheduler made like the one it was saved from"
    short = scheduler.state_dict()
    del short["last_epoch"]
    groups = {**scheduler.state_dict(), "base_lrs": [0.1]}
    for state, rule in [
        (short, "the state dict lacks 'last_epoch'"),
        ({**scheduler.state_dict(), "zeal": 1}, "the state dict has the unknown entry 'zeal'"),
        (groups, "the state dict is for 1 param groups, the optimizer has 2"),
    ]:
        with pytest.raises(StateError) as caught:
            scheduler.load_state_dict(state)
        assert str(caught.value) == f"{name}: {rule}{fix}"
    assert scheduler.base_lrs == [group["initial_lr"] for group in scheduler.optimizer.param_groups]


@each
def test_needs_an_optimizer(make):
    with pytest.raises(DTypeError) as caught:
        make(pellucid.zeros(1))
    rule, fix = str(caught.value).split("\n")
    assert rule.endswith("LR: a Tensor is no optimizer") or "OnPlateau: a Tensor is" in rule
    assert fix == "  fix: pass the optimizer whose learning rate is to change"


def test_rates_are_python_floats():
    optimizer = make_optimizer()
    LambdaLR(optimizer, lambda epoch: np.float32(0.5))
    assert [type(group["lr"]) for group in optimizer.param_groups] == [float, float]


def test_a_scheduler_of_ones_own():
    class Halving(LRScheduler):
        def get_lr(self):
            return [base / 2**self.last_epoch for base in self.base_lrs]

    scheduler = Halving(make_optimizer(Adam))
    assert run(scheduler, range(2)) == [[0.25, 0.15], [0.125, 0.075]]
    with pytest.raises(NotImplementedError):
        LRScheduler(make_optimizer())


def test_one_entry_for_each_group():
    with pytest.raises(ArgumentError) as caught:
        LambdaLR(make_optimizer(), [abs])
    assert str(caught.value) == (
        "LambdaLR: lr_lambda has 1 entries for 2 param groups\n"
        "  fix: give one for each group, or one for all"
    )


def test_what_is_no_state_dict():
    scheduler = StepLR(make_optimizer(), 2)
    with pytest.raises(StateError, match=r"^StepLR: a NoneType is no state dict"):
        scheduler.load_state_dict(None)
