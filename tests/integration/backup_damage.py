"""A mailbox whose messages lie in an object of their own, which is spoilt behind the storage's back and healed again."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import requests

from clients.object_storage import Storage
from sandbox.storage import BUCKET, REGION
from tests.integration.backup_town import BackupTown

MESSAGES = 150


class Damage:
    """`point` is the first that has the mailbox' mail; `key` is the object with most of it."""

    def __init__(self, town: BackupTown, address: str, seed: int) -> None:
        self.town = town
        town.back_up()  # so that nothing else is new
        known = {one["key"] for one in town.objects("data")}
        town.fill(address, MESSAGES, seed=seed)
        self.point = town.back_up()
        self.key = next(one["key"] for one in town.objects("data") if one["key"] not in known)
        env = town.product.env
        self.keys = env["STORAGE_ACCESS_KEY"], env["STORAGE_SECRET_KEY"]
        self.storage = Storage(env["STORAGE_URL"], REGION, BUCKET, *self.keys)
        self.content = b"".join(self.storage.read(self.key))
        self.foreign = self._of_another_server()

    @contextmanager
    def done(self, how: str) -> Iterator[None]:
        """As long as the block."""
        more = {"other": self.foreign} if how == "swap" else {}
        self.town.spoil(how, self.key, **more)
        try:
            yield
        finally:
            self.town.spoil(how, self.key, **more) if how == "swap" else self._heal()

    def _heal(self) -> None:
        right = sha256(self.content).hexdigest()
        signed = self.storage.presign_write(self.key, bytes=len(self.content), sha256=right)
        answer = requests.put(signed.url, self.content, headers=signed.headers, timeout=30)
        assert answer.status_code == 200, answer.text

    def _of_another_server(self) -> str:
        """A pack of a repository that is encrypted by another password."""
        other = uuid4()
        where = f"s3:{self.town.product.env['STORAGE_URL']}/{BUCKET}/{other}"
        env = {
            "PATH": os.environ["PATH"],
            "RESTIC_REPOSITORY": where,
            "RESTIC_PASSWORD": "charlie's",
            "AWS_ACCESS_KEY_ID": self.keys[0],
            "AWS_SECRET_ACCESS_KEY": self.keys[1],
            "AWS_DEFAULT_REGION": REGION,
        }
        for words in (["init"], ["backup", str(Path(__file__).parent)]):
            done = subprocess.run(["restic", "--no-cache", *words], env=env, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
        return self.town.objects("data", of=str(other))[0]["key"]
