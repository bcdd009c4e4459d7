import math

import pytest

import pellucid
from pellucid.errors import ArgumentError
from pellucid.optim import SGD
from pellucid.optim.lr_scheduler import (
    CosineAnnealingLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    MultiStepLR,
    StepLR,
)


def optimizer():
    return SGD([pellucid.zeros(1)], lr=0.4)


CLOSED_FORMS = {
    "step": (lambda o: StepLR(o, 3, 0.5), lambda t: 0.4 * 0.5 ** (t // 3)),
    "milestones": (
        lambda o: MultiStepLR(o, (8, 2), 0.5),
        lambda t: 0.4 * 0.5 ** ((t >= 2) + (t >= 8)),
    ),
    "exponential": (lambda o: ExponentialLR(o, 0.5), lambda t: 0.4 * 0.5**t),
    "cosine": (
        lambda o: CosineAnnealingLR(o, 7, 0.1),
        lambda t: 0.1 + 0.3 * (1 + math.cos(math.pi * t / 7)) / 2,
    ),
    "cosine of one step": (
        lambda o: CosineAnnealingLR(o, 1),
        lambda t: 0.4 * (1 + math.cos(math.pi * t)) / 2,
    ),
    "linear up": (
        lambda o: LinearLR(o, 0.1, 1.0, 4),
        lambda t: 0.4 * (0.1 + 0.9 * min(t / 4, 1)),
    ),
    "linear down": (lambda o: LinearLR(o, 1.0, 0.0, 4), lambda t: 0.4 * (1 - min(t / 4, 1))),
    "lambda": (lambda o: LambdaLR(o, lambda t: 1 / (t + 1)), lambda t: 0.4 / (t + 1)),
}


@pytest.mark.parametrize(("make", "formula"), CLOSED_FORMS.values(), ids=CLOSED_FORMS)
def test_closed_form(make, formula):
    scheduler = make(optimizer())
    for t in range(20):
        assert scheduler.last_epoch == t
        assert scheduler.get_last_lr() == [pytest.approx(formula(t), rel=1e-12, abs=1e-15)]
        scheduler.step()


def test_two_on_one_optimizer_multiply():
    one = optimizer()
    warm_up, stairs = LinearLR(one, 0.5, total_iters=2), StepLR(one, 3, 0.1)
    rates = []
    for _ in range(5):
        rates += stairs.get_last_lr()
        warm_up.step()
        stairs.step()
    assert rates == pytest.approx([0.2, 0.3, 0.4, 0.04, 0.04])


NOT_COUNTS = [0, -1, 2.0, "3", None]


@pytest.mark.parametrize("value", NOT_COUNTS)
@pytest.mark.parametrize(
    ("kind", "name"),
    [(StepLR, "step_size"), (CosineAnnealingLR, "T_max"), (LinearLR, "total_iters")],
)
def test_counts(kind, name, value):
    with pytest.raises(ArgumentError) as caught:
        kind(optimizer(), **{name: value})
    assert str(caught.value) == (
        f"{kind.__name__}: {name}={value!r} is no whole number >= 1\n  fix: use {name}=10"
    )


@pytest.mark.parametrize(
    ("make", "rule"),
    [
        (lambda o: StepLR(o, 2, -1), "StepLR: gamma=-1 is no number with 0 <= gamma < inf"),
        (
            lambda o: MultiStepLR(o, [2], -1),
            "MultiStepLR: gamma=-1 is no number with 0 <= gamma < inf",
        ),
        (
            lambda o: ExponentialLR(o, -1),
            "ExponentialLR: gamma=-1 is no number with 0 <= gamma < inf",
        ),
        (
            lambda o: CosineAnnealingLR(o, 2, -1),
            "CosineAnnealingLR: eta_min=-1 is no number with 0 <= eta_min < inf",
        ),
        (
            lambda o: LinearLR(o, 0),
            "LinearLR: start_factor=0 is no number with 0 < start_factor < inf",
        ),
        (
            lambda o: LinearLR(o, 1, -1),
            "LinearLR: end_factor=-1 is no number with 0 <= end_factor < inf",
        ),
    ],
)
def test_numbers(make, rule):
    with pytest.raises(ArgumentError) as caught:
        make(optimizer())
    assert str(caught.value) == f"{rule}\n  fix: use a number in that range"


@pytest.mark.parametrize(
    ("milestones", "message"),
    [
        (30, "MultiStepLR: milestones=30 is no list\n  fix: use milestones=[30, 60]"),
        ([2, 0.5], "MultiStepLR: milestones=0.5 is no whole number >= 0\n  fix: use milestones=10"),
    ],
)
def test_milestones_are_a_list_of_counts(milestones, message):
    with pytest.raises(ArgumentError) as caught:
        MultiStepLR(optimizer(), milestones)
    assert str(caught.value) == message
