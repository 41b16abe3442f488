"""Three ways to back up the same mail to the same storage: ours, plain restic straight to it, and tar through zstd."""

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from agent.mailat_agent.backup.restic import GENTLY
from bench import backup_place
from bench.backup_place import Place
from bench.backup_store import Store
from devtools.paths import ROOT, VENV_PYTHON


@dataclass
class Ours:
    """A host with its agent, and in the end another one."""

    place: Place
    home: Path
    peak_kib: int = 0
    restic_kib: int = 0

    def __post_init__(self) -> None:
        self.server, self.order = backup_place.server()
        self.key = X25519PrivateKey.generate()

    def backup(self, store: Store) -> float:
        said = self._run("backup", self.home, store.mail, self.order)
        self.newest = said["found"]["points"][-1]
        return float(said["seconds"])

    def restore(self, store: Store) -> float:
        """To new hardware: nothing of the old host is there but what the control plane kept."""
        mail = store.empty_like(self.home / "new/mail")
        order = backup_place.hand_over(self.server, self.key.public_key().public_bytes_raw())
        said = self._run("restore", self.home / "new", mail, {**order, "known": [self.newest]})
        found = said["found"]
        assert (found["mailboxes"], found["not_served"]) == (store.boxes, [])
        shutil.rmtree(self.home / "new")
        return float(said["seconds"])

    def _run(self, do: str, root: Path, mail: Path, order: dict[str, Any]) -> dict[str, Any]:
        wish = {
            "do": do, "root": str(root), "mail": str(mail), "server": str(self.server), "control": self.place.gate,
            "bearer": f"{self.server}.{backup_place.OWN}", "private": self.key.private_bytes_raw().hex(),
            "order": order,
        }  # fmt: skip
        command = [sys.executable, "-m", "bench.backup_agent"]
        done = subprocess.run(
            command, input=json.dumps(wish), stdout=subprocess.PIPE, text=True, cwd=ROOT, check=True
        )
        said = dict(json.loads(done.stdout))
        self.peak_kib = max(self.peak_kib, said["peak_kib"])
        self.restic_kib = max(self.restic_kib, said["restic_kib"])
        return said


@dataclass
class Plain:
    """restic with its own S3 backend, as gently as ours runs it."""

    place: Place
    home: Path

    def __post_init__(self) -> None:
        self.home.mkdir(parents=True)
        self.env = keys() | {
            "RESTIC_REPOSITORY": f"{self.place.s3}/{uuid4()}",
            "RESTIC_PASSWORD": "a password of the bench",
            "RESTIC_CACHE_DIR": str(self.home / "cache"),
        }
        self.there = False

    def backup(self, store: Store) -> float:
        began = time.monotonic()
        if not self.there:
            self._restic("init")
        self.there = True
        self._restic("backup", ".", "--host", "bench", cwd=store.mail)
        return time.monotonic() - began

    def restore(self, store: Store) -> float:
        shutil.rmtree(self.home / "cache")  # new hardware has none
        began = time.monotonic()
        self._restic("restore", "latest", "--target", str(self.home / "new"))
        seconds = time.monotonic() - began
        shutil.rmtree(self.home / "new")
        return seconds

    def _restic(self, *words: str, cwd: Path | None = None) -> None:
        subprocess.run(
            [*GENTLY, "restic", "--quiet", *words], env=self.env, cwd=cwd, check=True, stdout=sys.stderr
        )


@dataclass
class Tar:
    """Everything each time, by tar and zstd into a file, and rclone sends that in one piece."""

    place: Place
    home: Path

    def __post_init__(self) -> None:
        self.home.mkdir(parents=True)
        said = self.place.storage
        s3 = {
            "TYPE": "s3",
            "PROVIDER": "Other",
            "ENDPOINT": said["storage_api"],
            "ENV_AUTH": "true",
            "UPLOAD_CUTOFF": "4Gi",
        }
        self.env = keys() | {f"RCLONE_CONFIG_BENCH_{name}": value for name, value in s3.items()}
        self.env |= {"RCLONE_CONFIG": os.devnull, "AWS_REGION": said["storage_region"]}
        self.there = f"bench:{said['storage_bucket']}/{uuid4()}/mail.tar.zst"

    def backup(self, store: Store) -> float:
        file = self.home / "mail.tar.zst"
        pack = f"tar -C {store.mail} -c . | zstd -q -3 -f -o {file}"
        seconds = self._shell(f"{pack}; {rclone()} copyto {file} {self.there}")
        file.unlink()
        return seconds

    def restore(self, store: Store) -> float:
        (self.home / "new").mkdir()
        seconds = self._shell(f"{rclone()} cat {self.there} | zstd -q -d | tar -C {self.home}/new -x")
        shutil.rmtree(self.home / "new")
        return seconds

    def _shell(self, line: str) -> float:
        began = time.monotonic()
        command = [*GENTLY, "bash", "-euo", "pipefail", "-c", line]
        subprocess.run(command, env=self.env, check=True, stdout=sys.stderr)
        return time.monotonic() - began


def rclone() -> str:
    return str(VENV_PYTHON.parent / "rclone")


def keys() -> dict[str, str]:
    """The storage's key, as whoever goes straight to it has it."""
    return {
        "PATH": os.environ["PATH"],
        "AWS_ACCESS_KEY_ID": os.environ["STORAGE_ACCESS_KEY"],
        "AWS_SECRET_ACCESS_KEY": os.environ["STORAGE_SECRET_KEY"],
    }


Way = Ours | Plain | Tar
WAYS: dict[str, type[Ours] | type[Plain] | type[Tar]] = {"ours": Ours, "restic": Plain, "tar": Tar}


def made(place: Place, folder: Path) -> dict[str, Way]:
    """Fresh ones of each."""
    return {name: way(place, folder / name / str(uuid4())) for name, way in WAYS.items()}
