"""One stand-in for all tests of a file; each test has an account of its own."""

import pathlib
from collections.abc import Iterator
from typing import Any

import pytest

from tests.sandbox.aws.place import Endpoint, Place, patiently


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    home: pathlib.Path = tmp_path_factory.mktemp("home")
    made = Place(home)
    yield made
    made.close()


@pytest.fixture
def key(place: Place) -> Iterator[dict[str, Any]]:
    """Alice's, which may do everything."""
    with patiently():
        yield place.key()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    made = Endpoint()
    yield made
    made.close()
