"""What staff may do is an action, and every action is an event with their name."""

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib import admin
from django.test import Client
from django.utils import timezone

from accounts.models import Letter, User
from audit.models import Event
from engine.models import Alarm, Run
from tests.admin.conftest import World

pytestmark = pytest.mark.django_db


WHY = "the customer wrote to us"


def ask(site: Client, name: str, action: str, *rows: Any, **more: object) -> Any:
    """As a button does: leads to the page that asks why."""
    data = {"action": action, "_selected_action": [row.pk for row in rows], "index": "0", **more}
    lists = {model._meta.label_lower: one for model, one in admin.site._registry.items()}
    return site.post(f"/admin/{name}/{lists[name.replace('/', '.')].all_of_it}", data)  # type: ignore[attr-defined]


def act(site: Client, name: str, action: str, *rows: Any, **more: object) -> Any:
    """As that page's form does."""
    return ask(site, name, action, *rows, **{"once": uuid4(), "reason": WHY, **more})


def test_retry_now_makes_a_run_due_and_says_who_did(staff_site: Client, stella: User, world: World) -> None:
    run = world["engine/run"]
    act(staff_site, "engine/run", "retry_now", run)
    assert Run.objects.get(pk=run.pk).due_at <= timezone.now()
    event = Event.objects.get(action="run.retried")
    assert (event.by, event.subject) == (f"staff:{stella.pk}", run.subject)
    assert (event.facts["run"], event.facts["step"]) == (run.pk, "wait_agent")


def test_a_finished_run_is_left_alone(staff_site: Client, world: World) -> None:
    run = world["engine/run"]
    Run.objects.filter(pk=run.pk).update(finished_at=timezone.now(), due_at=None)
    act(staff_site, "engine/run", "retry_now", run)
    assert Run.objects.get(pk=run.pk).due_at is None
    assert not Event.objects.filter(action="run.retried").exists()


def test_the_button_on_a_runs_page_does_the_same_and_leads_back(staff_site: Client, world: World) -> None:
    run = world["engine/run"]
    page = f"/admin/engine/run/{run.pk}/change/"
    assert b"Retry now" in staff_site.get(page).content
    answer = act(staff_site, "engine/run", "retry_now", run, from_page_of=run.pk)
    assert answer.url == page
    assert Event.objects.filter(action="run.retried").count() == 1


@pytest.mark.parametrize("name", ["engine/run", "accounts/letter", "servers/server", "servers/destruction"])
def test_the_button_leads_where_its_row_is_found(staff_site: Client, world: World, name: str) -> None:
    """Also a row that its list does not show at first."""
    Run.objects.update(error="", deadline_at=None)
    Letter.objects.update(sent_at=timezone.now())
    html = staff_site.get(f"/admin/{name}/{world[name].pk}/change/").content.decode()
    form = re.search(rf'<form method="post" action="(/admin/{name}/[^"]*)"', html)
    button = re.search(r'<button name="action" value="(\w+)"', html)
    assert form
    assert button
    data = {
        "action": button[1],
        "_selected_action": world[name].pk,
        "index": "0",
        "from_page_of": world[name].pk,
    }
    answer = staff_site.post(form[1], data)
    assert answer.status_code == 200
    assert b'name="reason"' in answer.content
    assert f'href="/admin/{name}/{world[name].pk}/change/">Leave it'.encode() in answer.content


def test_looking_changes_nothing(staff_site: Client, world: World) -> None:
    """An action is never a link: a mail with one in it must not make staff act."""
    run, before = world["engine/run"], Run.objects.get()
    staff_site.get(f"/admin/engine/run/?action=retry_now&_selected_action={run.pk}&index=0")
    staff_site.get(f"/admin/engine/run/{run.pk}/retry_now/", follow=True)
    assert Run.objects.get().due_at == before.due_at


def test_a_forged_form_is_refused(stella: User, world: World) -> None:
    site = Client(enforce_csrf_checks=True)
    site.force_login(stella)
    assert act(site, "engine/run", "retry_now", world["engine/run"]).status_code == 403


@pytest.mark.parametrize("key", ["x", "9" * 30, "", "00000000-0000-0000-0000-000000000000"])
def test_a_row_that_is_none_breaks_nothing(staff_site: Client, world: World, key: str) -> None:
    data = {"action": "retry_now", "_selected_action": key, "index": "0"}
    assert staff_site.post("/admin/engine/run/?state=all", data, follow=True).status_code == 200


def test_an_alarm_is_closed_once_with_a_name(staff_site: Client, stella: User, world: World) -> None:
    alarm = world["engine/alarm"]
    for _ in range(2):
        act(staff_site, "engine/alarm", "close", alarm)
    assert Alarm.objects.get(pk=alarm.pk).closed_at
    assert Event.objects.get(action="alarm.closed").by == f"staff:{stella.pk}"


def test_a_ping_is_read_again(staff_site: Client, stella: User, world: World) -> None:
    ping = world["billing/ping"]
    act(staff_site, "billing/ping", "read_once_more", ping)
    assert Run.objects.filter(program="ApplyPing", subject=ping.subject, finished_at=None).exists()
    assert Event.objects.get(action="ping.read_again").by == f"staff:{stella.pk}"


def test_the_first_page_shows_what_needs_a_person(staff_site: Client, world: World) -> None:
    html = staff_site.get("/admin/").content.decode()
    for trouble in (
        world["engine/alarm"].says, "ValueError: no", "should have reached", "what is this", world["servers/server"].name
    ):  # fmt: skip
        assert trouble in html


def test_the_first_page_is_calm_when_nothing_does(staff_site: Client) -> None:
    html = staff_site.get("/admin/").content.decode()
    for calm in (
        "No alarm is open.",
        "No run fails.",
        "Every run is in time.",
        "Every ping was understood.",
        "Every server reports.",
    ):
        assert calm in html


def test_what_is_over_is_not_shown_as_trouble(staff_site: Client, world: World) -> None:
    now = timezone.now()
    Run.objects.update(finished_at=now)
    Alarm.objects.update(closed_at=now - timedelta(minutes=1))
    html = staff_site.get("/admin/").content.decode()
    assert "No alarm is open." in html
    assert "No run fails." in html
    assert "Every run is in time." in html
