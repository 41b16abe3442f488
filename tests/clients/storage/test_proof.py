"""What a storage refuses is found out by trying, and told rightly of one that checks and of ones that do not."""

import pytest

from clients.errors import TryLater
from clients.object_storage import Storage
from clients.object_storage_proof import Proof, prove
from sandbox.storage.state import Fault
from tests.sandbox.storage.place import Place


def test_a_storage_that_checks_is_known_and_nothing_is_left_there(storage: Storage):
    found = prove(storage)
    assert found == Proof(hash=True, length=True, headers=True, copies=True)
    assert found.whole
    assert list(storage.listing()) == []


@pytest.mark.parametrize("check", ["hash", "headers"])
def test_a_check_that_is_missing_is_known(place: Place, storage: Storage, check: str):
    place.server.state.switch(check, False)
    found = prove(storage)
    assert found == Proof(hash=check != "hash", length=True, headers=check != "headers", copies=True)
    assert not found.whole
    assert list(storage.listing()) == []


@pytest.mark.parametrize("kind", ["slow_down", "away", "refuse", "server_error"])
def test_a_storage_in_trouble_is_not_taken_for_one_that_checks(place: Place, storage: Storage, kind: str):
    place.server.state.add(Fault(kind, "put", times=None))
    with pytest.raises(TryLater):
        prove(storage)
    assert list(storage.listing()) == []
