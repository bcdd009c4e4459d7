"""Workers: errors arrive, order and bounds hold, and nothing is left behind."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from pellucid.data import Augmented, DataLoader, Normalize, TensorDataset
from pellucid.errors import DataError, ShapeError

needs_fork = pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="this system cannot fork"
)
forks = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # pytest may have threads


class Dataset:
    """`count` samples, each made by `make(index)`."""

    def __init__(self, count: int, make: Any) -> None:
        self.count, self.make = count, make

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Any:
        return self.make(index)


@pytest.fixture(autouse=True)
def _nothing_is_left_behind() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before
    assert multiprocessing.active_children() == []


def broken_at(bad: int) -> Dataset:
    def make(index: int) -> int:
        if index == bad:
            raise KeyError("label")
        return index

    return Dataset(20, make)


@pytest.mark.parametrize("num_workers", [0, 1, 3])
def test_an_error_names_the_sample_and_keeps_its_cause(num_workers: int) -> None:
    batches = iter(DataLoader(broken_at(13), 4, num_workers=num_workers))
    first = [next(batches).tolist() for _ in range(3)]
    assert first == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]
    with pytest.raises(DataError) as caught:
        next(batches)
    assert str(caught.value) == (
        "DataLoader: sample 13 could not be read: KeyError: 'label'\n"
        "  fix: dataset[13] raised this error; try it alone"
    )
    assert isinstance(caught.value.__cause__, KeyError)
    assert list(batches) == []


@needs_fork
@forks
def test_an_error_in_a_process_is_the_same_error() -> None:
    loader = DataLoader(broken_at(13), 4, num_workers=2, multiprocessing_context="fork")
    with pytest.raises(DataError) as caught:
        list(loader)
    assert str(caught.value).startswith(
        "DataLoader: sample 13 could not be read: KeyError: 'label'\n"
    )
    assert "KeyError: 'label'" in str(caught.value.__cause__)  # the traceback of the process


def test_an_error_of_a_spawned_process() -> None:
    data = Augmented([np.zeros((1, 2, 2)), np.zeros((1, 2, 2), int)], Normalize(0, 1), seed=0)
    loader = DataLoader(data, multiprocessing_context="spawn")
    with pytest.raises(DataError, match="sample 1 could not be read: DTypeError: Normalize: x is"):
        list(loader)


def test_an_error_while_reading_a_batch_at_once_names_its_samples() -> None:
    data = TensorDataset(np.arange(20), np.arange(20))
    data.tensors[1].array = np.arange(15)
    with pytest.raises(DataError) as caught:
        list(DataLoader(data, 10))
    assert str(caught.value) == (
        "DataLoader: samples 10, 11, 12, 13, 14, 15, 16, 17, ... (10 of them) could not be read: "
        "IndexError: index 15 is out of bounds for axis 0 with size 15\n"
        "  fix: read_batch raised this error; try it alone"
    )


def test_ragged_samples_are_named_by_their_place_in_the_dataset() -> None:
    data = Dataset(20, lambda index: np.zeros(3 if index == 17 else 2))
    with pytest.raises(ShapeError, match=r"sample 15: \(2,\)    sample 17: \(3,\)"):
        list(DataLoader(data, 5, num_workers=2))


def test_order_is_kept_when_later_batches_are_ready_first() -> None:
    def make(index: int) -> int:
        time.sleep(0.02 if index % 4 == 0 else 0)
        return index

    batches = DataLoader(Dataset(16, make), 1, num_workers=4)
    assert [batch.item() for batch in batches] == list(range(16))


def test_no_more_is_read_ahead_than_asked_for() -> None:
    read = []
    data = Dataset(100, lambda index: read.append(index) or index)
    batches = iter(DataLoader(data, 1, num_workers=2, prefetch_factor=3))
    assert read == []
    for k in range(5):
        assert next(batches).item() == k
        time.sleep(0.02)
        assert len(read) <= k + 1 + 6
    deadline = time.monotonic() + 30
    while len(read) < 5 + 6 and time.monotonic() < deadline:  # and it does read ahead
        time.sleep(0.01)
    assert len(read) == 5 + 6
    batches.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize("method", [None, pytest.param("fork", marks=[needs_fork, forks])])
def test_a_consumer_that_stops_early_leaves_nothing(method: str | None) -> None:
    loader = DataLoader(range(1000), 1, num_workers=2, multiprocessing_context=method)
    for batch in loader:
        if batch.item() == 3:
            break
    assert _worker_threads() == []
    assert multiprocessing.active_children() == []
    with pytest.raises(ZeroDivisionError):
        _divide_by_first(loader)
    iter(loader)  # begun by nobody: starts nothing


def _worker_threads() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("pellucid-data")]


def _divide_by_first(loader: DataLoader) -> None:
    for batch in loader:
        1 // batch.item()


def test_batches_are_freed_without_the_garbage_collector() -> None:
    alive = []
    gc.disable()
    try:
        for (x,) in DataLoader(TensorDataset(np.zeros((40, 5))), 4, num_workers=2):
            alive.append(weakref.ref(x.array))
        del x
        assert [ref() for ref in alive] == [None] * 10
    finally:
        gc.enable()


@needs_fork
@forks
def test_a_process_that_dies_is_an_error_and_no_deadlock() -> None:
    data = Dataset(20, lambda index: os._exit(3) if index == 5 else index)
    with pytest.raises(DataError) as caught:
        list(DataLoader(data, 2, num_workers=2, multiprocessing_context="fork"))
    assert str(caught.value) == (
        "DataLoader: a worker process ended before it answered\n"
        "  fix: see its own message above, if any; it may have been killed for want of memory; a "
        "script that uses 'spawn' must start its work under if __name__ == '__main__':"
    )


def test_what_cannot_be_sent_to_a_process_is_said_before_one_starts() -> None:
    loader = DataLoader([1], collate_fn=lambda samples: samples, multiprocessing_context="spawn")
    with pytest.raises(DataError) as caught:
        list(loader)
    first, *_, last = str(caught.value).splitlines()
    assert first.startswith("DataLoader: the dataset or the collate_fn cannot be sent to a process")
    assert last == (
        "  fix: define their classes and functions at the top level of a module, or use threads "
        "(multiprocessing_context=None)"
    )


SCRIPT = """
import time
from pellucid.data import DataLoader
batches = iter(DataLoader(range(100), num_workers=2, multiprocessing_context="fork"))
next(batches)
print("ready", flush=True)
time.sleep(60)
"""


@needs_fork
@pytest.mark.parametrize("how", ["SIGKILL", "SIGINT"])
def test_processes_end_with_their_parent(how: str) -> None:
    command = [sys.executable, "-c", SCRIPT]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"ready\n"
        parent.send_signal(getattr(signal, how))
        # The pipe ends when the last process that inherited it has ended.
        _, error = parent.communicate(timeout=30)
    assert error.count(b"Traceback") == (1 if how == "SIGINT" else 0)
