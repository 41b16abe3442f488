"""The stand-in of object storage, and ways to lay objects into it that are quicker than S3."""

import pathlib
from datetime import UTC, datetime
from hashlib import sha256

import requests

from clients.object_storage import Signed, Storage
from sandbox.storage.server import Keys, S3Server

REGION = "fsn1"
ACCESS, SECRET = "AKCANARYACCESSKEY", "canary/secret+of-the-storage"


class Place:
    """One server; `storage` is a client of a bucket in it."""

    def __init__(self, home: pathlib.Path) -> None:
        self.server = S3Server(home, Keys(ACCESS, SECRET))
        self._buckets = 0

    def storage(self) -> Storage:
        """A bucket of its own for whoever asks."""
        self._buckets += 1
        made = self.client(f"mailat-{self._buckets}")
        made.ensure_bucket()
        return made

    def client(self, bucket: str, access: str = ACCESS, secret: str = SECRET, url: str = "") -> Storage:
        return Storage(url or self.server.url, REGION, bucket, access, secret)

    def lay(self, storage: Storage, key: str, content: bytes) -> None:
        file = self.server.rclone.files / storage.bucket / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        self.server.rclone.forget()

    def reset(self) -> None:
        self.server.state.clear()
        for name in self.server.state.all_checks():
            self.server.state.switch(name, True)


def write(storage: Storage, key: str, content: bytes) -> Signed:
    return storage.presign_write(key, bytes=len(content), sha256=sha256(content).hexdigest())


def put(signed: Signed, content: bytes, **more: str) -> requests.Response:
    return requests.put(signed.url, data=content, headers={**signed.headers, **more}, timeout=20)


def get(signed: Signed, **headers: str) -> requests.Response:
    return requests.get(signed.url, headers=headers, timeout=20)


def code(answer: requests.Response) -> tuple[int, str]:
    """The status and S3's word for it."""
    return answer.status_code, answer.text.partition("<Code>")[2].partition("</Code>")[0]


def stored(storage: Storage, key: str, content: bytes) -> None:
    assert put(write(storage, key, content), content).status_code == 200


def now() -> datetime:
    return datetime.now(UTC)
