"""Each door lets in whom its row says and leads everybody else to where they get on."""

import pytest
from django.http import HttpResponse
from django.test import Client

from accounts.models import User
from audit.models import Event
from tests.dashboard.test_access import ACCESS, OPEN
from tests.doors.conftest import Places
from tests.doors.everything import Door, doors
from tests.doors.people import hours_later, window
from tests.doors.table import ASK_AGAIN, DO, DOORS, LOOKING, OF_A_MEMBER, PROVE, Answer

pytestmark = pytest.mark.django_db
SITE = [door for door in doors() if not door.is_staffs]
DASHBOARD = [door for door in SITE if door.is_the_dashboards]
OTHERS = [door for door in SITE if not door.is_the_dashboards]


def answer(response: HttpResponse) -> Answer:
    """The status, or the path that one is led to."""
    return (
        response["Location"].partition("?")[0] if response.status_code in (302, 303) else response.status_code
    )


def test_every_door_has_a_row_and_every_row_a_door() -> None:
    assert {door.route for door in OTHERS} == set(DOORS)
    assert set(ASK_AGAIN) | OF_A_MEMBER <= {door.name for door in DASHBOARD}


@pytest.mark.parametrize("door", OTHERS, ids=str)
def test_each_is_led_where_the_row_says(
    door: Door, alice: User, bob: User, charlie: User, stella: User
) -> None:
    row = DOORS[door.route]
    assert answer(window().get(door.path())) == row.of("passer-by")
    for person in (alice, bob, charlie):
        assert answer(window(person).get(door.path())) == row.of("person")
        assert answer(hours_later(person).get(door.path())) == row.of("later")
    seen = answer(window(stella).get(door.path()))
    assert seen in (row.of("person"), "/admin/", "/account/security")


@pytest.mark.parametrize("door", DASHBOARD, ids=str)
def test_what_is_secret_or_cannot_be_undone_asks_again(place: Places, alice: User, door: Door) -> None:
    asks, path, later = ASK_AGAIN.get(door.name, set()), place(door), hours_later(alice)
    assert (answer(later.get(path)) == PROVE) == (LOOKING in asks)
    for do in ["", *DO]:
        assert (answer(later.post(path, {"do": do})) == PROVE) == bool({do, ""} & asks), do


@pytest.mark.parametrize("door", [door for door in DASHBOARD if door.name in ASK_AGAIN], ids=str)
def test_part_of_a_page_is_asked_for_as_the_whole(place: Places, alice: User, door: Door) -> None:
    later: Client = hours_later(alice)
    for do in ASK_AGAIN[door.name] - {LOOKING}:
        response = later.post(
            place(door), {"do": do}, headers={"HX-Request": "true", "HX-Current-URL": "/mail"}
        )
        assert response.status_code == 204
        assert response["HX-Redirect"].startswith(PROVE)


@pytest.mark.parametrize("door", [door for door in DASHBOARD if ACCESS[door.name] != OPEN], ids=str)
def test_a_member_sends_only_forms_about_themselves(place: Places, bob: User, door: Door) -> None:
    path, client, before = place(door), window(bob), Event.objects.count()
    if door.name in OF_A_MEMBER:
        assert client.post(path).status_code not in (403, 405)
        return
    for do in ["", *DO]:
        assert client.post(path, {"do": do}).status_code in (403, 405), do
    assert Event.objects.count() == before


@pytest.mark.parametrize("door", SITE, ids=str)
def test_a_form_from_another_site_is_refused(place: Places, alice: User, door: Door) -> None:
    """Machines' doors take no cookie, so there is nothing to forge."""
    client = window(alice, enforce_csrf_checks=True)
    if not door.route.startswith(("agent/", "hooks/")):
        assert client.post(place(door), headers={"Origin": "https://evil.example"}).status_code in (403, 405)
