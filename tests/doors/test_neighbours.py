"""What is Charlie's cannot be reached from Alice's side: not by an address, not by a form of hers, not by an agent's JSON."""

import json
from hashlib import sha256
from uuid import UUID

import pytest
from django.apps import apps
from django.db import transaction
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from accounts.models import User
from audit.models import Event
from servers.models import Agent
from tests.dashboard.test_access import ACCESS, MEMBERS, OWNERS
from tests.doors.conftest import Places
from tests.doors.everything import Door, doors
from tests.doors.neighbour import Forms, everything_of, state, with_theirs
from tests.doors.people import window

pytestmark = pytest.mark.django_db
DASHBOARD = [door for door in doors() if door.is_the_dashboards]
PERSONAL = [
    door for door in doors() if not door.is_staffs and not door.route.startswith(("agent/", "hooks/"))
]
REFUSED = {"account-choose": {403, 405}}  # where a person is told that they do not belong
Rows = dict[str, list[Model]]


@pytest.fixture
def theirs(place: Places, charlie: User) -> Rows:
    return everything_of(charlie)


@pytest.fixture
def mine(theirs: Rows) -> dict[str, str]:
    """The kind of each row that is not Charlie's, by its id."""
    his = {str(row.pk) for rows in theirs.values() for row in rows}
    labels = [model for model in apps.get_models() if model._meta.label in theirs]
    found = {
        str(pk): model._meta.label
        for model in labels
        for pk in model._base_manager.values_list("pk", flat=True)
    }
    return {pk: label for pk, label in found.items() if pk not in his}


def events(of: User) -> int:
    return Event.objects.filter(account_id=of.accounts.get().pk).count()


@pytest.mark.parametrize(
    "door", [door for door in DASHBOARD if ACCESS[door.name] in (MEMBERS, OWNERS)], ids=str
)
def test_an_address_with_an_id_of_somebody_elses_is_no_address(
    place: Places, charlie: User, alice: User, door: Door
) -> None:
    """The other way round, because the addresses that are known are Alice's."""
    client, path, before = window(charlie), place(door), events(alice)
    for method in ("get", "head", "post", "put", "delete", "patch"):
        status = getattr(client, method)(path).status_code
        assert status in REFUSED.get(door.name, {404, 405}), method
    assert events(alice) == before


def forms_of(client: Client, path: str) -> list[tuple[str, dict[str, list[str]]]]:
    response = client.get(path)
    if response.status_code != 200 or "html" not in response["Content-Type"]:
        return []
    read = Forms(response.content.decode())
    return [(action or path, form) for action, form in zip(read.actions, read.forms, strict=True)]


@pytest.mark.parametrize("door", PERSONAL, ids=str)
def test_no_form_of_hers_takes_an_id_of_his(
    place: Places, alice: User, charlie: User, theirs: Rows, mine: dict[str, str], door: Door
) -> None:
    client, before = window(alice), (state(theirs), events(charlie))
    for path, form in forms_of(client, place(door)):
        for data in with_theirs(form, mine, theirs):
            with transaction.atomic():
                response = client.post(path, data)
                assert response.status_code in (302, 403, 404, 409, 422), (path, data)
                assert "charlie" not in response.content.decode(), (path, data)
                assert (state(theirs), events(charlie)) == before, (path, data)
                transaction.set_rollback(True)


def test_the_forms_that_hold_ids_were_found(
    place: Places, alice: User, mine: dict[str, str], theirs: Rows
) -> None:
    """So that the test above does not pass by looking at nothing."""
    client, tried = window(alice), set()
    for door in DASHBOARD:
        for _, form in forms_of(client, place(door)):
            tried |= {door.name for _ in with_theirs(form, mine, theirs)}
    assert {"domain", "server-exports"} <= tried


def test_her_agent_cannot_speak_for_his_server(theirs: Rows, place: Places, charlie: User) -> None:
    secret = "an agent's secret"
    hers = Agent.objects.get(server__name="alicespost")
    his = theirs["servers.Server"][0]
    Agent.objects.filter(pk=hers.pk).update(key_hash=sha256(secret.encode()).hexdigest())
    told = {
        "server": str(his.pk),
        "applied": 1,
        "mail": {"erased": [str(row.pk) for row in theirs["domains.Erasure"]]},
    }
    before = state(theirs), events(charlie), Agent.objects.filter(server=his.pk).values().get()
    for server, status in ((his.pk, 401), (hers.server_id, 200)):
        response = _report(server, secret, told)
        assert response == status
    assert (state(theirs), events(charlie), Agent.objects.filter(server=his.pk).values().get()) == before


def _report(server: UUID, secret: str, told: dict[str, object]) -> int:
    headers = {"Authorization": f"Bearer {server}.{secret}"}
    body = json.dumps(told)
    return window().post("/agent/v1/report", body, "application/json", headers=headers).status_code


def test_choosing_his_account_is_refused(alice: User, charlie: User) -> None:
    there = reverse("account-choose", args=[charlie.accounts.get().pk])
    assert window(alice).post(there).status_code in (403, 404)
