"""Whoever stole a host's credentials has addresses signed for it, and does with them whatever comes to mind: nothing else works.

Each attempt is a line. After each the bucket is what it was, byte by byte, and nobody was told anything of another server's.
"""

import http.client
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from urllib.parse import quote, urlsplit

import pytest

from clients.object_storage import Storage
from sandbox.storage.server import S3Server
from tests.backups.conftest import Host, call, get

pytestmark = pytest.mark.django_db
NEW = b"what the thief may write: its own new object"
THEIRS = b"a secret of another server"
EMPTY = sha256(b"").hexdigest()
COPY = b"<CompleteMultipartUpload></CompleteMultipartUpload>"
DELETE = b"<Delete><Object><Key>%s</Key></Object></Delete>"
Request = tuple[str, str, dict[str, str], bytes | None]


@dataclass
class Loot:
    """What the thief has: an address to write a new object, one to read its own, and what it knows of others."""

    write: str
    headers: dict[str, str]
    read: str
    mine: str
    theirs: str
    bucket: str

    def to(self, url: str, key: str) -> str:
        """The same signature over another key."""
        parts = urlsplit(url)
        return parts._replace(path=f"/{self.bucket}/{key}").geturl()

    def with_(self, url: str, **changes: str) -> str:
        """With other words in its query; `drop=""` leaves one out."""
        parts = urlsplit(url)
        query = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
        query.update({name.replace("_", "-"): value for name, value in changes.items()})
        return parts._replace(query=urllib.parse.urlencode(query, quote_via=quote)).geturl()

    def without(self, url: str, *names: str) -> str:
        parts = urlsplit(url)
        pairs = urllib.parse.parse_qsl(parts.query, keep_blank_values=True)
        return parts._replace(query=urllib.parse.urlencode([p for p in pairs if p[0] not in names])).geturl()

    def plus(self, url: str, more: str) -> str:
        return f"{url}&{more}"

    def put(self, url: str = "", body: bytes = NEW, **headers: str) -> Request:
        given = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return "PUT", url or self.write, given, body


def ago(**span: float) -> str:
    return (datetime.now(UTC) - timedelta(**span)).strftime("%Y%m%dT%H%M%SZ")


def upper(url: str, key: str) -> str:
    return url.replace(key, key[:-8] + key[-8:].upper())


# What is tried with the address to write: all refused.
WRITES: dict[str, Callable[[Loot], Request]] = {
    "other bytes of the same length": lambda it: it.put(body=b"x" * len(NEW)),
    "more bytes": lambda it: it.put(body=NEW + b"!", content_length=str(len(NEW) + 1)),
    "fewer bytes": lambda it: it.put(body=NEW[:-1], content_length=str(len(NEW) - 1)),
    "no bytes": lambda it: it.put(body=b"", content_length="0"),
    "another hash": lambda it: it.put(body=THEIRS, x_amz_content_sha256=sha256(THEIRS).hexdigest()),
    "no hash": lambda it: ("PUT", it.write, {"content-length": str(len(NEW))}, NEW),
    "an unsigned body": lambda it: it.put(body=THEIRS, x_amz_content_sha256="UNSIGNED-PAYLOAD"),
    "an empty body's hash": lambda it: it.put(body=b"", content_length="0", x_amz_content_sha256=EMPTY),
    "a body in chunks": lambda it: it.put(x_amz_content_sha256="STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
    "a signed body in chunks": lambda it: it.put(x_amz_content_sha256="STREAMING-AWS4-HMAC-SHA256-PAYLOAD"),
    "over my own object": lambda it: it.put(it.to(it.write, it.mine)),
    "over another server's": lambda it: it.put(it.to(it.write, it.theirs)),
    "over another server's config": lambda it: it.put(it.to(it.write, it.theirs.partition("/")[0] + "/config")),
    "beside it, by dots": lambda it: it.put(it.write.replace("/data/", "/data/../keys/")),
    "beside it, by coded dots": lambda it: it.put(it.write.replace("/data/", "/data/%2e%2e/keys/")),
    "beside it, by a coded slash": lambda it: it.put(it.write.replace("/data/", "/data%2fx/")),
    "with two slashes": lambda it: it.put(it.write.replace("/data/", "//data/")),
    "with letters as large ones": lambda it: it.put(upper(it.write, urlsplit(it.write).path)),
    "in another bucket": lambda it: it.put(it.write.replace(f"/{it.bucket}/", "/another-bucket/")),
    "at the bucket itself": lambda it: it.put(it.to(it.write, "")),
    "good for a week": lambda it: it.put(it.with_(it.write, X_Amz_Expires="604800")),
    "good for a second more": lambda it: it.put(it.with_(it.write, X_Amz_Expires="901")),
    "with a later date": lambda it: it.put(it.with_(it.write, X_Amz_Date=ago(minutes=-10))),
    "with an older date": lambda it: it.put(it.with_(it.write, X_Amz_Date=ago(hours=1))),
    "for another region": lambda it: it.put(it.write.replace("fsn1%2Fs3", "nbg1%2Fs3")),
    "for another service": lambda it: it.put(it.write.replace("%2Fs3%2F", "%2Fsts%2F")),
    "by another key": lambda it: it.put(it.write.replace("the-access-key", "another-key")),
    "with fewer headers signed": lambda it: it.put(it.with_(it.write, X_Amz_SignedHeaders="host")),
    "with no headers signed": lambda it: it.put(it.with_(it.write, X_Amz_SignedHeaders="")),
    "with no signature": lambda it: it.put(it.without(it.write, "X-Amz-Signature")),
    "with an empty signature": lambda it: it.put(it.with_(it.write, X_Amz_Signature="")),
    "with a signature of noughts": lambda it: it.put(it.with_(it.write, X_Amz_Signature="0" * 64)),
    "with the reader's signature": lambda it: it.put(it.read),
    "at another host": lambda it: it.put(host="elsewhere.test"),
    "as a copy of another server's": lambda it: it.put(x_amz_copy_source=f"/{it.bucket}/{it.theirs}"),
    "as an empty copy of another server's": lambda it: it.put(
        body=b"", content_length="0", x_amz_copy_source=f"/{it.bucket}/{it.theirs}"
    ),
    "as a copy of a range": lambda it: it.put(
        it.plus(it.write, "partNumber=1&uploadId=x"), x_amz_copy_source=f"/{it.bucket}/{it.theirs}"
    ),
    "with an open ACL": lambda it: it.put(x_amz_acl="public-read"),
    "with a grant": lambda it: it.put(x_amz_grant_read="uri=http://acs.amazonaws.com/groups/global/AllUsers"),
    "as another class": lambda it: it.put(x_amz_storage_class="GLACIER"),
    "with a tag": lambda it: it.put(x_amz_tagging="a=b"),
    "with a lock": lambda it: it.put(x_amz_object_lock_mode="COMPLIANCE"),
    "with a redirect": lambda it: it.put(x_amz_website_redirect_location="/x"),
    "its ACL": lambda it: it.put(it.plus(it.write, "acl")),
    "its tags": lambda it: it.put(it.plus(it.write, "tagging=")),
    "its retention": lambda it: it.put(it.plus(it.write, "retention=")),
    "its legal hold": lambda it: it.put(it.plus(it.write, "legal-hold=")),
    "the bucket's versions": lambda it: it.put(it.plus(it.to(it.write, ""), "versioning=")),
    "the bucket's policy": lambda it: it.put(it.plus(it.to(it.write, ""), "policy=")),
    "the bucket's life": lambda it: it.put(it.plus(it.to(it.write, ""), "lifecycle=")),
    "a version of it": lambda it: it.put(it.plus(it.write, "versionId=1")),
    "a part": lambda it: it.put(it.plus(it.write, "partNumber=1&uploadId=00")),
    "parts begun": lambda it: ("POST", it.plus(it.write, "uploads="), it.headers, b""),
    "parts ended": lambda it: ("POST", it.plus(it.write, "uploadId=00"), {}, COPY),
    "posted": lambda it: ("POST", it.write, it.headers, NEW),
    "read": lambda it: ("GET", it.write, it.headers, NEW),
    "looked at": lambda it: ("HEAD", it.write, it.headers, NEW),
    "deleted": lambda it: ("DELETE", it.write, it.headers, NEW),
    "patched": lambda it: ("PATCH", it.write, it.headers, NEW),
    "put by another method's name": lambda it: ("PUT", it.write, {**it.headers, "x-http-method-override": "DELETE"}, THEIRS),
    "many deleted": lambda it: ("POST", it.plus(it.to(it.write, ""), "delete="), it.headers, DELETE % it.mine.encode()),
}  # fmt: skip
# What is tried with the address to read: all refused, but the ranges of what it is for.
READS: dict[str, Callable[[Loot], Request]] = {
    "another server's": lambda it: ("GET", it.to(it.read, it.theirs), {}, None),
    "another server's, by dots": lambda it: ("GET", it.read.replace(it.mine, f"{it.mine}/../../../{it.theirs}"), {}, None),
    "another server's, by coded dots": lambda it: (
        "GET", it.read.replace(it.mine, f"{it.mine}/%2e%2e/%2e%2e/%2e%2e/{it.theirs}"), {}, None
    ),
    "another server's, coded twice": lambda it: ("GET", it.read.replace(it.mine, quote(quote(it.theirs, safe=""))), {}, None),
    "the bucket's list": lambda it: ("GET", it.plus(it.to(it.read, ""), "list-type=2&prefix="), {}, None),
    "the bucket's list, unasked": lambda it: ("GET", it.to(it.read, ""), {}, None),
    "all buckets": lambda it: ("GET", urlsplit(it.read)._replace(path="/").geturl(), {}, None),
    "parts under way": lambda it: ("GET", it.plus(it.to(it.read, ""), "uploads="), {}, None),
    "its ACL": lambda it: ("GET", it.plus(it.read, "acl="), {}, None),
    "its tags": lambda it: ("GET", it.plus(it.read, "tagging="), {}, None),
    "its versions": lambda it: ("GET", it.plus(it.to(it.read, ""), "versions="), {}, None),
    "the bucket's policy": lambda it: ("GET", it.plus(it.to(it.read, ""), "policy="), {}, None),
    "as a page of one's own": lambda it: ("GET", it.plus(it.read, "response-content-type=text/html"), {}, None),
    "looked at": lambda it: ("HEAD", it.read, {}, None),
    "deleted": lambda it: ("DELETE", it.read, {}, None),
    "overwritten": lambda it: ("PUT", it.read, {"content-length": "1"}, b"x"),
    "overwritten with a hash": lambda it: ("PUT", it.read, {"x-amz-content-sha256": sha256(b"x").hexdigest()}, b"x"),
    "overwritten by a copy": lambda it: ("PUT", it.read, {"x-amz-copy-source": f"/{it.bucket}/{it.theirs}"}, b""),
    "posted": lambda it: ("POST", it.read, {}, b"x"),
    "good for a week": lambda it: ("GET", it.with_(it.read, X_Amz_Expires="604800"), {}, None),
    "when it is over": lambda it: ("GET", it.with_(it.read, X_Amz_Date=ago(hours=1)), {}, None),
    "twice signed": lambda it: ("GET", it.read, {"authorization": "AWS4-HMAC-SHA256 Credential=x"}, None),
    "with a host of one's own": lambda it: ("GET", it.read, {"host": "elsewhere.test"}, None),
    "with a header of theirs": lambda it: ("GET", it.read, {"x-amz-expected-bucket-owner": "1"}, None),
}  # fmt: skip
# An address in a URL counts more than another signature in a header.
HARMLESS = {"twice signed"}
# A storage that does not mind unsigned headers writes the object that was signed for, and may note these beside it: the thief's own.
UNMINDED = {"with an open ACL", "with a grant", "as another class", "with a tag", "with a lock", "with a redirect", "with a header of theirs"}  # fmt: skip


@pytest.fixture
def loot(host: Host, other: Host, storage: Storage) -> Loot:
    """Both servers have objects of each kind; the thief is `host`."""
    for one, words in ((host, b"mine"), (other, THEIRS)):
        for kind in ("keys", "index", "snapshots", "config"):
            one.write(kind, words + kind.encode())
    mine, theirs = host.write("data", b"mine, a pack"), other.write("data", THEIRS)
    (given,) = host.told("write", host.wish("data", NEW))
    (readable,) = host.told("read", mine)
    return Loot(
        given["url"], given["headers"], readable["url"], f"{host.server.pk}/data/{mine['name']}",
        f"{other.server.pk}/data/{theirs['name']}", storage.bucket,
    )  # fmt: skip


def everything(storage: Storage, s3: S3Server) -> dict[str, str]:
    """Each object with the hash of its bytes, and what was begun in parts."""
    found = {one.key: get({"url": storage.presign_read(one.key).url})[1] for one in storage.listing()}
    parts = {f"begun: {one.key}": b"" for one in s3.uploads.open(storage.bucket)}
    return {key: sha256(content).hexdigest() for key, content in {**found, **parts}.items()}


def tried(request: Request) -> tuple[int, bytes]:
    """A connection that the storage ends is an answer too."""
    method, url, headers, body = request
    headers = {**headers, "content-length": str(len(body))} if body is not None else headers
    try:
        return call(method, url, headers, body)
    except (http.client.HTTPException, OSError):
        return 0, b""


@pytest.fixture(params=[True, False], ids=["today", "before the storage minded unsigned headers"])
def minds(request: pytest.FixtureRequest, s3: S3Server) -> Iterator[bool]:
    """Whether the storage refuses x-amz- headers that are not signed."""
    s3.state.switch("headers", request.param)
    yield request.param
    s3.state.switch("headers", True)


@pytest.mark.parametrize("attempts", [WRITES, READS], ids=["to write", "to read"])
def test_an_address_is_for_one_deed_on_one_object_and_for_nothing_else(
    loot: Loot, storage: Storage, s3: S3Server, minds: bool, attempts: dict[str, Callable[[Loot], Request]]
) -> None:
    before, wrong = everything(storage, s3), {}
    own = urlsplit(loot.write).path.removeprefix(f"/{storage.bucket}/")
    for attempt, made in attempts.items():
        status, said = tried(made(loot))
        refused = status == 0 or status >= 400
        theirs = THEIRS in said or (not refused and loot.theirs.encode() in said)
        after = everything(storage, s3)
        if not minds and attempt in UNMINDED:
            refused = after.pop(own, sha256(NEW).hexdigest()) == sha256(NEW).hexdigest()
            storage.delete_many([own])
        if theirs or not (refused or attempt in HARMLESS) or after != before:
            wrong[attempt] = (status, said[:80], sorted(set(after.items()) ^ set(before.items())))
    assert wrong == {}


def test_the_same_bytes_may_come_again_and_change_nothing(loot: Loot, storage: Storage, s3: S3Server) -> None:
    assert tried(loot.put())[0] == 200
    before = everything(storage, s3)
    for _ in range(2):
        assert tried(loot.put())[0] == 200
        assert tried(loot.put(body=b"x" * len(NEW)))[0] >= 400
    assert everything(storage, s3) == before


def test_a_range_of_ones_own_object_may_be_read(loot: Loot) -> None:
    assert call("GET", loot.read, {"range": "bytes=0-3"}) == (206, b"mine")
