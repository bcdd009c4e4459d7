from __future__ import annotations

import mmap

import numpy as np
import pytest
from benchmarks import driver, pellucid_training, train, train_worker
from benchmarks.families import FAMILIES, REST
from benchmarks.train import Processes, profiled, timed
from benchmarks.train_report import Row
from benchmarks.train_worker import FIRST_STEPS, INFERENCE, TRAINING, Job, Worker, weights

import pellucid

TINY = Job("lenet", (2, 1, 28, 28), classes=10)


@pytest.fixture(autouse=True)
def own_number_of_threads() -> object:
    before = pellucid.get_num_threads()
    yield
    pellucid.set_num_threads(before)


def test_weights_depend_on_names_and_shapes_alone() -> None:
    shapes = {"a.weight": (64, 8, 3, 3), "b.weight": (4,), "b.bias": (4,)}
    first, again = dict(weights(shapes)), dict(weights(shapes))
    assert first["a.weight"].std() == pytest.approx((2 / 72) ** 0.5, rel=0.05)
    np.testing.assert_array_equal(first["a.weight"], again["a.weight"])
    assert first["b.weight"].tolist() == [1] * 4
    assert first["b.bias"].tolist() == [0] * 4


def test_targets_are_classes_of_images_or_of_pixels() -> None:
    assert TINY.target().shape == (2,)
    assert 0 <= TINY.target().min() <= TINY.target().max() < 10
    assert Job("unet", (2, 1, 16, 32), classes=2, pixels=True).target().shape == (2, 16, 32)


def test_our_side_trains() -> None:
    worker = Worker(pellucid_training.Library(1))
    losses, peak = worker.start(TINY, "channels-last", TRAINING)
    assert len(set(losses)) == len(losses) == FIRST_STEPS
    assert peak is None or 0 <= peak < 1 << 30
    assert all(second > 0 for second in worker.time("channels-last", TRAINING, 2))
    families = worker.families("channels-last", TRAINING)
    worked = {name for name, seconds in families.items() if seconds > 0}
    assert worked == {*FAMILIES, REST} - {"batch norm"}


def test_our_side_applies() -> None:
    worker = Worker(pellucid_training.Library(1))
    outputs, _ = worker.start(TINY, "channels-last", INFERENCE)
    assert len(outputs) == 10 * FIRST_STEPS  # the scores of the first image
    assert outputs[:10] == outputs[10:20]


@pytest.mark.skipif(not train_worker.CLEAR.exists(), reason="no /proc to ask")
def test_the_peak_is_that_of_the_steps() -> None:
    before, size = train_worker.forget_peak(), 32 << 20
    assert before
    with mmap.mmap(-1, size) as block:  # pages that nobody has touched
        block[::4096] = b"1" * (size // 4096)
    assert size - (1 << 20) <= train_worker.memory("VmHWM") - before < 2 * size


class Twins(Processes):
    """Both processes are pellucid's; the second has PyTorch's name."""

    def start(self, kind: str, variant: str) -> None:
        super().start("pellucid", variant)
        self.sides[-1][0].kind = kind
        self.answers[kind, variant] = self.answers["pellucid", variant]


def test_processes_agree_and_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(driver.ENVIRONMENT, "pellucid", {})
    with Twins(TINY, TRAINING, 1, None) as processes:
        processes.start("pellucid", "channels-last")
        processes.start("torch", "contiguous")
        assert processes.compare() == []
        row = timed(Row("tiny", TRAINING, 1, 1.0, 0, 0), processes, alternations=2)
        row = profiled(row, processes)
        processes.answers["torch", "contiguous"] = [2.5, float("nan"), 2.5]
        assert processes.compare() == ["contiguous differs by nan"]
        processes.leave_out("contiguous", "no reason")
    assert row.turns == 2
    assert row.ours_ms > 0
    assert row.profiled == "contiguous"
    assert all(both[0] >= 0 and both[1] >= 0 for both in (row.families or {}).values())
    assert list(row.torch_ms or {}) == ["contiguous"]
    assert row.ratio.low <= row.ratio.value <= row.ratio.high
    assert processes.left_out == ["contiguous: no reason"]
    assert [side.process.returncode for side, _ in processes.sides] == [0]


class Answering:
    """A process that gives some numbers, and has no memory to tell of."""

    def __init__(self, kind: str, *_: object) -> None:
        self.kind = kind

    def ask(self, command: str, job: Job, variant: str, mode: str) -> tuple[list[float], None]:
        return {"compiled": [float("nan")], "contiguous": [2.0]}.get(variant, [1.0]), None

    def close(self) -> None:
        pass


def test_a_compiler_alone_may_be_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "Side", Answering)
    with Processes(TINY, TRAINING, 1, None) as processes:
        for kind, variant in (("pellucid", "x"), ("torch", "channels-last"), ("torch", "compiled")):
            processes.start(kind, variant)
        assert processes.compare() == []
        assert processes.left_out == ["compiled: it differs by nan from the others"]
        assert [variant for _, variant in processes.sides] == ["x", "channels-last"]
        processes.start("torch", "compiled")
        processes.start("torch", "contiguous")
        assert processes.compare() == ["compiled differs by nan", "contiguous differs by 5.0e-01"]


class Broken:
    """A process whose first steps fail."""

    def __init__(self, kind: str, *_: object) -> None:
        self.kind, self.closed = kind, False

    def ask(self, *_: object) -> object:
        raise RuntimeError("in the torch worker:\nTraceback\nno compiler was found\n")

    def close(self) -> None:
        self.closed = True


def test_a_compiler_may_fail_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "Side", Broken)
    with Processes(TINY, TRAINING, 1, None) as processes:
        processes.start("torch", "compiled")
        assert processes.left_out == ["compiled: no compiler was found"]
        assert processes.sides == []
        with pytest.raises(RuntimeError, match="no compiler"):
            processes.start("torch", "contiguous")
    assert [side.closed for side, _ in processes.sides] == [True]  # type: ignore[attr-defined]
