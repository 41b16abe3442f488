"""Uploads in parts, kept by us as files until they are completed: rclone would hold them in its memory and lose them with itself.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html. As at Ceph, an upload that was completed or aborted
is unknown from then on, and each part but the last has five MiB or more.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import hashlib
import itertools
import json
import pathlib
import re
import secrets
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO

from sandbox.storage.errors import S3Error
from sandbox.storage.rclone import TEMPORARY, Rclone

LEAST, MOST = 5 * 1024 * 1024, 10_000  # bytes of a part; parts
ID = re.compile(r"[0-9a-f]{32}")
PART = re.compile(r"<Part>(.*?)</Part>", re.DOTALL)
NUMBER = re.compile(r"<PartNumber>\s*(\d+)\s*</PartNumber>")
TAG = re.compile(r"<ETag>\s*(?:&quot;|&#34;|\")?([0-9a-f]{32})(?:&quot;|&#34;|\")?\s*</ETag>")


@dataclasses.dataclass(frozen=True)
class Part:
    """One part as it lies there; `tag` is its MD5."""

    number: int
    bytes: int
    tag: str
    at: str
    file: pathlib.Path


@dataclasses.dataclass(frozen=True)
class Upload:
    """What was begun, and by whom nothing was ended yet."""

    id: str
    bucket: str
    key: str
    at: str


class Uploads:
    """Each is a directory; the files in it are its parts, named by number and MD5."""

    def __init__(self, home: pathlib.Path, rclone: Rclone) -> None:
        self._home, self._rclone, self._lock = home / "uploads", rclone, threading.Lock()
        self._home.mkdir(mode=0o700, parents=True, exist_ok=True)

    def begin(self, bucket: str, key: str) -> str:
        if not (self._rclone.files / bucket).is_dir():
            raise S3Error("NoSuchBucket", "The specified bucket does not exist", 404)
        name = secrets.token_hex(16)
        fresh = self._home / f".{name}"
        fresh.mkdir(mode=0o700)
        about = {"bucket": bucket, "key": key, "at": _now()}
        (fresh / "about.json").write_text(json.dumps(about))
        fresh.rename(self._home / name)
        return name

    @contextlib.contextmanager
    def writing(self, upload: Upload, number: int) -> Iterator[BinaryIO]:
        """A file that becomes the part if the block ends well; it takes the place of one of the same number."""
        if not 1 <= number <= MOST:
            raise S3Error("InvalidArgument", f"Part number must be an integer between 1 and {MOST}", 400)
        fresh = self._home / upload.id / f".{secrets.token_hex(8)}"
        try:
            with fresh.open("wb") as file:
                yield file
            tag = _md5([fresh])
            with self._lock:
                self.known(upload.bucket, upload.key, upload.id)
                for older in self._home.joinpath(upload.id).glob(f"{number}.*"):
                    older.unlink()
                fresh.rename(fresh.with_name(f"{number}.{tag}"))
        except FileNotFoundError:
            raise _unknown() from None
        finally:
            fresh.unlink(missing_ok=True)

    def known(self, bucket: str, key: str, name: str) -> Upload:
        """Raises S3Error where there is no such upload to this key."""
        upload = self._read(self._home / name) if ID.fullmatch(name) else None
        if upload is None or (upload.bucket, upload.key) != (bucket, key):
            raise _unknown()
        return upload

    def parts(self, upload: Upload) -> list[Part]:
        """By number."""
        found = []
        for file in self._home.joinpath(upload.id).iterdir():
            number, _, tag = file.name.partition(".")
            if number.isdecimal():
                about = file.stat()
                at = datetime.datetime.fromtimestamp(about.st_mtime, datetime.UTC)
                found.append(Part(int(number), about.st_size, tag, _stamp(at), file))
        return sorted(found, key=lambda part: part.number)

    def open(self, bucket: str, prefix: str = "") -> list[Upload]:
        """Those of a bucket, by their keys."""
        all_of = [self._read(place) for place in self._home.iterdir() if ID.fullmatch(place.name)]
        here = [one for one in all_of if one and one.bucket == bucket and one.key.startswith(prefix)]
        return sorted(here, key=lambda one: (one.key, one.id))

    def complete(self, upload: Upload, wish: str) -> str:
        """The parts that `wish` names become the object; its tag."""
        with self._lock:
            chosen = _chosen(wish, {part.number: part for part in self.parts(upload)})
            target = self._rclone.files / upload.bucket / upload.key
            target.parent.mkdir(parents=True, exist_ok=True)
            fresh = target.with_name(f"{TEMPORARY}{upload.id}")
            with fresh.open("wb") as whole:
                for part in chosen:
                    with part.file.open("rb") as file:
                        shutil.copyfileobj(file, whole, 1024 * 1024)
            fresh.replace(target)
            shutil.rmtree(self._home / upload.id)
        self._rclone.forget()
        tags = hashlib.md5(b"".join(bytes.fromhex(part.tag) for part in chosen), usedforsecurity=False)
        return f"{tags.hexdigest()}-{len(chosen)}"

    def abort(self, upload: Upload) -> None:
        with self._lock:
            shutil.rmtree(self._home / upload.id, ignore_errors=True)

    def age(self, hours: float) -> int:
        """Makes all of them older; how many."""
        back = datetime.timedelta(hours=hours)
        places = [place for place in self._home.iterdir() if ID.fullmatch(place.name)]
        for place in places:
            about = json.loads((place / "about.json").read_text())
            about["at"] = _stamp(datetime.datetime.fromisoformat(about["at"]) - back)
            (place / "about.json").write_text(json.dumps(about))
        return len(places)

    def _read(self, place: pathlib.Path) -> Upload | None:
        try:
            about = json.loads((place / "about.json").read_text())
        except FileNotFoundError:
            return None
        return Upload(place.name, about["bucket"], about["key"], about["at"])


def _chosen(wish: str, there: dict[int, Part]) -> list[Part]:
    named = [(NUMBER.search(each), TAG.search(each)) for each in PART.findall(wish)]
    if not named or not all(number and tag for number, tag in named):
        raise S3Error("MalformedXML", "The XML you provided was not well-formed", 400)
    pairs = [(int(number[1]), tag[1]) for number, tag in named if number and tag]
    if any(one >= other for (one, _), (other, _) in itertools.pairwise(pairs)):
        raise S3Error("InvalidPartOrder", "The list of parts was not in ascending order", 400)
    if any(number not in there or there[number].tag != tag for number, tag in pairs):
        raise S3Error("InvalidPart", "One or more of the specified parts could not be found", 400)
    chosen = [there[number] for number, _ in pairs]
    if any(part.bytes < LEAST for part in chosen[:-1]):
        raise S3Error("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size", 400)
    return chosen


def _md5(files: Iterable[pathlib.Path]) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    for file in files:
        with file.open("rb") as opened:
            for piece in iter(_reader(opened), b""):
                digest.update(piece)
    return digest.hexdigest()


def _reader(file: BinaryIO) -> Callable[[], bytes]:
    return lambda: file.read(1024 * 1024)


def _unknown() -> S3Error:
    return S3Error("NoSuchUpload", "The specified multipart upload does not exist", 404)


def _now() -> str:
    return _stamp(datetime.datetime.now(datetime.UTC))


def _stamp(at: datetime.datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
