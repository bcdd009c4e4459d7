"""`pellucid explain FOLDER` on real digits: trained, taken apart, written, and mistakes."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from cli.command import run

from pellucid.cli.contributions import Batch, is_run
from pellucid.explain.network.table import wide
from pellucid.training import Run, choose
from pellucid.training.replay import replay_folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network that learned the real digits for an epoch."""
    path = tmp_path_factory.mktemp("runs") / "digits-1"
    trained = Run.start(choose("digits", epochs=1), path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pellucid.training.run.make_report", lambda outcome: {"report.html": b""})
        for _ in trained.events():
            pass
        trained.finish()
    return path


def printed(*words: object) -> str:
    code, out, error = run("explain", *words)
    assert (code, error) == (0, "")
    assert "\x1b" not in out
    return out


def test_one_element_of_the_gradient_of_a_layer(folder: Path) -> None:
    out = printed(folder, "--layer", "conv1", "--grad", "weight", "--at", "0,0,1,1")
    found = replay_folder(folder, "conv1").contributions("weight", (0, 0, 1, 1))
    lines = out.splitlines()
    assert lines[0] == "conv1 of digits_cnn on digits, 32 images: batch 45 of 46 of epoch 1"
    assert lines[1] == (
        "The weights are not those that this batch met, but those at the end of the training: "
        "a run keeps no others."
    )
    assert found.table(10) in out
    assert "dL/dw[1,2,2] = " in out
    assert np.abs(found.terms).max() == abs(found.terms[found.largest(1)[0]])


def test_the_images_are_named(folder: Path) -> None:
    replayed = replay_folder(folder, "conv1")
    found = replayed.contributions("weight", (0, 0, 1, 1))
    out = printed(folder, "--at", "0,0,1,1")
    said = re.findall(r"image (\d+) is training image (\d+), of class (\d)", out)
    assert [int(at) - 1 for at, _, _ in said] == found.main_images(3)
    for at, sample, label in said:
        k = int(at) - 1
        assert (int(sample), label) == (replayed.samples[k], replayed.labels[k])


def test_other_gradients_batches_and_names(folder: Path) -> None:
    words = ("--grad", "input", "--at", "3,0,4,4", "--epoch", 1, "--batch", 2)
    out = printed(folder, "--layer", "conv2", *words, "--notation", "indices")
    assert "batch 2 of 46 of epoch 1" in out
    assert "dL/dx[3,0,4,4] = " in out
    assert "output channel" in out
    assert "dL/db[" in printed(folder, "--grad", "bias", "--at", "3")


def test_without_a_place_it_is_the_largest_element(folder: Path) -> None:
    replayed = replay_folder(folder, "conv1")
    at = np.unravel_index(np.abs(replayed.layer.weight.grad.array).argmax(), (16, 1, 3, 3))
    assert (
        printed(folder)
        .split("\n\n")[1]
        .startswith(replayed.contributions("weight", tuple(map(int, at))).name)
    )


def test_korean(folder: Path) -> None:
    out = printed(folder, "--at", "0,0,1,1", "--lang", "ko")
    assert (
        "digits로 학습한 digits_cnn의 conv1, 이미지 32장: 에포크 1, 배치 46개 가운데 45번째" in out
    )
    terms = [line for line in out.splitlines() if " x[" in line]
    assert len(terms) == 10
    assert len({wide(line) for line in terms}) == 1


def test_a_page_and_a_picture(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, picture = tmp_path / "a.html", tmp_path / "a.svg"
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    out = printed(folder, "--at", "0,0,1,1", "--html", page, "--svg", picture, "--open")
    assert out == f"wrote {page}\nwrote {picture}\n"
    assert opened == [page.as_uri()]
    found = replay_folder(folder, "conv1").contributions("weight", (0, 0, 1, 1))
    assert picture.read_text(encoding="utf-8") == found.svg()
    ElementTree.fromstring(found.svg())
    assert found.svg() in page.read_text(encoding="utf-8")
    assert "conv1 of digits_cnn on digits" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--layer", "relu1"), "explain: relu1 of digits_cnn is ReLU(), neither a convolution nor "
         "a Linear\n  fix: use one of conv1, conv2, linear1, linear2"),
        (("--layer", "conv3"), "explain: digits_cnn has no layer 'conv3'\n"
         "  fix: use one of conv1, conv2, linear1, linear2"),
        (("--epoch", "2"), "explain: there is no epoch 2: the training has come to epoch 1 of 1\n"
         "  fix: use --epoch 1"),
        (("--batch", "47"), "explain: there is no batch 47 of epoch 1: an epoch has 46\n"
         "  fix: use --batch 1 .. 46"),
        (("--at", "0,0,3,0"), "grad_weight: u=3 is not from 0 to 2\n"
         "  o 0 .. 15, c 0 .. 0, u 0 .. 2, v 0 .. 2    n32 c1 i8x8 o16 k3x3 p1\n"
         "  fix: index it as grad_weight[o,c,u,v], counted from 0"),
        (("--at", "a"), "explain: --at a is not a list of whole numbers\n"
         "  fix: write it as in --at 0,0,0,2"),
        (("--grad", "output"), "explain: there is no gradient 'output'\n"
         "  fix: use one of input, weight, bias"),
        (("--lang", "fr"), "explain: there is no language 'fr'\n  fix: use one of en, ko"),
        (("--open",), "explain: --open opens a page, but --html does not say which\n"
         "  fix: add --html FILE"),
    ],
)  # fmt: skip
def test_mistakes(words: tuple[str, ...], message: str, folder: Path) -> None:
    assert run("explain", folder, *words) == (2, "", f"error: {message}\n")


def test_what_is_for_a_spec_is_not_for_a_run_and_the_other_way(folder: Path) -> None:
    for words in (("--latex",), ("--view", "scatter"), ("--transposed",)):
        code, _, error = run("explain", folder, *words)
        assert (code, error) == (
            2, f"error: explain: {words[0]} is for a spec, and {folder} is a run\n"
            f"  fix: leave {words[0]} out\n",
        )  # fmt: skip


def test_a_folder_that_is_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    for name in ("empty", "runs/digits-9"):
        code, _, error = run("explain", name)
        assert (code, error) == (
            2, f"error: explain: there is no run in {name}: it has no settings.json\n"
            "  fix: give the folder of a run, such as runs/digits-1\n",
        )  # fmt: skip


def test_a_stopped_run_keeps_the_weights_of_its_next_batch(tmp_path: Path) -> None:
    trained = Run.start(choose("digits", epochs=2), tmp_path / "run")
    for _, _ in zip(range(3), trained.events(), strict=False):
        pass
    trained.save()
    out = printed(tmp_path / "run")
    assert "batch 4 of 46 of epoch 1\n" in out
    assert "The weights are those that this batch meets in the training.\n" in out
    assert (
        "The weights are not those that this batch met, but those of the checkpoint, after batch "
        "3 of epoch 1: a run keeps no others.\n"
    ) in printed(tmp_path / "run", "--batch", 2)


def test_what_a_run_is_told_by(tmp_path: Path) -> None:
    nothing = Batch(None, None, None)
    assert not is_run("c1 i5x5 o1 k3x3 s2", nothing)
    assert is_run(str(tmp_path), nothing)
    assert is_run("runs/x", nothing)
    assert not is_run("", nothing)


def test_options_of_a_run_do_not_go_with_a_spec(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for what, option in (("c1 i5x5 o1 k3x3 s2", "--layer"), ("digits-1", "--batch")):
        assert run("explain", what, option, 1) == (
            2, "", f"error: explain: {option} is of a run, and there is no folder {what}\n"
            f"  fix: give the folder of a run, such as runs/digits-1, or leave {option} out\n",
        )  # fmt: skip
