"""Every example runs as a user runs it, without a warning, and prints what it is there to show."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[1] / "examples"

# Script -> lines, or parts of lines, of what it prints.
SHOWS = {
    "01_tensor_and_gradient.py": [
        "  Pow  -> Sub",
        "dloss/dw    -12.0000   -12.0000     -12.0000",
        "shared [7.0, 0.0, 0.0], copied [0.0, 0.0, 0.0]",
    ],
    "02_worked_example.py": [
        "dL/dx13 = dL/do11 w13 + dL/do12 w11 = 1*3 + 10*1 = 13 | 13\n",
        "dL/dx15 = dL/do12 w13 = 10*3 = 30 | 30\n",
        "dL/dw11 = dL/do11 x11 + dL/do12 x13 + dL/do21 x31 + dL/do22 x33 "
        "= 1*1 + 10*3 + 100*11 + 1000*13 = 14131 | 14131\n",
        "dL/db = dL/do11 + dL/do12 + dL/do21 + dL/do22 = 1111 | 1111\n",
        " [ 107  208 1379 2080 3090]\n",
    ],
    "03_your_own_function.py": [
        "Softplus: gradgradcheck True",
        "gradcheck: input 0 at (2, 3) (value ",
        "RunningSum: adjoint True",
        "adjoint: <f, gy> = ",
    ],
    "04_digits.py": ["6,090 weights", "epoch 5:  9", "the first test picture, a 5:", "read as 5, "],
    "05_leftover_rows.py": [
        "5x5 -> 2x2, left over: (5 - 3) mod 2 = 0",
        " [ 7  8 16  8  9  0]\n [ 0  0  0  0  0  0]]\nthe recipe alone: 5x5, too small\n",
        "[[1 0 2 0 3 0 2 0 1]\n [0 0 0 0 0 0 0 0 0]\n",
    ],
    "06_double_backward.py": ["  40  0.00", "gradgradcheck of f: True"],
    "07_transposed_convolution.py": [
        "[[1 2 3 0 0 0 0]\n [0 0 1 2 3 0 0]\n",
        "conv_transpose1d of gy [  1   2  13  20 130 200 300]",
        "3 -> 8 pixels with output_padding=1, and the convolution makes 3 of them",
        "  3 taps [1 1 2 1 2 1 1]",
        "epoch 8: mean squared error 0.02",
    ],
    "08_diagnose.py": [
        "backward: None, None, None\n",
        "not_added: assigned-not-added, c1 i5x5 o1 k3x3 s2, gx[0,0,0,2]\n",
        "not_flipped: kernel-not-flipped, c1 i4x4 o1 k3x3, gx[0,0,0,0]\n",
        "not_cropped: empty-crop, c1 i5x5 o1 k3x3 s2, None\n",
        "not_transposed: reshape-for-transpose, n2 c2 i4x4 o2 k3x3, gw[0,0,0,0]\n",
        "right   dL/dx13 = dL/do11 w13 + dL/do12 w11 = 1*3 + 10*1 = 13\n",
        "yours   dL/do12 w11 = 10*1 = 10\n",
        "gx: 커널이 거꾸로 놓였다. [kernel-not-flipped]\n",
    ],
}


def test_the_table_has_every_example() -> None:
    assert sorted(path.name for path in FOLDER.glob("*.py")) == sorted(SHOWS)


@pytest.mark.parametrize("name", SHOWS)
def test_an_example_runs_and_shows_what_it_is_for(name: str, tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", str(FOLDER / name)]
    ran = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert ran.returncode == 0, ran.stderr
    for part in SHOWS[name]:
        assert part in ran.stdout


@pytest.mark.parametrize("name", SHOWS)
def test_an_example_says_how_it_is_run(name: str) -> None:
    text = (FOLDER / name).read_text(encoding="utf-8")
    assert text.startswith(f'"""{int(name[:2])}. ')
    assert f"\n    python examples/{name}\n" in text
