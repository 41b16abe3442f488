"""What a storage really refuses to somebody who holds a signed URL: tried at the place itself, since its version is not told.

A hash that is not compared, a length that may differ or a header that may be added (CVE-2026-54330 in Ceph) are the vendor's to
mend and ours to know. Each trial uses keys of its own, below a prefix, and leaves nothing behind.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256

import requests

from clients.errors import TryLater
from clients.object_storage import Signed, Storage

TIMEOUT = (4.0, 20.0)  # seconds to connect and to read


@dataclass(frozen=True)
class Proof:
    """Whether it refuses: content with another hash, content of another length, a header that is not signed, and a copy
    of somebody else's object by such a header."""

    hash: bool
    length: bool
    headers: bool
    copies: bool

    @property
    def whole(self) -> bool:
        return self.hash and self.length and self.headers and self.copies


def prove(storage: Storage, prefix: str = "proof") -> Proof:
    """Some ten requests. Raises TryLater, Refused or Gone where the storage does not even take what is right."""
    place = f"{prefix}/{secrets.token_hex(8)}"
    right, wrong, others = (secrets.token_bytes(1000) for _ in range(3))
    keys = [f"{place}/{name}" for name in ("other", "hash", "length", "headers", "copies")]
    with _swept(storage, keys):
        _must_write(storage, keys[0], others)
        source = {"x-amz-copy-source": f"/{storage.bucket}/{keys[0]}"}
        tries = {
            keys[1]: ({}, wrong),
            keys[2]: ({"content-length": "1001"}, right + b"!"),
            keys[3]: ({"x-amz-meta-proof": "1"}, right),
            keys[4]: (source, right),
        }
        for key, (headers, content) in tries.items():
            _send(_signed(storage, key, right), headers, content)
        return Proof(*[storage.head(key) is None for key in tries])


def _must_write(storage: Storage, key: str, content: bytes) -> None:
    status = _send(_signed(storage, key, content), {}, content)
    if storage.head(key) is None:
        raise TryLater(f"the storage answers {status} to a right request with a signed URL", code=str(status))


def _signed(storage: Storage, key: str, content: bytes) -> Signed:
    return storage.presign_write(key, bytes=len(content), sha256=sha256(content).hexdigest(), seconds=300)


def _send(signed: Signed, headers: dict[str, str], content: bytes) -> int:
    """The status; what the storage made of it is seen by what lies there afterwards."""
    try:
        answer = requests.put(
            signed.url, content, headers=signed.headers | headers, timeout=TIMEOUT, allow_redirects=False
        )
    except requests.RequestException as error:
        name = type(error).__name__
        raise TryLater(f"the storage could not be reached ({name})", code="network", retry_after=15) from None
    if answer.status_code in (429, 500, 502, 503, 504):
        raise TryLater(f"the storage answers {answer.status_code}", code=str(answer.status_code))
    return answer.status_code


@contextmanager
def _swept(storage: Storage, keys: list[str]) -> Iterator[None]:
    try:
        yield
    finally:
        storage.delete_many(keys)
