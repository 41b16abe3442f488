"""The page and the doors: what people and tests see of the storage, and how they break it."""

import pathlib
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from clients.object_storage import Object, Storage
from sandbox.app import Config, World
from tests.sandbox.storage.place import ACCESS, SECRET, code, get, put, stored, write

ELSEWHERE = {"Origin": "https://charlie.test"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    home: pathlib.Path = tmp_path_factory.mktemp("home")
    keys = {"storage_access_key": ACCESS, "storage_secret_key": SECRET}
    made = World(Config(home, "http://127.0.0.1:8000", hosts="none", **keys), on_log=str)
    yield made
    made.close()


@pytest.fixture
def browser(world: World) -> FlaskClient:
    return world.app.test_client()


@pytest.fixture
def storage(world: World, browser: FlaskClient) -> Iterator[Storage]:
    where = world.where("http://127.0.0.1:8010")
    made = Storage(where["storage_api"], where["storage_region"], where["storage_bucket"], ACCESS, SECRET)
    made.ensure_bucket()
    yield made
    made.delete_many([one.key for one in made.listing()])
    browser.delete("/storage/api/faults")
    for check in ("hash", "headers", "many"):
        browser.put("/storage/api/checks", json={"check": check, "on": True})


def change(browser: FlaskClient, how: str, key: str, **more: Any) -> int:
    wish = {"bucket": "mailat-backups", "key": key, **more}
    return browser.post(f"/storage/api/objects/{how}", json=wish).status_code


def content(storage: Storage, key: str) -> bytes:
    return get(storage.presign_read(key)).content


def seen(storage: Storage, key: str) -> Object:
    found = storage.head(key)
    assert found
    return found


def test_where_it_is_is_told_and_its_secret_is_not(world: World):
    where = world.where("http://127.0.0.1:8010")
    assert where["storage"] == "http://127.0.0.1:8010/storage/"
    assert where["storage_api"] == where["storage_api_of_servers"] == world.storage.server.url
    assert where["storage_why"] == ""
    assert SECRET not in str(where) + repr(world.config.home)


def test_objects_are_listed_with_sizes_and_dates(storage: Storage, browser: FlaskClient):
    stored(storage, "alice/config", b"12345")
    stored(storage, "bob/config", b"1")
    found = browser.get("/storage/api/objects").json["objects"]
    assert [(one["bucket"], one["key"], one["bytes"]) for one in found] == [
        ("mailat-backups", "alice/config", 5),
        ("mailat-backups", "bob/config", 1),
    ]
    assert found[0]["at"] == seen(storage, "alice/config").at.isoformat(timespec="seconds")
    only = browser.get("/storage/api/objects?bucket=mailat-backups&prefix=bob/").json["objects"]
    assert [one["key"] for one in only] == ["bob/config"]
    assert browser.get("/storage/api/objects?bucket=charlies").status_code == 400


def test_an_object_can_be_corrupted_and_nothing_shows_it(storage: Storage, browser: FlaskClient):
    stored(storage, "alice/data/one", b"Hello Bob")
    before = seen(storage, "alice/data/one")
    assert change(browser, "corrupt", "alice/data/one") == 201
    assert seen(storage, "alice/data/one") == before
    found = content(storage, "alice/data/one")
    assert len(found) == 9
    assert sum(one != two for one, two in zip(found, b"Hello Bob", strict=True)) == 1


def test_an_object_can_be_truncated(storage: Storage, browser: FlaskClient):
    stored(storage, "alice/data/one", b"Hello Bob")
    before = seen(storage, "alice/data/one")
    assert change(browser, "truncate", "alice/data/one", to=5) == 201
    assert content(storage, "alice/data/one") == b"Hello"
    assert change(browser, "truncate", "alice/data/one") == 201
    assert content(storage, "alice/data/one") == b"He"
    assert seen(storage, "alice/data/one") == Object("alice/data/one", 2, before.at)
    assert change(browser, "truncate", "alice/data/one", to=2) == 400


def test_an_object_can_vanish(storage: Storage, browser: FlaskClient):
    stored(storage, "alice/data/one", b"Hello Bob")
    assert change(browser, "delete", "alice/data/one") == 201
    assert storage.head("alice/data/one") is None
    assert list(storage.listing()) == []
    assert code(get(storage.presign_read("alice/data/one"))) == (404, "NoSuchKey")


def test_two_objects_can_be_swapped(storage: Storage, browser: FlaskClient):
    stored(storage, "alice/data/one", b"Alice's")
    stored(storage, "bob/data/one", b"Bob's own")
    assert change(browser, "swap", "alice/data/one", other="bob/data/one") == 201
    assert content(storage, "alice/data/one") == b"Bob's own"
    assert content(storage, "bob/data/one") == b"Alice's"


def test_an_object_can_grow_older(storage: Storage, browser: FlaskClient):
    stored(storage, "alice/data/one", b"1")
    stored(storage, "alice/data/two", b"1")
    before = {one.key: one.at for one in storage.listing()}
    assert change(browser, "age", "alice/data/one", hours=25) == 201
    hours = {one.key: (before[one.key] - one.at).total_seconds() / 3600 for one in storage.listing()}
    assert hours == {"alice/data/one": pytest.approx(25), "alice/data/two": pytest.approx(0)}


def test_all_objects_grow_older_with_the_clock(storage: Storage, browser: FlaskClient):
    stored(storage, "alice/data/one", b"1")
    before = seen(storage, "alice/data/one").at
    said = browser.post("/clock/pass", json={"hours": 24}).json["happened"]
    assert "1 objects of the storage grew older" in said
    assert (before - seen(storage, "alice/data/one").at).total_seconds() == pytest.approx(24 * 3600, abs=1)


@pytest.mark.parametrize("how", ["corrupt", "truncate", "delete", "swap", "age"])
@pytest.mark.parametrize(
    "key", ["alice/never", "", "alice", "../state.json", "../../internet.sqlite", "/etc/hostname"]
)
def test_only_objects_that_are_there_are_changed(
    storage: Storage, browser: FlaskClient, world: World, how: str, key: str
):
    stored(storage, "alice/data/one", b"1")
    before = sorted(one.name for one in (world.config.home / "storage").iterdir())
    assert change(browser, how, key, other="alice/data/one", hours=1) == 400
    assert content(storage, "alice/data/one") == b"1"
    assert sorted(one.name for one in (world.config.home / "storage").iterdir()) == before


def test_a_change_that_nobody_knows_is_refused(storage: Storage, browser: FlaskClient):
    stored(storage, "alice/data/one", b"1")
    assert change(browser, "_file", "alice/data/one") == 400
    assert change(browser, "buckets", "alice/data/one") == 400


def test_checks_are_switched_off_and_on(storage: Storage, browser: FlaskClient):
    assert browser.get("/storage/api/checks").json["checks"] == {"hash": True, "headers": True, "many": True}
    browser.put("/storage/api/checks", json={"check": "hash", "on": False})
    assert put(write(storage, "alice/data/one", b"Bob"), b"Eve").status_code == 200
    browser.post("/storage/api/checks", data={"check": "hash", "on": "true"})
    assert put(write(storage, "alice/data/one", b"Bob"), b"Eve").status_code == 400
    assert browser.put("/storage/api/checks", json={"check": "weather", "on": True}).status_code == 400


def test_faults_are_set_listed_and_cleared(storage: Storage, browser: FlaskClient):
    made = browser.post("/storage/api/faults", json={"kind": "slow_down", "operation": "put", "times": None})
    assert made.status_code == 201
    assert code(put(write(storage, "alice/data/one", b"1"), b"1")) == (503, "SlowDown")
    assert [one["kind"] for one in browser.get("/storage/api/faults").json["faults"]] == ["slow_down"]
    browser.delete(f"/storage/api/faults?id={made.json['fault']['id']}")
    stored(storage, "alice/data/one", b"1")
    assert browser.get("/storage/api/faults").json["faults"] == []


@pytest.mark.parametrize(
    "wish",
    [{}, {"kind": "flood"}, {"kind": "slow", "number": "soon"}, {"kind": "slow", "number": -1}, {"kind": "cut", "times": 0},
     {"kind": "cut", "operation": "sing"}, {"kind": "cut", "who": "Bob"}, {"kind": "slow", "number": 1e9}],
)  # fmt: skip
def test_a_fault_that_cannot_be_is_refused(browser: FlaskClient, wish: dict[str, Any]):
    answer = browser.post("/storage/api/faults", json=wish)
    assert (answer.status_code, bool(answer.json["error"])) == (400, True)
    assert browser.get("/storage/api/faults").json["faults"] == []


def test_requests_are_listed_by_who_signed_them(world: World, storage: Storage, browser: FlaskClient):
    world.storage.server.calls.rest()
    since = browser.get("/storage/api/calls").json["calls"][-1]["number"]
    stored(storage, "alice/data/one", b"12345")
    storage.head("alice/data/one")
    get(type(write(storage, "a", b""))(f"{storage.presign_read('alice/data/one').url.partition('?')[0]}"))
    world.storage.server.calls.rest()
    calls = browser.get(f"/storage/api/calls?since={since}").json["calls"]
    assert [(one["operation"], one["by"], one["status"]) for one in calls] == [
        ("put", "url", 200),
        ("head", "header", 200),
        ("get", "", 403),
    ]
    assert (calls[0]["key"], calls[0]["bytes_in"]) == ("alice/data/one", 5)


def test_the_page_shows_all_of_it_and_its_forms_lead_back(storage: Storage, browser: FlaskClient):
    stored(storage, "alice/data/one", b"12345")
    back = browser.post(
        "/storage/api/faults", data={"kind": "drip", "number": "7", "times": "", "operation": "*", "key": ""}
    )
    assert (back.status_code, back.headers["Location"]) == (303, "/storage/")
    page = browser.get("/storage/").text
    for words in ("alice/data/one", "KiB a second", "7.0): always", "Requests", "not the real service"):
        assert words in page
    assert SECRET not in page
    assert "X-Amz-Signature" not in page
    wrong = browser.post(
        "/storage/api/objects/corrupt", data={"bucket": "mailat-backups", "key": "alice/never"}
    )
    assert (wrong.status_code, "there is no such object" in wrong.text) == (400, True)


def test_it_can_be_killed_and_comes_back(storage: Storage, browser: FlaskClient):
    stored(storage, "alice/data/one", b"1")
    assert browser.post("/storage/api/kill", json={}).status_code == 201
    assert content(storage, "alice/data/one") == b"1"


@pytest.mark.parametrize("path", ["faults", "checks", "kill", "objects/delete", "faults/clear"])
def test_a_page_from_elsewhere_breaks_nothing(browser: FlaskClient, path: str):
    assert browser.post(f"/storage/api/{path}", headers=ELSEWHERE, json={}).status_code == 403
