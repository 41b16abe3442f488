"""A pytest plug-in that sorts every test into exactly one stage, so that none is left out and none runs twice.

Where the environment says `CI`, a test of real hosts that is skipped has failed: nobody would read why it did not run.
"""

import os
from collections.abc import Generator
from pathlib import Path

import pytest

from devtools.pytest_run import BY_PLACE, STAGES

BY_MARK = {"browser": "browser", "root": "integration", "integration": "processes"}
TESTS = Path(__file__).resolve().parent.parent / "tests"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--stage", choices=STAGES, help="run only the tests of this stage")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """What cannot have a test of the stage is not even read: there are thousands of tests."""
    wanted = config.getoption("--stage")
    if not wanted or not collection_path.is_relative_to(TESTS):
        return None
    place = collection_path.relative_to(TESTS).as_posix()
    its = place if place in STAGES else BY_PLACE.get(place, wanted)
    return True if wanted != its and (place in STAGES or wanted not in BY_MARK.values()) else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    wanted = config.getoption("--stage")
    if not wanted:
        return
    others = [item for item in items if stage_of(item) != wanted]
    config.hook.pytest_deselected(items=others)
    items[:] = [item for item in items if stage_of(item) == wanted]


def stage_of(item: pytest.Item) -> str:
    place = item.path.relative_to(TESTS) if item.path.is_relative_to(TESTS) else Path()
    room = place.parts[0] if place.parts else ""
    marked = [stage for mark, stage in BY_MARK.items() if item.get_closest_marker(mark)]
    if room in STAGES:
        return room
    placed = [stage for rooms, stage in BY_PLACE.items() if place.is_relative_to(rooms)]
    return (marked or placed or ["unit"])[0]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and must_run(item) and not hasattr(report, "wasxfail"):
        report.outcome, report.longrepr = "failed", f"may not be skipped where CI is set: {why(report)}"
    return report


def must_run(item: pytest.Item) -> bool:
    """Whether a skip of it is a failure."""
    return os.environ.get("CI", "").lower() not in ("", "0", "false") and bool(
        item.get_closest_marker("root")
    )


def why(report: pytest.TestReport) -> str:
    return report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
