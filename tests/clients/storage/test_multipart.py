"""Objects in parts: begun, sent by whoever has an address, completed, aborted and found again; and files handed to browsers."""

from collections.abc import Callable, Iterator
from hashlib import sha256
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from clients import object_storage_multipart
from clients.errors import Gone, Refused, TryLater
from clients.object_storage_multipart import LEAST_PART, Multipart, Part
from sandbox.storage.state import Fault
from tests.sandbox.storage.place import ACCESS, REGION, SECRET, Place, code, get, put

KEY = "alice/exports/one"
FULL, REST = b"0123456789abcdef" * (LEAST_PART // 16), b"and the rest"


@pytest.fixture
def bucket(place: Place) -> Iterator[Multipart]:
    made = Multipart(place.server.url, REGION, place.storage().bucket, ACCESS, SECRET)
    yield made
    place.reset()


def send(bucket: Multipart, upload: str, number: int, content: bytes, **more: str) -> requests.Response:
    digest = sha256(content).hexdigest()
    signed = bucket.presign_part(KEY, upload, number, bytes=len(content), sha256=digest)
    return put(signed, content, **more)


def whole(bucket: Multipart) -> bytes:
    return get(bucket.presign_read(KEY)).content


def test_parts_that_came_in_any_order_are_one_object_when_it_is_completed(bucket: Multipart):
    upload = bucket.begin_upload(KEY, kind="application/zip")
    assert send(bucket, upload, 2, REST).status_code == 200
    assert send(bucket, upload, 1, FULL).status_code == 200
    assert bucket.head(KEY) is None
    assert list(bucket.listing()) == []
    found = bucket.parts(KEY, upload)
    assert [(part.number, part.bytes) for part in found] == [(1, len(FULL)), (2, len(REST))]
    bucket.complete_upload(KEY, upload, found)
    assert whole(bucket) == FULL + REST
    assert [one.bytes for one in bucket.listing()] == [len(FULL + REST)]


def test_a_part_that_is_sent_again_takes_the_place_of_the_first(bucket: Multipart):
    upload = bucket.begin_upload(KEY)
    for content in (b"before", b"after"):
        assert send(bucket, upload, 1, content).status_code == 200
    bucket.complete_upload(KEY, upload, bucket.parts(KEY, upload))
    assert whole(bucket) == b"after"


def test_a_part_takes_nothing_but_what_was_signed_for(bucket: Multipart):
    upload = bucket.begin_upload(KEY)
    signed = bucket.presign_part(KEY, upload, 1, bytes=5, sha256=sha256(b"right").hexdigest())
    assert code(put(signed, b"wrong")) == (400, "XAmzContentSHA256Mismatch")
    assert code(put(signed, b"right", **{"x-amz-meta-a": "b"}))[0] == 403
    assert (
        code(
            requests.put(signed.url, b"right!", headers={**signed.headers, "content-length": "6"}, timeout=20)
        )[0]
        == 403
    )
    other = signed.url.replace("partNumber=1", "partNumber=2")
    assert code(requests.put(other, b"right", headers=signed.headers, timeout=20)) == (
        403,
        "SignatureDoesNotMatch",
    )
    assert bucket.parts(KEY, upload) == []
    assert put(signed, b"right").status_code == 200


def test_of_an_upload_that_was_aborted_nothing_is_left_and_nothing_more_is_taken(bucket: Multipart):
    upload = bucket.begin_upload(KEY)
    send(bucket, upload, 1, REST)
    bucket.abort_upload(KEY, upload)
    bucket.abort_upload(KEY, upload)
    assert list(bucket.uploads()) == []
    assert code(send(bucket, upload, 1, REST)) == (404, "NoSuchUpload")
    with pytest.raises(Gone):
        bucket.parts(KEY, upload)
    with pytest.raises(Gone):
        bucket.complete_upload(KEY, upload, [Part(1, 4, "0" * 32)])


def test_what_was_completed_is_no_upload_any_more(bucket: Multipart):
    upload = bucket.begin_upload(KEY)
    send(bucket, upload, 1, REST)
    parts = bucket.parts(KEY, upload)
    bucket.complete_upload(KEY, upload, parts)
    with pytest.raises(Gone):
        bucket.complete_upload(KEY, upload, parts)
    assert whole(bucket) == REST


def test_what_cannot_be_completed_is_refused_and_stays_as_it_was(bucket: Multipart):
    upload = bucket.begin_upload(KEY)
    for number in (1, 2):
        send(bucket, upload, number, REST)
    one, two = bucket.parts(KEY, upload)
    for wrong in ([one, two], [two, one], [one, Part(3, 1, one.tag)], [Part(1, 1, "0" * 32)]):
        with pytest.raises(Refused):
            bucket.complete_upload(KEY, upload, wrong)
    assert [part.number for part in bucket.parts(KEY, upload)] == [1, 2]
    assert bucket.head(KEY) is None


def test_uploads_are_found_by_their_prefix_page_by_page(bucket: Multipart, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(object_storage_multipart, "PAGE", 2)
    names = {key: bucket.begin_upload(key) for key in ("alice/a", "alice/b", "alice/c", "bob/a", "bob/b")}
    again = bucket.begin_upload("alice/a")
    found = [(one.key, one.id) for one in bucket.uploads()]
    assert sorted(found) == sorted([*names.items(), ("alice/a", again)])
    assert {one.key for one in bucket.uploads("bob/")} == {"bob/a", "bob/b"}


def test_parts_are_found_page_by_page(bucket: Multipart, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(object_storage_multipart, "PAGE", 2)
    upload = bucket.begin_upload(KEY)
    for number in (1, 3, 5, 7, 9):
        send(bucket, upload, number, REST)
    assert [part.number for part in bucket.parts(KEY, upload)] == [1, 3, 5, 7, 9]


def test_parts_outlive_the_storages_own_end(place: Place, bucket: Multipart):
    upload = bucket.begin_upload(KEY)
    send(bucket, upload, 1, FULL)
    place.server.rclone.kill()
    send(bucket, upload, 2, REST)
    bucket.complete_upload(KEY, upload, bucket.parts(KEY, upload))
    assert whole(bucket) == FULL + REST


@pytest.mark.parametrize("kind", ["away", "lose_answer", "slow_down", "server_error"])
def test_what_fails_for_now_may_be_tried_again(place: Place, bucket: Multipart, kind: str):
    upload = bucket.begin_upload(KEY)
    send(bucket, upload, 1, REST)
    for call in (
        lambda: bucket.begin_upload("alice/exports/two"),
        lambda: bucket.parts(KEY, upload),
        lambda: list(bucket.uploads()),
    ):
        place.server.state.add(Fault(kind))
        with pytest.raises(TryLater):
            call()
        call()


def test_an_answer_in_which_nothing_stands_is_no_upload(answering: Callable[..., str]):
    away = Multipart(answering(200, b"<html>a proxy</html>"), REGION, "bucket", ACCESS, SECRET)
    with pytest.raises(TryLater):
        away.begin_upload(KEY)


def test_an_error_that_comes_with_200_is_an_error(answering: Callable[..., str]):
    says = b"<?xml version='1.0'?><Error><Code>InternalError</Code><Message>no</Message></Error>"
    away = Multipart(answering(200, says), REGION, "bucket", ACCESS, SECRET)
    with pytest.raises(TryLater):
        away.complete_upload(KEY, "an-upload", [Part(1, 4, "0" * 32)])


def test_a_browser_is_told_the_files_name_and_can_go_on_where_it_stopped(bucket: Multipart):
    upload = bucket.begin_upload(KEY)
    send(bucket, upload, 1, REST)
    bucket.complete_upload(KEY, upload, bucket.parts(KEY, upload))
    signed = bucket.presign_download(KEY, name="alice-at-firm.test-mbox.zip", seconds=60)
    answer = get(signed)
    assert answer.headers["content-disposition"] == 'attachment; filename="alice-at-firm.test-mbox.zip"'
    assert answer.headers["cache-control"] == "private, no-store"
    assert answer.content == REST
    rest = get(signed, Range="bytes=4-")
    assert (rest.status_code, rest.content) == (206, REST[4:])
    renamed = signed.url.replace("mbox.zip", "evil.exe")
    assert code(requests.get(renamed, timeout=20)) == (403, "SignatureDoesNotMatch")


def test_people_and_servers_reach_the_storage_by_names_of_their_own():
    bucket = Multipart(
        "https://people.test", REGION, "bucket", ACCESS, SECRET, sign_url="https://servers.test"
    )
    assert bucket.presign_download(KEY, name="a.zip", seconds=60).url.startswith(
        "https://people.test/bucket/"
    )
    part = bucket.presign_part(KEY, "an upload/+&", 7, bytes=1, sha256="0" * 64)
    assert part.url.startswith("https://servers.test/bucket/")
    query = dict(parse_qsl(urlsplit(part.url).query))
    assert (query["partNumber"], query["uploadId"]) == ("7", "an upload/+&")
    assert query["X-Amz-SignedHeaders"] == "content-length;host;x-amz-content-sha256"
    assert SECRET not in repr((part, bucket.__dict__))


@pytest.mark.parametrize("name", ["", "../a", 'a".zip', "a\r\nb", "a b.zip", "ä.zip", "a;b"])
def test_a_name_that_a_header_could_be_broken_with_is_refused(name: str):
    bucket = Multipart("https://people.test", REGION, "bucket", ACCESS, SECRET)
    with pytest.raises(Refused):
        bucket.presign_download(KEY, name=name, seconds=60)


@pytest.mark.parametrize(
    ("number", "size", "digest"),
    [(0, 1, "0" * 64), (10_001, 1, "0" * 64), (1, 0, "0" * 64), (1, 1, "no"), (1, 6 * 2**30, "0" * 64)],
)
def test_a_part_like_this_is_signed_for_nobody(number: int, size: int, digest: str):
    bucket = Multipart("https://people.test", REGION, "bucket", ACCESS, SECRET)
    with pytest.raises(Refused):
        bucket.presign_part(KEY, "upload", number, bytes=size, sha256=digest)
