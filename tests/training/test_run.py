"""Runs: a folder with everything in it, the same bits however often it was interrupted."""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import pellucid
import pellucid.nn
import pellucid.optim.lr_scheduler
from pellucid.data import ImageDataset
from pellucid.errors import ArgumentError, DataError, StateError, UnsupportedError
from pellucid.training import EpochDone, Run, build, choose
from pellucid.training import report as report_module
from pellucid.training import run as module
from pellucid.training.folder import new_folder

# 60 digits in batches of 16: in each of 3 epochs, 4 batches to train, 1 to test, and the end.
SETTINGS = choose("digits", epochs=3, batch_size=16)
EVENTS = 3 * 6
FINISHED = {
    "settings.json", "metrics.jsonl", "model.safetensors", "report.html", "curves.png",
    "confusion.png", "filters.png",
}  # fmt: skip


@pytest.fixture(autouse=True, scope="module")
def _few_images() -> Iterator[None]:
    digits = build.DATA["digits"]

    def few(folder: str | None, train: bool) -> ImageDataset:
        whole, count = digits(folder, train), 60 if train else 40
        images, labels = whole.data.array[:count], whole.targets.array[:count]
        return ImageDataset(images, labels, whole.classes, whole.white)

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(build.DATA, "digits", few)
        yield


@pytest.fixture(autouse=True)
def _no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the pictures out, which take seconds, but for the run that is there already."""
    monkeypatch.setattr(module, "make_report", lambda outcome: {"report.html": b""})


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that nothing interrupted."""
    return complete(Run.start(SETTINGS, tmp_path_factory.mktemp("finished")))


def complete(run: Run) -> Path:
    for _ in run.events():
        pass
    run.finish()
    return run.folder


def take(run: Run, count: int) -> Run:
    """Stand still after so many events."""
    for _, _ in zip(range(count), run.events(), strict=False):
        pass
    return run


def contents(folder: Path, but: tuple[str, ...] = (".html", ".png")) -> dict[str, bytes]:
    """Everything but the report, which tells how long the run took, and its pictures."""
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.suffix not in but}


def test_what_lies_in_the_folder(finished: Path) -> None:
    assert {path.name for path in finished.iterdir()} == FINISHED
    lines = [json.loads(line) for line in (finished / "metrics.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2, 3]
    for line in lines:
        assert list(line) == ["epoch", "train_loss", "test_loss", "test_accuracy"]
        assert 0 <= line["test_accuracy"] <= 1
        assert (line["test_accuracy"] * 40) % 1 == pytest.approx(0)
    model = build.make_model(SETTINGS, build.load_data(SETTINGS, train=False))
    model.load_state_dict(pellucid.load(finished / "model.safetensors"))
    x, y = build.load_data(SETTINGS, train=False).read_batch(range(40))
    right = (model.eval()(x).array.argmax(axis=1) == y.array).mean()
    assert right == lines[-1]["test_accuracy"]


def test_equal_settings_give_equal_folders(finished: Path, tmp_path: Path) -> None:
    assert contents(complete(Run.start(SETTINGS, tmp_path / "a"))) == contents(finished)


def test_another_seed_gives_another_model(finished: Path, tmp_path: Path) -> None:
    other = choose("digits", epochs=3, batch_size=16, seed=1)
    folder = complete(Run.start(other, tmp_path / "a"))
    assert contents(folder)["model.safetensors"] != contents(finished)["model.safetensors"]


@pytest.mark.parametrize("stop", [0, 1, 3, 4, 5, 6, 7, 10, 15, 17, EVENTS])
def test_a_run_that_is_saved_goes_on_to_the_same_bits(
    stop: int, finished: Path, tmp_path: Path
) -> None:
    run = take(Run.start(SETTINGS, tmp_path / "run"), stop)
    run.save()
    assert (tmp_path / "run" / "checkpoint.safetensors").exists()
    assert contents(complete(Run.resume(tmp_path / "run"))) == contents(finished)


def test_the_pictures_are_the_same_too(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "make_report", report_module.make_report)
    take(Run.start(SETTINGS, tmp_path / "run"), 8).save()
    folder = complete(Run.resume(tmp_path / "run"))
    assert contents(folder, but=(".html",)) == contents(finished, but=(".html",))


@pytest.mark.parametrize("stop", [1, 4, 6, 9, 14])
def test_a_run_that_dies_unsaved_loses_no_more_than_an_epoch(
    stop: int, finished: Path, tmp_path: Path
) -> None:
    class Killed(BaseException):
        pass

    run = Run.start(SETTINGS, tmp_path / "run")
    with pytest.raises(Killed):  # noqa: PT012  the loop is what raises
        for count, _ in enumerate(run.events(), 1):
            if count == stop:
                raise Killed
    resumed = Run.resume(run.folder)
    assert (resumed.trainer.epoch, resumed.trainer.batch) == (stop // 6, 0)
    assert contents(complete(resumed)) == contents(finished)


def test_a_run_that_dies_again_and_again(finished: Path, tmp_path: Path) -> None:
    folder = Run.start(SETTINGS, tmp_path / "run").folder
    for _ in range(EVENTS // 5):
        take(Run.resume(folder), 5).save()
    assert contents(complete(Run.resume(folder))) == contents(finished)


def test_the_state_is_saved_by_the_clock_too(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHECKPOINT_SECONDS", -1.0)
    take(Run.start(SETTINGS, tmp_path / "run"), 9)
    resumed = Run.resume(tmp_path / "run")
    assert (resumed.trainer.epoch, resumed.trainer.batch) == (1, 3)
    assert contents(complete(resumed)) == contents(finished)


def test_metrics_that_are_ahead_of_the_checkpoint_are_written_again(tmp_path: Path) -> None:
    take(Run.start(SETTINGS, tmp_path / "run"), 6)
    metrics = tmp_path / "run" / "metrics.jsonl"
    before = metrics.read_text()
    metrics.write_text(before + '{"epoch": 2, "tr')
    Run.resume(tmp_path / "run")
    assert metrics.read_text() == before


def test_the_time_goes_on(tmp_path: Path) -> None:
    run = take(Run.start(SETTINGS, tmp_path / "run"), 6)
    assert run.seconds > 0
    assert Run.resume(tmp_path / "run").seconds == run.seconds


def test_an_interruption_before_the_report(finished: Path, tmp_path: Path) -> None:
    run = Run.start(SETTINGS, tmp_path / "run")
    events = list(run.events())
    assert isinstance(events[-1], EpochDone)
    resumed = Run.resume(tmp_path / "run")
    assert resumed.trainer.evaluation is None
    assert list(resumed.events()) == []
    resumed.finish()
    assert contents(tmp_path / "run") == contents(finished)


def test_a_failing_report_can_be_made_later(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run.start(SETTINGS, tmp_path / "run")
    with monkeypatch.context() as patch:
        patch.setattr(module, "make_report", report_module.make_report)
        patch.setitem(sys.modules, "matplotlib.figure", None)
        with pytest.raises(UnsupportedError) as raised:
            complete(run)
    assert str(raised.value) == (
        "train: the report needs the extra 'app' (matplotlib.figure is not installed)\n"
        '  fix: pip install "pellucid[app]"'
    )
    assert contents(complete(Run.resume(tmp_path / "run"))) == contents(finished)


def test_a_full_disk_leaves_the_last_checkpoint(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = take(Run.start(SETTINGS, tmp_path / "run"), 6)

    def full_disk(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full_disk)
        with pytest.raises(DataError, match="No space left on device"):
            take(run, 6)
    assert not list((tmp_path / "run").glob("*.tmp"))
    assert contents(complete(Run.resume(tmp_path / "run"))) == contents(finished)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"data": "mnist"}, "--data is mnist, but the run in {} has digits"),
        ({"model": "lenet"}, "--model is lenet, but the run in {} has digits_cnn"),
        ({"epochs": 4}, "--epochs is 4, but the run in {} has 3"),
        ({"batch_size": 8}, "--batch-size is 8, but the run in {} has 16"),
        ({"lr": 1.0}, "--lr is 1.0, but the run in {} has 0.003"),
        ({"optimizer": "sgd"}, "--optimizer is sgd, but the run in {} has adamw"),
        ({"seed": 5}, "--seed is 5, but the run in {} has 0"),
    ],
)
def test_options_that_are_not_those_of_the_run(
    given: dict[str, Any], said: str, tmp_path: Path
) -> None:
    folder = new_folder(SETTINGS, tmp_path)
    with pytest.raises(ArgumentError) as raised:
        Run.resume(folder, **given)
    (name,) = given
    name = "--" + name.replace("_", "-")
    assert str(raised.value) == (
        f"train: {said.format(folder)}\n"
        f"  fix: leave {name} out, or start a new run without --resume"
    )


def test_options_that_are_those_of_the_run(tmp_path: Path) -> None:
    new_folder(SETTINGS, tmp_path)
    assert Run.resume(tmp_path, epochs=3, seed=0, model=None).settings == SETTINGS


def test_a_finished_run_has_nothing_to_resume(finished: Path) -> None:
    before = contents(finished)
    with pytest.raises(ArgumentError) as raised:
        Run.resume(finished)
    assert str(raised.value) == (
        f"train: the run in {finished} is finished, there is nothing to resume\n"
        "  fix: start a new run without --resume"
    )
    assert contents(finished) == before


def test_checkpoints_that_are_not_of_this_run(tmp_path: Path) -> None:
    path = new_folder(SETTINGS, tmp_path) / "checkpoint.safetensors"
    path.write_bytes(b"\x80\x04")
    with pytest.raises(DataError, match="is a pickle, which can run any code"):
        Run.resume(tmp_path)
    small = pellucid.nn.Linear(2, 2)
    pellucid.Checkpoint.capture(small).save(path)
    with pytest.raises(DataError) as raised:
        Run.resume(tmp_path)
    assert str(raised.value) == (
        f"train: {path} is not the checkpoint of a run\n  fix: start without --resume"
    )
    metadata = {"trainer": {}, "seconds": 0.0}
    optimizer = pellucid.optim.SGD(small.parameters())
    schedule = pellucid.optim.lr_scheduler.StepLR(optimizer, 1)
    pellucid.Checkpoint.capture(small, optimizer, schedule, metadata=metadata).save(path)
    with pytest.raises(StateError, match="the state does not fit the module"):
        Run.resume(tmp_path)


def test_data_that_are_elsewhere_now(tmp_path: Path) -> None:
    folder = new_folder(choose("mnist", data_dir="gone"), tmp_path / "run")
    with pytest.raises(DataError, match="found no train-images") as raised:
        Run.resume(folder, data_dir=str(tmp_path / "here"))
    assert str(tmp_path / "here") in str(raised.value)
    assert "gone" not in str(raised.value)


def test_nothing_is_made_for_settings_that_cannot_be_trained(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="does not take the images"):
        Run.start(choose("digits", model="lenet"), tmp_path / "a" / "b")
    assert list(tmp_path.iterdir()) == []
