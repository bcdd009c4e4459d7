"""`import pellucid` is light: it brings NumPy and little else, starts nothing and says nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest

import pellucid

HEAVY = {
    "typer", "click", "rich", "jinja2", "matplotlib", "PIL", "pooch", "sympy",
    "latex2mathml",  # these are in the extra `app`
    "torch", "onnx", "scipy", "hypothesis", "pytest", "IPython",  # peers and tests
    "multiprocessing", "concurrent", "asyncio", "socket", "ssl", "http", "urllib.request",
    "sqlite3", "unittest", "doctest", "pydoc", "tkinter",
}  # fmt: skip


def fresh(script: str) -> str:
    """Run a script in a new interpreter where warnings are errors; return what it prints."""
    command = [sys.executable, "-W", "error", "-c", script]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    return ran.stdout


def modules_after(statement: str) -> set[str]:
    return set(fresh(f"import sys\n{statement}\nprint(*sys.modules, sep='\\n')").split())


def test_importing_pellucid_brings_nothing_heavy() -> None:
    brought = modules_after("import pellucid") - modules_after("import numpy")
    assert "pellucid" in brought
    assert brought & HEAVY == set()


def test_the_check_sees_what_is_heavy() -> None:
    assert modules_after("import socket, unittest.mock") >= {"socket", "unittest", "asyncio"}


@pytest.mark.parametrize("what", ["threading.enumerate()", "gc.callbacks", "signal_handlers()"])
def test_importing_pellucid_leaves_the_process_as_it_was(what: str) -> None:
    script = f"""
import gc, numpy, os, random, signal, sys, threading, warnings

def signal_handlers():
    return [signal.getsignal(number) for number in signal.valid_signals()]

before = list({what})
import pellucid
assert list({what}) == before, ({what}, before)
print("same")
"""
    assert fresh(script) == "same\n"


@pytest.mark.parametrize(
    "what",
    ["dict(os.environ)", "numpy.geterr()", "warnings.filters[:]", "numpy.get_printoptions()",
     "random.getstate()", "numpy.random.get_state()[1].tolist()", "sys.getrecursionlimit()"],
)  # fmt: skip
def test_importing_pellucid_changes_no_setting(what: str) -> None:
    script = f"""
import numpy, os, random, sys, warnings

before = {what}
import pellucid
assert {what} == before, ({what}, before)
print("same")
"""
    assert fresh(script) == "same\n"


@pytest.mark.parametrize("room", ["data", "explain", "models", "testing", "training"])
def test_a_room_is_imported_when_it_is_first_asked_for(room: str) -> None:
    script = f"""
import sys
import pellucid

assert "pellucid.{room}" not in sys.modules
print(pellucid.{room}.__name__, pellucid.{room} is sys.modules["pellucid.{room}"])
"""
    assert fresh(script) == f"pellucid.{room} True\n"


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(AttributeError, match=r"^module 'pellucid' has no attribute 'cuda'$"):
        pellucid.cuda  # noqa: B018
