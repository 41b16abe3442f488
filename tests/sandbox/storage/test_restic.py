"""The stand-in is a good S3 to a program that we did not write: restic backs up, checks, restores, and finds what was broken."""

import os
import pathlib
import shutil
import subprocess
from collections.abc import Callable

import pytest

from clients.object_storage import Storage
from sandbox.storage.state import Fault
from tests.sandbox.storage.place import ACCESS, SECRET, Place

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not shutil.which("restic"), reason="restic is not installed"),
]
Restic = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def restic(storage: Storage, place: Place, tmp_path: pathlib.Path) -> Restic:
    """A repository of its own; what fails says why."""
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(tmp_path), "AWS_ACCESS_KEY_ID": ACCESS, "AWS_SECRET_ACCESS_KEY": SECRET,
        "RESTIC_PASSWORD": "a password", "RESTIC_CACHE_DIR": str(tmp_path / "cache"),
        "RESTIC_REPOSITORY": f"s3:{place.server.url}/{storage.bucket}/alice",
    }  # fmt: skip

    def run(*words: str, good: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            ["restic", *words], env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert (done.returncode == 0) is good, done.stderr + done.stdout
        return done

    return run


@pytest.fixture
def mail(tmp_path: pathlib.Path) -> pathlib.Path:
    folder = tmp_path / "mail"
    for number in range(200):
        file = folder / f"box{number % 5}" / f"{number}.eml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(os.urandom(30_000))
    return folder


def test_a_backup_is_made_checked_and_restored(restic: Restic, mail: pathlib.Path, tmp_path: pathlib.Path):
    restic("init")
    restic("backup", str(mail))
    (mail / "box0" / "new.eml").write_bytes(b"new")
    (mail / "box1" / "1.eml").unlink()
    restic("backup", str(mail))
    restic("forget", "--keep-last", "1", "--prune")
    restic("check", "--read-data")
    restic("restore", "latest", "--target", str(tmp_path / "back"))
    assert contents(tmp_path / "back" / mail.relative_to("/")) == contents(mail)
    restic("unlock")


def test_what_was_broken_is_found(restic: Restic, mail: pathlib.Path, place: Place, storage: Storage):
    restic("init")
    restic("backup", str(mail))
    objects, bucket = place.server.objects, storage.bucket
    (pack, *_) = [one.key for one in objects.all(bucket, "alice/data/") if one.bytes > 1_000_000]
    restic("check", "--read-data")
    objects.corrupt(bucket, pack)
    assert pack.rpartition("/")[2][:8] in restic("check", "--read-data", good=False).stderr
    objects.truncate(bucket, pack)
    assert pack.rpartition("/")[2][:8] in restic("check", good=False).stderr
    objects.delete(bucket, pack)
    assert pack.rpartition("/")[2][:8] in restic("check", good=False).stderr


def test_a_storage_that_stumbles_is_survived(restic: Restic, mail: pathlib.Path, place: Place):
    """As by any client that repeats: what S3 says of its troubles is understood."""
    restic("init")
    for kind in ("slow_down", "server_error", "cut"):
        place.server.state.add(Fault(kind, "put", key="/data/", times=1))
    restic("backup", str(mail))
    assert place.server.state.faults() == []
    place.server.state.add(Fault("cut", "get", key="/data/", times=1))
    restic("check", "--read-data")
    assert place.server.state.faults() == []


def contents(folder: pathlib.Path) -> dict[str, bytes]:
    return {
        one.relative_to(folder).as_posix(): one.read_bytes() for one in folder.rglob("*") if one.is_file()
    }
