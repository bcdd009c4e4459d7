"""A batch once more: the gradient is, to the bit, that of the training where the weights are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid.checkpoint import Checkpoint
from pellucid.data import ImageDataset
from pellucid.errors import ArgumentError, DataError, IndexingError
from pellucid.explain.network.call import GRADS
from pellucid.kernels.conv import reference
from pellucid.random import RngState, get_rng_state, manual_seed
from pellucid.training import BatchDone, Run, build, choose
from pellucid.training import run as run_module
from pellucid.training.replay import Place, Replay, Weights, replay, replay_folder

# 60 digits in batches of 16: 4 batches an epoch, the last of 12; a test batch ends an epoch.
SETTINGS = choose("digits", epochs=3, batch_size=16)


@pytest.fixture(autouse=True, scope="module")
def _few_images() -> Iterator[None]:
    digits = build.DATA["digits"]

    def few(folder: str | None, train: bool) -> ImageDataset:
        whole, count = digits(folder, train), 60 if train else 20
        images, labels = whole.data.array[:count], whole.targets.array[:count]
        return ImageDataset(images, labels, whole.classes, whole.white)

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(build.DATA, "digits", few)
        patch.setattr(run_module, "make_report", lambda outcome: {})
        yield


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that came to its end."""
    run = Run.start(SETTINGS, tmp_path_factory.mktemp("finished") / "run")
    for _ in run.events():
        pass
    run.finish()
    return run.folder


def stopped(folder: Path, events: int) -> Run:
    """A run that was saved after so many events."""
    run = Run.start(SETTINGS, folder)
    for _, _ in zip(range(events), run.events(), strict=False):
        pass
    run.save()
    return run


# --- the same bits --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("events", "trained"), [(1, 1), (3, 3), (4, 4), (5, 4), (6, 4), (8, 6), (14, 10)]
)
def test_the_next_batch_has_the_gradients_of_the_training(
    events: int, trained: int, tmp_path: Path
) -> None:
    run = stopped(tmp_path / "run", events)
    state = get_rng_state()
    again = {name: replay_folder(tmp_path / "run", name) for name in ("conv1", "conv2")}
    assert get_rng_state() == state
    layers = dict(run.trainer.model.named_modules())
    next(e for e in run.events() if isinstance(e, BatchDone) and e.training)
    for name, replayed in again.items():
        assert replayed.exact
        assert (replayed.epoch, replayed.batch) == (trained // 4 + 1, trained % 4 + 1)
        for grad in ("weight", "bias"):
            expected = getattr(layers[name], grad).grad.array
            assert getattr(replayed.layer, grad).grad.array.tobytes() == expected.tobytes()
            found = replayed.contributions(grad)
            assert abs(found.kernel) == np.abs(expected).max()


def test_any_batch_has_its_images_and_their_shifts(finished: Path) -> None:
    seen: dict[tuple[int, int], np.ndarray] = {}
    run = Run.start(SETTINGS, finished.parent / "other")
    loader = run.trainer.loader
    for epoch in range(3):
        loader.set_epoch(epoch)
        for batch, (x, _) in enumerate(loader):
            seen[epoch + 1, batch + 1] = x.array
    for place in ((1, 1), (2, 3), (3, 4)):
        replayed = replay_folder(finished, "conv1", *place)
        (call,) = replayed.recorded.calls
        assert call.x.tobytes() == seen[place].tobytes()
        targets = run.data.targets.array[replayed.samples]
        assert replayed.labels == [run.data.classes[k] for k in targets]
        assert not replayed.exact


def test_the_dropout_is_that_of_the_step(tmp_path: Path) -> None:
    """With the weights of the beginning, another batch is that of a training that stood still."""
    run = stopped(tmp_path / "run", 3)
    weights = Weights(
        Checkpoint.load(tmp_path / "run" / "checkpoint.safetensors").model, Place(0, 3)
    )
    before = replay(SETTINGS, run.data, weights, "conv1", 1, 2)
    model = build.make_model(SETTINGS, run.data)
    draws = get_rng_state().calls
    pellucid.random.set_rng_state(RngState(0, draws + 1))  # one draw a step
    model.load_state_dict(weights.state)
    x = pellucid.tensor(before.recorded.calls[0].x)
    loss = pellucid.nn.functional.cross_entropy(
        model(x), pellucid.tensor(np.array(list(map(int, before.labels))))
    )
    loss.backward()
    expected = dict(model.named_parameters())["conv1.weight"].grad
    assert before.layer.weight.grad.array.tobytes() == expected.array.tobytes()


# --- what is chosen -------------------------------------------------------------------------------


def test_without_options_it_is_the_first_convolution_and_the_last_full_batch(
    finished: Path,
) -> None:
    replayed = replay_folder(finished)
    chosen = replayed.name, replayed.epoch, replayed.batch, replayed.batches, len(replayed.samples)
    assert chosen == ("conv1", 3, 3, 4, 16)
    assert replay_folder(finished, epoch=1).batch == 3
    assert len(replay_folder(finished, epoch=1, batch=4).samples) == 12


def test_the_terms_add_up_to_the_reference(finished: Path) -> None:
    for name in ("conv1", "conv2"):
        replayed = replay_folder(finished, name)
        (call,) = replayed.recorded.calls
        x, w, gy = (array.astype(np.float64) for array in (call.x, call.w, call.gy))
        whole = {
            "weight": reference.grad_weight(gy, x, call.spec),
            "input": reference.grad_input(gy, w, call.spec),
            "bias": gy.sum(axis=(0, 2, 3)),
        }
        for grad in GRADS:
            found = replayed.contributions(grad)
            assert abs(found.value - whole[grad][found.index]) <= 1e-12 * found.magnitude
            assert abs(found.value - found.kernel) <= 2e-6 * found.magnitude
            assert abs(found.kernel) == np.abs(call.kernel(grad)).max()


def test_an_element_by_its_index(finished: Path) -> None:
    replayed = replay_folder(finished, "conv2")
    found = replayed.contributions("weight", (3, 0, 1, 2), "indices")
    assert found.name == "dL/dw[3,0,1,2]"
    assert found.kernel == float(replayed.layer.weight.grad[3, 0, 1, 2])
    with pytest.raises(IndexingError, match="o=32 is not from 0 to 31"):
        replayed.contributions("weight", (32, 0, 1, 2))


def test_a_stopped_run_says_how_far_it_came(tmp_path: Path) -> None:
    stopped(tmp_path / "run", 8)  # after batch 2 of epoch 2

    def again(**chosen: Any) -> Replay:
        return replay_folder(tmp_path / "run", **chosen)

    assert (again().epoch, again().batch, again().exact) == (2, 3, True)
    early = again(epoch=1)
    assert (early.batch, early.exact, early.trained) == (3, False, 6)
    with pytest.raises(ArgumentError) as refused:
        again(epoch=3)
    assert str(refused.value) == (
        "explain: there is no epoch 3: the training has come to epoch 2 of 3\n"
        "  fix: use --epoch 1 .. 2"
    )
    with pytest.raises(ArgumentError) as refused:
        again(batch=4)
    assert str(refused.value) == (
        "explain: there is no batch 4 of epoch 2: an epoch has 4, and the training has come to "
        "batch 3\n  fix: use --batch 1 .. 3"
    )


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"epoch": 0}, "explain: there is no epoch 0: the training has come to epoch 3 of 3\n"
         "  fix: use --epoch 1 .. 3"),
        ({"epoch": 2, "batch": 5}, "explain: there is no batch 5 of epoch 2: an epoch has 4\n"
         "  fix: use --batch 1 .. 4"),
        ({"layer": "conv9"}, "explain: digits_cnn has no layer 'conv9'\n"
         "  fix: use one of conv1, conv2, linear1, linear2"),
        ({"layer": "relu1"}, "explain: relu1 of digits_cnn is ReLU(), neither a convolution nor "
         "a Linear\n  fix: use one of conv1, conv2, linear1, linear2"),
    ],
)  # fmt: skip
def test_what_is_not_there(chosen: dict[str, Any], message: str, finished: Path) -> None:
    manual_seed(5)
    with pytest.raises(ArgumentError) as refused:
        replay_folder(finished, **chosen)
    assert str(refused.value) == message
    assert get_rng_state() == RngState(5, 0)


def test_folders_without_a_run_and_without_weights(tmp_path: Path) -> None:
    with pytest.raises(DataError) as refused:
        replay_folder(tmp_path)
    assert str(refused.value) == (
        f"explain: there is no run in {tmp_path}: it has no settings.json\n"
        "  fix: give the folder of a run, such as runs/digits-1"
    )
    folder = Run.start(SETTINGS, tmp_path / "run").folder
    with pytest.raises(DataError) as refused:
        replay_folder(folder)
    assert str(refused.value) == (
        f"explain: the run in {folder} has no weights yet: it has neither checkpoint.safetensors "
        f"nor model.safetensors\n  fix: let it train a while: pellucid train --resume {folder}"
    )
