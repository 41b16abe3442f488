"""Each page answers its question first."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Account, Membership, User
from audit.actions import record
from audit.models import Event, Receipt
from audit.receipts import as_file
from servers.plans import PLACES, PLANS
from tests.dashboard import world


def text(response: object) -> str:
    """What a person reads of the page, without the marks between."""
    body = response.content.decode().partition("<main")[2]  # type: ignore[attr-defined]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


def headline(response: object) -> str:
    return re.search(r"<h1>(.*?)</h1>", response.content.decode(), re.S)[1]  # type: ignore[attr-defined, index]


# --- landing


def test_the_landing_page_has_every_plan_with_its_checkout(client: Client, db: None) -> None:
    page = client.get("/").content.decode()
    for plan in PLANS.values():
        assert f"${plan.price}" in page
        assert f'href="{settings.GUMROAD_PRODUCT_URL}?variant={plan.name}&amp;wanted=true"' in page


def test_the_landing_page_names_every_place(client: Client, db: None) -> None:
    said = text(client.get("/"))
    assert all(place.city in said for place in PLACES.values())


def test_a_product_link_that_has_a_query_keeps_it(client: Client, db: None, settings: Any) -> None:
    settings.GUMROAD_PRODUCT_URL = "https://shop.test/l/mailat?layout=profile"
    assert "?layout=profile&amp;variant=Pro&amp;wanted=true" in client.get("/plans").content.decode()


# --- overview


def test_who_bought_nothing_is_led_to_the_plans(as_alice: Client) -> None:
    page = as_alice.get("/overview")
    assert headline(page) == "You have no server yet"
    assert "Choose a plan" in text(page)


def test_who_bought_is_led_to_the_first_step(as_alice: Client, account: Account) -> None:
    row = world.subscription(account)
    assert f"/servers/new?subscription={row.pk}" in as_alice.get("/overview").content.decode()


def test_all_is_well(as_alice: Client, account: Account) -> None:
    world.running(account, "post")
    assert headline(as_alice.get("/overview")) == "post.mailat.test is working"
    world.running(account, "office")
    assert headline(as_alice.get("/overview")) == "All 2 servers are working"


def test_the_worst_is_said_first(as_alice: Client, account: Account) -> None:
    world.running(account, "post")
    world.being_made(account, "fresh")
    world.silent(account, "quiet")
    page = as_alice.get("/overview")
    assert headline(page) == "quiet.mailat.test is down"
    cards = re.findall(r'<h2><a href="[^"]+">([^<.]+)', page.content.decode())
    assert cards == ["quiet", "fresh", "post"]


def test_a_state_is_a_word_and_a_shape(as_alice: Client, account: Account) -> None:
    world.silent(account)
    state = re.search(
        r'<span class="state down">(.*?)</span>', as_alice.get("/overview").content.decode(), re.S
    )
    assert state
    assert "<svg" in state[1]
    assert state[1].strip().endswith("Down")


@pytest.mark.parametrize("make", [world.running, world.silent, world.ending, world.being_made])
def test_more_servers_are_no_more_queries(as_alice: Client, account: Account, make: object) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            as_alice.get("/overview")
        return len(seen)

    make(account, "one")  # type: ignore[operator]
    as_alice.get("/overview")
    few = queries()
    for name in ("two", "three", "four", "five"):
        make(account, name)  # type: ignore[operator]
    assert queries() == few


# --- one server


def test_the_steps_tell_what_is_done_now_and_next(as_alice: Client, account: Account) -> None:
    said = text(as_alice.get(f"/servers/{world.being_made(account).pk}"))
    assert "took 9 seconds" in said
    assert "The machine is starting; we wait until it calls us." in said
    assert "usually 35 seconds" in said
    assert "a mail comes when it is ready" in said


def test_a_provider_without_machines_is_said_plainly(as_alice: Client, account: Account) -> None:
    made = world.being_made(account, step="order_machine", args={"sold_out": True})
    assert "no such machine free at the moment" in text(as_alice.get(f"/servers/{made.pk}"))


def test_an_error_of_the_provider_is_not_shown_word_for_word(as_alice: Client, account: Account) -> None:
    made = world.being_made(account, step="order_machine", tries=5, error="token hcloud-secret-in-an-error")
    page = as_alice.get(f"/servers/{made.pk}").content.decode()
    assert "hcloud-secret" not in page
    assert "We try again by ourselves" in page


def test_a_running_server_tells_its_figures(as_alice: Client, account: Account) -> None:
    said = text(as_alice.get(f"/servers/{world.running(account).pk}"))
    assert "12 %" in said
    assert "1.6 GB of 4.0 GB" in said
    assert "192.0.2.25" in said


@pytest.mark.parametrize(
    "report",
    [
        {"cpu": "lots", "mem_total": 0, "disk_total": None, "uptime": -5},
        {"cpu": True, "mem_used": 9e99, "mem_total": 1.0, "services": {}},
        {"services": {"<script>alert(1)</script>": "odd"}},
        {"cpu": 1e308, "load1": -1, "uptime": 1e300},
    ],
)
def test_an_agent_may_say_anything(as_alice: Client, account: Account, report: dict[str, Any]) -> None:
    page = as_alice.get(f"/servers/{world.running(account, **report).pk}")
    assert page.status_code == 200
    assert "<script>alert" not in page.content.decode()


def test_a_busy_processor_is_no_trouble_and_a_full_disk_is(as_alice: Client, account: Account) -> None:
    busy = as_alice.get(f"/servers/{world.running(account, 'busy', cpu=99.0).pk}").content.decode()
    assert "gauge full" not in busy
    full = world.running(account, "full", disk_used=39e9, disk_total=40e9)
    assert as_alice.get(f"/servers/{full.pk}").content.decode().count("gauge full") == 1


def test_an_ending_server_says_what_is_lost_by_when_and_how_to_keep_it(
    as_alice: Client, account: Account
) -> None:
    one = world.ending(account, days=5.2)
    row = world.subscription(account, one, status="ended", ended_at=timezone.now())
    page = as_alice.get(f"/servers/{one.pk}")
    assert "5 days 4 hours left" in text(page)
    assert "its disk and everything on it" in text(page)
    manage = f"{settings.GUMROAD_SUBSCRIPTIONS_URL}/{row.gumroad_id.replace('=', '%3D')}/manage"
    assert f'href="{manage}"' in page.content.decode()


def test_a_deletion_that_is_held_back_promises_no_day_that_is_over(
    as_alice: Client, account: Account
) -> None:
    one = world.ending(account, days=-1)
    for page in (f"/servers/{one.pk}", "/overview"):
        said = text(as_alice.get(page))
        assert "deletion may begin at any moment" in said
        assert "left" not in said


def test_what_has_begun_cannot_be_called_off(as_alice: Client, account: Account) -> None:
    said = text(as_alice.get(f"/servers/{world.being_deleted(account).pk}"))
    assert "cannot be called off" in said
    assert "left" not in said


def test_what_is_gone_leads_to_its_receipt(as_alice: Client, account: Account) -> None:
    gone = world.gone(account)
    receipt = Receipt.objects.get(subject=gone.subject)
    page = as_alice.get(f"/servers/{gone.pk}")
    assert f"/receipts/{receipt.pk}" in page.content.decode()
    assert "What it is" not in text(page)


# --- money and evidence


def test_billing_says_when_it_ends_and_when_the_server_goes(as_alice: Client, account: Account) -> None:
    ends = timezone.now() + timedelta(days=100)
    world.subscription(account, world.running(account), status="ending", ends_at=ends)
    said = text(as_alice.get("/billing"))
    for day in (ends, ends + settings.DESTRUCTION_GRACE):
        there = day.astimezone(timezone.get_fixed_timezone(0))
        assert f"{there:%B} {there.year}" in said


def test_a_receipt_is_downloaded_as_it_was_signed(as_alice: Client, account: Account) -> None:
    receipt = Receipt.objects.get(subject=world.gone(account).subject)
    response = as_alice.get(f"/receipts/{receipt.pk}.json")
    assert response.content == as_file(receipt)
    assert "attachment" in response["Content-Disposition"]


def test_a_receipt_shows_each_answer(as_alice: Client, account: Account) -> None:
    receipt = Receipt.objects.get(subject=world.gone(account).subject)
    said = text(as_alice.get(f"/receipts/{receipt.pk}"))
    assert "The machine and its disk" in said
    assert "no machine of this name" in said
    assert receipt.signature in said


# --- activity


def test_activity_is_turned_by_key(as_alice: Client, account: Account) -> None:
    for number in range(120):
        record("server.wanted", by="gumroad", account=account.pk, name=f"n{number}")
    seen: list[str] = []
    address = "/activity"
    while address:
        page = as_alice.get(address).content.decode()
        seen += re.findall(r"Ordered the server “(n\d+)”", page)
        older = re.search(r'href="(\?before=\d+)"', page)
        address = f"/activity{older[1]}" if older else ""
    assert seen == [f"n{number}" for number in reversed(range(120))]


def test_activity_costs_the_same_on_every_page(as_alice: Client, account: Account) -> None:
    for number in range(60):
        one = world.server(account, f"n{number}")
        record("server.ready", by="clock", account=account.pk, subject=one.subject)
    as_alice.get("/overview")  # notes the browser, once
    with CaptureQueriesContext(connection) as seen:
        as_alice.get("/activity")
    assert len(seen) < 10


@pytest.mark.parametrize("before", ["x", "-1", "9" * 40, "1; DROP TABLE", "²"])
def test_a_key_that_is_none_shows_the_newest(as_alice: Client, account: Account, before: str) -> None:
    record("server.ready", by="clock", account=account.pk)
    assert "handed over" in text(as_alice.get("/activity", {"before": before}))


def test_nobody_of_another_account_is_named(as_alice: Client, account: Account, charlie: User) -> None:
    record("server.ready", by=f"user:{charlie.pk}", account=account.pk)
    said = text(as_alice.get("/activity"))
    assert "charlie" not in said
    assert "Somebody who has left" in said


# --- account


def test_a_name_is_changed_and_its_change_is_written_down(
    as_alice: Client, alice: User, account: Account
) -> None:
    as_alice.post("/account", {"name": "  Alice \n Baker "})
    alice.refresh_from_db()
    assert alice.name == "Alice Baker"
    event = Event.objects.get(action="person.renamed", account_id=account.pk)
    assert event.by == f"user:{alice.pk}"


def test_a_name_that_is_too_long_is_not_lost(as_alice: Client, alice: User) -> None:
    response = as_alice.post("/account", {"name": "a" * 121})
    assert response.status_code == 422
    assert "a" * 121 in response.content.decode()


def test_a_person_of_two_accounts_goes_from_one_to_the_other(as_alice: Client, alice: User) -> None:
    choir = Account.objects.create(name="The choir")
    Membership.objects.create(account=choir, user=alice)
    world.running(choir, "hymns")
    assert "hymns" not in text(as_alice.get("/overview"))
    as_alice.post(f"/account/choose/{choir.pk}")
    assert "hymns" in text(as_alice.get("/overview"))
