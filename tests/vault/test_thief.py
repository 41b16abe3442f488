"""A thief has a copy of the whole database and all that a web process holds, and tries: every key that he can find or make.

The same thief with the workers' file opens everything, so that the test would notice if he were too stupid.
"""

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.db import connection

from devtools.environment import product_env
from devtools.paths import ROOT
from tests.integration.world import database_url
from vault import box
from vault.box import Place
from vault.errors import Unreadable

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]

ALICE = UUID(int=1)
TEXTS = ["wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "another secret of hers"]
# What a web process does: serve, seal what is typed, and wait for the next request.
WEB = f"""
import sys
from uuid import UUID
import mailat.wsgi
from vault import actions
from vault.errors import NoVaultKey
for n, text in enumerate({TEXTS!r}):
    kept = actions.keep(account=UUID(int=1), purpose="aws", subject=f"credentials:{{n}}", secret=text, by="user:1")
    try:
        actions.reading(secret=kept, by="user:1", why="a web process tries")
    except NoVaultKey:
        print("kept", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def web(home: Path) -> Iterator[subprocess.Popen[str]]:
    """A process with a web process' environment, while it lives."""
    env = product_env(home, database_url=database_url()) | {"PYTHONPATH": str(ROOT)}
    running = subprocess.Popen([sys.executable, "-c", WEB], env=env, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # fmt: skip
    assert running.stdout
    assert [running.stdout.readline() for _ in TEXTS] == ["kept\n"] * len(TEXTS)
    yield running
    running.communicate("")


class Thief:
    """Whatever he finds, he keeps; whatever could be a key, he tries."""

    def __init__(self, *loot: bytes) -> None:
        self.loot = b"\n".join(loot)
        self.rows = copy_of_secrets()

    def opened(self) -> set[str]:
        found = set()
        for key in set(self.keys()):
            private = X25519PrivateKey.from_private_bytes(key)
            for place, sealed in self.rows:
                try:
                    found.add(box.unseal(place, sealed, private))
                except Unreadable:
                    continue
        return found

    def keys(self) -> Iterator[bytes]:
        """Private keys in PEM; 32 bytes in hexadecimal or base64, and the hashes of all words; every window of what he has."""
        for pem in re.findall(
            rb"-----BEGIN PRIVATE KEY-----.*?-----END PRIVATE KEY-----", self.loot, re.DOTALL
        ):
            key = load_pem_private_key(pem, None)
            yield key.private_bytes_raw()  # type: ignore[union-attr]
        for word in set(re.findall(rb"[A-Za-z0-9+/_=-]{20,}", self.loot)):
            yield hashlib.sha256(word).digest()
            for decoded in decodings(word):
                yield from (decoded[at : at + 32] for at in range(0, max(len(decoded) - 31, 0), 1))


def decodings(word: bytes) -> Iterator[bytes]:
    text = word.decode()
    padded = text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4)
    ways = (
        lambda: bytes.fromhex(text),
        lambda: base64.b64decode(padded, validate=True),
        lambda: base64.b64decode(padded, "-_", validate=True),
    )
    for decode in ways:
        try:
            yield decode()
        except ValueError:
            continue


def copy_of_secrets() -> list[tuple[Place, bytes]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, account_id, purpose, subject, sealed FROM vault_secret WHERE account_id = %s", [ALICE]
        )
        return [(Place(*row[:4]), bytes(row[4])) for row in cursor.fetchall()]


def copy_of_the_database() -> bytes:
    with connection.cursor() as cursor:
        parts = []
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT to_jsonb(one) FROM "{table}" AS one')
            parts += [json.dumps(row) for row in cursor.fetchall()]
    return "\n".join(parts).encode()


def held_by(process: subprocess.Popen[str], home: Path) -> list[bytes]:
    """Its environment, every file that it names, and every file that it may read beside those but the workers'."""
    environment = Path(f"/proc/{process.pid}/environ").read_bytes()
    named = [value for pair in environment.split(b"\0") for value in [pair.partition(b"=")[2]]]
    files = [Path(os.fsdecode(value)) for value in named if value.startswith(os.fsencode(home))]
    return [environment, *(file.read_bytes() for file in files if file.is_file())]


def test_a_copy_of_the_database_and_all_that_a_web_process_holds_open_no_secret(
    web: subprocess.Popen[str], home: Path
):
    held = held_by(web, home)
    thief = Thief(copy_of_the_database(), *held)
    assert len(thief.rows) == len(TEXTS)
    assert any(b"BEGIN PUBLIC KEY" in part for part in held)
    assert len(set(thief.keys())) > 100
    assert thief.opened() == set()


def test_with_the_workers_file_he_opens_everything(web: subprocess.Popen[str], home: Path):
    held = held_by(web, home)
    thief = Thief(*held, (home / "secrets" / "vault-private-keys.pem").read_bytes())
    assert thief.opened() == set(TEXTS)


def test_neither_key_nor_secret_is_in_the_copy_of_the_database(web: subprocess.Popen[str], home: Path):
    copy = copy_of_the_database()
    private = load_pem_private_key((home / "secrets" / "vault-private-keys.pem").read_bytes(), None)
    raw = private.private_bytes_raw()  # type: ignore[union-attr]
    for text in (*(text.encode() for text in TEXTS), raw.hex().encode(), base64.b64encode(raw)):
        assert text not in copy


@pytest.mark.skipif(sys.platform != "linux", reason="a process' memory is a file on Linux")
def test_the_private_key_is_nowhere_in_a_web_process_memory(web: subprocess.Popen[str], home: Path):
    private = load_pem_private_key((home / "secrets" / "vault-private-keys.pem").read_bytes(), None)
    public = private.public_key().public_bytes_raw()  # type: ignore[union-attr]
    memory = memory_of(web.pid)
    assert public in memory
    assert private.private_bytes_raw() not in memory  # type: ignore[union-attr]


def memory_of(pid: int) -> bytes:
    """What it can write to: heap, stacks, anonymous pages."""
    parts = []
    with Path(f"/proc/{pid}/mem").open("rb", 0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            bounds, rights, *_ = line.split()
            first, last = (int(part, 16) for part in bounds.split("-"))
            if rights.startswith("rw"):
                memory.seek(first)
                parts.append(memory.read(last - first))
    return b"".join(parts)
