"""The list of domains and mailboxes: what works, what is missing, and one next step."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Account
from dashboard.mail import steps
from domains.models import Mailbox
from servers.models import Agent, Server
from tests.dashboard import mail_world, world
from tests.dashboard.test_pages import headline, text


def test_who_has_no_server_is_led_to_the_plans(as_alice: Client) -> None:
    page = as_alice.get("/mail")
    assert headline(page) == "You have no server yet"
    assert 'href="/plans"' in page.content.decode()


def test_who_has_no_domain_is_led_to_the_first_one(as_alice: Client, account: Account) -> None:
    mail_world.serving(account)
    page = as_alice.get("/mail")
    assert headline(page) == "Add your first domain"
    assert 'href="/mail/domains/new"' in page.content.decode()


def test_a_server_that_is_being_made_takes_no_domain_yet(as_alice: Client, account: Account) -> None:
    world.being_made(account)
    assert headline(as_alice.get("/mail")) == "Your server is not ready yet"
    assert as_alice.get("/mail/domains/new")["Location"] == "/mail"


def test_steps_follow_each_other(as_alice: Client, account: Account) -> None:
    server = mail_world.serving(account)
    one = mail_world.domain(server)
    assert headline(as_alice.get("/mail")) == "Make the first mailbox"
    mail_world.mailbox(one)
    assert headline(as_alice.get("/mail")) == "Set up sending"
    mail_world.way_out(one)
    assert headline(as_alice.get("/mail")) == "Your mail works"


def test_names_that_lead_elsewhere_come_before_sending(as_alice: Client, account: Account) -> None:
    certificate = {
        "name": "firm.example",
        "until": 0,
        "names": [],
        "waiting": ["mail.firm.example"],
        "error": "",
    }
    one = mail_world.domain(mail_world.serving(account, certificates=[certificate]))
    mail_world.mailbox(one)
    page = as_alice.get("/mail")
    assert headline(page) == "Set the records of firm.example"
    assert "1 does not point to the server yet" in text(page)


def test_a_mailbox_that_cannot_send_comes_first(as_alice: Client, account: Account) -> None:
    stop = {"mailbox": "anna@firm.example", "at": 1_790_000_000, "why": "too many", "releases": 0}
    one = mail_world.firm(account, stopped=[stop])
    assert headline(as_alice.get("/mail")) == "anna@firm.example cannot send"
    Mailbox.objects.filter(domain=one, local="anna").update(releases=1)
    assert headline(as_alice.get("/mail")) == "Your mail works"


def test_each_mailbox_tells_how_full_it_is_and_what_is_special(as_alice: Client, account: Account) -> None:
    one = mail_world.firm(account)
    mail_world.mailbox(one, "erik", suspended_at=timezone.now())
    mail_world.mailbox(one, "dora", removed_at=timezone.now())
    said = text(as_alice.get("/mail"))
    assert "anna@firm.example Anna Berg 1.4 GB of 5.0 GB" in said
    assert "bo@firm.example Bo Lindqvist 4.9 GB of 5.0 GB nearly full" in said
    assert "clara@firm.example Clara no password yet" in said
    assert "erik@firm.example suspended" in said
    assert "dora@firm.example was removed; it can be brought back until" in said


def test_a_member_sees_all_and_is_offered_nothing(client: Client, bob: object, account: Account) -> None:
    mail_world.firm(account)
    client.force_login(bob)  # type: ignore[arg-type]
    page = client.get("/mail")
    assert "anna@firm.example" in text(page)
    assert "Make a mailbox" not in text(page)


@pytest.mark.parametrize(
    "mail",
    [
        {"mailboxes": {"anna@firm.example": "full"}, "stopped": "all", "certificates": {"a": 1}},
        {"mailboxes": {"anna@firm.example": [1e300, -5, None]}, "queue": [1], "probes": {"smtp": 7}},
        {"canary": {"at": 1e99, "seconds": -3, "misses": "two"}, "bans": {"now": -1, "latest": [3]}},
        {
            "patches": {"checked_at": True, "pending": [{"package": 4}], "after": {"at": "x"}},
            "dkim": {"firm.example": []},
        },
    ],
)
def test_a_server_may_say_anything_of_its_mail(
    as_alice: Client, account: Account, mail: dict[str, object]
) -> None:
    one = mail_world.firm(account, **mail)
    pages = [
        "/mail",
        "/overview",
        f"/mail/domains/{one.pk}",
        f"/servers/{one.home}",
        f"/mail/sending/{one.home}",
    ]
    assert [as_alice.get(page).status_code for page in pages] == [200] * 5


def test_what_a_server_says_is_no_markup(as_alice: Client, account: Account) -> None:
    evil = "<script>alert(1)</script>"
    one = mail_world.firm(account, probes={evil: evil}, canary={"at": 1.0, "misses": 2, "error": evil})
    for page in ("/mail", f"/servers/{one.home}", f"/mail/sending/{one.home}"):
        assert "<script>alert" not in as_alice.get(page).content.decode()


def test_more_domains_and_mailboxes_are_no_more_queries(as_alice: Client, account: Account) -> None:
    one = mail_world.firm(account)

    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            as_alice.get("/mail")
        return len(seen)

    as_alice.get("/mail")
    few = queries()
    server = Server.objects.get(pk=one.home)
    for number in range(5):
        more = mail_world.domain(server, f"firm{number}.example")
        for local in "abc":
            mail_world.mailbox(more, local)
    mail_world.in_force(server)
    assert queries() == few


def test_applying_becomes_applied(as_alice: Client, account: Account) -> None:
    one = mail_world.firm(account)
    assert "Applied: the server does all that stands here." in text(as_alice.get("/mail"))
    mail_world.mailbox(one, "new")
    page = as_alice.get("/mail")
    assert re.search(r"Applying since (today|yesterday) at", text(page))
    assert re.search(r'id="mail"[^>]*data-poll="2"', page.content.decode())
    mail_world.in_force(Server.objects.get(pk=one.home))
    assert "Applying" not in text(as_alice.get("/mail"))


def test_a_silent_server_is_said_to_follow_later(as_alice: Client, account: Account) -> None:
    one = mail_world.firm(account)
    mail_world.mailbox(one, "new")
    Agent.objects.filter(server=one.home).update(health="lost")
    assert "it follows as soon as it is heard again" in text(as_alice.get("/mail"))


def test_a_refusal_is_told_in_the_servers_words(as_alice: Client, account: Account) -> None:
    one = mail_world.firm(account)
    agent = Agent.objects.get(server=one.home)
    report = {**agent.report, "undone": ["hostname: no root", "mail: postfix check failed: bad <line>"]}
    Agent.objects.filter(pk=agent.pk).update(report=report)
    said = text(as_alice.get(f"/mail/domains/{one.pk}"))
    assert "The server refused it: “postfix check failed: bad &lt;line&gt;”." in said


def test_looking_makes_reports_come_faster(as_alice: Client, account: Account) -> None:
    one = mail_world.firm(account)
    anna = Mailbox.objects.get(domain=one, local="anna")
    for page in (
        "/mail",
        f"/mail/domains/{one.pk}",
        f"/mail/mailboxes/{anna.pk}",
        f"/mail/sending/{one.home}",
    ):
        Server.objects.update(watched_until=None)
        as_alice.get(page)
        assert Server.objects.get(pk=one.home).watched_until is not None, page


def test_the_first_step_of_nothing_is_a_server() -> None:
    assert steps.next_step([], [], set()).word == "unknown"


def test_mail_is_not_said_to_work_while_the_server_is_silent(as_alice: Client, account: Account) -> None:
    one = mail_world.firm(account)
    Agent.objects.filter(server=one.home).update(health="lost")
    page = as_alice.get("/mail")
    assert headline(page) == "post.mailat.test is down"
    assert "Receiving: the server is silent" in text(page)
    assert "Receiving: the server takes its mail" not in text(page)


@pytest.mark.parametrize(
    ("canary", "title"),
    [
        ({}, "All is set up"),
        ({"at": 1.79e9, "seconds": None, "misses": 1, "way": "relay", "error": ""}, "All is set up"),
        ({"at": 1.79e9, "seconds": 2.0, "misses": 0, "way": "relay", "error": ""}, "Your mail works"),
        (
            {"at": 1.79e9, "seconds": None, "misses": 2, "way": "relay", "error": ""},
            "post.mailat.test is down",
        ),
    ],
)
def test_mail_works_only_where_a_mail_came_back(
    as_alice: Client, account: Account, canary: dict[str, object], title: str
) -> None:
    mail_world.firm(account, canary=canary)
    assert headline(as_alice.get("/mail")) == title
