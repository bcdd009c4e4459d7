"""The crossovers: found in the right place, and measured on what they say."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest
from benchmarks import thresholds
from benchmarks.thresholds import SWEEPS, Sweep, calls_of, crossover, measure, report, times
from kernels.conv.native import needs_native

import pellucid
from pellucid.kernels import matmul
from pellucid.kernels.conv import winograd
from pellucid.kernels.native import module

TINY = Sweep(
    "tiny", "winograd", "direct", True, {1: ["c1 i6x6 o2 k3x3"], 2: ["c2 i6x6 o2 k2x2"]}, 16
)


def test_the_crossover_is_where_nothing_beyond_it_is_lost() -> None:
    ratios = {n: {"forward": r} for n, r in {4: 1.2, 8: 0.9, 16: 1.1, 32: 2.0}.items()}
    assert crossover(ratios, "forward", upwards=True) == 16
    assert crossover(ratios, "forward", upwards=False) == 4
    ratios[32] = {"forward": float("nan")}
    assert crossover(ratios, "forward", upwards=True) is None


@needs_native
def test_two_tiny_specs() -> None:
    ratios, table = measure(TINY, "float32", turns=2)
    assert table[0][2:] == ["winograd us", "lanewise us", "direct us", "fastest"]
    assert [row[:2] for row in table[1:4]] == [
        ["c1 i6x6 o2 k3x3", direction] for direction in ("forward", "grad_input", "grad_weight")
    ]
    assert all(row[3] == "-" and float(row[4]) > 0 for row in table[1:])
    assert all(row[2] == "-" and row[5] == "direct" for row in table[4:]), "Winograd refuses 2x2"
    assert all(ratio > 0 for ratio in ratios[1].values())
    assert all(np.isnan(ratio) for ratio in ratios[2].values())
    text = report(TINY, "float32", "avx2", turns=1)
    assert "### tiny (avx2, float32)" in text
    assert text.endswith(
        "winograd wins from: forward None, grad_input None, grad_weight None; the constant is 16\n"
    )


def test_turns_alternate() -> None:
    heard: list[str] = []
    calls = {name: lambda name=name: heard.append(name) for name in "ab"}  # type: ignore[misc]
    before = thresholds.TURN_SECONDS
    try:
        thresholds.TURN_SECONDS = 1e-12
        times(calls, 3)
    finally:
        thresholds.TURN_SECONDS = before
    assert "".join(heard) == "ab" + "ab" + "ab" + "ba" + "ab"


@needs_native
def test_every_sweep_has_problems_for_both_and_products_are_the_same_both_ways() -> None:
    for sweep in SWEEPS:
        able = [calls_of(p, "float32")["forward"] for ps in sweep.problems.values() for p in ps]
        assert any({sweep.winner, sweep.rival} <= set(calls) for calls in able)
    before = matmul._VERY_FEW
    read, packed = calls_of("3 200 600", "float32")["forward"].values()
    assert np.array_equal(read(), packed())
    assert before == matmul._VERY_FEW
    constants = [sweep.constant for sweep in SWEEPS]
    named = {winograd._LEAST_CHANNELS, winograd._LEAST_IN_MANY, winograd._LEAST_PIXELS}
    named.add(matmul._VERY_FEW)
    assert named == set(constants) - {None}


@needs_native
def test_the_command_prints_each_dtype_and_instruction_set(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    isa, threads = module.isa(), pellucid.get_num_threads()
    monkeypatch.setattr(thresholds, "SWEEPS", [TINY, replace(TINY, title="not asked for")])
    monkeypatch.setattr(
        sys, "argv", ["thresholds.py", "--only", "tiny", "--turns", "1", "--isa", "baseline"]
    )
    try:
        thresholds.main()
    finally:
        module.select_isa(isa)
        pellucid.set_num_threads(threads)
    titles = [line for line in capsys.readouterr().out.splitlines() if line.startswith("### ")]
    assert titles == ["### tiny (baseline, float32)", "### tiny (baseline, float64)"]
