"""One stand-in for all tests of a file; each test has a bucket of its own."""

import pathlib
from collections.abc import Iterator

import pytest

from clients.object_storage import Storage
from tests.sandbox.storage.place import Place


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    home: pathlib.Path = tmp_path_factory.mktemp("storage")
    made = Place(home)
    yield made
    made.server.close()


@pytest.fixture
def storage(place: Place) -> Iterator[Storage]:
    yield place.storage()
    place.reset()
