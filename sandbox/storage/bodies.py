"""Bodies on their way between a client and the storage behind us, never held in memory as a whole."""

from __future__ import annotations

import hashlib
import http.client
import time
from collections.abc import Iterator, Mapping
from io import BufferedIOBase
from typing import Protocol

from sandbox.storage.calls import Call
from sandbox.storage.errors import S3Error
from sandbox.storage.state import Fault

PIECE = 256 * 1024
DRIPS = 10  # pieces a second of a slow body


class Ended(Exception):
    """The connection ends now, without another word."""


class Sink(Protocol):
    """What takes bytes: a connection to what lies behind us, or a file."""

    def send(self, piece: bytes, /) -> object: ...


class Body:
    """What a client sends; `length` is none where it does not say."""

    def __init__(self, source: BufferedIOBase, length: str) -> None:
        self._source, self.read = source, 0
        self.length = int(length) if length.isascii() and length.isdecimal() else None
        self._hash = hashlib.sha256()

    def move_in(self, connection: Sink, expected: str, faults: Mapping[str, Fault]) -> None:
        """Sends it on; the last piece only when the hash is right. Raises S3Error, Ended or OSError."""
        held = b""
        for piece in self._pieces(piece_bytes(faults), self._end(faults)):
            connection.send(held)
            held = piece
            drip(len(piece), faults)
        if "cut" in faults:
            raise Ended
        if expected:
            self.check(expected)
        connection.send(held)

    def _end(self, faults: Mapping[str, Fault]) -> int:
        length = self.length or 0
        return length // 2 if "cut" in faults else length

    def _pieces(self, size: int, end: int) -> Iterator[bytes]:
        while self.read < end:
            piece = self._source.read(min(size, end - self.read))
            if not piece:
                raise Ended
            self.read += len(piece)
            self._hash.update(piece)
            yield piece

    def check(self, expected: str) -> None:
        if self._hash.hexdigest() != expected:
            says = "The provided 'x-amz-content-sha256' header does not match what was computed."
            raise S3Error("XAmzContentSHA256Mismatch", says, 400)

    def drain(self, most: int) -> bool:
        """Reads what is left and forgets it; false where that is too much or unknown."""
        if self.length is None or self.length - self.read > most:
            return self.length is None and not self.read
        for _ in self._pieces(PIECE, self.length):
            pass
        return True


def move_out(
    response: http.client.HTTPResponse,
    sink: BufferedIOBase,
    call: Call,
    faults: Mapping[str, Fault],
    *,
    chunked: bool,
) -> None:
    """Sends an answer's body on, of which the head has said how long it is. Raises Ended or OSError."""
    whole = int(response.getheader("content-length") or 0)
    for piece in _read(response, piece_bytes(faults)):
        if "cut" in faults and call.bytes_out + len(piece) > whole // 2:
            sink.write(piece[: max(whole // 2 - call.bytes_out, 0)])
            raise Ended
        sink.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
        call.bytes_out += len(piece)
        drip(len(piece), faults)
    if chunked:
        sink.write(b"0\r\n\r\n")
    elif call.bytes_out < whole:
        raise Ended


def _read(response: http.client.HTTPResponse, size: int) -> Iterator[bytes]:
    try:
        while piece := response.read(size):
            yield piece
    except http.client.HTTPException:
        raise Ended from None


def piece_bytes(faults: Mapping[str, Fault]) -> int:
    """How much at once: little where it drips."""
    slow = faults.get("drip")
    return min(max(int(slow.number * 1024 / DRIPS), 1), PIECE) if slow else PIECE


def drip(moved: int, faults: Mapping[str, Fault]) -> None:
    if slow := faults.get("drip"):
        time.sleep(moved / (slow.number * 1024))
