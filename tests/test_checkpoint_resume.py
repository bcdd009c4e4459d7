"""Checkpoints: what is in them, and that training goes on from one with the same bits."""

from __future__ import annotations

import json

import numpy as np
import pytest
import safetensors
import safetensors.numpy

import pellucid
from pellucid import nn, optim
from pellucid.checkpoint import Checkpoint
from pellucid.data import DataLoader, TensorDataset
from pellucid.errors import ArgumentError, DataError, DTypeError, StateError

EPOCHS = 2


class Training:
    """A training on which everything depends that a checkpoint holds."""

    def __init__(self, kind=optim.Adam) -> None:
        pellucid.manual_seed(5)
        generator = np.random.default_rng(0)
        x = generator.standard_normal((23, 1, 6, 6)).astype(np.float32)
        self.model = nn.Sequential(
            nn.Conv2d(1, 4, 3, stride=2),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.Dropout(0.4),
            nn.Flatten(),
            nn.Linear(16, 3),
        )
        options = {"momentum": 0.9, "nesterov": True} if kind is optim.SGD else {}
        self.optimizer = kind(self.model.parameters(), lr=0.01, **options)
        self.loader = DataLoader(
            TensorDataset(x, generator.integers(0, 3, 23)), 5, shuffle=True, num_workers=0
        )
        self.scheduler = optim.lr_scheduler.OneCycleLR(
            self.optimizer,
            0.05,
            EPOCHS * len(self.loader),
            cycle_momentum=kind is not optim.Adagrad,
        )
        self.losses: list[float] = []

    def train(self, epoch: int = 0, batch: int = 0, until: int | None = None) -> None:
        """Train from a batch of an epoch to the end, or for some batches."""
        for now in range(epoch, EPOCHS):
            self.loader.set_epoch(now, batch if now == epoch else 0)
            for x, labels in self.loader:
                if len(self.losses) == until:
                    return
                loss = nn.functional.cross_entropy(self.model(x), labels)
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()
                self.scheduler.step()
                self.losses.append(loss.item())

    def parts(self) -> tuple:
        return self.model, self.optimizer, self.scheduler

    def bits(self) -> list:
        return [tensor.array.tobytes() for tensor in self.model.state_dict().values()]


@pytest.mark.parametrize("kind", [optim.Adam, optim.SGD, optim.RMSprop, optim.Adagrad])
def test_resuming_anywhere_ends_with_the_same_bits(kind, tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    if kind is optim.RMSprop:
        kind = lambda params, lr: optim.RMSprop(params, lr, momentum=0.9, centered=True)  # noqa: E731
    through = Training(kind)
    through.train()
    assert len(through.losses) == 10
    for batches in range(10):
        first = Training(kind)
        first.train(until=batches)
        epoch, batch = divmod(batches, len(first.loader))
        Checkpoint.capture(*first.parts(), epoch=epoch, batch=batch).save(path)

        pellucid.manual_seed(999)
        resumed = Training(kind)
        pellucid.rand(7)
        found = Checkpoint.load(path)
        found.restore(*resumed.parts())
        resumed.train(found.epoch, found.batch)
        assert first.losses + resumed.losses == through.losses
        assert resumed.bits() == through.bits()


class TestCheckpoint:
    def test_all_kinds_of_data_come_back(self, tmp_path):
        path = tmp_path / "a.safetensors"
        metadata = {
            "none": None,
            "numbers": [1, 2.5, True, np.float32(0.5), np.int64(3), -(2**70)],
            "text": "한글 \0 \n",
            "tuple": (1, (2.0, "b"), []),
            "keys": {0: "zero", "0": "text", -1: {}},
            "tensors": [pellucid.ones(2), {"deep": pellucid.zeros(2, dtype=np.int64)}],
            "infinite": float("-inf"),
        }
        Checkpoint.capture(nn.Linear(2, 1), epoch=1, batch=2, metadata=metadata).save(path)
        found = Checkpoint.load(path)
        assert (found.epoch, found.batch, found.optimizer, found.scheduler) == (1, 2, None, None)
        assert list(found.metadata) == list(metadata)
        ones, deep = found.metadata.pop("tensors")
        assert ones.tolist() == [1.0, 1.0]
        assert deep["deep"].array.dtype == np.int64
        del metadata["tensors"]
        assert found.metadata == metadata
        assert isinstance(found.metadata["tuple"][1], tuple)

    def test_the_weights_can_be_read_alone(self, tmp_path):
        path = tmp_path / "a.safetensors"
        model = nn.Linear(2, 1)
        Checkpoint.capture(model).save(path)
        assert set(pellucid.load(path)) == {"model.weight", "model.bias"}
        other = nn.Linear(2, 1)
        before = pellucid.get_rng_state()
        other.load_state_dict(Checkpoint.load(path).model)
        assert pellucid.get_rng_state() == before
        assert (other.weight.array == model.weight.array).all()

    def test_not_a_checkpoint(self, tmp_path):
        path = tmp_path / "a.safetensors"
        pellucid.save({"w": pellucid.ones(1)}, path)
        with pytest.raises(DataError) as caught:
            Checkpoint.load(path)
        assert str(caught.value) == (
            f"Checkpoint: {path} holds tensors but no checkpoint\n  fix: read it with pellucid.load"
        )

    @pytest.mark.parametrize(
        "text", ["{", "[]", "{}", '{"model": {"tensor": "gone"}, "random": {"tuple": [1, 2]}}']
    )
    def test_damaged_description(self, text, tmp_path):
        path = tmp_path / "a.safetensors"
        safetensors.numpy.save_file({}, path, {"pellucid.checkpoint": text})
        with pytest.raises(DataError) as caught:
            Checkpoint.load(path)
        assert str(caught.value) == (
            f"Checkpoint: {path} is damaged: its tensors and their description do not agree\n"
            "  fix: use another checkpoint"
        )

    @pytest.mark.parametrize(
        ("saved", "given", "rule"),
        [
            (
                (),
                ("optimizer",),
                "restore was given the optimizer, and the checkpoint has no state of it",
            ),
            (
                ("optimizer",),
                (),
                "restore was not given the optimizer, and the checkpoint has a state of it",
            ),
            (
                ("optimizer", "scheduler"),
                ("optimizer",),
                "restore was not given the scheduler, and the checkpoint has a state of it",
            ),
        ],
    )
    def test_parts_must_agree(self, saved, given, rule):
        training = Training()
        parts = {"optimizer": training.optimizer, "scheduler": training.scheduler}
        taken = Checkpoint.capture(training.model, **{name: parts[name] for name in saved})
        with pytest.raises(StateError) as caught:
            taken.restore(training.model, **{name: parts[name] for name in given})
        assert str(caught.value) == (
            f"Checkpoint: {rule}\n  fix: pass to restore what was passed to capture; for the "
            "weights alone, model.load_state_dict(checkpoint.model)"
        )

    def test_another_model(self):
        with pytest.raises(StateError):
            Checkpoint.capture(nn.Linear(2, 1)).restore(nn.Linear(2, 3))

    @pytest.mark.parametrize(
        ("metadata", "kind", "message"),
        [
            (
                {"when": {"a": {1, 2}}},
                DTypeError,
                "metadata.when.a is a set, which a file without pickle cannot hold\n"
                "  fix: use numbers, texts, lists, tuples, dicts and tensors",
            ),
            (
                {"sizes": {(1, 2): 3}},
                DTypeError,
                "a key of metadata.sizes is a tuple\n  fix: use texts and whole numbers as keys",
            ),
            (
                {"a": {"b": pellucid.ones(1)}, "a.b": pellucid.ones(1)},
                ArgumentError,
                "two tensors are 'metadata.a.b'\n  fix: rename one",
            ),
        ],
    )
    def test_what_cannot_be_saved(self, metadata, kind, message, tmp_path):
        with pytest.raises(kind) as caught:
            Checkpoint.capture(nn.Linear(1, 1), metadata=metadata).save(tmp_path / "a")
        assert str(caught.value) == f"Checkpoint: {message}"
        assert not list(tmp_path.iterdir())

    def test_the_description_is_json(self, tmp_path):
        path = tmp_path / "a.safetensors"
        Checkpoint.capture(nn.Linear(1, 1), epoch=4).save(path)
        with safetensors.safe_open(path, "numpy") as file:
            assert json.loads(file.metadata()["pellucid.checkpoint"])["epoch"] == 4
