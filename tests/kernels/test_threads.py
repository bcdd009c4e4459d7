"""The thread pool under Python: how many threads, callers that meet, children, denormals."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest
from kernels.conv.native import needs_native, normal

import pellucid
from pellucid.data import DataLoader
from pellucid.kernels import conv
from pellucid.kernels.conv import ConvSpec

SPEC = ConvSpec.parse("n8 c32 i28x28 o32 k3x3 p1")
X, W = normal(SPEC.x_shape, 0, "float32"), normal(SPEC.w_shape, 1, "float32")

pytestmark = needs_native


@pytest.fixture(autouse=True)
def number_of_threads() -> Iterator[None]:
    """Set three, more than some machines have, and put back what there was."""
    before = pellucid.get_num_threads()
    pellucid.set_num_threads(3)
    yield
    pellucid.set_num_threads(before)


def said(code: str, **environment: str) -> str:
    """Return what a new interpreter prints."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **environment},
    )
    return done.stdout.strip()


# --- how many -----------------------------------------------------------------------------------


def test_the_number_goes_up_and_down():
    expected = conv.forward(X, W, None, SPEC)
    for threads in (1, 5, 2, 64, 1, 3):
        pellucid.set_num_threads(threads)
        assert pellucid.get_num_threads() == threads
        assert np.array_equal(conv.forward(X, W, None, SPEC), expected)


def test_the_number_from_the_environment_and_the_affinity():
    code = "import pellucid; print(pellucid.get_num_threads())"
    assert said(code, PELLUCID_NUM_THREADS="5") == "5"
    pinned = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); "
    assert said(pinned + code, PELLUCID_NUM_THREADS="") == "1"
    assert said(pinned + code, PELLUCID_NUM_THREADS="none") == "1"


MANY = """
import os, sys
sys.path.insert(0, "tests")
from kernels.test_threads import SPEC, W, X
import pellucid
from pellucid.kernels import conv
def tasks(): return len(os.listdir("/proc/self/task"))
before = tasks()
pellucid.set_num_threads(1)
conv.forward(X, W, None, SPEC)
alone = tasks() - before
pellucid.set_num_threads(4)
conv.forward(X, W, None, SPEC)
print(alone, tasks() - before)
"""


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="counts threads in /proc")
def test_threads_are_started_when_they_are_needed():
    assert said(MANY) == "0 3"


# --- callers that meet ----------------------------------------------------------------------------


def test_python_threads_may_call_at_once():
    expected, results = conv.forward(X, W, None, SPEC), []

    def work() -> None:
        results.extend(conv.forward(X, W, None, SPEC) for _ in range(20))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(results) == 80
    assert all(np.array_equal(y, expected) for y in results)


def test_the_interpreter_ends_while_threads_wait_or_work():
    code = (
        'import sys; sys.path.insert(0, "tests")\n'
        "import threading\n"
        "from kernels.test_threads import SPEC, W, X\n"
        "import pellucid\n"
        "from pellucid.kernels import conv\n"
        "pellucid.set_num_threads(4)\n"
        "def work():\n"
        "    while True: conv.forward(X, W, None, SPEC)\n"
        "threading.Thread(target=work, daemon=True).start()\n"
        "conv.forward(X, W, None, SPEC)\n"
        "print('done')"
    )
    assert said(code) == "done"


# --- children -------------------------------------------------------------------------------------


def convolve(_: int = 0) -> tuple[int, int, bytes]:
    """Return how many threads this process may use, how many it has, and y."""
    y = conv.forward(X, W, None, SPEC)
    return pellucid.get_num_threads(), len(os.listdir("/proc/self/task")), y.tobytes()


def convolve_alone(expected: bytes) -> None:
    """Fail in a child that is not alone, or wrong."""
    assert convolve() == (1, 1, expected)  # the children together must not oversubscribe


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
class TestChildren:
    def test_fifty_forks_while_another_thread_convolves(self):
        expected, busy = conv.forward(X, W, None, SPEC).tobytes(), True

        def work() -> None:
            while busy:
                conv.forward(X, W, None, SPEC)

        thread = threading.Thread(target=work)
        thread.start()
        began = time.monotonic()
        context = multiprocessing.get_context("fork")
        try:
            for _ in range(50):
                child = context.Process(target=convolve_alone, args=(expected,))
                child.start()
                child.join(60 - (time.monotonic() - began))
                assert child.exitcode == 0
        finally:
            busy = False
            thread.join(60)
        assert not thread.is_alive()

    @pytest.mark.parametrize("method", ["fork", "spawn"])
    def test_a_pool_of_processes(self, method):
        expected = conv.forward(X, W, None, SPEC).tobytes()
        context = multiprocessing.get_context(method)
        with ProcessPoolExecutor(2, mp_context=context) as pool:
            found = list(pool.map(convolve, range(4)))
        assert all(y == expected for _, _, y in found)
        if method == "fork":
            assert {number for number, _, _ in found} == {1}

    def test_a_child_may_ask_for_more_threads(self):
        expected = conv.forward(X, W, None, SPEC).tobytes()
        context = multiprocessing.get_context("fork")
        with ProcessPoolExecutor(1, context, pellucid.set_num_threads, (3,)) as pool:
            number, tasks, y = pool.submit(convolve).result(60)
        assert (number, y) == (3, expected)
        assert tasks >= 3

    def test_a_data_loader_whose_workers_convolve(self):
        expected = [conv.forward(x[None], W, None, ConvSpec.parse(str(SPEC)[3:])) for x in X]
        loader = DataLoader(Convolved(), 2, num_workers=2, multiprocessing_context="fork")
        found = [y.numpy() for batch in loader for y in batch[0]]
        assert all(np.array_equal(a, b[0]) for a, b in zip(found, expected, strict=True))
        assert pellucid.get_num_threads() == 3


class Convolved:
    """A dataset that computes its samples, as an augmentation would."""

    def __len__(self) -> int:
        return len(X)

    def __getitem__(self, index: int) -> tuple[np.ndarray]:
        assert pellucid.get_num_threads() == 1
        return (conv.forward(X[index][None], W, None, ConvSpec.parse(str(SPEC)[3:]))[0],)


# --- denormals ------------------------------------------------------------------------------------


def denormals_are_there() -> bool:
    """Whether NumPy's arithmetic on this thread gives denormal numbers, and takes them."""
    half = np.full(9, np.finfo("float32").smallest_normal) * np.float32(0.5)
    return bool(half.all() and (half * np.float32(1)).all())


def test_an_import_changes_nothing():
    code = (
        "import numpy as np\n"
        "def there(): return bool((np.full(9, 1e-40, 'float32') * np.float32(1)).all())\n"
        "before = there()\n"
        "import pellucid\n"
        "print(before, there())"
    )
    assert said(code) == "True True"


@pytest.mark.parametrize("algorithm", ["direct", "winograd"])
@pytest.mark.parametrize("threads", [1, 3])
def test_denormals_are_flushed_in_every_job_and_nowhere_else(algorithm, threads):
    pellucid.set_num_threads(threads)
    x = np.full(SPEC.x_shape, np.float32(1e-40))
    w = np.ones(SPEC.w_shape, "float32")
    assert denormals_are_there()
    for _ in range(20):
        assert not conv.forward(x, w, None, SPEC, algorithm=algorithm).any()
        assert not conv.grad_weight(np.ones(SPEC.y_shape, "f"), x, SPEC, algorithm=algorithm).any()
        assert denormals_are_there()
    assert conv.forward(x, w, None, SPEC, algorithm="im2col").all()


def test_denormals_of_another_python_thread():
    found = []

    def work() -> None:
        conv.forward(X, W, None, SPEC)
        found.append(denormals_are_there())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(60)
    assert found == [True]
