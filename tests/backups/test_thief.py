"""Whoever stole a server's credentials asks for everything that comes to mind."""

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from backups import actions
from backups.models import Repository, Stored
from clients.object_storage import Storage
from servers.models import Destruction, Server
from tests.backups.conftest import (
    BY,
    NAMES,
    PASSWORD,
    SECRET,
    Host,
    call,
    content,
    get,
    in_bucket,
    make_older,
    put,
)
from vault import actions as vault

pytestmark = pytest.mark.django_db
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
MIB = 2**20


@pytest.mark.parametrize(
    "bearer", ["", "Bearer", "Bearer x.y", "Basic abc", "Bearer {0}", "Bearer {0}.", "Bearer {0}.guess"]
)
def test_a_stranger_is_told_nothing(client: Client, host: Host, bearer: str):
    given = {"Authorization": bearer.format(host.server.pk)}
    answer = client.post("/agent/v1/storage", "{}", content_type="application/json", headers=given)
    assert (answer.status_code, answer.json()) == (401, {"error": "unknown agent"})


def test_the_secret_of_one_server_opens_nothing_of_another(host: Host, other: Host, client: Client):
    host.server.agent.key_hash = "0" * 64
    host.server.agent.save()
    assert Host(client, host.server, SECRET).ask("list", kind="data").status_code == 401
    assert Host(client, other.server, SECRET).ask("list", kind="data").status_code == 200


def test_the_gate_has_one_door_and_the_site_has_none(client: Client, host: Host, settings: Any):
    for path in ("/", "/admin/", "/overview", "/agent/v1/report", "/agent/v1/enrol", "/agent/v1/agent.pyz"):
        assert client.get(path).status_code == 404
        assert client.post(path).status_code == 404
    assert client.get("/agent/v1/storage").status_code == 405
    settings.ROOT_URLCONF = "mailat.urls"
    assert host.ask("list", kind="data").status_code == 404


def test_another_servers_objects_are_not_there(host: Host, other: Host):
    theirs = other.write("data", "a secret of theirs")
    assert host.names("data") == []
    assert host.told("read", theirs) == [{**theirs, "gone": True}]
    assert host.told("wrote", theirs) == [{**theirs, "there": False}]
    assert host.told("remove", theirs) == [{**theirs, "removed": True}]
    assert other.names("data") == [theirs["name"]]
    assert get(other.told("read", theirs)[0]) == (200, b"a secret of theirs")


def test_an_address_is_for_one_object_and_one_deed(host: Host, other: Host, storage: Storage):
    mine, theirs = host.write("data", "mine"), other.write("data", "theirs")
    (given,) = host.told("write", host.wish("data", b"new"))
    (readable,) = host.told("read", mine)
    swaps = [
        (mine["name"], theirs["name"]),
        (str(host.server.pk), str(other.server.pk)),
        ("/data/", "/keys/"),
        ("X-Amz-Expires=900", "X-Amz-Expires=604800"),
    ]
    for before, after in swaps:
        assert call("GET", readable["url"].replace(before, after), {})[0] == 403
        before = given["name"] if before == mine["name"] else before
        assert put({**given, "url": given["url"].replace(before, after)}, b"new") == 403
    for method in ("DELETE", "PUT", "POST"):
        assert call(method, readable["url"], {}, b"")[0] in (403, 405)
    assert call("DELETE", given["url"], given["headers"])[0] == 403
    assert call("GET", given["url"], given["headers"])[0] == 403
    assert in_bucket(storage) == {
        f"{host.server.pk}/data/{mine['name']}",
        f"{other.server.pk}/data/{theirs['name']}",
    }


def test_nothing_else_can_be_written_under_a_hash(host: Host, storage: Storage):
    wish = host.wish("data", b"the real one")
    (given,) = host.told("write", wish)
    assert put(given, b"another one!") in (400, 403)
    wrong = {**given, "headers": {**given["headers"], "x-amz-content-sha256": content("another one!")[1]}}
    assert put(wrong, b"another one!") in (400, 403)
    unsigned = {**given, "headers": {**given["headers"], "x-amz-content-sha256": "UNSIGNED-PAYLOAD"}}
    assert put(unsigned, b"another one!") in (400, 403)
    assert put({**given, "headers": {**given["headers"], "content-length": "3"}}, b"the") in (400, 403)
    assert in_bucket(storage) == set()
    assert host.told("wrote", wish)[0]["there"] is False
    assert put(given, b"the real one") == 200


def test_what_is_stored_is_never_signed_for_writing_again(host: Host):
    for kind in (*NAMES, "config"):
        name = host.write(kind, f"one of {kind}")
        assert "url" not in host.told("write", host.wish(kind, f"one of {kind}".encode()))[0], name


def test_the_config_is_written_once(host: Host):
    first, second = host.wish("config", b"the config"), host.wish("config", b"another")
    host.told("write", first)
    assert host.told("write", second)[0]["refused"] == "later"
    (given,) = host.told("write", first)
    assert put(given, b"the config") == 200
    assert host.told("write", second)[0]["refused"] == "exists"
    host.told("wrote", {"kind": "config", "name": ""})
    assert host.told("write", second)[0]["refused"] == "exists"
    assert host.told("write", first)[0]["there"] is True
    assert host.told("remove", {"kind": "config", "name": ""})[0]["refused"] == "kept"


def test_a_config_that_never_came_may_be_another_when_its_address_is_spent(host: Host):
    host.told("write", host.wish("config", b"of a first try"))
    make_older(timedelta(minutes=16))
    (given,) = host.told("write", host.wish("config", b"of a second try"))
    assert put(given, b"of a second try") == 200


def test_an_old_call_that_is_sent_again_does_no_harm(host: Host):
    name = host.write("data", "a pack")
    removal = json.dumps({"do": "remove", "objects": [name]})
    host.post(removal)
    host.told("write", host.wish("data", b"a pack"))
    assert host.post(removal).json()["objects"] == [{**name, "removed": True}]
    assert Stored.objects.get(kind="data").leaves_at > timezone.now() + DAY - HOUR


def test_before_the_password_is_kept_nothing_is_written(client: Client, server: Server, gate: None):
    host = Host(client, server)
    assert host.told("write", host.wish("config", b"x"))[0]["refused"] == "no_escrow"
    assert not Stored.objects.exists()
    host.escrow()
    assert "url" in host.told("write", host.wish("config", b"x"))[0]


def read_escrow(host: Host) -> str:
    repository = Repository.objects.get(pk=host.server.pk)
    assert repository.secret_id
    return vault.reading(
        secret=repository.secret_id, by=BY, why="a test looks", account=repository.account_id, purpose="backup",
        subject=repository.subject,
    )  # fmt: skip


def test_the_password_in_escrow_is_the_first_one_that_anything_was_written_with(host: Host):
    assert read_escrow(host) == PASSWORD
    assert host.escrow("sealed once more, since our answer was lost").json() == {"kept": True}
    assert read_escrow(host) == "sealed once more, since our answer was lost"
    host.told("write", host.wish("config", b"the config"))
    host.escrow("a thief's")
    assert read_escrow(host) == "sealed once more, since our answer was lost"


def test_what_was_sealed_to_another_key_or_for_nobody_is_not_kept(host: Host):
    order = actions.wanted(host.server.pk)
    assert order
    for sealed, key, why in (
        (b"x" * 80, "0" * 16, "another key"),
        (b"x" * 10, order["escrow"]["id"], "malformed"),
    ):
        answer = host.ask("escrow", sealed=base64.b64encode(sealed).decode(), key=key)
        assert (answer.status_code, answer.json()) == (200, {"kept": False, "why": why})


def test_without_backups_a_server_gets_none_and_after_its_end_none_more(
    client: Client, host: Host, other: Host
):
    name = host.write("data", "a pack")
    Repository.objects.filter(pk=other.server.pk).delete()
    assert (other.ask("list", kind="data").status_code, other.ask("list", kind="data").json()) == (
        403,
        {"error": "no backups"},
    )
    actions.forget_home(home=host.server.pk, by="program:Destroy")
    for do in ("write", "wrote", "read", "list", "remove", "escrow"):
        answer = host.ask(do, objects=[name])
        assert (answer.status_code, answer.json()) == (409, {"error": "ended"})


def test_a_server_that_is_gone_is_told_so(host: Host):
    Destruction.objects.create(
        server=host.server, by="x", reason="x", due_at=timezone.now(), begun_at=timezone.now()
    )
    Server.objects.filter(pk=host.server.pk).update(gone_at=timezone.now())
    assert host.ask("list", kind="data").status_code == 410
