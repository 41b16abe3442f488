"""Objects that are written in parts, and handed to people: what a storage that speaks S3 offers beyond single requests.

Sources: https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html for the calls and their limits, and
https://docs.hetzner.com/storage/object-storage/supported-actions/ for which of them Hetzner has. Until an upload is completed its
parts are no object: no list names them, and they cost what objects cost, so somebody has to abort what nobody completes.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from clients.errors import Gone, Refused
from clients.object_storage import MOST_PAGES, PAGE, Storage
from clients.object_storage_errors import strange
from clients.object_storage_signing import SECONDS, Signed, Signer, checked

LEAST_PART = 5 * 2**20  # bytes, of all parts but the last
MOST_PARTS = 10_000
MOST_PART = 5 * 2**30  # bytes
FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,150}")


@dataclass(frozen=True)
class Part:
    """A part that the storage has; its tag is what completing needs."""

    number: int
    bytes: int
    tag: str


@dataclass(frozen=True)
class Upload:
    """An upload that nobody has completed or aborted, since when (the storage's clock, UTC)."""

    key: str
    id: str
    at: datetime


class Multipart(Storage):
    """One bucket. People reach it by `url`, servers by `sign_url`. Raises as Storage does."""

    def __init__(
        self, url: str, region: str, bucket: str, access_key: str, secret_key: str, *, sign_url: str = ""
    ) -> None:
        super().__init__(url, region, bucket, access_key, secret_key, sign_url=sign_url)
        self._for_people = Signer(url, region, access_key, secret_key)

    def begin_upload(self, key: str, *, kind: str = "application/octet-stream") -> str:
        """An upload to this key, by the storage's own name for it; repeated, it is another one."""
        answer = self._call("create_multipart_upload", Key=checked(key), ContentType=kind)
        if not isinstance(answer.get("UploadId"), str) or not answer["UploadId"]:
            raise strange("an upload without a name")
        return str(answer["UploadId"])

    def presign_part(
        self, key: str, upload: str, number: int, *, bytes: int, sha256: str, seconds: int = SECONDS
    ) -> Signed:
        """A PUT of this part with this length and this SHA-256; sent again it replaces the part."""
        if not 1 <= number <= MOST_PARTS or not 0 < bytes <= MOST_PART:
            raise Refused("a part like this cannot be written", code="part")
        return self._signer.part(self._path(key), upload, number, bytes=bytes, sha256=sha256, seconds=seconds)

    def parts(self, key: str, upload: str) -> list[Part]:
        """What it has of an upload, by number. Raises Gone where the upload is completed or aborted."""
        found: list[Part] = []
        for _ in range(MOST_PARTS):
            given = {"PartNumberMarker": found[-1].number} if found else {}
            page = self._call("list_parts", Key=checked(key), UploadId=upload, MaxParts=PAGE, **given)
            fresh = [_part(row) for row in page.get("Parts", [])]
            found += fresh
            if not page.get("IsTruncated"):
                return found
            if not fresh:
                break
        raise strange("a list of parts has no end")

    def complete_upload(self, key: str, upload: str, parts: Sequence[Part]) -> None:
        """The parts become one object. Raises Gone where it was completed or aborted before."""
        named = [{"PartNumber": part.number, "ETag": part.tag} for part in parts]
        self._call(
            "complete_multipart_upload", Key=checked(key), UploadId=upload, MultipartUpload={"Parts": named}
        )

    def abort_upload(self, key: str, upload: str) -> None:
        """Its parts go; one that is not there is no error. A part that is just being written may stay: repeat it later."""
        try:
            self._call("abort_multipart_upload", Key=checked(key), UploadId=upload)
        except Gone:
            return

    def uploads(self, prefix: str = "") -> Iterator[Upload]:
        """Uploads that are neither completed nor aborted, by their keys."""
        given: dict[str, Any] = {}
        for _ in range(MOST_PAGES):
            page = self._call("list_multipart_uploads", Prefix=prefix, MaxUploads=PAGE, **given)
            for row in page.get("Uploads", []):
                if (found := _upload(row)).key.startswith(prefix):
                    yield found
            if not page.get("IsTruncated"):
                return
            given = {
                "KeyMarker": str(page.get("NextKeyMarker")),
                "UploadIdMarker": str(page.get("NextUploadIdMarker")),
            }
        raise strange("a list of uploads has no end")

    def presign_download(self, key: str, *, name: str, seconds: int) -> Signed:
        """A GET for a browser, which keeps the object as a file of this name."""
        if not FILE_NAME.fullmatch(name):
            raise Refused("this is no name of a file of ours", code="name")
        query = {
            "response-content-disposition": f'attachment; filename="{name}"',
            "response-content-type": "application/octet-stream",
            "response-cache-control": "private, no-store",
        }
        return self._for_people.download(self._path(key), query, seconds=seconds)


def _part(row: dict[str, Any]) -> Part:
    number, size, tag = row.get("PartNumber"), row.get("Size"), row.get("ETag")
    if not isinstance(number, int) or not isinstance(size, int) or not isinstance(tag, str):
        raise strange("a part without a number, a length or a tag")
    return Part(number, size, tag)


def _upload(row: dict[str, Any]) -> Upload:
    key, name, at = row.get("Key"), row.get("UploadId"), row.get("Initiated")
    if not isinstance(key, str) or not isinstance(name, str) or not isinstance(at, datetime):
        raise strange("an upload without a key, a name or a date")
    return Upload(key, name, at.astimezone(UTC))
