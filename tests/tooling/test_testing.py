"""bin/test itself: nothing is left out, nothing is called green that is not."""

import subprocess
import sys
from pathlib import Path

import pytest

from devtools import testing
from devtools.checks import Count
from devtools.paths import ROOT
from devtools.pytest_run import STAGES, counted

REPORT = '<testsuites><testsuite tests="7" failures="1" errors="1" skipped="2"/></testsuites>'


def test_errors_are_failures_and_skipped_tests_have_not_passed(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text(REPORT)
    assert counted(report, 1) == Count(passed=3, failed=2, skipped=2)


@pytest.mark.parametrize("exit_code", [2, 3, 4, 5, -9])
def test_an_ending_that_no_test_explains_is_a_failure(tmp_path: Path, exit_code: int) -> None:
    assert counted(tmp_path / "none.xml", exit_code) == Count(failed=1)


def test_the_last_line_is_the_sum_and_the_exit_code_follows_it(capsys: pytest.CaptureFixture[str]) -> None:
    told = [testing.Heading("a", Count(3, 0, 1), 1.0), testing.Heading("b", Count(2, 1), 1.0)]
    assert testing.summary(told, []) == 1
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "5 passed, 1 failed, 1 skipped",
        "5 passed, 1 failed",
    ]
    assert testing.summary(told[:1], []) == 0


def test_what_is_not_ours_goes_to_pytest_in_the_order_in_which_it_came() -> None:
    options, words = testing.parse(["tests/engine", "-k", "alarm", "--unit", "--durations=5", "-x"])
    assert options.unit
    assert words == ["tests/engine", "-k", "alarm", "--durations=5", "-x"]


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """A small suite with a test of every kind."""
    tests = tmp_path / "tests"
    for room in ("servers", "integration", "browser", "journeys"):
        (tests / room).mkdir(parents=True)
        (tests / room / "test_it.py").write_text("def test_it(): pass\n")
    marked = "import pytest\n" + "".join(
        f"@pytest.mark.{mark}\ndef test_{mark}(): pass\n" for mark in ("integration", "root", "browser")
    )
    (tests / "servers" / "test_marked.py").write_text(marked)
    return tests


def collected(suite: Path, stage: str) -> list[str]:
    code = (
        "import sys, pathlib, pytest\nfrom devtools import pytest_stage\n"
        f"pytest_stage.TESTS = pathlib.Path({str(suite)!r})\n"
        f"sys.exit(pytest.main(['-c', '/dev/null', '--rootdir', {str(suite)!r}, '-p', 'no:cacheprovider', '-p', 'no:django',"
        f"'-W', 'ignore', '--import-mode=importlib', '-q', '--collect-only', '--stage', {stage!r}, {str(suite)!r}],"
        " plugins=[pytest_stage]))"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout
    return [line for line in told.splitlines() if "::" in line]


@pytest.mark.integration
def test_every_test_runs_in_exactly_one_stage(suite: Path) -> None:
    by_stage = {stage: collected(suite, stage) for stage in STAGES}
    every = [name for names in by_stage.values() for name in names]
    assert len(every) == len(set(every)) == 7
    assert len(by_stage["unit"]) == len(by_stage["journeys"]) == 1
    assert len(by_stage["processes"]) == 1
    assert len(by_stage["integration"]) == 2
    assert len(by_stage["browser"]) == 2
