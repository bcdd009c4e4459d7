"""The folder of a run: never another one's, and nothing left behind when it cannot be made."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest

from pellucid.errors import ArgumentError, DataError
from pellucid.files import write
from pellucid.training import EpochDone, choose
from pellucid.training.folder import new_folder, read_settings, write_metrics

SETTINGS = choose("digits", epochs=2)


def full_disk(*_: Any, **__: Any) -> int:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_folders_are_numbered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    made = [new_folder(choose(data)) for data in ("digits", "digits", "mnist", "digits")]
    assert [f.as_posix() for f in made] == [
        "runs/digits-1", "runs/digits-2", "runs/mnist-1", "runs/digits-3",
    ]  # fmt: skip
    Path("runs/digits-2/settings.json").unlink()
    assert new_folder(SETTINGS).as_posix() == "runs/digits-4"


def test_the_settings_come_back(tmp_path: Path) -> None:
    folder = new_folder(SETTINGS, tmp_path / "a" / "b")
    assert read_settings(folder) == SETTINGS
    assert [path.name for path in folder.iterdir()] == ["settings.json"]


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    assert new_folder(SETTINGS, tmp_path) == tmp_path


def test_folders_that_are_not_taken(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ArgumentError) as full:
        new_folder(SETTINGS, tmp_path)
    assert str(full.value) == (
        f"train: the folder {tmp_path} is not empty\n  fix: name a new or an empty one"
    )
    for path, why in ((tmp_path / "file", "File exists"),
                      (tmp_path / "file" / "below", "Not a directory")):  # fmt: skip
        with pytest.raises(DataError) as unmakeable:
            new_folder(SETTINGS, path)
        assert str(unmakeable.value) == (
            f"train: the folder {path} cannot be made: {why}\n"
            "  fix: name a folder that can be written with --out"
        )
    run = new_folder(SETTINGS, tmp_path / "run")
    with pytest.raises(ArgumentError) as taken:
        new_folder(SETTINGS, run)
    assert str(taken.value) == (
        f"train: there is a run in {run} already\n"
        f"  fix: name another folder, or go on with: pellucid train --resume {run}"
    )
    assert (tmp_path / "file").read_text() == "mine"


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(DataError) as raised:
        new_folder(SETTINGS, tmp_path / "a" / "b")
    assert str(raised.value) == (
        f"train: {tmp_path / 'a' / 'b' / 'settings.json'} cannot be written: "
        "No space left on device\n"
        "  fix: look at the folder, its permissions and the free space"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_cut_short_is_taken_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(DataError):
        write("train", tmp_path / "report.html", "content")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"data": "digits"', '{"data": 3, "what": 1}'])
def test_settings_that_cannot_be_read(text: str, tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text(text)
    with pytest.raises(DataError) as raised:
        read_settings(tmp_path)
    assert str(raised.value) == (
        f"train: {tmp_path / 'settings.json'} does not hold the settings of a run\n"
        "  fix: start a new run with pellucid train"
    )


def test_settings_that_are_not_there(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(DataError) as raised:
            read_settings(folder)
        assert str(raised.value) == (
            f"train: there is no run in {folder}: it has no settings.json\n"
            "  fix: give the folder of a run, such as runs/digits-1"
        )


def test_settings_that_the_system_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = new_folder(SETTINGS, tmp_path / "run")

    def refuse(*_: Any, **__: Any) -> str:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(DataError, match=r"settings\.json cannot be read: Permission denied"):
        read_settings(folder)


def test_metrics_are_a_line_of_json_for_each_epoch(tmp_path: Path) -> None:
    history = [EpochDone(1, 1.5, 1.25, 0.5), EpochDone(2, 0.1, 1 / 3, 0.75)]
    write_metrics(tmp_path, history)
    lines = (tmp_path / "metrics.jsonl").read_text().splitlines()
    assert [list(json.loads(line)) for line in lines] == [
        ["epoch", "train_loss", "test_loss", "test_accuracy"]
    ] * 2
    assert [EpochDone(**json.loads(line)) for line in lines] == history
