"""The storage door and the storage behind it, over a directory: what PROTOCOL.md says of both, checked as strictly.

`python -m tests.agent.backup.storage FOLDER PORT BEARER` is one that may be killed; its files are all that it knows.
"""

import hashlib
import hmac
import json
import re
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

HOME = "0d6a1b0e-6c0f-4f6e-9d0b-2f7a40a3a111"
BEARER = f"{HOME}.{'5' * 64}"
KINDS = ("config", "keys", "locks", "snapshots", "index", "data")
UNTIL = 900.0  # seconds
PAGE = 1000

Fields = dict[str, Any]
Fault = Callable[["Visit"], bool]  # whether it has answered in the honest one's place


class Storage:
    """What one home has stored; `faults` by "door" or the storage's method are used up one by one."""

    def __init__(self, folder: Path, port: int = 0, bearer: str = BEARER) -> None:
        self.folder, self.bearer = folder, bearer
        self.home = folder / bearer.partition(".")[0]
        self.home.mkdir(parents=True, exist_ok=True)
        (folder / "trash").mkdir(exist_ok=True)
        self.key = b"of the storage alone"
        self.calls: list[str] = []
        self.longest_batch = 0
        self.faults: dict[str, deque[Fault]] = {}
        self.kept_for_now: set[str] = set()  # names that may not be removed
        self.escrows: list[Fields] = []
        self.refusal: tuple[int, str] | None = None  # of every call at the door
        self.lifetime = UNTIL
        self.lock = threading.Lock()
        self.door = Door(("127.0.0.1", port), Visit)
        self.door.storage = self  # type: ignore[attr-defined]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.door.server_port}"

    def start(self) -> "Storage":
        threading.Thread(target=self.door.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def close(self) -> None:
        self.door.shutdown()
        self.door.server_close()

    def fail(self, what: str, *faults: Fault) -> None:
        """Let the next answers of "door", "PUT" or "GET" be these."""
        self.faults.setdefault(what, deque()).extend(faults)

    def place(self, kind: str, name: str) -> Path:
        return self.home / "config" if kind == "config" else self.home / kind / name

    def names(self, kind: str) -> list[str]:
        """What is there of a kind, by name."""
        folder = self.home / kind
        return (
            sorted(path.name for path in folder.iterdir() if "." not in path.name) if folder.is_dir() else []
        )

    def bytes(self) -> int:
        return sum(path.stat().st_size for path in self.home.rglob("*") if path.is_file())

    def sign(self, method: str, kind: str, name: str, **signed: str) -> str:
        until = str(time.time() + self.lifetime)
        path = f"/bucket/{self.place(kind, name).relative_to(self.folder).as_posix()}"
        return f"{self.url}{path}?until={until}&seal={self.seal(method, path, until, signed)}"

    def seal(self, method: str, path: str, until: str, signed: Fields) -> str:
        text = json.dumps([method, path, until, sorted(signed.items())])
        return hmac.new(self.key, text.encode(), hashlib.sha256).hexdigest()

    def answer(self, asked: Fields) -> Fields:
        """One honest answer of the door."""
        do = asked["do"]
        if do == "list":
            return self._list(asked["kind"], asked["after"])
        if do == "escrow":
            self.escrows.append(asked)
            return {"kept": True}
        assert 0 < len(asked["objects"]) <= 500
        self.longest_batch = max(self.longest_batch, len(asked["objects"]))
        act = {"write": self._write, "wrote": self._wrote, "read": self._read, "remove": self._remove}[do]
        once = {(one["kind"], one["name"]): one for one in asked["objects"]}
        return {"objects": [self._about(one, act(one)) for one in once.values()]}

    def _about(self, one: Fields, said: Fields) -> Fields:
        return {"kind": one["kind"], "name": one["name"] if one["kind"] != "config" else "", **said}

    def _checked(self, one: Fields) -> Path:
        assert one["kind"] in KINDS
        assert one["kind"] == "config" or re.fullmatch(r"[0-9a-f]{64}", one["name"])
        return self.place(one["kind"], one["name"])

    def _write(self, one: Fields) -> Fields:
        place = self._checked(one)
        trashed = self.folder / "trash" / one["name"]
        if one["kind"] != "config" and trashed.exists() and not place.exists():
            trashed.rename(place)
        if place.exists():
            same = one["kind"] != "config" or hashlib.sha256(place.read_bytes()).hexdigest() == one["sha256"]
            return {"there": True} if same else {"refused": "exists"}
        digest = one["sha256"] if one["kind"] == "config" else one["name"]
        headers = {"content-length": str(one["bytes"]), "x-amz-content-sha256": digest}
        url = self.sign("PUT", one["kind"], one["name"], **headers)
        return {"url": url, "headers": headers, "until": time.time() + self.lifetime}

    def _wrote(self, one: Fields) -> Fields:
        place = self._checked(one)
        return {"there": place.exists() and place.stat().st_size == one["bytes"]}

    def _read(self, one: Fields) -> Fields:
        if not self._checked(one).exists():
            return {"gone": True}
        return {"url": self.sign("GET", one["kind"], one["name"]), "until": time.time() + self.lifetime}

    def _remove(self, one: Fields) -> Fields:
        place = self._checked(one)
        if one["name"] in self.kept_for_now or one["kind"] in ("config", "keys"):
            return {"refused": "kept"}
        if place.exists() and one["kind"] == "locks":
            place.unlink()
        elif place.exists():
            place.rename(self.folder / "trash" / one["name"])
        return {"removed": True}

    def _list(self, kind: str, after: str) -> Fields:
        names = [name for name in self.names(kind) if name > after]
        page = [{"name": name, "bytes": self.place(kind, name).stat().st_size} for name in names[:PAGE]]
        return {"objects": page, "more": len(names) > PAGE}


class Door(ThreadingHTTPServer):
    """As many may knock at once as restic has connections, and some."""

    daemon_threads = True
    request_queue_size = 128


class Visit(BaseHTTPRequestHandler):
    """One request, to the door or to the storage."""

    protocol_version = "HTTP/1.1"
    timeout = 60
    disable_nagle_algorithm = True

    @property
    def storage(self) -> Storage:
        return self.server.storage  # type: ignore[attr-defined,no-any-return]

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        assert length <= 128 * 1024
        asked = json.loads(self.rfile.read(length))
        self.storage.calls.append(asked["do"])
        if self._faulty("door"):
            return None
        if self.headers.get("Authorization") != f"Bearer {self.storage.bearer}":
            return self.say(401, b"{}")
        if self.storage.refusal:
            status, word = self.storage.refusal
            return self.say(status, json.dumps({"error": word}).encode())
        with self.storage.lock:
            said = self.storage.answer(asked)
        return self.say(200, json.dumps(said).encode())

    def do_PUT(self) -> None:
        headers = {name: self.headers.get(name, "") for name in ("content-length", "x-amz-content-sha256")}
        place, allowed = self._judge("PUT", headers)
        if self._faulty("PUT"):
            return None
        if not allowed:
            return self._refuse()
        digest, left = hashlib.sha256(), int(headers["content-length"])
        place.parent.mkdir(exist_ok=True)
        fresh = place.with_name(f"{place.name}.{threading.get_ident()}")
        with open(fresh, "wb") as file:
            while left and (piece := self.rfile.read(min(left, 1 << 18))):
                left -= len(piece)
                digest.update(piece)
                file.write(piece)
        whole = not left and digest.hexdigest() == headers["x-amz-content-sha256"]
        fresh.rename(place) if whole else fresh.unlink()
        self.close_connection = bool(left)
        return None if left else self.say(200 if whole else 400, b"")

    def do_GET(self) -> None:
        place, allowed = self._judge("GET", {})
        if self._faulty("GET"):
            return None
        if not allowed:
            return self._refuse()
        if not place.exists():
            return self.say(404, b"<Error/>")
        first, last, size = *self._range(place.stat().st_size), place.stat().st_size
        if first >= size:
            return self.say(416, b"<Error/>")
        part = {"Content-Range": f"bytes {first}-{last}/{size}"} if "Range" in self.headers else {}
        self.head(206 if part else 200, last - first + 1, **part)
        with open(place, "rb") as file:
            file.seek(first)
            left = last - first + 1
            while left and (piece := file.read(min(left, 1 << 18))):
                left -= len(piece)
                self.wfile.write(piece)
        return None

    def _range(self, size: int) -> tuple[int, int]:
        found = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "bytes=0-"))
        assert found
        return int(found[1]), min(size - 1, int(found[2] or size - 1))

    def _judge(self, method: str, signed: Fields) -> tuple[Path, bool]:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        seal = self.storage.seal(method, parts.path, query["until"], signed)
        in_time = float(query["until"]) > time.time()
        return self.storage.folder / parts.path.removeprefix("/bucket/"), in_time and seal == query["seal"]

    def _faulty(self, what: str) -> bool:
        waiting = self.storage.faults.get(what)
        return bool(waiting) and waiting.popleft()(self)  # type: ignore[union-attr]

    def _refuse(self) -> None:
        self.close_connection = True
        self.say(403, b"<Error/>")

    def say(self, status: int, body: bytes, **headers: str) -> None:
        self.head(status, len(body), **headers)
        self.wfile.write(body)

    def head(self, status: int, length: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(length)}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


def status(code: int, **headers: str) -> Fault:
    """An answer with this status instead."""

    def fault(visit: Visit) -> bool:
        visit.close_connection = True
        visit.say(code, b"{}", **headers)
        return True

    return fault


def cut(visit: Visit) -> bool:
    """The connection ends and nothing was done."""
    visit.close_connection = True
    return True


def cut_in_the_middle(visit: Visit) -> bool:
    """Half of what is promised comes."""
    visit.close_connection = True
    visit.head(200 if "Range" not in visit.headers else 206, 1000)
    visit.wfile.write(b"x" * 500)
    return True


if __name__ == "__main__":
    Storage(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]).door.serve_forever()
