"""The worked example in docs is what the commands show today."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "worked_example"


@pytest.fixture(scope="module")
def written() -> dict[str, str]:
    spec = importlib.util.spec_from_file_location("write", FOLDER / "write.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.files()


@pytest.mark.parametrize("name", ["page.html", "terminal.txt", "terminal.ko.txt"])
def test_the_files_are_what_the_script_writes(name: str, written: dict[str, str]) -> None:
    kept = (FOLDER / name).read_text(encoding="utf-8")
    assert kept == written[name], f"run python docs/worked_example/write.py: {name} is old"


def test_the_terminal_has_the_equations_word_for_word(written: dict[str, str]) -> None:
    lines = [line.strip() for line in written["terminal.txt"].splitlines()]
    assert "dL/dx13 = dL/do11 w13 + dL/do12 w11" in lines
    assert "dL/dw11 = dL/do11 x11 + dL/do12 x13 + dL/do21 x31 + dL/do22 x33" in lines
    assert "dL/db = dL/do11 + dL/do12 + dL/do21 + dL/do22" in lines
