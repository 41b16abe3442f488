"""From whatever one looks at, the next thing that one wants to see is one click away."""

import re

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from audit.actions import record
from audit.context import about
from audit.models import Event
from engine.models import Alarm, Run
from tests.admin.conftest import World

pytestmark = pytest.mark.django_db


def page(site: Client, name: str, key: object) -> str:
    return site.get(f"/admin/{name}/{key}/change/").content.decode()


def leads_to(html: str, name: str, key: object) -> bool:
    return f'href="/admin/{name}/{key}/change/"' in html


WAYS = {
    "servers/server": ("engine/run", "engine/alarm", "billing/subscription", "accounts/account", "audit/receipt",
                       "servers/destruction", "servers/planchange"),
    "servers/destruction": ("servers/server", "engine/run", "audit/receipt"),
    "servers/replacement": ("servers/server", "engine/run"),
    "servers/planchange": ("servers/server",),
    "servers/suspension": ("servers/server",),
    "engine/run": ("servers/server", "engine/alarm"),
    "engine/alarm": ("servers/server", "engine/run"),
    "billing/subscription": ("servers/server", "accounts/account", "billing/ping"),
    "billing/ping": ("billing/subscription",),
    "accounts/account": ("servers/server", "billing/subscription", "accounts/user", "accounts/letter"),
    "domains/domain": ("domains/mailbox", "accounts/account", "servers/server"),
    "domains/mailbox": ("domains/domain", "accounts/account"),
    "domains/erasure": ("accounts/account", "servers/server"),
    "domains/letter": ("accounts/account", "servers/server"),
    "domains/wayout": ("domains/domain", "accounts/account", "servers/server"),
    "audit/receipt": ("servers/server", "accounts/account"),
}  # fmt: skip


@pytest.mark.parametrize("name", WAYS)
def test_a_page_leads_to_what_belongs_to_it(staff_site: Client, world: World, name: str) -> None:
    html = page(staff_site, name, world[name].pk)
    for there in WAYS[name]:
        assert leads_to(html, there, world[there].pk), there


@pytest.mark.parametrize("name", ["servers/server", "engine/run", "engine/alarm", "accounts/account"])
def test_a_page_shows_what_happened_lately(staff_site: Client, world: World, name: str) -> None:
    event = Event.objects.get(action="server.wanted")
    assert leads_to(page(staff_site, name, world[name].pk), "audit/event", event.pk)


def test_an_event_leads_to_its_run_its_subject_and_who_did_it(staff_site: Client, world: World) -> None:
    run, server, user = world["engine/run"], world["servers/server"], world["accounts/user"]
    with about(run=str(run.pk)):
        record("server.ready", by=f"user:{user.pk}", account=server.account_id, subject=server.subject)
    for html in (
        page(staff_site, "audit/event", Event.objects.latest("pk").pk),
        staff_site.get("/admin/audit/event/").content.decode(),
    ):
        for name, key in (("engine/run", run.pk), ("servers/server", server.pk), ("accounts/user", user.pk)):
            assert leads_to(html, name, key), name


def test_a_server_with_a_long_history_shows_the_newest_and_the_way_to_the_rest(
    staff_site: Client, world: World
) -> None:
    server, now = world["servers/server"], timezone.now()
    Run.objects.bulk_create(
        Run(program="Keep", subject=server.subject, finished_at=now, due_at=None) for _ in range(30)
    )
    html = page(staff_site, "servers/server", server.pk)
    newest = list(Run.objects.order_by("-pk").values_list("pk", flat=True))
    assert [leads_to(html, "engine/run", key) for key in newest] == [True] * 10 + [False] * 21
    assert "All runs" in html


def test_what_has_ended_offers_no_act(staff_site: Client, world: World) -> None:
    run, alarm = world["engine/run"], world["engine/alarm"]
    assert "Retry now" in page(staff_site, "engine/run", run.pk)
    assert "Close the alarm" in page(staff_site, "engine/alarm", alarm.pk)
    Run.objects.update(finished_at=timezone.now(), due_at=None, outcome="ready")
    Alarm.objects.update(closed_at=timezone.now())
    html = page(staff_site, "engine/run", run.pk)
    assert "Retry now" not in html
    assert re.search(r"It ended at .*: ready\.", html)
    assert "Close the alarm" not in page(staff_site, "engine/alarm", alarm.pk)


def test_a_runs_page_says_what_it_is_doing(staff_site: Client, world: World) -> None:
    run = world["engine/run"]
    html = page(staff_site, "engine/run", run.pk)
    assert "was tried 5 times and failed; it is tried again at" in html
    assert "It should have reached “announce” by" in html
    Run.objects.update(error="", deadline_at=None)
    assert "It waits at “wait_agent”" in page(staff_site, "engine/run", run.pk)


def test_the_choices_stand_above_the_list_and_say_which_holds(staff_site: Client, world: World) -> None:
    html = staff_site.get("/admin/engine/run/").content.decode()
    assert re.findall(r'aria-current="true">([^<]+)<', html) == ["live"]
    assert 'href="?state=failing"' in html


def test_a_list_that_found_nothing_says_where_it_looked(staff_site: Client, world: World) -> None:
    Alarm.objects.update(closed_at=timezone.now())
    subject = world["servers/server"].subject
    html = staff_site.get("/admin/engine/alarm/", {"q": subject}).content.decode()
    assert "Only those were looked at that are: open." in html
    everywhere = re.search(r'href="([^"]+)">Look at all<', html)
    assert everywhere
    found = staff_site.get("/admin/engine/alarm/" + everywhere[1].replace("&amp;", "&"))
    assert len(found.context["cl"].result_list) == 1


def test_open_alarms_are_counted_on_every_page(staff_site: Client, world: World) -> None:
    alarms = {"title": "Alarms", "badge": 1}
    shown = staff_site.get("/admin/accounts/account/").context["sidebar_navigation"]
    items = [item for group in shown for item in group["items"]]
    assert any(alarms.items() <= item.items() for item in items)


def test_the_staff_site_asks_for_our_style_and_our_mark(staff_site: Client) -> None:
    html = staff_site.get("/admin/").content.decode()
    for file in ("css/staff", "img/logo", "img/favicon"):
        assert f"/static/{file}" in html


def test_what_a_person_may_is_said_in_words(staff_site: Client, stella: User, world: World) -> None:
    assert "see and do everything here" in page(staff_site, "accounts/user", stella.pk)
    assert "see and do everything here" not in page(staff_site, "accounts/user", world["accounts/user"].pk)
    User.objects.filter(pk=world["accounts/user"].pk).update(is_active=False)
    assert "not sign in" in page(staff_site, "accounts/user", world["accounts/user"].pk)
