"""Strict skips: a skip that is not allowed fails, and so does an allowance that nobody needs."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

SKIPPED = """
import pytest

@pytest.mark.skip(reason="no data here")
def test_marked(): pass

def test_inside(): pytest.skip("no luck today")

def test_runs(): pass

@pytest.mark.xfail(reason="known")
def test_known(): assert False
"""
# The plugin of Hypothesis would import all of it again for each small suite.
PLAIN = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest")
MODULE = "import pytest\npytest.importorskip('no_such_module')\n\ndef test_peer(): pass\n"


@pytest.fixture
def suite(pytester: pytest.Pytester) -> pytest.Pytester:
    """A small suite that skips in a mark, in a body and as a whole module."""
    pytester.makeconftest((Path(__file__).parent / "conftest.py").read_text(encoding="utf-8"))
    pytester.makepyfile(test_some=SKIPPED)
    return pytester


def run(suite: pytest.Pytester, *allowed: str) -> pytest.RunResult:
    suite.path.joinpath("allowed.txt").write_text("# a comment\n\n" + "\n".join(allowed))
    return suite.runpytest_inprocess("--strict-skips", "allowed.txt", *PLAIN)


def test_without_the_option_skips_are_skips(suite: pytest.Pytester) -> None:
    suite.runpytest_inprocess(*PLAIN).assert_outcomes(passed=1, skipped=2, xfailed=1)


def test_a_skip_is_a_failure_that_names_test_and_reason(suite: pytest.Pytester) -> None:
    result = run(suite, "test_some.py::test_marked  the data are not public")
    result.assert_outcomes(passed=1, skipped=1, failed=1, xfailed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        ["test_some.py::test_inside: Skipped: no luck today, and allowed.txt does not allow it"]
    )


def test_allowed_skips_pass(suite: pytest.Pytester) -> None:
    result = run(suite, "test_some.py  a prefix allows all that begins with it")
    result.assert_outcomes(passed=1, skipped=2, xfailed=1)
    assert result.ret == pytest.ExitCode.OK


def test_a_skipped_module_is_an_error(suite: pytest.Pytester) -> None:
    suite.makepyfile(test_peer=MODULE)
    result = run(suite, "test_some.py  allowed")
    result.assert_outcomes(errors=1)
    assert result.ret != pytest.ExitCode.OK
    result.stdout.fnmatch_lines(
        ["test_peer.py: Skipped: could not import 'no_such_module': *does not allow it"]
    )


def test_a_skipped_module_can_be_allowed(suite: pytest.Pytester) -> None:
    suite.makepyfile(test_peer=MODULE)
    result = run(suite, "test_some.py  allowed", "test_peer.py  there is no such module")
    result.assert_outcomes(passed=1, skipped=3, xfailed=1)
    assert result.ret == pytest.ExitCode.OK


def test_an_allowance_that_nobody_needs_fails(suite: pytest.Pytester) -> None:
    result = run(suite, "test_some.py  allowed", "test_some.py::test_runs  it does run")
    result.assert_outcomes(passed=1, skipped=2, xfailed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        ["allowed.txt: no test of 'test_some.py::test_runs' was skipped; take the line out"]
    )


def test_an_allowance_for_tests_that_were_not_chosen_is_left_alone(suite: pytest.Pytester) -> None:
    result = run(suite, "test_some.py  allowed", "test_other.py  not part of this run")
    assert result.ret == pytest.ExitCode.OK


def test_an_allowance_needs_a_reason(suite: pytest.Pytester) -> None:
    result = run(suite, "test_some.py::test_marked")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*allowed.txt:3: 'test_some.py::test_marked' gives no reason"])
