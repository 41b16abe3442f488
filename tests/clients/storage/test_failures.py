"""Every failure is one of three kinds, and no secret is in any of them."""

import logging
import socket
import traceback
from collections.abc import Callable
from contextlib import closing

import pytest

from clients.errors import ClientError, Gone, Refused, TryLater
from clients.object_storage import Storage
from sandbox.storage.state import Fault
from tests.sandbox.storage.place import ACCESS, SECRET, Place, stored, write

Call = Callable[[Storage], object]
CALLS: dict[str, Call] = {
    "head": lambda storage: storage.head("alice/data/one"),
    "list": lambda storage: list(storage.listing()),
    "read": lambda storage: b"".join(storage.read("alice/data/one")),
    "copy": lambda storage: storage.copy("alice/data/one", "alice/data/two"),
    "delete": lambda storage: storage.delete_many(["alice/data/one"]),
    "bucket": lambda storage: storage.ensure_bucket(),
}
FAULTS = {
    "slow_down": TryLater, "server_error": TryLater, "away": TryLater, "lose_answer": TryLater, "refuse": Refused,
}  # fmt: skip


@pytest.fixture
def there(storage: Storage) -> Storage:
    stored(storage, "alice/data/one", b"Hello Bob" * 100_000)
    return storage


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("kind", FAULTS)
def test_whatever_goes_wrong_is_sorted_and_goes_by(place: Place, there: Storage, kind: str, call: str):
    place.server.state.add(Fault(kind))
    with pytest.raises(FAULTS[kind]) as problem:
        CALLS[call](there)
    assert place.server.state.faults() == []
    assert_silent(problem.value)
    if (kind, call) != ("lose_answer", "delete"):
        CALLS[call](there)


def test_nothing_is_repeated_behind_the_callers_back(place: Place, there: Storage):
    place.server.state.add(Fault("slow_down", times=None))
    before = place.server.calls.rest().sums()["calls"]
    with pytest.raises(TryLater) as problem:
        there.head("alice/data/one")
    assert problem.value.code in ("503", "SlowDown")
    assert problem.value.retry_after > 0
    assert place.server.calls.rest().sums()["calls"] == before + 1


def test_content_that_breaks_off_is_not_taken_for_whole(place: Place, there: Storage):
    place.server.state.add(Fault("cut", "get"))
    got: list[bytes] = []
    with pytest.raises(TryLater):
        got.extend(there.read("alice/data/one"))
    assert sum(map(len, got)) < 900_000
    assert (
        b"".join(there.read("alice/data/one", start=sum(map(len, got))))
        == (b"Hello Bob" * 100_000)[sum(map(len, got)) :]
    )


def test_a_storage_that_does_not_answer_is_asked_later(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("clients.object_storage.READ", 0.2)
    monkeypatch.setattr("clients.object_storage._config", _fresh_config())
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        storage = Storage(f"http://127.0.0.1:{silent.getsockname()[1]}", "fsn1", "mailat", ACCESS, SECRET)
        with pytest.raises(TryLater) as problem:
            storage.head("alice/config")
    assert problem.value.code == "timeout"
    assert_silent(problem.value)


def _fresh_config() -> Callable[[], object]:
    """The settings made anew, since they are kept otherwise."""
    from clients import object_storage

    return object_storage._config.__wrapped__


def test_a_storage_that_cannot_be_reached_is_asked_later():
    with closing(socket.socket()) as silent:
        silent.bind(("127.0.0.1", 0))  # and does not listen
        port = silent.getsockname()[1]
        with pytest.raises(TryLater) as problem:
            Storage(f"http://127.0.0.1:{port}", "fsn1", "mailat", ACCESS, SECRET).head("alice/config")
    assert problem.value.code == "network"
    assert "ConnectionRefusedError" in str(problem.value)
    assert_silent(problem.value)


def test_what_broke_a_connection_is_told_by_its_kind(place: Place, there: Storage):
    place.server.state.add(Fault("away"))
    with pytest.raises(TryLater, match=r"\(ConnectionClosedError of ProtocolError of RemoteDisconnected\)$"):
        there.head("alice/data/one")


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    "body",
    [b"<html>Log in to the network</html>", b"", b"{}", b"<ListBucketResult/>"],
    ids=["page", "empty", "json", "list"],
)
def test_a_strangers_page_is_no_answer(answering: Callable[..., str], call: str, body: bytes):
    storage = Storage(answering(200, body, number=False), "fsn1", "mailat", ACCESS, SECRET)
    with pytest.raises(TryLater) as problem:
        CALLS[call](storage)
    assert_silent(problem.value)


LIST = b"<ListBucketResult><IsTruncated>%b</IsTruncated><NextContinuationToken>t</NextContinuationToken>%b</ListBucketResult>"
ROW = b"<Contents><Key>%b</Key><Size>%b</Size><LastModified>2026-11-21T20:00:00Z</LastModified></Contents>"


@pytest.mark.parametrize(
    "rows",
    [
        LIST % (b"false", ROW % (b"alice/b", b"1") + ROW % (b"alice/a", b"1")),
        LIST % (b"false", ROW % (b"bob/config", b"1")),
        LIST % (b"true", ROW % (b"alice/a", b"1")),
        LIST % (b"false", ROW % (b"alice/a", b"many")),
        LIST % (b"false", b"<Contents><Key>alice/a</Key></Contents>"),
    ],
    ids=["out of order", "another's", "without end", "no number", "no date"],
)
def test_a_list_that_makes_no_sense_is_not_believed(answering: Callable[..., str], rows: bytes):
    storage = Storage(answering(200, rows), "fsn1", "mailat", ACCESS, SECRET)
    with pytest.raises(TryLater):
        list(storage.listing("alice/"))


@pytest.mark.parametrize(
    ("status", "word", "kind"),
    [(404, "NoSuchBucket", Gone), (403, "AccessDenied", Refused), (503, "SlowDown", TryLater), (429, "TooMany", TryLater),
     (500, "InternalError", TryLater), (400, "InvalidRequest", Refused), (501, "NotImplemented", Refused),
     (403, "RequestTimeTooSkewed", TryLater), (301, "PermanentRedirect", Refused), (412, "PreconditionFailed", Refused)],
)  # fmt: skip
def test_words_of_s3_are_sorted(answering: Callable[..., str], status: int, word: str, kind: type[Exception]):
    body = f"<Error><Code>{word}</Code><Message>{SECRET}</Message></Error>".encode()
    storage = Storage(answering(status, body), "fsn1", "mailat", ACCESS, SECRET)
    with pytest.raises(ClientError) as problem:
        list(storage.listing())
    assert type(problem.value) is kind
    assert problem.value.code == word
    assert_silent(problem.value)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("status", [301, 302, 307, 400])
def test_nobody_is_followed_elsewhere(answering: Callable[..., str], call: str, status: int):
    """The library would look for the bucket's region at such an answer, and ask about that in turn, without end."""
    elsewhere = {"x-amz-bucket-region": "charlie", "location": "http://127.0.0.1:1/charlie"}
    storage = Storage(answering(status, b"", more=elsewhere), "fsn1", "mailat", ACCESS, SECRET)
    with pytest.raises(Refused) as problem:
        CALLS[call](storage)
    assert_silent(problem.value)


def test_no_secret_is_in_a_repr_or_a_log(there: Storage, caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("botocore").setLevel(logging.INFO)
        for call in CALLS.values():
            call(there)
        signed = write(there, "alice/data/two", b"1")
    words = caplog.text + repr(there) + repr(vars(there)) + repr(signed)
    assert SECRET not in words
    assert "Signature=" not in words


def assert_silent(problem: BaseException) -> None:
    """Neither the key nor a signature is in what a log or a page of errors would show of it."""
    told = "".join(traceback.format_exception(problem)) + repr(problem) + str(vars(problem))
    for secret in (SECRET, ACCESS, "Signature"):
        assert secret not in told
