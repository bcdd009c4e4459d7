"""PyTorch's side of train.py gives the numbers of ours, in every variant, folded or not."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks import pellucid_training
from benchmarks.families import FAMILIES, REST
from benchmarks.train import JOBS
from benchmarks.train_worker import INFERENCE, TOLERANCE, TRAINING, VARIANTS, Job, Worker

import pellucid

torch = pytest.importorskip("torch")

SMALL = [
    Job("lenet", (2, 1, 28, 28), classes=10),
    Job("resnet20", (4, 3, 16, 16), classes=10),
    Job("unet", (1, 1, 16, 16), classes=2, pixels=True),
]


@pytest.fixture(autouse=True)
def settings_as_before() -> object:
    before = pellucid.get_num_threads(), torch.get_num_threads()
    yield
    pellucid.set_num_threads(before[0])
    torch.set_num_threads(before[1])
    torch.set_flush_denormal(False)


@pytest.mark.parametrize("mode", [TRAINING, INFERENCE])
@pytest.mark.parametrize("job", SMALL, ids=lambda job: job.model)
def test_both_sides_give_the_same(job: Job, mode: str) -> None:
    from benchmarks import torch_training

    ours, _ = Worker(pellucid_training.Library(1)).start(job, "channels-last", mode)
    worker = Worker(torch_training.Library(1))
    for variant in VARIANTS["torch"][:2]:  # the compiler takes a minute
        theirs, _ = worker.start(job, variant, mode)
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=TOLERANCE * np.abs(theirs).max())
        assert worker.time(variant, mode, 1)[0] > 0


def test_torch_says_where_a_step_goes() -> None:
    from benchmarks import torch_training

    worker = Worker(torch_training.Library(1))
    worker.start(SMALL[0], "contiguous", TRAINING)
    families = worker.families("contiguous", TRAINING)
    assert {name for name, seconds in families.items() if seconds > 0} == {*FAMILIES, REST} - {
        "batch norm"
    }


@pytest.mark.parametrize("name", ["resnet20", "resnet18", "resnet50", "mobilenet_v2"])
def test_batch_norms_are_folded(name: str) -> None:
    from benchmarks.torch_models import MODELS
    from benchmarks.torch_training import fold

    model, x = MODELS[name](num_classes=10).eval(), torch.randn(1, 3, 32, 32)
    for part in model.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            part.running_var.uniform_(0.5, 2)
    with torch.inference_mode():
        before = model(x)
        fold(model)
        np.testing.assert_allclose(model(x), before, rtol=1e-3, atol=1e-4 * before.abs().max())
    assert not any(isinstance(part, torch.nn.BatchNorm2d) for part in model.modules())


@pytest.mark.full
@pytest.mark.parametrize("name", JOBS)
def test_both_sides_give_the_same_at_full_size(name: str) -> None:
    from benchmarks import torch_training

    job, _ = JOBS[name]
    ours, _ = Worker(pellucid_training.Library(1)).start(job, "channels-last", TRAINING)
    theirs, _ = Worker(torch_training.Library(1)).start(job, "channels-last", TRAINING)
    np.testing.assert_allclose(ours, theirs, rtol=TOLERANCE)
