"""A ZIP that is written from its first byte to its last, by Python's own writer, with what it lists kept on the disk.

https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT: a file whose length is not known before has it behind its bytes, and
all that is large has 64 bits. A list of a million messages in memory would be a gigabyte; in a file without a name it is not.
"""

import pickle
import struct
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import IO, Protocol, cast
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

SUMS = "SHA256SUMS"
LEVEL = 1  # mail is mostly base64: more effort brings little
EARLIEST = 315_532_800.0  # 1980, when the format's time begins
LATEST = 2**31 - 1.0  # of the field that has seconds
STAMP = 0x5455  # the extra field with seconds since 1970, UTC
MODE = 0o600


class Sink(Protocol):
    """What takes bytes one after the other."""

    def write(self, piece: bytes, /) -> int: ...

    def flush(self) -> None: ...


class Zip:
    """Adds one file after the other to `sink`, which has no `tell`, so that the writer never goes back; `place` is for its lists."""

    def __init__(self, sink: Sink, place: Path) -> None:
        self._place, self._list = place, _Kept(place)
        self._later: dict[str, IO[bytes]] = {}
        self._sums: IO[bytes] = tempfile.TemporaryFile(dir=place)  # noqa: SIM115 - closed with the ZIP
        self._zip = ZipFile(cast(IO[bytes], sink), "w", ZIP_DEFLATED, allowZip64=True, compresslevel=LEVEL)
        self._zip.filelist = self._list
        self._zip.NameToInfo = _Forgetful()

    def add(self, name: str, pieces: Iterable[bytes], at: float, size: int | None = None) -> None:
        """A file of this name with this date; where its length is not known, it may be of any."""
        info, digest = _info(name, at), sha256()
        info.file_size = size or 0
        with self._zip.open(info, "w", force_zip64=size is None) as entry:
            for piece in pieces:
                digest.update(piece)
                entry.write(piece)
        self._sums.write(f"{digest.hexdigest()}  {name}\n".encode())

    def folder(self, name: str, at: float) -> None:
        """A directory, which may stay empty."""
        info = _info(f"{name}/", at)
        info.compress_type, info.CRC, info.compress_size = ZIP_STORED, 0, 0
        self._zip.mkdir(info)

    def later(self, name: str) -> Callable[[str], object]:
        """A text that grows while others are added, and is added last."""
        file: IO[bytes] = tempfile.TemporaryFile(dir=self._place)  # noqa: SIM115 - closed with the ZIP
        self._later[name] = file
        return lambda text: file.write(text.encode())

    def finish(self) -> None:
        """What grew meanwhile, the hashes of all files, and the list of them."""
        for name, file in list(self._later.items()):
            self.add(name, _read(file), time.time())
        with self._zip.open(_info(SUMS, time.time()), "w", force_zip64=True) as entry:
            for piece in _read(self._sums):
                entry.write(piece)
        self._zip.close()
        self.close()

    def close(self) -> None:
        """Lets go of its lists; what was not finished is no ZIP."""
        self._zip.fp = None  # else the writer would write its end when it is collected
        for file in (self._sums, *self._later.values()):
            file.close()
        self._list.close()


def _read(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    while piece := file.read(256 * 1024):
        yield piece


def _info(name: str, at: float) -> ZipInfo:
    at = min(max(at, EARLIEST), LATEST)
    info = ZipInfo(name, time.gmtime(at)[:6])
    info.compress_type, info.create_system = ZIP_DEFLATED, 3
    mode = 0o40700 if name.endswith("/") else 0o100000 | MODE
    info.external_attr = mode << 16 | (0x10 if name.endswith("/") else 0)
    info.extra = struct.pack("<HHBl", STAMP, 5, 1, int(at))
    return info


class _Kept(list[ZipInfo]):
    """What was written, in a file without a name; the writer adds to it, counts it, and reads it once at the end."""

    def __init__(self, place: Path) -> None:
        super().__init__()
        self._file: IO[bytes] = tempfile.TemporaryFile(dir=place)  # noqa: SIM115 - closed with the ZIP
        self._count = 0

    def append(self, one: ZipInfo) -> None:
        pickle.dump(one, self._file, protocol=4)
        self._count += 1

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[ZipInfo]:
        self._file.seek(0)
        for _ in range(self._count):
            yield pickle.load(self._file)  # noqa: S301 - our own bytes, in a file that nobody else can open

    def close(self) -> None:
        self._file.close()


class _Forgetful(dict[str, ZipInfo]):
    """Names are ours and never the same twice."""

    def __setitem__(self, name: str, one: ZipInfo) -> None:
        return
