"""`pellucid train`: from the options to the folder, interrupted or not."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
from cli.command import finish, run, start

pytest.importorskip("typer")

from pellucid.cli import train as module
from pellucid.cli.train import Signals
from pellucid.training import Run

FILES = {
    "settings.json", "metrics.jsonl", "model.safetensors", "report.html", "curves.png",
    "confusion.png", "filters.png",
}  # fmt: skip
QUICK = ["--epochs", 1, "--batch-size", 128]


def compared(folder: Path, but: tuple[str, ...] = (".html",)) -> dict[str, bytes]:
    """All files but the report, which tells how long it took."""
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.suffix not in but}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which a run was made, runs/digits-1."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def lines(home: Path) -> list[str]:
    """What that run printed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        code, out, error = run("train", *QUICK, "--lr", 0.01, "--optimizer", "adam", "--seed", 4)
    assert (code, error) == (0, "")
    return out.splitlines()


def test_what_is_printed_and_what_is_written(home: Path, lines: list[str]) -> None:
    assert lines[:3] == [
        "digits: 1,442 training images, 355 test images, 8x8 with 1 channel, 10 classes",
        "digits_cnn: 38,378 parameters; adam, learning rate up to 0.01, batches of 128, seed 4",
        "folder: runs/digits-1",
    ]
    assert re.fullmatch(r"epoch 1/1  train loss .* test accuracy \d+\.\d\d %", lines[3])
    assert re.fullmatch(r"\d+\.\d\d % of the test images recognised, in 0:\d\d", lines[4])
    assert lines[5:] == ["report: runs/digits-1/report.html"]
    folder = home / "runs" / "digits-1"
    assert {path.name for path in folder.iterdir()} == FILES
    accuracy = json.loads((folder / "metrics.jsonl").read_text())["test_accuracy"]
    assert lines[4].startswith(f"{100 * accuracy:.2f} %")
    assert json.loads((folder / "settings.json").read_text()) == {
        "data": "digits", "model": "digits_cnn", "epochs": 1, "batch_size": 128, "lr": 0.01,
        "optimizer": "adam", "seed": 4, "data_dir": None,
    }  # fmt: skip


@pytest.mark.usefixtures("lines")
def test_the_command_in_the_report_makes_the_same_run(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    first = home / "runs" / "digits-1"
    page = (first / "report.html").read_text()
    _, *words = re.search(r'<pre class="command">(.*?)</pre>', page)[1].split()
    monkeypatch.setattr("pellucid.training.run.make_report", lambda outcome: {})
    assert run(*words, "--out", "again")[0] == 0
    but = (".html", ".png")
    assert compared(tmp_path / "again", but) == compared(first, but)


@pytest.mark.usefixtures("lines")
def test_a_run_that_is_there_is_not_touched(home: Path) -> None:
    first = home / "runs" / "digits-1"
    before = compared(first)
    assert run("train", *QUICK, "--out", first) == (2, "", (
        f"error: train: there is a run in {first} already\n"
        f"  fix: name another folder, or go on with: pellucid train --resume {first}\n"
    ))  # fmt: skip
    assert compared(first) == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--data", "cifar"], "train: there is no data set 'cifar'\n"
         "  fix: use one of digits, mnist, fashion-mnist"),
        (["--model", "vgg"], "train: there is no model 'vgg'\n  fix: use one of digits_cnn, lenet"),
        (["--optimizer", "x"], "train: there is no optimizer 'x'\n"
         "  fix: use one of sgd, adam, adamw, adagrad, rmsprop"),
        (["--model", "lenet"], "train: the model 'lenet' does not take the images of 'digits', "
         "which are 8x8 with 1 channel\n  fix: use --model digits_cnn"),
        (["--epochs", "0"], "train: --epochs is 0\n  fix: use 1 or more"),
        (["--lr", "-1"], "train: --lr is -1.0\n  fix: use a number above 0"),
        (["--data-dir", "x"], "train: --data-dir is x, but the digits come with the package\n"
         "  fix: leave --data-dir out, or choose --data mnist"),
        (["--resume", "x"], "train: there is no run in x: it has no settings.json\n"
         "  fix: give the folder of a run, such as runs/digits-1"),
        (["--resume", "x", "--out", "y"], "train: --out is y, but --resume goes on in x\n"
         "  fix: leave --out out"),
        (["--out", "file"], "train: the folder file cannot be made: File exists\n"
         "  fix: name a folder that can be written with --out"),
    ],
)  # fmt: skip
def test_mistakes_are_one_message_and_leave_nothing(
    words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("mine")
    assert run("train", *words) == (2, "", f"error: {said}\n")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("data", ["mnist", "fashion-mnist"])
def test_data_that_are_not_there(
    data: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, error = run("train", "--data", data, "--data-dir", tmp_path)
    assert (code, out) == (2, "")
    assert error.startswith("error: ")
    assert "found no train-images-idx3-ubyte" in error
    assert str(tmp_path) in error
    assert list(tmp_path.iterdir()) == []


def test_options_that_are_not_those_of_the_run(tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text(json.dumps({
        "data": "digits", "model": "digits_cnn", "epochs": 2, "batch_size": 32, "lr": 0.1,
        "optimizer": "sgd", "seed": 0, "data_dir": None,
    }))  # fmt: skip
    assert run("train", "--resume", tmp_path, "--epochs", 3) == (2, "", (
        f"error: train: --epochs is 3, but the run in {tmp_path} has 2\n"
        "  fix: leave --epochs out, or start a new run without --resume\n"
    ))  # fmt: skip


# Interruptions


def test_a_signal_is_held_back_once() -> None:
    before = signal.getsignal(signal.SIGINT)
    with Signals() as signals:
        assert signals.received is None
        os.kill(os.getpid(), signal.SIGINT)
        assert signals.received == signal.SIGINT
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def stopped(folder: Path, number: int, *words: Any) -> tuple[int, str, str]:
    """Start a training, send a signal after its first epoch, and wait for its end."""
    process = start(folder, "train", *words)
    assert process.stdout is not None
    while not process.stdout.readline().startswith("epoch 1/"):
        assert process.poll() is None
    process.send_signal(number)
    return finish(process)


def test_ctrl_c_in_the_middle_of_an_epoch_and_then_the_rest(tmp_path: Path) -> None:
    words = ["--epochs", 3, "--out"]
    command = "pellucid train --resume run"
    assert stopped(tmp_path, signal.SIGINT, *words, "run") == (
        130, f"Interrupted. Go on, as if nothing had happened, with\n  {command}\n", ""
    )  # fmt: skip
    assert (tmp_path / "run" / "checkpoint.safetensors").exists()
    assert len((tmp_path / "run" / "metrics.jsonl").read_text().splitlines()) < 3
    resumed = start(tmp_path, *command.split()[1:])
    whole = start(tmp_path, "train", *words, "whole")
    code, out, error = finish(resumed)
    assert (code, error) == (0, "")
    assert re.search(r"^resuming after batch \d+ of epoch [23]$", out, re.MULTILINE)
    assert finish(whole)[0] == 0
    assert compared(tmp_path / "run") == compared(tmp_path / "whole")


def test_a_request_to_end_is_as_good_as_ctrl_c(tmp_path: Path) -> None:
    words = ["--epochs", 9, "--out", "run"]
    code, out, error = stopped(tmp_path, signal.SIGTERM, *words)
    assert (code, error) == (143, "")
    assert out.endswith("  pellucid train --resume run\n")


def test_a_killed_run_goes_on_after_its_last_epoch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["--epochs", 2, "--batch-size", 32, "--out", "run"]
    assert stopped(tmp_path, signal.SIGKILL, *words)[0] == -signal.SIGKILL
    monkeypatch.setattr(Run, "finish", lambda run: run.folder / "report.html")
    code, out, _ = run("train", "--resume", tmp_path / "run")
    assert code == 0
    assert "resuming after batch 0 of epoch 2" in out


@pytest.mark.parametrize("place", ["_introduce", "_train", "_conclude"])
def test_an_interruption_anywhere_else_says_how_to_go_on(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Run, "finish", lambda run: run.folder / "report.html")
    monkeypatch.setattr(module, place, interrupt)
    code, out, error = run("train", *QUICK, "--out", tmp_path / "a run")
    assert (code, error) == (130, "")
    assert out.endswith(f"  pellucid train --resume '{tmp_path / 'a run'}'\n")


def test_an_interruption_before_there_is_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(**_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "choose", interrupt)
    assert run("train", "--out", tmp_path / "run") == (130, "", "")
    assert not (tmp_path / "run").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
def test_a_full_disk_where_the_output_goes(tmp_path: Path) -> None:
    script = "from pellucid.cli import main; main()"
    with open("/dev/full", "w") as full:
        ran = subprocess.run(
            [sys.executable, "-c", script, "train", *map(str, QUICK)],
            cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert ran.returncode == 1
    assert ran.stderr.startswith("error: [Errno 28] No space left on device")
    assert "Traceback" not in ran.stderr


def test_a_profile_is_written_where_it_is_asked_for(tmp_path: Path) -> None:
    code, out, error = run("train", *QUICK, "--out", tmp_path / "run", "--profile")
    assert (code, error) == (0, "")
    assert out.splitlines()[-1] == f"profile: {tmp_path / 'run' / 'profile.txt'}"
    assert "conv1" in (tmp_path / "run" / "profile.txt").read_text()


def test_a_training_that_fails_says_so(tmp_path: Path) -> None:
    words = ["--epochs", 1, "--batch-size", 200, "--lr", 1e30, "--out", tmp_path / "run"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        code, out, error = run("train", *words)
    assert (code, error) == (0, "")
    assert (
        "The training failed: its loss is nan, as the steps were too large. Try a smaller --lr "
        "than 1e+30.\n"
    ) in out
