"""What workers do with the storage's own key: look, list, copy, read, delete, and make the bucket."""

from collections.abc import Callable
from datetime import UTC, timedelta
from hashlib import sha256
from itertools import islice

import pytest

from clients.errors import Gone, Refused, TryLater
from clients.object_storage import Storage, Taken, WrongKey
from sandbox.storage.state import Fault
from tests.sandbox.storage.place import Place, now, stored

MANY = [f"alice/data/{sha256(str(number).encode()).hexdigest()}" for number in range(2345)]


@pytest.fixture(scope="module")
def full(place: Place) -> Storage:
    """A bucket with more objects than two pages hold."""
    made = place.storage()
    for number, key in enumerate(MANY):
        place.lay(made, key, b"x" * (number % 7))
    place.lay(made, "bob/config", b"Bob's")
    return made


def test_nothing_lies_where_nothing_was_put(storage: Storage):
    assert storage.head("alice/config") is None
    assert list(storage.listing()) == []


def test_a_list_of_several_pages_has_every_object_once_in_order_with_size_and_date(full: Storage):
    found = list(full.listing("alice/"))
    assert [one.key for one in found] == sorted(MANY)
    assert {one.key: one.bytes for one in found} == {key: n % 7 for n, key in enumerate(MANY)}
    assert all(now() - timedelta(hours=1) < one.at <= now() and one.at.tzinfo is UTC for one in found)


@pytest.mark.parametrize("last", [0, 999, 1000, 1500, 2343, 2344])
def test_a_list_goes_on_behind_any_key(full: Storage, last: int):
    keys = sorted(MANY)
    assert [one.key for one in full.listing("alice/", after=keys[last])] == keys[last + 1 :]


def test_a_list_is_of_one_prefix(full: Storage):
    assert [(one.key, one.bytes) for one in full.listing("bob/")] == [("bob/config", 5)]
    assert list(full.listing("charlie/")) == []


def test_a_list_asks_for_no_page_that_nobody_reads(place: Place, full: Storage):
    before = place.server.calls.rest().sums()["list"]
    assert len(list(islice(full.listing("alice/"), 3))) == 3
    assert place.server.calls.rest().sums()["list"] == before + 1


def test_objects_are_deleted_and_missing_ones_are_no_error(storage: Storage):
    for key in ("alice/config", "alice/keys/1", "bob/config"):
        stored(storage, key, b"1")
    for _ in range(2):
        storage.delete_many(["alice/config", "alice/keys/1", "alice/never/was"])
        assert [one.key for one in storage.listing()] == ["bob/config"]
    storage.delete_many([])


def test_more_are_deleted_than_one_call_takes(place: Place, storage: Storage):
    for key in MANY[:1100]:
        place.lay(storage, key, b"1")
    before = place.server.calls.rest().sums()["calls"]
    storage.delete_many(MANY[:1100])
    assert place.server.calls.rest().sums()["calls"] == before + 2
    assert list(storage.listing()) == []


def test_they_are_deleted_one_by_one_where_a_call_for_many_is_not_liked(place: Place, storage: Storage):
    place.server.state.switch("many", False)
    for key in ("alice/config", "alice/keys/1", "bob/config"):
        stored(storage, key, b"1")
    began = place.server.calls.rest().since()[-1].number
    storage.delete_many(["alice/config", "alice/never/was", "alice/keys/1"])
    storage.delete_many(["alice/config"])
    assert [one.key for one in storage.listing()] == ["bob/config"]
    deletions = [one.key for one in place.server.calls.rest().since(began) if one.operation == "delete"]
    assert deletions == ["", "alice/config", "alice/never/was", "alice/keys/1", "alice/config"]


def test_a_deletion_that_is_refused_says_so(place: Place, storage: Storage):
    stored(storage, "alice/config", b"1")
    place.server.state.add(Fault("refuse", "delete"))
    with pytest.raises(Refused):
        storage.delete_many(["alice/config"])
    assert storage.head("alice/config")


def test_the_storage_copies_without_us(place: Place, storage: Storage):
    stored(storage, "alice/data/one", b"Hello Bob")
    storage.copy("alice/data/one", "trash/alice/data/one")
    assert b"".join(storage.read("trash/alice/data/one")) == b"Hello Bob"
    assert place.server.calls.rest().since()[-2].bytes_in == 0
    with pytest.raises(Gone):
        storage.copy("alice/data/never", "trash/alice/data/never")


def test_an_object_is_read_in_pieces_and_from_any_byte_on(storage: Storage):
    content = bytes(range(256)) * 4000
    stored(storage, "alice/data/one", content)
    pieces = list(storage.read("alice/data/one"))
    assert b"".join(pieces) == content
    assert max(map(len, pieces)) <= 256 * 1024
    assert b"".join(storage.read("alice/data/one", start=1_000_000)) == content[1_000_000:]


def test_what_is_not_there_cannot_be_read(storage: Storage):
    with pytest.raises(Gone):
        storage.read("alice/data/never")


def test_no_call_is_made_for_a_key_that_is_none_of_ours(place: Place, storage: Storage):
    before = place.server.calls.rest().sums()["calls"]
    for call in (
        storage.head,
        storage.read,
        lambda key: storage.delete_many([key]),
        lambda key: storage.copy("a", key),
    ):
        with pytest.raises(Refused):
            call("../bob/config")
    assert place.server.calls.rest().sums()["calls"] == before


def test_a_bucket_is_made_once(place: Place):
    storage = place.client("mailat-new")
    with pytest.raises(Gone):
        list(storage.listing())
    for _ in range(2):
        storage.ensure_bucket()
    assert list(storage.listing()) == []


def test_two_who_make_a_bucket_at_once_are_both_content(place: Place):
    """Each has seen that there is none."""
    storage = place.client("mailat-raced")
    place.client("mailat-raced").ensure_bucket()
    storage._make_bucket()
    assert list(storage.listing()) == []


def test_a_wrong_key_is_told_from_other_refusals(place: Place, storage: Storage):
    for wrong in (
        place.client(storage.bucket, access="AKOFCHARLIE"),
        place.client(storage.bucket, secret="a guess"),
    ):
        with pytest.raises(WrongKey):
            list(wrong.listing())


@pytest.mark.parametrize("missing", range(5))
def test_a_storage_that_is_not_set_up_says_so(missing: int):
    words = ["http://127.0.0.1:1", "fsn1", "mailat", "key", "secret"]
    words[missing] = ""
    with pytest.raises(Refused) as refusal:
        Storage(*words)
    assert refusal.value.code == "settings"


def test_the_name_of_a_bucket_may_be_somebody_elses(answering: Callable[..., str]):
    """The stand-in has no other customers, so the words are S3's."""
    url = answering(409, b"<Error><Code>BucketAlreadyExists</Code><Message>taken</Message></Error>")
    with pytest.raises(Taken):
        Storage(url, "fsn1", "mailat", "key", "secret")._make_bucket()


def test_a_deletion_that_failed_for_one_object_is_not_taken_for_done(answering: Callable[..., str]):
    error = b"<Error><Key>alice/config</Key><Code>InternalError</Code><Message>no</Message></Error>"
    url = answering(200, b"<DeleteResult>" + error + b"</DeleteResult>")
    with pytest.raises(TryLater):
        Storage(url, "fsn1", "mailat", "key", "secret").delete_many(["alice/config"])
