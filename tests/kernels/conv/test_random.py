"""Ten thousand random convolutions: every algorithm, direction, layout, and number of threads.

A hundred of them run always, a thousand in CI, all with the marker `full`. Others run by

    PELLUCID_ISA=avx512 pytest -m "" tests/kernels/conv/test_random.py --seed 7 --specs 500

and the message of a failure ends with the options that run that one alone.
"""

from __future__ import annotations

import pytest
from kernels.conv.checks import check
from kernels.conv.random_specs import draw

BLOCK = 100  # specs of one test


def chosen(specs: str | None) -> range:
    """Return the numbers of the specs to test: `500`, `20:500`, or `7:` for one."""
    first, colon, stop = (specs or "10000").rpartition(":")
    if colon and not stop:
        return range(int(first), int(first) + 1)
    return range(int(first or 0), int(stop))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Cut the specs into blocks of a hundred: one for everyone, ten for CI."""
    if "numbers" in metafunc.fixturenames:
        seed, specs = metafunc.config.getoption("--seed"), metafunc.config.getoption("--specs")
        numbers = chosen(specs)
        blocks = [numbers[k : k + BLOCK] for k in range(0, len(numbers), BLOCK)]
        marks = [(), *[pytest.mark.slow] * 9, *[pytest.mark.full] * len(blocks)]
        cases = [
            pytest.param(
                seed, block, id=f"seed{seed}-{block[0]}..{block[-1]}", marks=() if specs else mark
            )
            for block, mark in zip(blocks, marks, strict=False)
        ]
        metafunc.parametrize(("seed", "numbers"), cases)


def test_random_specs(seed, numbers):
    for number in numbers:
        check(draw(seed, number))


def test_a_spec_is_the_same_on_any_machine():
    assert str(draw(0, 0)) == (
        "c6 i4x5x7 o34 k1x4x3 s2x4x3 p-1:0x3:2x1:0 d4x2x2 g2; float64; x channels-last, "
        "w channels-last, b every-other, gy negative-channels-last, bx row-major; "
        "--seed 0 --specs 0:"
    )
    assert draw(0, 1) != draw(1, 1)


def test_which_specs_are_chosen():
    assert chosen(None) == range(10_000)
    assert chosen("500") == range(500)
    assert chosen("20:500") == range(20, 500)
    assert chosen("7:") == range(7, 8)
