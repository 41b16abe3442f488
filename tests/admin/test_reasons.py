"""What staff do is asked for on a page of its own, with a reason; it is done once, by the room whose it is, and kept."""

from typing import Any
from uuid import uuid4

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone
from django.utils.html import conditional_escape

from accounts.models import Letter, User
from audit.models import Deed, Event
from audit.staff_acts import Act
from audit.staff_lists import StaffList
from backups.models import Repository
from engine.models import Alarm, Run
from servers.models import Destruction, Server
from tests.admin.conftest import World
from tests.admin.test_acts import WHY, act, ask
from tests.keys import give_app

pytestmark = pytest.mark.django_db
ACTS = {
    "retry_now": "engine/run",
    "close": "engine/alarm",
    "read_once_more": "billing/ping",
    "reconcile_now": "billing/reconciliation",
    "ask_gumroad": "billing/subscription",
    "send_again": "accounts/letter",
    "wake": "servers/server",
    "suspend_sending": "servers/server",
    "extend_grace": "servers/server",
    "allow_removals": "backups/repository",
    "bring_back": "backups/repository",
}
MORE = {"extend_grace": {"days": 3}}
ALWAYS = {"read_once_more", "reconcile_now", "ask_gumroad"}  # Gumroad may be asked about anything at any time
EVENTS = {
    "retry_now": "run.retried",
    "close": "alarm.closed",
    "read_once_more": "ping.read_again",
    "reconcile_now": "gumroad.reconcile_asked",
    "ask_gumroad": "subscription.asked_again",
    "send_again": "letter.sent_again",
    "wake": "run.woken",
    "suspend_sending": "sending.suspended",
    "extend_grace": "destruction.put_off",
    "allow_removals": "backup.removals_allowed",
    "bring_back": "backup.trash_brought_back",
}


@pytest.fixture
def world(world: World) -> World:
    """The letter has left, so that it can be sent again."""
    Letter.objects.update(sent_at=timezone.now())
    return world


def acts_of(name: str) -> dict[str, Act]:
    lists = {model._meta.label_lower.replace(".", "/"): one for model, one in admin.site._registry.items()}
    return {one.name: one for one in lists[name].acts}  # type: ignore[attr-defined]


def do(site: Client, name: str, world: World, **more: object) -> Any:
    return act(site, ACTS[name], name, world[ACTS[name]], **{**MORE.get(name, {}), **more})


@pytest.mark.parametrize("name", ACTS)
def test_it_is_asked_for_on_a_page_that_names_what_will_happen(
    staff_site: Client, world: World, name: str
) -> None:
    row = world[ACTS[name]]
    before = Event.objects.count()
    html = ask(staff_site, ACTS[name], name, row).content.decode()
    assert f"/admin/{ACTS[name]}/{row.pk}/change/" in html
    assert 'name="reason"' in html
    said = acts_of(ACTS[name])[name]
    assert conditional_escape(said.does) in html
    assert f">{said.verb}</button>" in html
    assert Event.objects.count() == before
    assert not Deed.objects.filter(by__startswith="staff:", reason=WHY).exists()


@pytest.mark.parametrize("name", ACTS)
def test_it_is_done_and_kept_with_the_reason_and_the_name(
    staff_site: Client, stella: User, world: World, name: str
) -> None:
    do(staff_site, name, world)
    event, deed = Event.objects.get(action=EVENTS[name]), Deed.objects.get(reason=WHY)
    assert event.by == deed.by == f"staff:{stella.pk}"
    assert WHY in (event.facts.get("reason"), event.facts.get("why"))
    assert deed.told == [{"row": f"{ACTS[name].replace('/', '.')}:{world[ACTS[name]].pk}", "name": str(world[ACTS[name]]), "why_not": ""}]  # fmt: skip


@pytest.mark.parametrize("name", ACTS)
def test_a_form_that_is_sent_twice_acts_once(staff_site: Client, world: World, name: str) -> None:
    once = uuid4()
    for _ in range(3):
        do(staff_site, name, world, once=once)
    assert Event.objects.filter(action=EVENTS[name]).count() == 1
    assert Deed.objects.filter(pk=once).count() == 1


@pytest.mark.parametrize("name", ACTS)
@pytest.mark.parametrize("reason", ["", "   ", "hm", "x" * 301, "\x00" * 9])
def test_without_a_reason_it_is_not_done(staff_site: Client, world: World, name: str, reason: str) -> None:
    assert do(staff_site, name, world, reason=reason).status_code == 422
    assert not Event.objects.filter(action=EVENTS[name]).exists()


@pytest.mark.parametrize("once", ["", "x", "0" * 40])
def test_without_its_page_it_is_not_done(staff_site: Client, world: World, once: str) -> None:
    assert do(staff_site, "retry_now", world, once=once).status_code in (200, 422)
    assert not Event.objects.filter(action="run.retried").exists()


@pytest.mark.parametrize("name", ACTS)
def test_looking_does_nothing(staff_site: Client, world: World, name: str) -> None:
    said = {
        "action": name,
        "_selected_action": world[ACTS[name]].pk,
        "index": 0,
        "once": uuid4(),
        "reason": WHY,
    }
    staff_site.get(f"/admin/{ACTS[name]}/", {**said, **MORE.get(name, {})})
    assert not Event.objects.filter(action=EVENTS[name]).exists()


@pytest.mark.parametrize("name", ACTS)
def test_who_may_only_look_does_nothing(client: Client, world: World, name: str) -> None:
    app, _, model = ACTS[name].partition("/")
    sam = User.objects.create_user("sam@example.test", is_staff=True)
    sam.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=f"view_{model}"))
    give_app(sam)
    client.force_login(sam)
    do(client, name, world)
    assert not Event.objects.filter(action=EVENTS[name]).exists()


def over(world: World) -> None:
    """Everything has ended."""
    now = timezone.now()
    Run.objects.update(finished_at=now, due_at=None)
    Alarm.objects.update(closed_at=now)
    Server.objects.update(gone_at=now)
    Destruction.objects.update(begun_at=now)
    Repository.objects.update(ended_at=now)
    Letter.objects.update(kind="sign_in", context={"sign_in_link": str(uuid4())})


@pytest.mark.parametrize("name", [name for name in ACTS if name not in ALWAYS])
def test_what_has_ended_is_refused_with_the_reason_why(staff_site: Client, world: World, name: str) -> None:
    over(world)
    html = ask(staff_site, ACTS[name], name, world[ACTS[name]]).content.decode()
    assert "It is not done with these:" in html
    assert 'name="reason"' not in html
    do(staff_site, name, world)
    assert not Event.objects.filter(action=EVENTS[name]).exists()
    assert Deed.objects.get(reason=WHY).told[0]["why_not"]


def test_of_several_the_live_ones_are_taken_and_the_others_named(staff_site: Client, world: World) -> None:
    live = world["engine/run"]
    ended = Run.objects.create(
        program="Keep", subject="server:x", step="rest", finished_at=timezone.now(), due_at=None
    )
    answer = act(staff_site, "engine/run", "retry_now", live, ended)
    html = staff_site.get(answer.url).content.decode()
    assert "Done for 1 of 2." in html
    assert "Keep of server:x: It has ended." in html
    assert [bool(one["why_not"]) for one in Deed.objects.get(reason=WHY).told] == [True, False]


def test_what_is_typed_is_shown_as_text(staff_site: Client, world: World) -> None:
    html = do(staff_site, "retry_now", world, reason="<b>").content.decode()
    assert "&lt;b&gt;" in html
    assert 'value="<b>"' not in html


def test_an_act_that_breaks_leaves_nothing_behind(staff_site: Client, world: World) -> None:
    """Nothing of the order is kept, so it can be given again."""
    Letter.objects.update(context={"sign_in_link": "no id"})
    once = uuid4()
    with pytest.raises(ValueError, match="badly formed"):
        do(staff_site, "send_again", world, once=once)
    assert not Deed.objects.filter(pk=once).exists()
    Letter.objects.update(context={})
    do(staff_site, "send_again", world, once=once)
    assert Event.objects.filter(action="letter.sent_again").count() == 1


# --- all of them


def test_every_action_of_the_site_asks_for_a_reason() -> None:
    for model, site in admin.site._registry.items():
        assert isinstance(site, StaffList), model
        assert not site.actions, model
        assert all(isinstance(one, Act) for one in site.acts)


def test_every_act_is_tried_here() -> None:
    theirs = {
        one.name for site in admin.site._registry.values() if isinstance(site, StaffList) for one in site.acts
    }
    assert theirs <= {*ACTS, "resume_sending"}


def test_what_staff_did_has_a_page_that_says_with_what(staff_site: Client, world: World) -> None:
    do(staff_site, "retry_now", world)
    deed = Deed.objects.get(reason=WHY)
    html = staff_site.get(f"/admin/audit/deed/{deed.pk}/change/").content.decode()
    assert WHY in html
    assert f"/admin/engine/run/{world['engine/run'].pk}/change/" in html
