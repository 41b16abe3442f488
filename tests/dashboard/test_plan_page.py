"""The page of a server's plan: what it is, what is paid, what comes next, and who may choose the time."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Account, User
from billing.models import Subscription
from domains.models import Domain, Mailbox
from engine.models import Run
from servers import actions, plan_changes, resizing
from servers.models import Agent, PlanChange, Server
from servers.plans import PLANS
from tests.dashboard import world

pytestmark = pytest.mark.django_db
State = PlanChange.State
GB = 10**9


@pytest.fixture
def post(account: Account) -> Server:
    server = world.running(account, mail=told(GB))
    Server.objects.filter(pk=server.pk).update(machine_id=4711)
    world.subscription(account, server)
    server.refresh_from_db()
    return server


def told(stored: int) -> dict[str, Any]:
    return {"mailboxes": {"anna@example.org": [stored, 3, 0]}}


def plus(server: Server, stored: int = GB) -> None:
    """It is of the larger plan, and holds so much."""
    Server.objects.filter(pk=server.pk).update(plan="plus")
    Agent.objects.update(report={**world.REPORT, "mail": told(stored)})
    server.refresh_from_db()


def page(of: Server) -> str:
    return f"/servers/{of.pk}/plan"


def shown(client: Client, of: Server) -> str:
    answer = client.get(page(of))
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def wanted(of: Server, plan: str = "plus") -> PlanChange:
    Subscription.objects.update(plan=plan)
    row = resizing.want_plan(server=of, plan=plan, by="gumroad")
    assert row
    return row


def test_it_says_what_it_is_and_what_each_plan_has(as_alice: Client, post: Server):
    html = shown(as_alice, post)
    assert "post.mailat.test is Basic" in html
    for plan in PLANS.values():
        assert f"${plan.price}" in html
    assert "Its machine gets larger." in html
    assert "Change the plan at Gumroad" in html
    assert "When it happens" not in html


def test_a_server_that_nobody_pays_for_leads_nowhere(as_alice: Client, account: Account):
    html = shown(as_alice, world.running(account, "alone"))
    assert "No subscription of yours pays for this server" in html


def test_what_would_not_fit_is_said_before_with_figures(as_alice: Client, post: Server):
    plus(post, stored=30 * GB)
    domain = Domain.objects.create(home=post.pk, name="example.org", account_id=post.account_id)
    Mailbox.objects.bulk_create(Mailbox(domain=domain, local=f"b{n}", quota=4 * GB) for n in range(12))
    html = shown(as_alice, post)
    fit = plan_changes.fit(post, "basic")
    assert "It has 12 mailboxes, and the plan has 10. Remove 2 of them." in html
    assert "30 GB of mail are stored, and 27 GB fit" in html
    assert "may grow to 48 GB together, and 31 GB fit" in html
    assert (fit.too_many, fit.stored_over, fit.promised_over) == (
        2,
        30 * GB - fit.most_stored,
        48 * GB - 31_200_000_000,
    )


def test_what_fits_is_said_too(as_alice: Client, post: Server):
    plus(post)
    assert "Fits: it moves to a smaller machine." in shown(as_alice, post)


def test_what_is_to_come_is_told_with_its_time(as_alice: Client, post: Server):
    wanted(post)
    html = shown(as_alice, post)
    assert "It becomes Plus" in html
    assert "the next of the times at which your server may restart" in html
    assert "it is turned off for a few minutes" in html


def test_an_announcement_changes_nothing_and_is_told(as_alice: Client, post: Server):
    Subscription.objects.update(next_plan="pro", next_plan_at=timezone.now() + timedelta(days=9))
    html = shown(as_alice, post)
    assert "From the next charge on you will pay for Pro." in html
    assert not PlanChange.objects.exists()


def test_an_owner_has_it_done_now(as_alice: Client, post: Server):
    row = wanted(post)
    answer = as_alice.post(page(post), {"do": "now"})
    assert (answer.status_code, answer["Location"]) == (302, page(post))
    row.refresh_from_db()
    assert row.at <= timezone.now()
    assert row.chosen


def test_an_owner_chooses_a_day_and_an_hour_of_their_own_zone(as_alice: Client, post: Server):
    row = wanted(post)
    as_alice.cookies["zone"] = "Asia/Tokyo"
    day = (timezone.now() + timedelta(days=5)).date()
    as_alice.post(page(post), {"do": "later", "day": day.isoformat(), "hour": "5"})
    row.refresh_from_db()
    assert row.at.isoformat() == f"{day - timedelta(days=1)}T20:00:00+00:00"
    assert "That is the time that was chosen." in shown(as_alice, post)


@pytest.mark.parametrize(
    "typed",
    [
        {}, {"day": "soon", "hour": "3"}, {"day": "2026-02-30", "hour": "3"}, {"day": "2030-01-01", "hour": "24"},
        {"day": "2020-01-01", "hour": "3"}, {"day": "9999-12-31", "hour": "23"}, {"day": "0001-01-01", "hour": "0"},
    ],
)  # fmt: skip
def test_a_time_that_cannot_be_is_refused_with_the_reason(
    as_alice: Client, post: Server, typed: dict[str, str]
):
    row = wanted(post)
    answer = as_alice.post(page(post), {"do": "later", **typed})
    assert answer.status_code == 422
    assert "That was not done" in answer.content.decode()
    assert PlanChange.objects.get().at == row.at


def test_after_fourteen_days_it_can_only_be_done_now(as_alice: Client, post: Server):
    row = wanted(post)
    PlanChange.objects.filter(pk=row.pk).update(wanted_at=timezone.now() - timedelta(days=20))
    html = shown(as_alice, post)
    assert "It cannot be put off any more." in html
    assert "Save this time" not in html
    assert as_alice.post(page(post), {"do": "now"}).status_code == 302


def test_a_time_for_nothing_is_refused(as_alice: Client, post: Server):
    assert as_alice.post(page(post), {"do": "now"}).status_code == 422


def test_a_member_sees_it_and_chooses_nothing(client: Client, bob: User, post: Server):
    row = wanted(post)
    client.force_login(bob)
    assert "Only an owner of the account can choose another time." in shown(client, post)
    assert client.post(page(post), {"do": "now"}).status_code == 403
    assert PlanChange.objects.get().at == row.at


def test_a_stranger_finds_nothing(client: Client, charlie: User, post: Server):
    client.force_login(charlie)
    for path in (page(post), page(post) + "/live"):
        assert client.get(path).status_code == 404
    assert client.post(page(post), {"do": "now"}).status_code == 404


def test_while_it_is_under_way_its_steps_are_told(as_alice: Client, post: Server):
    row = wanted(post)
    PlanChange.objects.filter(pk=row.pk).update(state=State.UNDER_WAY, begun_at=timezone.now())
    Server.objects.update(rebuilding_since=timezone.now())
    Run.objects.filter(program="Resize").update(step="wait_changed", step_since=timezone.now())
    html = shown(as_alice, post)
    assert "The provider changes the machine" in html
    assert "When it happens" not in html
    for path in ("/overview", f"/servers/{post.pk}"):
        assert "Its machine becomes a larger one." in as_alice.get(path).content.decode()
    assert "The provider changes the machine" in as_alice.get(f"/servers/{post.pk}").content.decode()


def test_a_page_that_waits_is_made_anew_when_it_begins(as_alice: Client, post: Server):
    wanted(post)
    url = f"{page(post)}/live?was=waits"
    assert as_alice.get(url).headers.get("HX-Refresh") is None
    PlanChange.objects.update(state=State.UNDER_WAY)
    assert as_alice.get(url).headers["HX-Refresh"] == "true"


@pytest.mark.parametrize(
    ("why", "words"),
    [("sold_out", "had no such machine free"), ("backup", "could not be backed up"), ("", "It becomes Plus")],
)
def test_what_keeps_it_is_told(as_alice: Client, post: Server, why: str, words: str):
    wanted(post)
    PlanChange.objects.update(why=why)
    assert words in shown(as_alice, post)


def test_too_full_is_told_with_what_to_delete(as_alice: Client, post: Server):
    plus(post, stored=30 * GB)
    wanted(post, "basic")
    PlanChange.objects.update(why="no_room")
    html = shown(as_alice, post)
    assert "Basic is paid, and too small" in html
    assert "nothing was moved or deleted" in html
    assert "Delete 3.5 GB." in html


def test_what_came_of_it_is_told_for_two_weeks(as_alice: Client, post: Server):
    row = wanted(post)
    now = timezone.now()
    PlanChange.objects.filter(pk=row.pk).update(state=State.DONE, finished_at=now)
    assert "It is Plus since" in shown(as_alice, post)
    PlanChange.objects.filter(pk=row.pk).update(finished_at=now - timedelta(days=15))
    assert "It is Plus since" not in shown(as_alice, post)


def test_the_servers_page_leads_there(as_alice: Client, post: Server):
    assert page(post) in as_alice.get(f"/servers/{post.pk}").content.decode()


def test_suspended_sending_is_told_where_one_looks(as_alice: Client, post: Server, alice: User):
    actions.suspend_sending(server=post, reason="it sends what nobody asked for", by="user:9")
    for path in ("/overview", f"/servers/{post.pk}"):
        html = as_alice.get(path).content.decode()
        assert "Our staff have suspended sending" in html
        assert "it sends what nobody asked for" in html
    actions.resume_sending(server=post, by="user:9")
    assert "suspended sending" not in as_alice.get("/overview").content.decode()


def test_a_server_that_nobody_has_has_no_plan(as_alice: Client):
    assert as_alice.get(f"/servers/{UUID(int=1)}/plan").status_code == 404
