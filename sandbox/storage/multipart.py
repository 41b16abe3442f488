"""The calls of an upload in parts, read from a request and answered in S3's words."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO
from urllib.parse import unquote
from xml.sax.saxutils import escape

from sandbox.storage.errors import S3Error
from sandbox.storage.sigv4 import Asked
from sandbox.storage.uploads import Part, Upload, Uploads

LONGEST_WISH = 4 * 1024 * 1024  # bytes: ten thousand parts
MOST_LISTED = 1000
Receive = Callable[[BinaryIO], None]


@dataclasses.dataclass(frozen=True)
class Said:
    """An answer: its status, its XML, and headers."""

    status: int = 200
    content: bytes = b""
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)


def is_one(asked: Asked) -> bool:
    """Whether it is about an upload in parts."""
    names = {name for name, _ in asked.query}
    return "uploadId" in names or ("uploads" in names and asked.method in ("GET", "POST"))


class Multipart:
    """Answers one request; `receive` moves its body into a file."""

    def __init__(self, uploads: Uploads, asked: Asked, receive: Receive) -> None:
        self._uploads, self._asked, self._receive = uploads, asked, receive
        self._bucket, _, self._key = unquote(asked.path).lstrip("/").partition("/")
        self._query = dict(asked.query)

    def answer(self) -> Said:
        if "uploadId" in self._query:
            upload = self._uploads.known(self._bucket, self._key, self._query["uploadId"])
            acts = {"PUT": self._part, "POST": self._complete, "DELETE": self._abort, "GET": self._parts}
            if self._asked.method not in acts:
                raise S3Error("MethodNotAllowed", "The specified method is not allowed", 405)
            return acts[self._asked.method](upload)
        return self._begin() if self._asked.method == "POST" else self._list()

    def _begin(self) -> Said:
        name = self._uploads.begin(self._bucket, self._key)
        return _xml("InitiateMultipartUploadResult", Bucket=self._bucket, Key=self._key, UploadId=name)

    def _part(self, upload: Upload) -> Said:
        number = self._query.get("partNumber", "")
        if not number.isdecimal():
            raise S3Error("InvalidArgument", "A part has a number", 400)
        with self._uploads.writing(upload, int(number)) as file:
            self._receive(file)
        tag = next(part.tag for part in self._uploads.parts(upload) if part.number == int(number))
        return Said(headers={"etag": f'"{tag}"'})

    def _complete(self, upload: Upload) -> Said:
        wish = _Held()
        self._receive(wish)  # type: ignore[arg-type]
        tag = self._uploads.complete(upload, wish.content.decode("utf-8", "replace"))
        return _xml("CompleteMultipartUploadResult", Bucket=self._bucket, Key=self._key, ETag=f'"{tag}"')

    def _abort(self, upload: Upload) -> Said:
        self._uploads.abort(upload)
        return Said(204)

    def _parts(self, upload: Upload) -> Said:
        after, most = self._number("part-number-marker", 0), min(self._number("max-parts", 1000), MOST_LISTED)
        behind = [part for part in self._uploads.parts(upload) if part.number > after]
        page = behind[:most]
        return _xml(
            "ListPartsResult", Bucket=self._bucket, Key=self._key, UploadId=upload.id, MaxParts=most,
            IsTruncated=str(len(behind) > most).lower(), NextPartNumberMarker=page[-1].number if page else after,
            inside="".join(map(_part_row, page)),
        )  # fmt: skip

    def _list(self) -> Said:
        most, prefix = min(self._number("max-uploads", 1000), MOST_LISTED), self._query.get("prefix", "")
        after = (self._query.get("key-marker", ""), self._query.get("upload-id-marker", ""))
        behind = [one for one in self._uploads.open(self._bucket, prefix) if (one.key, one.id) > after]
        page = behind[:most]
        last = page[-1] if page else None
        return _xml(
            "ListMultipartUploadsResult", Bucket=self._bucket, Prefix=prefix, MaxUploads=most,
            IsTruncated=str(len(behind) > most).lower(), NextKeyMarker=last.key if last else "",
            NextUploadIdMarker=last.id if last else "", inside="".join(map(_upload_row, page)),
        )  # fmt: skip

    def _number(self, name: str, usual: int) -> int:
        given = self._query.get(name, str(usual))
        if not given.isdecimal():
            raise S3Error("InvalidArgument", f"{name} must be a number", 400)
        return int(given)


class _Held:
    """What completing names, in memory; no more than so much."""

    def __init__(self) -> None:
        self.content = b""

    def write(self, piece: bytes) -> int:
        self.content += piece
        if len(self.content) > LONGEST_WISH:
            raise S3Error("MalformedXML", "The list of parts is too long", 400)
        return len(piece)


def _part_row(part: Part) -> str:
    fields = {"PartNumber": part.number, "LastModified": part.at, "ETag": f'"{part.tag}"', "Size": part.bytes}
    return f"<Part>{_fields(fields)}</Part>"


def _upload_row(upload: Upload) -> str:
    return f"<Upload>{_fields({'Key': upload.key, 'UploadId': upload.id, 'Initiated': upload.at})}</Upload>"


def _xml(name: str, *, inside: str = "", **fields: Any) -> Said:
    root = f'<{name} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{_fields(fields)}{inside}</{name}>'
    return Said(
        content=f'<?xml version="1.0" encoding="UTF-8"?>\n{root}'.encode(),
        headers={"content-type": "application/xml"},
    )


def _fields(fields: Mapping[str, Any]) -> str:
    return "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in fields.items())
