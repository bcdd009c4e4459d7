"""Every scheduler beside PyTorch's, step by step, through a state dict in the middle."""

import numpy as np
import pytest

import pellucid

torch = pytest.importorskip("torch")

METRICS = np.round(np.abs(np.sin(np.arange(40))) + 10 / (np.arange(40) + 5), 1).tolist()
OPTIONS = [
    ("StepLR", {"step_size": 4, "gamma": 0.3}),
    ("StepLR", {"step_size": 1}),
    ("MultiStepLR", {"milestones": [9, 2, 2, 11], "gamma": 0.5}),
    ("MultiStepLR", {"milestones": [0, 1]}),
    ("ExponentialLR", {"gamma": 0.8}),
    ("CosineAnnealingLR", {"T_max": 7}),
    ("CosineAnnealingLR", {"T_max": 12, "eta_min": 0.02}),
    ("CosineAnnealingLR", {"T_max": 1, "eta_min": 0.02}),
    ("LinearLR", {}),
    ("LinearLR", {"start_factor": 0.9, "end_factor": 0.1, "total_iters": 9}),
    ("LambdaLR", {"lr_lambda": lambda epoch: 0.8 ** (epoch + 1)}),
    ("LambdaLR", {"lr_lambda": [lambda epoch: 1 / (epoch + 2), lambda epoch: 3.0 + epoch]}),
    ("OneCycleLR", {"max_lr": 0.7, "total_steps": 24}),
    ("OneCycleLR", {"max_lr": [0.7, 0.1], "epochs": 4, "steps_per_epoch": 6, "pct_start": 0.45}),
    (
        "OneCycleLR",
        {
            "max_lr": 0.7,
            "total_steps": 25,
            "three_phase": True,
            "anneal_strategy": "linear",
            "base_momentum": [0.5, 0.6],
            "max_momentum": 0.9,
            "div_factor": 3.0,
            "final_div_factor": 7.0,
        },
    ),
    ("OneCycleLR", {"max_lr": 0.7, "total_steps": 24, "cycle_momentum": False}),
    ("ReduceLROnPlateau", {"patience": 2, "factor": 0.6}),
    (
        "ReduceLROnPlateau",
        {
            "mode": "max",
            "threshold": 0.2,
            "threshold_mode": "abs",
            "cooldown": 2,
            "patience": 1,
            "min_lr": [0.1, 0.001],
        },
    ),
    ("ReduceLROnPlateau", {"mode": "max", "patience": 0, "threshold": 0.05, "eps": 0.05}),
    ("ReduceLROnPlateau", {"threshold_mode": "abs", "patience": 1, "factor": 0.5}),
]


def run(library, kind, name, options, resume):
    parameters = [library.zeros(1), library.zeros(1)]

    def make():
        groups = [{"params": [parameters[0]]}, {"params": [parameters[1]], "lr": 0.25}]
        momentum = {"momentum": 0.3} if kind == "SGD" else {}
        optimizer = getattr(library.optim, kind)(groups, lr=0.4, **momentum)
        return optimizer, getattr(library.optim.lr_scheduler, name)(optimizer, **options)

    optimizer, scheduler = make()
    found = []
    for step in range(24):
        found += [[group["lr"] for group in optimizer.param_groups], scheduler.get_last_lr()]
        entry = "momentum" if kind == "SGD" else "betas"
        found += [np.ravel(group[entry])[:1] for group in optimizer.param_groups]
        if resume and step == 9:
            states = optimizer.state_dict(), scheduler.state_dict()
            optimizer, scheduler = make()
            optimizer.load_state_dict(states[0])
            scheduler.load_state_dict(states[1])
        optimizer.step()
        scheduler.step(*[METRICS[step]] * (name == "ReduceLROnPlateau"))
    return np.concatenate(found)


@pytest.mark.parametrize("resume", [False, True], ids=["through", "resumed"])
@pytest.mark.parametrize("kind", ["SGD", "Adam"])
@pytest.mark.parametrize(("name", "options"), OPTIONS, ids=str)
def test_step_by_step(kind, name, options, resume):
    ours = run(pellucid, kind, name, options, resume)
    theirs = run(torch, kind, name, options, resume)
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-15)
    assert len(set(ours.tolist())) > 3


def chained(library):
    optimizer = library.optim.SGD([library.zeros(1)], lr=0.4)
    schedulers = library.optim.lr_scheduler
    warm_up = schedulers.LinearLR(optimizer, 0.1, total_iters=5)
    rest = schedulers.CosineAnnealingLR(optimizer, 20)
    rates = []
    for _ in range(20):
        rates += rest.get_last_lr()
        optimizer.step()
        warm_up.step()
        rest.step()
    return rates


def test_two_on_one_optimizer():
    np.testing.assert_allclose(chained(pellucid), chained(torch), rtol=1e-12)
