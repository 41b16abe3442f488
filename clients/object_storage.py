"""Object storage that speaks S3, as Hetzner's does: plain data in and out, and every failure sorted.

Sources: https://docs.hetzner.com/storage/object-storage/supported-actions/ for what may be asked, and
https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html for how. One key opens every bucket
of a project, so nobody outside is given one: others get presigned URLs. Checksums are sent only where S3 demands them, because the
library's default of always sending them is refused by storages that do not know the newer ones.
"""

import functools
import logging
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import boto3
import botocore.session
from botocore.config import Config

from clients.aws_calls import APART
from clients.errors import Gone, Refused
from clients.object_storage_errors import Taken, WrongKey, sorted_answer, sorted_errors, strange
from clients.object_storage_signing import SECONDS, Signed, Signer, checked

__all__ = ["Object", "Signed", "Storage", "Taken", "WrongKey"]

CONNECT, READ = 4, 20  # seconds
PAGE = 1000  # objects a list or a deletion may have at most
MOST_PAGES = 100_000
CHUNK = 256 * 1024
# Answers to DeleteObjects of storages that want another checksum with it than the library sends, or have no such call.
NOT_LIKED = {
    "NotImplemented", "MethodNotAllowed", "InvalidRequest", "InvalidArgument", "InvalidDigest", "BadDigest", "MalformedXML",
    "MissingContentMD5", "XAmzContentSHA256Mismatch", "501", "405",
}  # fmt: skip
OURS = {"BucketAlreadyOwnedByYou"}
_making = threading.Lock()
logging.getLogger("botocore").setLevel(logging.INFO)  # below that it writes down signatures


@dataclass(frozen=True)
class Object:
    """What lies under a key, since when (the storage's clock, UTC)."""

    key: str
    bytes: int
    at: datetime


class Storage:
    """One bucket. Raises TryLater, Refused (WrongKey, Taken) or Gone; `url` without the bucket, `sign_url` where users of
    signed URLs reach the same storage by another name."""

    def __init__(
        self, url: str, region: str, bucket: str, access_key: str, secret_key: str, *, sign_url: str = ""
    ) -> None:
        if not (url and region and bucket and access_key and secret_key):
            raise Refused(
                "the storage is not set up: an address, a name or a key is missing", code="settings"
            )
        self.bucket, self._region = bucket, region
        self._signer = Signer(sign_url or url, region, access_key, secret_key)
        self._client = _client(url, region, access_key, secret_key)
        self._deletes_many = True

    def presign_write(self, key: str, *, bytes: int, sha256: str, seconds: int = SECONDS) -> Signed:
        """A PUT of this object with this length and this SHA-256, and with nothing else."""
        return self._signer.write(self._path(key), bytes=bytes, sha256=sha256, seconds=seconds)

    def presign_read(self, key: str, *, seconds: int = SECONDS) -> Signed:
        """A GET of this object; that there is one is not looked at."""
        return self._signer.read(self._path(key), seconds=seconds)

    def _path(self, key: str) -> str:
        return f"{self.bucket}/{checked(key)}"

    def head(self, key: str) -> Object | None:
        """What lies under the key, or None."""
        try:
            answer = self._call("head_object", Key=checked(key))
        except Gone:
            return None
        return _object(key, answer.get("ContentLength"), answer.get("LastModified"))

    def listing(self, prefix: str = "", after: str = "") -> Iterator[Object]:
        """Objects by their keys, from the first one behind `after`: a list that broke off is gone on with from its last key."""
        given = {"Prefix": prefix, "MaxKeys": PAGE} | ({"StartAfter": after} if after else {})
        last = after
        for _ in range(MOST_PAGES):
            page = self._call("list_objects_v2", **given)
            for row in page.get("Contents", []):
                found = _object(row.get("Key"), row.get("Size"), row.get("LastModified"))
                if found.key <= last or not found.key.startswith(prefix):
                    raise strange("a list is out of order")
                last = found.key
                yield found
            if not page.get("IsTruncated"):
                return
            given = given | {"ContinuationToken": str(page.get("NextContinuationToken"))}
        raise strange("a list has no end")

    def delete_many(self, keys: Iterable[str]) -> None:
        """Deletes them; those that are not there are no error. What raises may have deleted some: repeat all."""
        left = [checked(key) for key in keys]
        while left and self._deletes_many:
            try:
                self._delete_page(left[:PAGE])
            except Refused as error:
                if error.code not in NOT_LIKED:
                    raise
                self._deletes_many = False
            else:
                left = left[PAGE:]
        for key in left:
            self._call("delete_object", Key=key)

    def _delete_page(self, keys: list[str]) -> None:
        wish = {"Objects": [{"Key": key} for key in keys], "Quiet": True}
        for error in self._call("delete_objects", Delete=wish).get("Errors", []):
            problem = sorted_answer({"Error": error}, "delete_objects")
            if not isinstance(problem, Gone):
                raise problem

    def copy(self, key: str, to: str) -> None:
        """The storage's own copy, by which no byte comes here; raises Gone where there is nothing under `key`."""
        self._call("copy_object", CopySource={"Bucket": self.bucket, "Key": checked(key)}, Key=checked(to))

    def read(self, key: str, *, start: int = 0) -> Iterator[bytes]:
        """The content from that byte on, a piece at a time; raises TryLater where it breaks off before its end."""
        given = {"Range": f"bytes={start}-"} if start else {}
        return _pieces(self._call("get_object", Key=checked(key), **given)["Body"])

    def ensure_bucket(self) -> None:
        """Makes the bucket if there is none; raises Taken where another customer has one of this name."""
        try:
            self._call("head_bucket")
        except Gone:
            self._make_bucket()

    def _make_bucket(self) -> None:
        """One that appears meanwhile is ours if our key opens it, whatever a storage calls that."""
        try:
            self._call("create_bucket", CreateBucketConfiguration={"LocationConstraint": self._region})
        except Refused as error:
            if error.code in OURS or (isinstance(error, Taken) and self._opens()):
                return
            raise

    def _opens(self) -> bool:
        try:
            self._call("head_bucket")
        except (Refused, Gone):
            return False
        return True

    def _call(self, method: str, **given: Any) -> dict[str, Any]:
        with sorted_errors(method):
            return _proven(dict(getattr(self._client, method)(Bucket=self.bucket, **given)), method)


def _pieces(body: Any) -> Iterator[bytes]:
    with sorted_errors("get_object"), body:
        yield from body.iter_chunks(CHUNK)


def _object(key: object, size: object, at: object) -> Object:
    if not isinstance(key, str) or not isinstance(size, int) or not isinstance(at, datetime):
        raise strange("an object without a name, a length or a date")
    return Object(key, size, at.astimezone(UTC))


def _proven(answer: dict[str, Any], action: str) -> dict[str, Any]:
    """A storage numbers every answer; to the library a proxy's page is an answer in which nothing stands."""
    if answer.get("ResponseMetadata", {}).get("RequestId"):
        return answer
    raise strange(f"no number on what came for {action}")


def _client(url: str, region: str, access_key: str, secret_key: str) -> Any:
    with _making:  # the library's sessions are not for several threads at once; clients are
        made = _session().client(
            "s3", endpoint_url=url, region_name=region, aws_access_key_id=access_key,
            aws_secret_access_key=secret_key, config=_config(),
        )  # fmt: skip
    made.meta.events.register("before-call.s3", _stay)
    return made


def _stay(context: dict[str, Any], **_: object) -> None:
    """Our storage is where we were told: an answer that says otherwise is followed nowhere, with our signature least of all."""
    context.setdefault("s3_redirect", {})["redirected"] = True


@functools.cache
def _session() -> Any:
    """Without a profile, without files, without credentials: what loading a service's description costs is paid once."""
    return boto3.Session(botocore_session=botocore.session.Session(session_vars=APART))


@functools.cache
def _config() -> Config:
    """Nothing is repeated here, because who calls repeats, and a wait inside would hold up who waits for us."""
    return Config(
        signature_version="s3v4",
        s3={"addressing_style": "path"},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        connect_timeout=CONNECT,
        read_timeout=READ,
        retries={"total_max_attempts": 1, "mode": "standard"},
        ignore_configured_endpoint_urls=True,
        user_agent_appid="mailat",
    )
