"""Workers: threads or processes that read batches ahead of the one who trains.

Batches come back in the order in which they were asked for, at most `ahead` of them are under way,
and what goes wrong in a worker is raised in the consumer. Both kinds are executors of the standard
library; whoever stops in the middle closes the generator, which waits for the batches being read
and leaves no worker behind. Not here: which samples make a batch (loader.py). Next room: loader.py.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent import futures
from functools import partial
from itertools import islice
from multiprocessing.context import BaseContext
from typing import Any, NamedTuple, TypeAlias

from pellucid.data.collate import collate
from pellucid.data.dataset import Dataset, read_batch
from pellucid.errors import DataError

Collate: TypeAlias = "Callable[[list[Any]], Any]"


class Job(NamedTuple):
    """What a worker needs to make any batch; `collate_fn` None is the library's own."""

    dataset: Dataset
    collate_fn: Collate | None

    def read(self, indices: Sequence[int]) -> Any:
        """Return the batch of these samples.

        Raises: DataError that names the sample whose reading failed, caused by that failure.
        """
        if self.collate_fn is not None:
            return self.collate_fn([self._sample(index) for index in indices])
        try:
            batch = read_batch(self.dataset, indices)
        except Exception as error:
            raise _unreadable(f"samples {_few(indices)}", "read_batch", error) from error
        if batch is not None:
            return batch
        return collate([self._sample(index) for index in indices], indices)

    def _sample(self, index: int) -> Any:
        try:
            return self.dataset[index]
        except Exception as error:
            raise _unreadable(f"sample {index}", f"dataset[{index}]", error) from error


def read_ahead(
    job: Job,
    batches: Iterable[Sequence[int]],
    num_workers: int,
    ahead: int,
    context: BaseContext | None,
) -> Iterator[Any]:
    """Yield the batches in order, reading up to `ahead` of them before they are asked for.

    `context` None means threads, else processes of that multiprocessing context.
    """
    if num_workers == 0:
        yield from map(job.read, batches)
        return
    executor, read = _start(job, num_workers, context)
    batches = iter(batches)
    try:
        waiting = deque(executor.submit(read, indices) for indices in islice(batches, ahead))
        while waiting:
            batch = waiting.popleft().result()
            waiting.extend(executor.submit(read, indices) for indices in islice(batches, 1))
            yield batch
    except futures.BrokenExecutor as error:
        raise DataError(
            "DataLoader",
            "a worker process ended before it answered",
            fix="see its own message above, if any; it may have been killed for want of memory; a "
            "script that uses 'spawn' must start its work under if __name__ == '__main__':",
        ) from error
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def _start(
    job: Job, num_workers: int, context: BaseContext | None
) -> tuple[futures.Executor, Callable[[Sequence[int]], Any]]:
    if context is None:
        return futures.ThreadPoolExecutor(num_workers, thread_name_prefix="pellucid-data"), job.read
    # A forked process inherits the job; another one gets it pickled, once for all workers.
    payload = job if context.get_start_method() == "fork" else _pickled(job)
    executor = futures.ProcessPoolExecutor(
        num_workers, mp_context=context, initializer=_begin, initargs=(payload,)
    )
    return executor, _read_in_process


def _pickled(job: Job) -> bytes:
    try:
        return pickle.dumps(job)
    except Exception as error:
        raise DataError(
            "DataLoader",
            f"the dataset or the collate_fn cannot be sent to a process: {error}",
            fix="define their classes and functions at the top level of a module, or use threads "
            "(multiprocessing_context=None)",
        ) from error


# In a worker process.

_payload: Job | bytes


def _begin(payload: Job | bytes) -> None:
    """Keep the job; leave Ctrl-C to the parent, and end when the parent ends."""
    global _payload  # noqa: PLW0603  the one job of this process
    _payload = payload
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=partial(_end_with, parent), daemon=True).start()


def _end_with(parent: Any) -> None:
    parent.join()
    os._exit(1)


def _read_in_process(indices: Sequence[int]) -> Any:
    global _payload  # noqa: PLW0603  unpickled by the first batch, whose error reaches the parent
    if isinstance(_payload, bytes):
        _payload = pickle.loads(_payload)
    assert isinstance(_payload, Job)
    return _payload.read(indices)


# Messages.


def _few(indices: Sequence[int]) -> str:
    """Name up to eight indices."""
    text = ", ".join(map(str, indices[:8]))
    return text if len(indices) <= 8 else f"{text}, ... ({len(indices)} of them)"


def _unreadable(what: str, where: str, error: Exception) -> DataError:
    return DataError(
        "DataLoader",
        f"{what} could not be read: {type(error).__name__}: {error}",
        fix=f"{where} raised this error; try it alone",
    )
