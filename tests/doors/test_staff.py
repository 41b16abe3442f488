"""Every address and every act of the staff's site: only for staff who have shown a second factor, and each for whom it is allowed."""

from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db.models import Model
from django.test import Client

from accounts.models import Account, User
from audit.models import Deed, Event
from audit.staff_lists import StaffList
from tests import keys
from tests.admin.conftest import World
from tests.doors.everything import Door, doors
from tests.doors.people import helper, hours_later, window

pytestmark = pytest.mark.django_db
CLOSED = [door for door in doors() if door.route.startswith("admin/password")]
STAFFS = [door for door in doors() if door.is_staffs and door not in CLOSED]
WITHOUT = [door for door in STAFFS if door.name != "login"]  # which leads on, and so shows nothing
ACTS = [
    (site, act) for site in admin.site._registry.values() if isinstance(site, StaffList) for act in site.acts
]
act_ids = [f"{site.opts.label}:{act.name}" for site, act in ACTS]
NO_QUESTION = {"autocomplete": {403}}  # it wants a field to complete
NOWHERE = {403, 404, 405}


def path_of(door: Door, world: World) -> str:
    """About a row of its own, where the door is about one."""
    row = world.get("/".join(door.route.split("/")[1:3]))
    return door.path(
        object_id=row.pk if isinstance(row, Model) else "1", account=world["accounts/account"].pk
    )


def right(site: StaffList, verb: str) -> str:
    return f"{site.opts.app_label}.{verb}_{site.opts.model_name}"


@pytest.mark.parametrize("door", WITHOUT, ids=str)
def test_a_passer_by_is_led_to_the_way_in(world: World, door: Door) -> None:
    for method in ("get", "post"):
        response = getattr(window(), method)(path_of(door, world))
        assert response.status_code == 302
        assert response["Location"].startswith(("/sign-in?", "/admin/login/?", "/admin/"))


@pytest.mark.parametrize("door", STAFFS, ids=str)
def test_customers_are_refused_whatever_they_have_shown(
    world: World, alice: User, bob: User, charlie: User, door: Door
) -> None:
    keys.give_app(alice)
    for person in (alice, bob, charlie):
        response = window(person).get(path_of(door, world), follow=True)
        assert response.status_code == 403
        assert "Mailat staff" not in response.content.decode()


@pytest.mark.parametrize("door", WITHOUT, ids=str)
def test_staff_without_a_second_factor_are_led_to_get_one(world: World, door: Door) -> None:
    new = User.objects.create_user("new@example.test", is_staff=True, is_superuser=True)
    response = window(new).get(path_of(door, world), follow=True)
    assert response.redirect_chain[-1][0].partition("?")[0] == "/account/security"


@pytest.mark.parametrize("door", WITHOUT, ids=str)
def test_a_session_of_staff_that_showed_a_mail_alone_must_show_more(
    world: World, stella: User, door: Door
) -> None:
    client = window(stella)
    keys.forget_factor(client)
    for method in ("get", "post"):
        response = getattr(client, method)(path_of(door, world), follow=True)
        assert response.redirect_chain[-1][0].partition("?")[0] == "/prove"


@pytest.mark.parametrize("door", CLOSED, ids=str)
def test_nobody_sets_a_password(stella: User, door: Door) -> None:
    assert [window(stella).get(door.path()).status_code, window().get(door.path()).status_code] == [404, 404]


@pytest.mark.parametrize("door", STAFFS, ids=str)
def test_staff_get_an_answer_at_every_address(world: World, stella: User, door: Door) -> None:
    response = window(stella).get(path_of(door, world))
    assert response.status_code in (
        {403}
        if door.name.endswith(("_add", "_delete"))
        else {200, 302, 404, 405} | NO_QUESTION.get(door.name, set())
    )
    if door.name.endswith(("_changelist", "_change", "_history", "index", "app_list")) or door.name in (
        "staff-find",
        "staff-story",
    ):
        has_a_page = door.name not in ("audit_event_change", "audit_event_history")  # whose world has no key
        assert response.status_code == (200 if has_a_page else 302)


@pytest.mark.parametrize("door", STAFFS, ids=str)
def test_who_of_the_staff_may_nothing_sees_nothing(world: World, door: Door) -> None:
    response = window(helper("newcomer")).get(path_of(door, world))
    if door.name in ("index", "login", "logout", "jsi18n", "search", "staff-find"):
        assert response.status_code in (200, 302, 405)
    else:
        assert response.status_code in (302, 403, 404)
    assert world["accounts/account"].name not in response.content.decode()


@pytest.mark.parametrize(("site", "act"), ACTS, ids=act_ids)
def test_an_act_is_for_who_may_act(
    world: World, stella: User, alice: User, site: StaffList, act: Any
) -> None:
    seer = helper("seer", right(site, "view"))
    actor = helper("actor", right(site, "view"), right(site, site.acts_need))
    mail_alone = window(stella)
    keys.forget_factor(mail_alone)
    before = Event.objects.count()
    for client in (window(), window(alice), window(seer), mail_alone):
        _carry_out(client, site, act, world)
    assert not Deed.objects.exclude(pk=world["audit/deed"].pk).exists()
    assert Event.objects.count() == before
    for client in (window(actor), window(stella)):
        assert _asks_why(client, site, act, world)


def _data(site: StaffList, act: Any, world: World) -> dict[str, object]:
    row = world[f"{site.opts.app_label}/{site.opts.model_name}"]
    return {"action": act.name, "_selected_action": [row.pk], "index": "0"}


def _address(site: StaffList) -> str:
    return f"/admin/{site.opts.app_label}/{site.opts.model_name}/{site.all_of_it}"


def _carry_out(client: Client, site: StaffList, act: Any, world: World) -> None:
    assert client.post(_address(site), _confirmed(site, act, world)).status_code in (200, 302, 403)


def _confirmed(site: StaffList, act: Any, world: World) -> dict[str, object]:
    """As the act's page sends it."""
    return {**_data(site, act, world), "once": uuid4(), "reason": "because I say so", "days": 7}


def _asks_why(client: Client, site: StaffList, act: Any, world: World) -> bool:
    response: Any = client.post(_address(site), _data(site, act, world))
    asked = (response.context or {}).get("act")
    return response.status_code == 200 and asked is not None and asked.name == act.name


@pytest.mark.parametrize(("site", "act"), ACTS, ids=act_ids)
@pytest.mark.parametrize("method", ["get", "put", "delete", "patch"])
def test_no_act_is_done_by_another_method(
    world: World, stella: User, site: StaffList, act: Any, method: str
) -> None:
    before = Event.objects.count(), Deed.objects.count()
    data = {**_confirmed(site, act, world), "once": str(uuid4())}
    call = getattr(window(stella), method)
    call(
        _address(site),
        data if method == "get" else b"",
        **({} if method == "get" else {"query_params": data}),
    )
    assert (Event.objects.count(), Deed.objects.count()) == before


def test_nobody_edits_a_row_by_hand(stella: User, world: World) -> None:
    """Not by a form that is not there either."""
    client = window(stella)
    for model, site in admin.site._registry.items():
        base = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        assert not site.actions
        for path in ("add/", "1/delete/", f"{Account.objects.first().pk}/delete/"):  # type: ignore[union-attr]
            assert client.post(base + path, {"post": "yes", "name": "x"}).status_code in NOWHERE | {302}
    account = world["accounts/account"]
    client.post(f"/admin/accounts/account/{account.pk}/change/", {"name": "Mine now", "_save": "1"})
    account.refresh_from_db()
    assert account.name != "Mine now"


@pytest.mark.parametrize(("site", "act"), ACTS, ids=act_ids)
def test_a_session_of_staff_that_is_old_looks_on_and_acts_no_more(
    world: World, stella: User, site: StaffList, act: Any
) -> None:
    client, before = hours_later(stella), (Event.objects.count(), Deed.objects.count())
    assert client.get(_address(site)).status_code == 200
    assert _asks_why(client, site, act, world)
    led = client.post(_address(site), _confirmed(site, act, world))
    assert led["Location"] == "/prove?" + urlencode({"next": _address(site)})
    assert (Event.objects.count(), Deed.objects.count()) == before


@pytest.mark.parametrize(("site", "act"), ACTS, ids=act_ids)
def test_who_has_shown_it_anew_finds_the_page_as_it_was_filled_in(
    world: World, stella: User, site: StaffList, act: Any
) -> None:
    client, sent = hours_later(stella), _confirmed(site, act, world)
    client.post(_address(site), sent)
    proof = {"do": "code", "code": keys.code_of(), "next": _address(site)}
    page: Any = client.post("/prove", proof, follow=True)
    assert (page.status_code, page.redirect_chain[-1][0]) == (200, _address(site))
    assert page.context["act"].name == act.name
    assert page.context["once"] == sent["once"]
    assert page.context["form"]["reason"].value() == "because I say so"
    assert not Deed.objects.filter(pk=sent["once"]).exists()
    client.post(_address(site), sent)
    assert Deed.objects.get(pk=sent["once"]).reason == "because I say so"
    assert "act" not in (client.get(_address(site)).context or {}), "it is shown once"


def test_what_was_typed_for_an_act_is_shown_to_nobody_who_may_not_act(world: World, stella: User) -> None:
    site, act = ACTS[0]
    actor = helper("actor", right(site, "view"), right(site, site.acts_need))
    client = hours_later(actor)
    client.post(_address(site), _confirmed(site, act, world))
    actor.user_permissions.remove(
        Permission.objects.get(codename=right(site, site.acts_need).partition(".")[2])
    )
    page = client.get(_address(site))
    assert page.status_code == 200
    assert "because I say so" not in page.content.decode()
