"""The door's and the storage's side of exports, over a directory: what PROTOCOL.md says of both, checked as strictly."""

import re
import time
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

from tests.agent.backup.storage import Fields, Storage

HASH = re.compile(r"[0-9a-f]{64}")


class ExportStorage(Storage):
    """`ready` has the files that were made, by mailbox; `part` is the length of parts."""

    part = 64 * 1024

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.begun: dict[str, Fields] = {}
        self.ready: dict[str, Path] = {}
        self.said: dict[str, Fields] = {}
        self.refuse: dict[str, str] = {}  # by what is asked
        (self.home / "parts").mkdir(exist_ok=True)
        (self.home / "exports").mkdir(exist_ok=True)

    def answer(self, asked: Fields) -> Fields:
        if asked["do"] in self.refuse:
            return {"refused": self.refuse[asked["do"]]}
        acts = {"export_begin": self._begin, "export_part": self._part, "export_done": self._done}
        return acts[asked["do"]](asked) if asked["do"] in acts else super().answer(asked)

    def _begin(self, asked: Fields) -> Fields:
        assert set(asked) == {"do", "job", "mailbox"}
        if asked["mailbox"] in self.ready:
            return {"ready": True}
        export = str(uuid4())
        self.begun[export] = {"mailbox": asked["mailbox"], "parts": {}}
        return {"export": export, "part": self.part}

    def _part(self, asked: Fields) -> Fields:
        parts = self.begun[asked["export"]]["parts"]
        assert 1 <= asked["number"] <= len(parts) + 1
        assert 0 < asked["bytes"] <= self.part
        assert HASH.fullmatch(asked["sha256"])
        parts[asked["number"]] = asked["bytes"]
        headers = {"content-length": str(asked["bytes"]), "x-amz-content-sha256": asked["sha256"]}
        url = self.sign("PUT", "parts", self._name(asked["export"], asked["number"]), **headers)
        return {"url": url, "headers": headers, "until": time.time() + self.lifetime}

    def _name(self, export: str, number: int) -> str:
        return f"{export}-{number:05}"

    def _done(self, asked: Fields) -> Fields:
        export = self.begun[asked["export"]]
        files = [self.place("parts", self._name(asked["export"], number)) for number in export["parts"]]
        assert all(size == self.part for size in list(export["parts"].values())[:-1])
        if not all(file.exists() for file in files):
            return {"refused": "incomplete"}
        target, digest = self.home / "exports" / f"{asked['export']}.zip", sha256()
        with target.open("wb") as whole:
            for file in files:
                digest.update(file.read_bytes())
                whole.write(file.read_bytes())
                file.unlink()
        assert (digest.hexdigest(), target.stat().st_size) == (asked["sha256"], asked["bytes"])
        self.ready[export["mailbox"]], self.said[export["mailbox"]] = target, asked
        return {"ready": True}
