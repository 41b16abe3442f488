"""Everything that a running product leaves behind, as bytes by place."""

import base64
import json
import subprocess
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import redis
from psycopg.sql import SQL, Identifier

from tests.integration.world import Sandbox

# Secrets are what is looked for, the sandbox is no part of the product, and static files are its source.
APART = ("secrets", "sandbox", "static")


def on_disk(home: Path) -> Iterator[tuple[str, bytes]]:
    """Logs, and every other file that a process of the product wrote."""
    for path in sorted(home.rglob("*")):
        name = path.relative_to(home)
        if path.is_file() and name.parts[0] not in APART:
            yield f"{'log' if path.suffix == '.log' else 'file'}:{name}", path.read_bytes()


def tables(url: str) -> Iterator[tuple[str, bytes]]:
    """Every row of every table, as Postgres writes it down; and what sessions and the cache pack."""
    listed = "SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    with psycopg.connect(url) as link:
        for schema, table in link.execute(listed).fetchall():
            yield f"table:{table}", _copied(link, schema, table)
        for number, (data,) in enumerate(link.execute("SELECT session_data FROM django_session").fetchall()):
            yield f"session:{number}", unpacked(data)
        for key, data in link.execute("SELECT cache_key, value FROM django_cache").fetchall():
            yield f"cache:{key[:60]}", base64.b64decode(data)


def _copied(link: psycopg.Connection[Any], schema: str, table: str) -> bytes:
    statement = SQL("COPY (SELECT * FROM {}) TO STDOUT").format(Identifier(schema, table))
    with link.cursor() as cursor, cursor.copy(statement) as copy:
        return _plain(b"".join(bytes(block) for block in copy))


def _plain(escaped: bytes) -> bytes:
    """Once with and once without the backslashes that it was written down with."""
    return escaped + b"\n" + escaped.replace(b'\\"', b'"').replace(b"\\\\", b"\\")


def unpacked(session: str) -> bytes:
    """What Django's signed and compressed text holds, without a look at the signature."""
    data = session.rsplit(":", 2)[0]
    packed = data.removeprefix(".")
    plain = base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4))
    return zlib.decompress(plain) if data.startswith(".") else plain


def in_redis(link: "redis.Redis[bytes]") -> Iterator[tuple[str, bytes]]:
    """Every key, as DUMP gives it and as it reads: DUMP compresses what is long."""
    for key in link.keys("*"):
        read = {
            b"string": lambda key: [link.get(key)],
            b"list": lambda key: link.lrange(key, 0, -1),
            b"set": lambda key: list(link.smembers(key)),
            b"zset": lambda key: link.zrange(key, 0, -1),
            b"hash": lambda key: [part for pair in link.hgetall(key).items() for part in pair],
        }[link.type(key)]
        values = [value or b"" for value in read(key)]
        yield (
            f"redis:{key.decode()}",
            b"\n".join([key, link.dump(key) or b"", *values, *map(_message, values)]),
        )


def _message(value: bytes) -> bytes:
    """The body of a message of Celery's, which travels in base64."""
    try:
        return base64.b64decode(json.loads(value)["body"])
    except (ValueError, KeyError, TypeError):
        return b""


@contextmanager
def overheard(port: int, password: str, file: Path) -> Iterator[None]:
    """Writes down every command that Redis is given: most of what passes through it is gone a moment later."""
    command = ["redis-cli", "--no-auth-warning", "-p", str(port), "monitor"]
    with file.open("wb") as out:
        listener = subprocess.Popen(
            command, env={"REDISCLI_AUTH": password, "PATH": "/usr/bin:/bin"}, stdout=out
        )
        try:
            yield
        finally:
            listener.kill()
            listener.wait()


def traffic(file: Path) -> Iterator[tuple[str, bytes]]:
    yield "redis traffic", _plain(file.read_bytes())


def letters(sandbox: Sandbox) -> Iterator[tuple[str, bytes]]:
    """Every mail that left."""
    for letter in sandbox.get("/mail/api/messages")["messages"]:
        yield f"mail:{letter['to']}: {letter['subject']}", json.dumps(letter, ensure_ascii=False).encode()


def arguments(parent: int) -> Iterator[tuple[str, bytes]]:
    """What everybody on the machine may read: the command lines of this process' children and of theirs."""
    below = {parent}
    for process in sorted(Path("/proc").glob("[0-9]*"), key=lambda path: int(path.name)):
        try:
            above = int((process / "stat").read_text().rpartition(")")[2].split()[1])
            words = (process / "cmdline").read_bytes()
        except OSError:
            continue  # it has ended
        if above in below:
            below.add(int(process.name))
            yield f"argv:{process.name}", words.replace(b"\0", b" ")
