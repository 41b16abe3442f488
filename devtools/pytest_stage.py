"""A pytest plug-in that sorts every test into exactly one stage, so that none is left out and none runs twice."""

from pathlib import Path

import pytest

from devtools.pytest_run import STAGES

# A test that lies in the directory of a stage belongs to it; any other goes by its mark.
BY_MARK = {"browser": "browser", "root": "integration", "integration": "processes"}
TESTS = Path(__file__).resolve().parent.parent / "tests"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--stage", choices=STAGES, help="run only the tests of this stage")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    wanted = config.getoption("--stage")
    if not wanted:
        return
    others = [item for item in items if stage_of(item) != wanted]
    config.hook.pytest_deselected(items=others)
    items[:] = [item for item in items if stage_of(item) == wanted]


def stage_of(item: pytest.Item) -> str:
    room = item.path.relative_to(TESTS).parts[0] if item.path.is_relative_to(TESTS) else ""
    marked = [stage for mark, stage in BY_MARK.items() if item.get_closest_marker(mark)]
    by_place = room if room in STAGES else "unit"
    if by_place != "unit":
        return by_place
    return marked[0] if marked else "unit"
