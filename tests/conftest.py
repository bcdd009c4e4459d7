"""Strict skips: with `--strict-skips`, a skipped test is a failure unless it is allowed by name.

`allowed_skips.txt` holds the exceptions, a line each: the beginning of a test's id (as pytest
prints it), two blanks or more, and the reason. An exception whose tests ran without a skip is an
error too, so that the list stays as short as the truth.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Generator
from pathlib import Path
from typing import TypeVar

import pytest

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


# A shell starts background commands with Ctrl-C ignored, and their children inherit that; tests of
# interruptions send it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the strict skips with the place of their list, and which random specs to test."""
    parser.addoption(
        "--strict-skips",
        metavar="FILE",
        type=Path,
        help="fail on skipped tests that this file does not allow",
    )
    parser.addoption(
        "--specs",
        metavar="[FIRST:]STOP",
        help="which random convolutions to test, in place of those of the suite; `7:` is one",
    )
    parser.addoption("--seed", type=int, default=0, help="what they are drawn from")


def pytest_configure(config: pytest.Config) -> None:
    """Switch the plugin on where it is asked for."""
    file = config.getoption("--strict-skips")
    if file is not None:
        config.pluginmanager.register(StrictSkips(file), "strict-skips")


def read_allowed(file: Path) -> dict[str, str]:
    """Return the beginnings of test ids that may be skipped, each with its reason."""
    allowed = {}
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            prefix, _, reason = re.sub(r" {2,}", "\0", line.strip(), count=1).partition("\0")
            if not reason:
                raise pytest.UsageError(f"{file}:{number}: '{prefix}' gives no reason")
            allowed[prefix] = reason
    return allowed


class StrictSkips:
    """Turns the reports of skipped tests into failures."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.allowed = read_allowed(file)
        self.ran: set[str] = set()
        self.used: set[str] = set()

    def _judge(self, report: Report) -> Report:
        self.ran.add(report.nodeid)
        if not report.skipped or hasattr(report, "wasxfail"):
            return report
        matches = [prefix for prefix in self.allowed if report.nodeid.startswith(prefix)]
        self.used.update(matches)
        if not matches:
            where = report.longrepr
            reason = where[2] if isinstance(where, tuple) else str(where)
            report.outcome = "failed"
            report.longrepr = f"{report.nodeid}: {reason}, and {self.file.name} does not allow it"
        return report

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Judge the report of one phase of a test."""
        return self._judge((yield))

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self,
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Judge the report of a whole module, which `importorskip` may skip."""
        return self._judge((yield))

    def stale(self) -> list[str]:
        """Return the exceptions whose tests all ran."""
        unused = [prefix for prefix in self.allowed if prefix not in self.used]
        return [p for p in unused if any(name.startswith(p) for name in self.ran)]

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail a session that is green but for an exception that nobody needs."""
        if self.stale() and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Name those exceptions."""
        for prefix in self.stale():
            line = f"{self.file.name}: no test of '{prefix}' was skipped; take the line out"
            terminalreporter.write_line(line, red=True)
