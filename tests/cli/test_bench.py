"""`pellucid bench`: a line for each direction, and clear words for a bad spec."""

from __future__ import annotations

import pytest
from cli.command import run

import pellucid
from pellucid.cli import bench


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "LEAST_SECONDS", 0.0)
    monkeypatch.setattr(bench, "LEAST_RUNS", 2)


def test_a_line_for_each_direction() -> None:
    title, header, *rows = bench.bench(
        "n2 c3 i9x9 o4 k3x3 s2", "float64", "reference", None
    ).splitlines()
    assert title.startswith("n2 c3 i9x9 o4 k3x3 s2, float64, ")
    assert header.split() == ["direction", "algorithm", "ms", "GFLOP/s", "of", "the", "peak"]
    assert [row.split()[:2] for row in rows] == [
        ["forward", "reference"],
        ["grad_input", "reference"],
        ["grad_weight", "reference"],
    ]
    assert all(float(row.split()[2]) >= 0 for row in rows)


def test_forward_once_more_with_packed_weights() -> None:
    code, out, _ = run("bench", "c16 i9x9 o16 k3x3", "--algorithm", "reference", "--packed")
    assert code == 0
    assert [row.split()[:2] for row in out.splitlines()[2:]] == [
        ["forward", "reference"],
        ["grad_input", "reference"],
        ["grad_weight", "reference"],
        ["packed", "reference"],
    ]


def test_the_number_of_threads() -> None:
    before = pellucid.get_num_threads()
    try:
        assert ", 1 thread, " in bench.bench("c1 i5x5 o1 k3x3", "float32", None, 1)
    finally:
        pellucid.set_num_threads(before)


def test_without_the_native_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "module", None)
    text = bench.bench("c1 i5x5 o1 k3x3", "float32", "reference", None)
    assert text.splitlines()[0].endswith("NumPy kernels")
    assert text.splitlines()[2].endswith("unknown")


def test_bad_input() -> None:
    code, out, error = run("bench", "c1 i5x5 o1")
    assert (code, out) == (2, "")
    assert error == (
        "error: ConvSpec.parse: key 'k' is missing\n"
        "  'c1 i5x5 o1'\n"
        "  fix: give at least c, i, o and k, as in c3 i32x32 o16 k3x3\n"
    )
    code, _, error = run("bench", "c1 i5x5 o1 k3x3", "--dtype", "int64")
    assert (code, error) == (
        2, "error: bench: dtype=int64 is no float\n  fix: use float32 or float64\n"
    )  # fmt: skip


@pytest.mark.skipif(bench.module is None, reason="the peak is the native module's")
def test_more_threads_than_processors_do_not_raise_the_peak(monkeypatch) -> None:
    monkeypatch.setattr(bench.module, "fma_peak", lambda double, seconds: 10.0)
    monkeypatch.setattr(bench.os, "cpu_count", lambda: 4)
    for threads, peak in ((1, 10.0), (4, 40.0), (1000, 40.0)):
        monkeypatch.setattr(pellucid, "get_num_threads", lambda threads=threads: threads)
        assert bench._peak(4) == peak


def test_what_the_memory_cannot_hold() -> None:
    code, out, error = run("bench", "n9999999 c4096 i9999x9999 o4096 k3x3")
    assert (code, out, error) == (1, "", "error: there is not enough memory for this\n")
