"""bin/test itself: nothing is left out, nothing is called green that is not."""

import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from devtools import pytest_stage, testing
from devtools.checks import Count
from devtools.paths import ROOT
from devtools.pytest_run import BY_PLACE, STAGES, counted

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


def test_help_says_what_runs_when(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        testing.parse(["--help"])

    said = capsys.readouterr().out.splitlines()
    stages = said[said.index("Stages, in this order:") + 1 :]
    assert [line.split()[0] for line in stages] == list(STAGES)
    assert "marked `root`" in stages[STAGES.index(pytest_stage.BY_MARK["root"])]
    assert "marked `integration`" in stages[STAGES.index(pytest_stage.BY_MARK["integration"])]
    for room, stage in BY_PLACE.items():
        assert (ROOT / "tests" / room).exists()
        assert f"tests/{room}" in stages[STAGES.index(stage)]


WAITS = """
import time
from devtools.dev import shown
shown(lambda: print("works", flush=True) or time.sleep(600))
"""


def test_one_that_a_script_put_into_the_background_can_be_ended() -> None:
    """There Ctrl-C means nothing to it."""
    command = [sys.executable, "-c", WAITS]
    deaf = partial(signal.signal, signal.SIGINT, signal.SIG_IGN)
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=deaf
    ) as running:
        try:
            assert running.stdout
            assert running.stdout.readline() == "works\n"
            running.terminate()
            assert running.communicate(timeout=120)[1] == "\nEnded.\n"
        finally:
            running.kill()


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """A small suite with a test of every kind."""
    tests = tmp_path / "tests"
    for room in ("servers", "sandbox", "integration", "browser", "journeys"):
        (tests / room).mkdir(parents=True)
        (tests / room / "test_it.py").write_text("def test_it(): pass\n")
    marked = "import pytest\n" + "".join(
        f"@pytest.mark.{mark}\ndef test_{mark}(): pass\n" for mark in ("integration", "root", "browser")
    )
    for room in ("servers", "sandbox"):
        (tests / room / "test_marked.py").write_text(marked)
    return tests


def staged(suite: Path, stage: str, *options: str, **env: str) -> subprocess.CompletedProcess[str]:
    """What pytest does with the stage of that suite."""
    code = (
        "import sys, pathlib, pytest\nfrom devtools import pytest_stage\n"
        f"pytest_stage.TESTS = pathlib.Path({str(suite)!r})\n"
        f"sys.exit(pytest.main(['-c', '/dev/null', '--rootdir', {str(suite)!r}, '-p', 'no:cacheprovider', '-p', 'no:django',"
        f"'-W', 'ignore', '--import-mode=importlib', '-q', *{options!r}, '--stage', {stage!r}, {str(suite)!r}],"
        " plugins=[pytest_stage]))"
    )
    outside = {name: value for name, value in os.environ.items() if name != "CI"}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=ROOT, env=outside | env, capture_output=True, text=True, check=False)


def collected(suite: Path, stage: str) -> list[str]:
    told = staged(suite, stage, "--collect-only").stdout
    return [line for line in told.splitlines() if "::" in line]


@pytest.mark.integration
def test_every_test_runs_in_exactly_one_stage(suite: Path) -> None:
    by_stage = {stage: collected(suite, stage) for stage in STAGES}
    every = [name for names in by_stage.values() for name in names]
    assert len(every) == len(set(every)) == 11
    assert len(by_stage["unit"]) == len(by_stage["journeys"]) == 1
    assert len(by_stage["processes"]) == 3
    assert len(by_stage["integration"]) == 3
    assert len(by_stage["browser"]) == 3


@pytest.mark.integration
def test_what_cannot_have_a_test_of_the_stage_is_not_read(suite: Path) -> None:
    (suite / "integration" / "test_it.py").write_text("raise RuntimeError('was read')\n")
    assert len(collected(suite, "unit")) == 1
    assert staged(suite, "unit").returncode == 0
    assert "was read" in staged(suite, "integration").stdout


SKIPPED = """
import pytest

@pytest.fixture(scope="module")
def host():
    pytest.skip("needs root on Linux")

@pytest.mark.root
def test_a_host(host): pass

@pytest.mark.root
def test_in_its_middle(): pytest.skip("no image")

@pytest.mark.integration
def test_something_else(): pytest.skip("no such program")
"""


@pytest.mark.integration
def test_where_ci_is_set_a_skipped_test_of_real_hosts_has_failed_and_says_why(suite: Path) -> None:
    (suite / "servers" / "test_hosts.py").write_text(SKIPPED)
    here = staged(suite, "integration", "-k", "hosts")
    assert (here.returncode, "2 skipped" in here.stdout) == (0, True)

    ci = staged(suite, "integration", "-k", "hosts", CI="true")
    assert ci.returncode == 1
    assert "may not be skipped where CI is set: Skipped: needs root on Linux" in ci.stdout
    assert "may not be skipped where CI is set: Skipped: no image" in ci.stdout
    assert ("1 failed" in ci.stdout, "1 error in" in ci.stdout) == (True, True)
    assert staged(suite, "processes", "-k", "hosts", CI="true").returncode == 0
