"""What somebody who holds a signed URL can do: this one request with this content, and nothing beside it."""

import urllib.request
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from urllib.parse import parse_qsl, urlsplit

import pytest

from clients.errors import Refused
from clients.object_storage import Storage
from clients.object_storage_signing import KEY
from tests.sandbox.storage.place import Place, code, get, now, put, stored, write

HELLO, BIG = b"Hello Bob", b"0123456789abcdef" * 200_000  # the big one comes in a dozen pieces
NAME = sha256(HELLO).hexdigest()


@pytest.mark.parametrize("content", [HELLO, BIG, b""], ids=["small", "big", "empty"])
def test_what_is_written_by_one_url_is_read_by_another(storage: Storage, content: bytes):
    before = now() - timedelta(seconds=2)
    stored(storage, "alice/data/one", content)
    assert get(storage.presign_read("alice/data/one")).content == content
    found = storage.head("alice/data/one")
    assert found
    assert (found.key, found.bytes) == ("alice/data/one", len(content))
    assert before <= found.at <= now() + timedelta(seconds=2)
    assert found.at.tzinfo is UTC


def test_a_plain_client_needs_nothing_but_the_url_and_the_headers(storage: Storage):
    signed = write(storage, "alice/config", HELLO)
    asked = urllib.request.Request(signed.url, HELLO, signed.headers, method="PUT")  # noqa: S310
    with urllib.request.urlopen(asked, timeout=20) as answer:  # noqa: S310
        assert answer.status == 200
    with urllib.request.urlopen(storage.presign_read("alice/config").url, timeout=20) as answer:  # noqa: S310
        assert answer.read() == HELLO


def test_a_part_can_be_read(storage: Storage):
    stored(storage, "alice/data/one", HELLO)
    answer = get(storage.presign_read("alice/data/one"), Range="bytes=6-8")
    assert (answer.status_code, answer.content) == (206, b"Bob")


def test_length_and_hash_are_signed_with_the_host(storage: Storage):
    signed = write(storage, f"alice/data/{NAME}", HELLO)
    query = dict(parse_qsl(urlsplit(signed.url).query))
    assert query["X-Amz-SignedHeaders"] == "content-length;host;x-amz-content-sha256"
    assert signed.headers == {"content-length": "9", "x-amz-content-sha256": NAME}


def test_the_end_of_a_url_is_told(storage: Storage):
    early = int(now().timestamp())
    signed = storage.presign_read("alice/config", seconds=60)
    assert early + 60 <= signed.until <= int(now().timestamp()) + 60
    query = dict(parse_qsl(urlsplit(signed.url).query))
    began = datetime.strptime(query["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    assert began.timestamp() + int(query["X-Amz-Expires"]) == signed.until


@pytest.mark.parametrize("there", [b"", HELLO, BIG], ids=["nothing", "small", "big"])
@pytest.mark.parametrize("wrong", [b"Hello Eve", BIG[:-1] + b"!"], ids=["small", "big"])
def test_other_content_of_the_same_length_is_refused_and_changes_nothing(
    storage: Storage, there: bytes, wrong: bytes
):
    right = HELLO if len(wrong) == len(HELLO) else BIG
    if there:
        stored(storage, "alice/data/one", there)
    assert code(put(write(storage, "alice/data/one", right), wrong)) == (400, "XAmzContentSHA256Mismatch")
    assert [(one.key, one.bytes) for one in storage.listing()] == (
        [("alice/data/one", len(there))] if there else []
    )
    if there:
        assert get(storage.presign_read("alice/data/one")).content == there


def test_a_storage_that_does_not_check_takes_other_content_of_the_same_length(place: Place, storage: Storage):
    """Why what comes back is compared by whoever reads it."""
    place.server.state.switch("hash", False)
    assert put(write(storage, "alice/data/one", HELLO), b"Hello Eve").status_code == 200
    assert get(storage.presign_read("alice/data/one")).content == b"Hello Eve"


@pytest.mark.parametrize(
    "content", [b"", HELLO[:-1], HELLO + b"!", BIG], ids=["none", "less", "more", "much"]
)
def test_another_length_is_refused(place: Place, storage: Storage, content: bytes):
    for checks in (True, False):
        place.server.state.switch("hash", checks)
        answer = put(
            write(storage, "alice/data/one", HELLO), content, **{"content-length": str(len(content))}
        )
        assert code(answer) == (403, "SignatureDoesNotMatch")
    assert storage.head("alice/data/one") is None


def test_another_hash_than_the_signed_one_is_refused(storage: Storage):
    other = sha256(b"Hello Eve").hexdigest()
    for said in (other, "UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"):
        answer = put(write(storage, "alice/data/one", HELLO), b"Hello Eve", **{"x-amz-content-sha256": said})
        assert code(answer) == (403, "SignatureDoesNotMatch"), said
    assert storage.head("alice/data/one") is None


def test_without_its_headers_a_url_writes_nothing(storage: Storage):
    signed = write(storage, "alice/data/one", HELLO)
    answer = put(type(signed)(signed.url, {}), HELLO)
    assert code(answer) == (403, "SignatureDoesNotMatch")


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "POST"])
def test_a_url_for_writing_does_nothing_else(storage: Storage, method: str):
    stored(storage, "alice/data/one", HELLO)
    signed = write(storage, "alice/data/one", HELLO)
    asked = urllib.request.Request(signed.url, HELLO, signed.headers, method=method)  # noqa: S310
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(asked, timeout=20)  # noqa: S310
    assert refusal.value.code == 403
    assert get(storage.presign_read("alice/data/one")).content == HELLO


def test_a_url_for_reading_does_not_write_or_delete(storage: Storage):
    stored(storage, "alice/data/one", HELLO)
    signed = storage.presign_read("alice/data/one")
    assert code(put(signed, b"Hello Eve")) == (403, "SignatureDoesNotMatch")
    asked = urllib.request.Request(signed.url, method="DELETE")  # noqa: S310
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(asked, timeout=20)  # noqa: S310
    assert get(signed).content == HELLO


@pytest.mark.parametrize(
    "to", ["bob/data/one", "alice/data/two", "alice/data/", "alice/data/one/../../../bob/data/one"]
)
def test_a_url_of_one_object_is_none_of_another(storage: Storage, to: str):
    stored(storage, "bob/data/one", HELLO)
    reading, writing = storage.presign_read("alice/data/one"), write(storage, "alice/data/one", HELLO)
    for signed, send in ((reading, get), (writing, lambda one: put(one, HELLO))):
        moved = type(signed)(signed.url.replace("alice/data/one", to), signed.headers)
        assert send(moved).status_code in (400, 403), to
    assert [one.key for one in storage.listing()] == ["bob/data/one"]


@pytest.mark.parametrize(
    "more",
    [
        "&partNumber=1&uploadId=x",
        "&acl",
        "&uploads",
        "&response-content-type=text/html",
        "&X-Amz-Expires=604800",
    ],
)
def test_nothing_can_be_added_to_a_url(storage: Storage, more: str):
    stored(storage, "alice/data/one", HELLO)
    for signed in (storage.presign_read("alice/data/one"), write(storage, "alice/data/one", HELLO)):
        wider = type(signed)(signed.url + more, signed.headers)
        assert (get(wider) if not signed.headers else put(wider, HELLO)).status_code == 403


@pytest.mark.parametrize("header", ["x-amz-copy-source", "x-amz-acl", "x-amz-meta-mtime", "x-amz-tagging"])
def test_no_header_can_be_added_that_changes_what_is_done(storage: Storage, header: str):
    """CVE-2026-54330: with a copy's source added, a URL for writing reads whatever the signer can read."""
    stored(storage, "bob/data/one", b"Bob's own")
    signed = write(storage, "alice/data/one", HELLO)
    answer = put(signed, HELLO, **{header: f"/{storage.bucket}/bob/data/one"})
    assert code(answer) == (403, "AccessDenied")
    assert storage.head("alice/data/one") is None


def test_where_headers_can_be_added_the_known_hash_still_keeps_a_write_from_becoming_a_copy(
    place: Place, storage: Storage
):
    """As at Ceph before that was mended, which takes no signed payload with a copy."""
    place.server.state.switch("headers", False)
    stored(storage, "bob/data/one", b"Bob's own")
    source = {"x-amz-copy-source": f"/{storage.bucket}/bob/data/one"}
    assert code(put(write(storage, "alice/data/one", HELLO), HELLO, **source)) == (501, "NotImplemented")
    assert storage.head("alice/data/one") is None


def test_a_url_ends(storage: Storage, monkeypatch: pytest.MonkeyPatch):
    stored(storage, "alice/data/one", HELLO)
    old = now() - timedelta(minutes=15)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: old.replace(tzinfo=None))
    for signed, send in (
        (storage.presign_read("alice/data/one"), get),
        (write(storage, "alice/data/two", HELLO), lambda one: put(one, HELLO)),
    ):
        answer = send(signed)
        assert code(answer) == (403, "AccessDenied")
        assert "expired" in answer.text
        assert signed.until <= now().timestamp()


def test_a_longer_life_cannot_be_given_to_a_url(storage: Storage):
    signed = storage.presign_read("alice/data/one", seconds=60)
    longer = type(signed)(signed.url.replace("X-Amz-Expires=60", "X-Amz-Expires=600"))
    assert code(get(longer)) == (403, "SignatureDoesNotMatch")


def test_another_key_opens_nothing(place: Place, storage: Storage):
    stored(storage, "alice/data/one", HELLO)
    stranger = place.client(storage.bucket, access="AKOFCHARLIE", secret="charlies")
    guesser = place.client(storage.bucket, secret="a guess")
    assert code(get(stranger.presign_read("alice/data/one"))) == (403, "InvalidAccessKeyId")
    assert code(put(write(stranger, "alice/data/two", HELLO), HELLO)) == (403, "InvalidAccessKeyId")
    assert code(get(guesser.presign_read("alice/data/one"))) == (403, "SignatureDoesNotMatch")
    plain = storage.presign_read("alice/data/one").url.partition("?")[0]
    assert code(get(type(write(storage, "a", b""))(plain))) == (403, "AccessDenied")


def test_a_url_can_be_signed_for_the_name_by_which_others_reach_the_storage(place: Place, storage: Storage):
    """Servers of a sandbox come by another address; it is in the signature."""
    port = place.server.server_port
    others = Storage(
        place.server.url, "fsn1", storage.bucket, "AKCANARYACCESSKEY", "canary/secret+of-the-storage",
        sign_url=f"http://localhost:{port}",
    )  # fmt: skip
    stored(others, "alice/data/one", HELLO)
    signed = others.presign_read("alice/data/one")
    assert signed.url.startswith(f"http://localhost:{port}/")
    assert get(signed).content == HELLO
    assert code(get(type(signed)(signed.url.replace("localhost", "127.0.0.1")))) == (
        403,
        "SignatureDoesNotMatch",
    )


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/alice",
        "alice/",
        "alice//one",
        "../bob",
        "alice/../bob",
        "alice/./one",
        "a b",
        "a?b",
        "a%2e",
        "a" * 1025,
        "ä",
    ],
)
def test_no_key_is_signed_that_could_be_read_as_another(storage: Storage, key: str):
    with pytest.raises(Refused) as refusal:
        storage.presign_read(key)
    assert refusal.value.code == "key"
    assert KEY.fullmatch(f"0ab/data/{NAME}")


@pytest.mark.parametrize("name", ["", NAME.upper(), NAME[:-1], NAME + "0", "UNSIGNED-PAYLOAD", NAME + "\n"])
def test_only_a_hash_is_signed_as_one(storage: Storage, name: str):
    with pytest.raises(Refused):
        storage.presign_write("alice/data/one", bytes=9, sha256=name)


@pytest.mark.parametrize("size", [-1, 5 * 1024**3 + 1])
def test_no_length_is_signed_that_s3_does_not_take(storage: Storage, size: int):
    with pytest.raises(Refused):
        storage.presign_write("alice/data/one", bytes=size, sha256=NAME)


def test_a_signed_url_is_in_no_repr(storage: Storage):
    assert "X-Amz" not in repr(storage.presign_read("alice/config"))
