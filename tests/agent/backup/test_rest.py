"""restic's protocol, spoken to the door on loopback byte by byte, over a storage that misbehaves."""

import hashlib
import http.client
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest

from agent.mailat_agent.backup import rest as door
from agent.mailat_agent.backup.rest import Rest
from tests.agent.backup import storage as faults
from tests.agent.backup.storage import Storage

BLOB = hashlib.shake_256(b"a pack").digest(3_000_000)  # the same to every process that collects these tests
NAME = hashlib.sha256(BLOB).hexdigest()


class Said:
    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self.status, self.headers, self.body = answer.status, answer.headers, answer.read()


def ask(
    rest: Rest, method: str, path: str, body: bytes | None = None, secret: str = "", **headers: str
) -> Said:
    port = urlsplit(rest.url.removeprefix("rest:")).port
    line = http.client.HTTPConnection("127.0.0.1", port or 0, timeout=20)
    line.request(method, f"/{secret or rest.secret}/{path}", body, headers)
    said = Said(line.getresponse())
    line.close()
    return said


def test_what_restic_stores_is_in_the_storage_under_its_hash(rest: Rest, storage: Storage) -> None:
    assert ask(rest, "POST", f"data/{NAME}", BLOB).status == 200

    assert storage.place("data", NAME).read_bytes() == BLOB
    assert storage.calls == ["write", "wrote"]


def test_what_is_there_already_is_taken_and_not_sent_again(rest: Rest, storage: Storage) -> None:
    ask(rest, "POST", f"data/{NAME}", BLOB)
    before = storage.place("data", NAME).stat()

    assert ask(rest, "POST", f"data/{NAME}", BLOB).status == 200

    assert storage.place("data", NAME).stat() == before


@pytest.mark.parametrize("there", [False, True])
def test_bytes_that_are_not_what_they_are_called_never_become_an_object(
    rest: Rest, storage: Storage, there: bool
) -> None:
    if there:
        ask(rest, "POST", f"data/{NAME}", BLOB)

    assert ask(rest, "POST", f"data/{NAME}", BLOB[:-1] + b"!").status == 503

    assert storage.names("data") == ([NAME] if there else [])


def test_the_config_goes_by_the_hash_of_its_bytes_and_only_once(rest: Rest, storage: Storage) -> None:
    assert ask(rest, "HEAD", "config").status == 404
    assert ask(rest, "POST", "?create=true", b"").status == 200
    assert ask(rest, "POST", "config", b"sealed").status == 200
    assert ask(rest, "POST", "config", b"sealed").status == 200
    assert ask(rest, "POST", "config", b"of somebody else").status == 403

    assert ask(rest, "GET", "config").body == b"sealed"
    assert ask(rest, "HEAD", "config").headers["Content-Length"] == "6"


@pytest.mark.parametrize(
    ("part", "first", "end"), [("bytes=0-", 0, None), ("bytes=5-9", 5, 10), ("bytes=2999990-", -10, None)]
)
def test_a_part_is_read_as_a_part(
    rest: Rest, storage: Storage, part: str, first: int, end: int | None
) -> None:
    ask(rest, "POST", f"data/{NAME}", BLOB)

    said = ask(rest, "GET", f"data/{NAME}", Range=part)

    assert (said.status, said.body) == (206, BLOB[first:end])
    assert said.headers["Content-Length"] == str(len(said.body))


def test_a_part_behind_the_end_is_none(rest: Rest) -> None:
    ask(rest, "POST", f"data/{NAME}", BLOB)

    assert ask(rest, "GET", f"data/{NAME}", Range="bytes=3000000-").status == 416
    assert ask(rest, "GET", f"data/{NAME}", Range="lines=1").status == 416


def test_an_address_is_asked_for_once_for_all_parts_and_again_when_it_has_ended(
    rest: Rest, storage: Storage
) -> None:
    ask(rest, "POST", f"data/{NAME}", BLOB)
    for place in range(10):
        ask(rest, "GET", f"data/{NAME}", Range=f"bytes={place}-{place}")
    assert storage.calls.count("read") == 1

    storage.key = b"another from now on, so that every address of before is void"

    assert [ask(rest, "GET", f"data/{NAME}").status for _ in range(2)] == [503, 200]


def test_what_is_not_there_is_404_and_what_is_lost_behind_the_doors_back_too(
    rest: Rest, storage: Storage
) -> None:
    assert ask(rest, "GET", f"data/{NAME}").status == 404
    ask(rest, "POST", f"data/{NAME}", BLOB)
    ask(rest, "GET", f"data/{NAME}")
    storage.place("data", NAME).unlink()

    assert ask(rest, "GET", f"data/{NAME}").status == 404


def test_a_body_without_a_length_is_not_taken_for_the_next_request(rest: Rest) -> None:
    line = http.client.HTTPConnection("127.0.0.1", urlsplit(rest.url[5:]).port or 0, timeout=30)
    line.request("POST", f"/{rest.secret}/?create=true", iter([b""]))
    assert line.getresponse().read() == b""
    sock = line.sock
    line.request("HEAD", f"/{rest.secret}/config")
    assert line.getresponse().status == 404
    assert line.sock is sock
    line.close()


def test_a_list_has_names_and_sizes_over_many_pages(rest: Rest, storage: Storage) -> None:
    names = sorted(hashlib.sha256(bytes([n % 256, n // 256])).hexdigest() for n in range(2345))
    storage.place("index", "").mkdir()
    for name in names:
        storage.place("index", name).write_bytes(b"1234567")

    said = ask(rest, "GET", "index/", Accept=door.V2)

    assert said.headers["Content-Type"] == door.V2
    assert json.loads(said.body) == [{"name": name, "size": 7} for name in names]
    assert json.loads(ask(rest, "GET", "data/").body) == []
    assert storage.calls.count("list") == 4


def test_a_list_that_breaks_in_its_middle_is_no_shorter_list(rest: Rest, storage: Storage) -> None:
    storage.place("index", "").mkdir()
    for n in range(1500):
        storage.place("index", hashlib.sha256(str(n).encode()).hexdigest()).write_bytes(b"1")
    storage.fail(
        "door", lambda visit: False, faults.cut, faults.cut
    )  # an answer that is missing is asked for once more

    with pytest.raises(http.client.IncompleteRead):
        ask(rest, "GET", "index/")


def test_addresses_of_what_will_be_read_next_are_asked_for_together(rest: Rest, storage: Storage) -> None:
    for n in range(40):
        ask(rest, "POST", f"index/{hashlib.sha256(bytes([n])).hexdigest()}", bytes([n]))
    listed = json.loads(ask(rest, "GET", "index/").body)

    assert all(len(ask(rest, "GET", f"index/{one['name']}").body) == 1 for one in listed)

    assert storage.calls.count("read") == 1


def test_many_at_once_share_calls(rest: Rest, storage: Storage) -> None:
    blobs = [os.urandom(10_000) for _ in range(60)]

    def store(blob: bytes) -> int:
        return ask(rest, "POST", f"data/{hashlib.sha256(blob).hexdigest()}", blob).status

    with storage.lock, ThreadPoolExecutor(20) as pool:  # the first call waits, and those behind it gather
        waiting = [pool.submit(store, blob) for blob in blobs[:20]]
        while len(rest.gate._asking["write"]._waiting) < 2:
            time.sleep(0.01)
        storage.lock.release()
        statuses = [one.result() for one in waiting] + list(pool.map(store, blobs[20:]))
        storage.lock.acquire()

    assert set(statuses) == {200}
    assert storage.longest_batch > 1
    assert storage.names("data") == sorted(hashlib.sha256(blob).hexdigest() for blob in blobs)


def test_what_may_not_be_removed_is_403_and_is_told(rest: Rest, storage: Storage) -> None:
    ask(rest, "POST", f"snapshots/{NAME}", BLOB)
    storage.kept_for_now.add(NAME)
    assert ask(rest, "DELETE", f"snapshots/{NAME}").status == 403
    storage.kept_for_now.clear()
    assert ask(rest, "DELETE", f"snapshots/{NAME}").status == 200

    assert rest.refused == {"kept": 1}
    assert storage.names("snapshots") == []


@pytest.mark.parametrize("where", ["door", "PUT"])
@pytest.mark.parametrize("fault", [faults.cut, faults.status(503), faults.status(500), faults.status(403)])
def test_restic_is_told_to_try_again_and_the_second_try_succeeds(
    rest: Rest, storage: Storage, where: str, fault: faults.Fault
) -> None:
    if where == "door" and fault is not faults.cut:
        fault = faults.status(503)
    storage.fail(where, fault)

    assert [ask(rest, "POST", f"data/{NAME}", BLOB).status for _ in range(2)] == [503, 200]
    assert storage.names("data") == [NAME]


def test_half_an_object_is_heard_as_half(rest: Rest, storage: Storage) -> None:
    ask(rest, "POST", f"data/{NAME}", BLOB)
    storage.fail("GET", faults.cut_in_the_middle)

    with pytest.raises(http.client.IncompleteRead):
        ask(rest, "GET", f"data/{NAME}")
    assert ask(rest, "GET", f"data/{NAME}").body == BLOB


@pytest.mark.parametrize("refusal", [(401, ""), (403, "no backups"), (409, "ended")])
def test_a_door_that_is_shut_for_good_is_not_knocked_at_again_by_restic(
    rest: Rest, storage: Storage, refusal: tuple[int, str]
) -> None:
    storage.refusal = refusal

    assert ask(rest, "POST", f"data/{NAME}", BLOB).status == 403
    assert refusal[1] in rest.closed
    assert rest.closed


def test_the_storage_lied_about_what_it_took(rest: Rest, storage: Storage) -> None:
    def take_nothing(visit: faults.Visit) -> bool:
        visit.rfile.read(int(visit.headers["Content-Length"]))
        visit.say(200, b"")
        return True

    storage.fail("PUT", take_nothing)

    assert ask(rest, "POST", f"data/{NAME}", BLOB).status == 503


@pytest.mark.parametrize("path", ["", "config", f"data/{NAME}", "data/", "?create=true"])
def test_without_the_secret_there_is_nothing(rest: Rest, storage: Storage, path: str) -> None:
    for method in ("GET", "HEAD", "POST", "DELETE"):
        assert ask(rest, method, path, b"x", secret="guessed").status == 404
    assert storage.calls == []


@pytest.mark.parametrize(
    "path", ["data/../config", f"other/{NAME}", "data/abc", f"data/{NAME}/x", f"data/{NAME.upper()}"]
)
def test_no_other_path_leads_anywhere(rest: Rest, storage: Storage, path: str) -> None:
    for method in ("GET", "HEAD", "POST", "DELETE"):
        assert ask(rest, method, path, b"x").status == 404
    assert storage.calls == []
