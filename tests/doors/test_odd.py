"""Whatever comes to whatever door: it is answered, and never by 500."""

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import Client

from accounts.models import User
from tests.doors import junk
from tests.doors.conftest import Places
from tests.doors.everything import Door, doors
from tests.doors.people import window

pytestmark = pytest.mark.django_db
SITE = doors()
GATE = doors("mailat.gate_urls")
ids = [door.route or "landing" for door in SITE]


def ask(client: Client, path: str, one: junk.Junk) -> HttpResponse:
    """In a place of its own, so that what it leaves is gone before the next."""
    sent = {"CONTENT_TYPE": one.kind, "QUERY_STRING": one.query, **one.headers}
    cookies = sent.pop("HTTP_COOKIE", None)
    kept = client.cookies
    if cookies is not None:
        client.cookies = type(kept)()
        sent["HTTP_COOKIE"] = cookies
    with transaction.atomic():
        answer = client.generic(one.method, path, one.body, content_type=one.kind, **sent)  # type: ignore[arg-type]
        transaction.set_rollback(True)
    client.cookies = kept
    return answer  # type: ignore[return-value]


def broken(client: Client, path: str) -> list[str]:
    return [
        f"{one.method} {one.says}" for one in junk.everything() if ask(client, path, one).status_code >= 500
    ]


@pytest.mark.parametrize("door", SITE, ids=ids)
def test_nothing_odd_from_a_passer_by_breaks_it(place: Places, door: Door) -> None:
    assert broken(window(), place(door)) == []


@pytest.mark.parametrize("door", [door for door in SITE if not door.is_staffs], ids=str)
def test_nothing_odd_from_an_owner_breaks_it(place: Places, alice: User, door: Door) -> None:
    assert broken(window(alice), place(door)) == []


@pytest.mark.parametrize("door", GATE, ids=str)
@pytest.mark.urls("mailat.gate_urls")
def test_nothing_odd_breaks_the_gate(db: None, door: Door) -> None:
    assert broken(window(), door.path()) == []
