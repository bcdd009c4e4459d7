import pytest

import pellucid
from pellucid.errors import ArgumentError
from pellucid.optim import SGD, Adagrad, Adam
from pellucid.optim.lr_scheduler import OneCycleLR


def optimizer(kind=SGD):
    return kind([pellucid.zeros(1)], lr=0.4)


def run(scheduler, steps):
    (group,) = scheduler.optimizer.param_groups
    found = [(group["lr"], group["betas"][0] if "betas" in group else group["momentum"])]
    for _ in range(steps):
        scheduler.step()
        found.append((group["lr"], group["betas"][0] if "betas" in group else group["momentum"]))
    return found


@pytest.mark.parametrize("kind", [SGD, Adam])
@pytest.mark.parametrize("strategy", ["cos", "linear"])
def test_up_and_down(kind, strategy):
    scheduler = OneCycleLR(
        optimizer(kind), 1.0, 21, pct_start=0.5, anneal_strategy=strategy, div_factor=10
    )
    found = run(scheduler, 20)
    top = next(k for k, (lr, _) in enumerate(found) if lr == max(found)[0])
    assert found[0] == pytest.approx((0.1, 0.95))
    assert top in (9, 10)
    assert found[20] == (pytest.approx(1e-5), pytest.approx(0.95))
    rates = [lr for lr, _ in found]
    momenta = [momentum for _, momentum in found]
    assert rates[: top + 1] == sorted(rates[: top + 1])
    assert rates[top:] == sorted(rates[top:], reverse=True)
    assert momenta[: top + 1] == sorted(momenta[: top + 1], reverse=True)
    assert 0.85 <= min(momenta) < 0.86


def test_three_phases_by_hand():
    scheduler = OneCycleLR(
        optimizer(),
        1.0,
        epochs=5,
        steps_per_epoch=2,
        pct_start=0.3,
        anneal_strategy="linear",
        div_factor=2,
        final_div_factor=5,
        three_phase=True,
    )
    rates = [lr for lr, _ in run(scheduler, 9)]
    # up to step 3 - 1, down to step 6 - 2, on to step 10 - 1
    expected = [0.5, 0.75, 1.0, 0.75, 0.5, 0.42, 0.34, 0.26, 0.18, 0.1]
    assert rates == pytest.approx(expected)


@pytest.mark.parametrize("three_phase", [False, True])
@pytest.mark.parametrize(("total", "start"), [(10, 0.1), (1, 0.3), (5, 0.0), (5, 1.0), (4, 0.5)])
def test_phases_without_length(total, start, three_phase):
    """PyTorch divides by zero where the first phase ends at step 0."""
    scheduler = OneCycleLR(optimizer(), 1.0, total, pct_start=start, three_phase=three_phase)
    for lr, momentum in run(scheduler, total - 1):
        assert 0 < lr <= 1
        assert 0.85 <= momentum <= 0.95


def test_momentum_can_stay():
    scheduler = OneCycleLR(optimizer(Adagrad), 1.0, 5, cycle_momentum=False)
    scheduler.step()
    assert "momentum" not in scheduler.optimizer.param_groups[0]


def test_a_step_after_the_last():
    scheduler = OneCycleLR(optimizer(), 1.0, 3)
    run(scheduler, 3)
    with pytest.raises(ArgumentError) as caught:
        scheduler.step()
    assert str(caught.value) == (
        "OneCycleLR: this is step 4 of a cycle of 3\n"
        "  fix: make it with a larger total_steps, or stop stepping"
    )


RANGE = "\n  fix: use a number in that range"
WRONG = [
    (
        {},
        "the length of the cycle is not given\n"
        "  fix: pass total_steps, or both epochs and steps_per_epoch",
    ),
    (
        {"epochs": 3},
        "the length of the cycle is not given\n"
        "  fix: pass total_steps, or both epochs and steps_per_epoch",
    ),
    ({"total_steps": 0}, "total_steps=0 is no whole number >= 1\n  fix: use total_steps=10"),
    (
        {"epochs": 0, "steps_per_epoch": 3},
        "epochs=0 is no whole number >= 1\n  fix: use epochs=10",
    ),
    (
        {"epochs": 3, "steps_per_epoch": 1.5},
        "steps_per_epoch=1.5 is no whole number >= 1\n  fix: use steps_per_epoch=10",
    ),
    ({"total_steps": 9, "pct_start": 1.5}, "pct_start=1.5 is above 1\n  fix: use 0.3"),
    (
        {"total_steps": 9, "pct_start": -0.1},
        "pct_start=-0.1 is no number with 0 <= pct_start < inf" + RANGE,
    ),
    (
        {"total_steps": 9, "anneal_strategy": "cosine"},
        "anneal_strategy='cosine' is neither 'cos' nor 'linear'\n  fix: use one of them",
    ),
    ({"total_steps": 9, "max_lr": -1}, "max_lr=-1 is no number with 0 <= max_lr < inf" + RANGE),
    (
        {"total_steps": 9, "max_lr": [1, 2]},
        "max_lr has 2 entries for 1 param groups\n  fix: give one for each group, or one for all",
    ),
    (
        {"total_steps": 9, "div_factor": 0},
        "div_factor=0 is no number with 0 < div_factor < inf" + RANGE,
    ),
    (
        {"total_steps": 9, "final_div_factor": 0},
        "final_div_factor=0 is no number with 0 < final_div_factor < inf" + RANGE,
    ),
    (
        {"total_steps": 9, "base_momentum": 1},
        "base_momentum=1 is no number with 0 <= base_momentum < 1" + RANGE,
    ),
]


@pytest.mark.parametrize(("options", "message"), WRONG, ids=str)
def test_wrong_options(options, message):
    with pytest.raises(ArgumentError) as caught:
        OneCycleLR(optimizer(), **{"max_lr": 1.0, **options})
    assert str(caught.value) == f"OneCycleLR: {message}"


def test_nothing_to_cycle():
    with pytest.raises(ArgumentError) as caught:
        OneCycleLR(optimizer(Adagrad), 1.0, 5)
    assert str(caught.value) == (
        "OneCycleLR: Adagrad has neither momentum nor betas to cycle\n"
        "  fix: pass cycle_momentum=False"
    )
