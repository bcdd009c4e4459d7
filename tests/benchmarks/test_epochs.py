from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks import pellucid_training
from benchmarks.epochs import EPOCHS, Results, folder_of, page, train
from benchmarks.epochs_worker import BATCH, Worker

import pellucid

COUNTS = {"train": BATCH + 6, "t10k": 20}


@pytest.fixture(autouse=True)
def own_number_of_threads() -> Any:
    before = pellucid.get_num_threads()
    yield
    pellucid.set_num_threads(before)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A few made-up images in the form of MNIST, one of whose files is not zipped."""
    rng = np.random.default_rng(0)
    for part, count in COUNTS.items():
        classes = rng.integers(0, 10, count).astype(np.uint8)
        images = np.zeros((count, 28, 28), np.uint8)
        images[np.arange(count), 2 * classes] = 255  # a line that says which class
        header = bytes([0, 0, 8, 3]) + bytes(12)
        zipped = gzip.compress(header + images.tobytes())
        (tmp_path / f"{part}-images-idx3-ubyte.gz").write_bytes(zipped)
        labels = bytes([0, 0, 8, 1]) + bytes(4) + classes.tobytes()
        (tmp_path / f"{part}-labels-idx1-ubyte").write_bytes(labels)
    return tmp_path


def worker(folder: Path, library: Any) -> Worker:
    found = Worker(library)
    found.load(str(folder))
    return found


def trained(found: Worker, epochs: int) -> list[float]:
    found.begin(0)
    return [found.epoch(0, epoch)[1] for epoch in range(epochs)]


def test_images_are_read_and_learned(folder: Path) -> None:
    ours = worker(folder, pellucid_training.Library(1))
    x, target = ours.data["train"]
    assert (x.shape, x.dtype, x.max()) == ((COUNTS["train"], 1, 28, 28), np.float32, 1)
    assert (x[0, 0].argmax(axis=0) == 2 * target[0]).all()
    losses = trained(ours, 12)
    assert losses[-1] < losses[0] / 2
    assert ours.accuracy() > 0.8
    assert trained(ours, 2) == losses[:2]  # from the same weights, with the same images


def test_both_libraries_learn_the_same(folder: Path) -> None:
    torch = pytest.importorskip("torch")
    from benchmarks import torch_training

    before = torch.get_num_threads()
    try:
        ours = trained(worker(folder, pellucid_training.Library(1)), 3)
        theirs = trained(worker(folder, torch_training.Library(1)), 3)
    finally:
        torch.set_num_threads(before)
        torch.set_flush_denormal(False)
    # Later losses drift apart: Adam turns the smallest difference of a gradient into a whole step.
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-3)
    np.testing.assert_allclose(ours, theirs, rtol=2e-2)


class Scripted:
    """A process that answers with what it was asked."""

    def __init__(self, kind: str, told: list[tuple[Any, ...]]) -> None:
        self.kind, self.told = kind, told

    def ask(self, command: str, *arguments: int) -> Any:
        self.told.append((self.kind, command, *arguments))
        faster = self.kind == "pellucid"
        return {"begin": None, "epoch": (1.0 if faster else 2.5, 0.25), "accuracy": 0.5}[command]


def test_epochs_alternate_and_their_order_too() -> None:
    told: list[tuple[Any, ...]] = []
    sides: Any = {kind: Scripted(kind, told) for kind in ("pellucid", "torch")}
    results = Results()
    for seed in range(2):
        train(sides, seed, results)
    epochs = [(kind, *rest) for kind, command, *rest in told if command == "epoch"]
    assert epochs[:4] == [("pellucid", 0, 0), ("torch", 0, 0), ("torch", 0, 1), ("pellucid", 0, 1)]
    assert len(epochs) == 2 * 2 * EPOCHS
    head, ours, theirs, ratio = results.table()
    assert ours == ["pellucid", "1", "1", "1", "0.2500", "50.00%", "0.2500", "50.00%"]
    assert theirs[:2] == ["PyTorch", "2.5"]
    assert len(ratio) == len(head)
    assert ratio[1] == "2.50"
    text = page(results, {"torch": "2.13"}, ["The machine was not idle"])
    assert "**The machine was not idle**" in text
    assert "| ratio " in text


def test_the_folder_is_found_below(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PELLUCID_DATA_DIR", raising=False)
    (folder / "mnist").mkdir()
    assert folder_of(str(folder)) == str(folder)
    for path in folder.glob("train-*"):
        path.rename(folder / "mnist" / path.name)
    assert folder_of(str(folder)) == str(folder / "mnist")
    with pytest.raises(SystemExit, match="found no MNIST in /nowhere"):
        folder_of("/nowhere")
