"""The objects as files: what lies where, and what a person or a test does to it behind the storage's back.

Nothing of this leaves a trace that S3 would show: dates stay, except where the date is what is changed.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import os
import pathlib
import tempfile
from collections.abc import Iterator

from sandbox.storage.rclone import TEMPORARY, Rclone
from sandbox.storage.state import WishError

FLIPPED = 0x55


@dataclasses.dataclass(frozen=True)
class Stored:
    """What lies under a key of a bucket."""

    bucket: str
    key: str
    bytes: int
    at: str


class Objects:
    """Reads and changes the files; every change is seen by the next request."""

    def __init__(self, rclone: Rclone) -> None:
        self._rclone, self._files = rclone, rclone.files

    def buckets(self) -> list[str]:
        return sorted(one.name for one in self._files.iterdir() if one.is_dir())

    def all(self, bucket: str = "", prefix: str = "", most: int | None = None) -> list[Stored]:
        """By bucket and key, at most so many."""
        found: list[Stored] = []
        for file in self._each(bucket):
            if file.key.startswith(prefix):
                found.append(file)
            if most is not None and len(found) >= most:
                break
        return found

    def sums(self) -> tuple[int, int]:
        """How many objects there are, and their bytes."""
        sizes = [one.bytes for one in self._each("")]
        return len(sizes), sum(sizes)

    def _each(self, bucket: str) -> Iterator[Stored]:
        for name in [bucket] if bucket else self.buckets():
            for folder, folders, files in os.walk(self._files / name):
                folders.sort()
                for one in sorted(files):
                    if not one.startswith(TEMPORARY):
                        with contextlib.suppress(FileNotFoundError):  # deleted while we walk
                            yield self._stored(name, pathlib.Path(folder, one))

    def _stored(self, bucket: str, file: pathlib.Path) -> Stored:
        known = file.stat()
        at = datetime.datetime.fromtimestamp(known.st_mtime, datetime.UTC).isoformat(timespec="seconds")
        return Stored(bucket, file.relative_to(self._files / bucket).as_posix(), known.st_size, at)

    def corrupt(self, bucket: str, key: str) -> None:
        """Turns one byte in the middle into another; the length stays."""
        with self._changing(bucket, key) as file:
            content = bytearray(file.read_bytes())
            if not content:
                raise WishError("an object without a byte cannot be corrupted")
            content[len(content) // 2] ^= FLIPPED
            file.write_bytes(content)

    def truncate(self, bucket: str, key: str, to: int | None = None) -> None:
        """Leaves the first so many bytes, or the first half."""
        with self._changing(bucket, key) as file:
            size = file.stat().st_size
            left = size // 2 if to is None else to
            if not 0 <= left < size:
                raise WishError("what is left must be less than there is")
            os.truncate(file, left)

    def delete(self, bucket: str, key: str) -> None:
        self._file(bucket, key).unlink()
        self._rclone.forget()

    def swap(self, bucket: str, key: str, other: str) -> None:
        """Each gets the other's content and date."""
        one, two = self._file(bucket, key), self._file(bucket, other)
        with tempfile.TemporaryDirectory(dir=self._files.parent) as aside:
            between = pathlib.Path(aside) / "one"
            one.replace(between)
            two.replace(one)
            between.replace(two)
        self._rclone.forget()

    def age(self, hours: float, bucket: str = "", key: str = "") -> int:
        """Makes one object older, or all; how many."""
        files = [self._file(bucket, key)] if key else [self._file(o.bucket, o.key) for o in self.all(bucket)]
        for file in files:
            known = file.stat()
            os.utime(file, (known.st_atime, known.st_mtime - hours * 3600))
        self._rclone.forget()
        return len(files)

    @contextlib.contextmanager
    def _changing(self, bucket: str, key: str) -> Iterator[pathlib.Path]:
        file = self._file(bucket, key)
        known = file.stat()
        yield file
        os.utime(file, ns=(known.st_atime_ns, known.st_mtime_ns))
        self._rclone.forget()

    def _file(self, bucket: str, key: str) -> pathlib.Path:
        """Raises WishError where there is no such object, or the words lead out of the storage."""
        root = (self._files / bucket).resolve()
        file = (root / key).resolve()
        inside = root.parent == self._files.resolve() and root in file.parents
        if not (bucket and key and inside and file.is_file()):
            raise WishError("there is no such object")
        return file
