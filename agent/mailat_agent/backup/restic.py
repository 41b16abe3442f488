"""restic, run with as little as it needs: what is secret comes to it by pipes, and it never outlives the agent."""

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from ..mail.commands import without_secrets

# Behind mail in every queue, but never starved; and gone with its parent, since the door that it talks through is.
GENTLY = ("nice", "-n", "10", "ionice", "-c", "2", "-n", "7", "setpriv", "--pdeathsig", "KILL")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# https://restic.readthedocs.io/en/stable/075_scripting.html, exit codes
INCOMPLETE, NO_REPOSITORY, LOCKED, WRONG_PASSWORD = 3, 10, 11, 12
TOLD = 16 * 1024  # bytes of its complaints that are looked at
_SECRET_PLACE = re.compile(r"rest:http://\S+")

Seen = Callable[[dict[str, Any]], None]


class Failed(Exception):
    """restic did not do its work; `code` is its exit status, `items` what it could not handle."""

    def __init__(self, code: int, why: str, items: Sequence[str] = ()) -> None:
        super().__init__(why)
        self.code, self.items = code, tuple(items)


@dataclass
class Restic:
    """One repository; `limits` in KiB a second or None. `cached` False has it believe nothing but the storage."""

    repository: str = field(repr=False)
    password: str = field(repr=False)
    cache: Path
    limit: int | None = None
    cached: bool = True
    passed: Sequence[int] = ()  # descriptors that stay open as long as it runs
    program: str = "restic"
    process: "subprocess.Popen[bytes] | None" = None

    def run(self, *arguments: str, seen: Seen = lambda said: None, cwd: Path | None = None) -> list[Any]:
        """Its JSON, a value a line; a message goes to `seen` and is not kept. Raises Failed."""
        kept: list[Any] = []

        def take(line: bytes) -> None:
            value = _json(line)
            if isinstance(value, dict) and "message_type" in value:
                seen(value)
            elif value is not None:
                kept.append(value)

        self._run([*arguments, "--json"], cwd, lambda out: _each_line(out, take))
        return kept

    def read(self, *arguments: str, most: int) -> bytes:
        """What it writes, as it is, at most so many bytes. Raises Failed."""
        pieces: list[bytes] = []
        self._run(list(arguments), None, lambda out: pieces.append(_at_most(out, most)))
        return pieces[-1]

    def _run(self, arguments: list[str], cwd: Path | None, drain: Callable[[IO[bytes]], None]) -> None:
        """Once more without the locks of the dead: one may reach the storage after its run was killed and looked for."""
        try:
            self._once(arguments, cwd, drain)
        except Failed as failure:
            if failure.code != LOCKED:
                raise
            self._once(["unlock"], None, lambda out: _each_line(out, lambda _line: None))
            self._once(arguments, cwd, drain)

    def _once(self, arguments: list[str], cwd: Path | None, drain: Callable[[IO[bytes]], None]) -> None:
        with tempfile.TemporaryFile() as complaints:
            with _told(self.repository) as place, _told(self.password) as secret:
                process = self._start(arguments, cwd, place.fileno(), secret.fileno(), complaints)
            self.process = process
            try:
                assert process.stdout  # noqa: S101 - asked for
                drain(process.stdout)
                code = process.wait()
            except BaseException:
                process.kill()
                process.wait()
                raise
            finally:
                self.process = None
                process.stdout and process.stdout.close()
            if code:
                raise _failure(code, complaints)

    def _start(
        self, arguments: list[str], cwd: Path | None, place: int, secret: int, complaints: IO[bytes]
    ) -> "subprocess.Popen[bytes]":
        limits = [f"--limit-upload={self.limit}", f"--limit-download={self.limit}"] if self.limit else []
        cache = [f"--cache-dir={self.cache}/restic"] if self.cached else ["--no-cache"]
        options = [f"--repository-file=/dev/fd/{place}", f"--password-file=/dev/fd/{secret}", *cache, *limits]
        return subprocess.Popen(
            [*GENTLY, self.program, *options, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=complaints,
            cwd=cwd,
            pass_fds=(place, secret, *self.passed),
            env={
                "PATH": PATH,
                "LC_ALL": "C.UTF-8",
                "TMPDIR": str(self.cache / "tmp"),
                "RESTIC_PROGRESS_FPS": "1",
            },
        )


def _told(text: str) -> IO[bytes]:
    """A pipe's end from which this can be read once; short enough to fit in a pipe."""
    reader, writer = os.pipe()
    with open(writer, "wb") as file:
        file.write(text.encode())
    return open(reader, "rb")


def _each_line(out: IO[bytes], take: Callable[[bytes], None]) -> None:
    for line in out:
        take(line)


def _at_most(out: IO[bytes], most: int) -> bytes:
    said = out.read(most + 1)
    if len(said) > most:
        raise Failed(0, "it is longer than it can be")
    return said


def _json(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _failure(code: int, complaints: IO[bytes]) -> Failed:
    complaints.seek(max(0, complaints.seek(0, os.SEEK_END) - TOLD))
    lines = [
        line.strip() for line in complaints.read().decode("utf-8", "replace").splitlines() if line.strip()
    ]
    said = [_json(line.encode()) for line in lines]
    items = [
        str(one.get("item")) for one in said if isinstance(one, dict) and one.get("message_type") == "error"
    ]
    ends = [str(one.get("message")) for one in said if isinstance(one, dict) and "message" in one]
    plain = [line for line, one in zip(lines, said, strict=True) if not isinstance(one, dict)]
    why = (ends[-1:] or _telling(said) or plain[-1:] or [f"restic ended with {code}"])[0]
    return Failed(code, clean(why), items)


def _telling(said: Sequence[Any]) -> list[str]:
    errors = [one["error"] for one in said if isinstance(one, dict) and "error" in one]
    return [str(one.get("message")) for one in errors if isinstance(one, dict)][:1]


def clean(text: str) -> str:
    """A line of restic's that may be shown: it names its repository, and that is a secret here."""
    return without_secrets(_SECRET_PLACE.sub("the storage", text.splitlines()[0] if text else ""))
