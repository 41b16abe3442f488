"""What is wrong with an account at Amazon stands first, and figures stand beside their base or say that they have none."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Account, User
from dashboard.mail.worries import bounced, complained
from domains.models import Domain
from sending import rates
from sending.models import Credentials, Feedback, Notice, Standing, Topic, Worry
from sending.rates import Met
from servers.models import Server
from tests.dashboard import mail_world, sending_world
from tests.dashboard.sending_world import refused
from tests.dashboard.test_pages import headline, text


@pytest.fixture
def firm(account: Account) -> Domain:
    one = mail_world.firm(account)
    sending_world.works(one)
    return one


def page_of(firm: Domain) -> str:
    return f"/mail/sending/{firm.home}"


def worry(firm: Domain, code: str, **fields: Any) -> Worry:
    given = {"told_at": timezone.now(), "began_at": timezone.now() - timedelta(hours=3), **fields}
    return Worry.objects.create(home=firm.home, account=firm.account, code=code, **given)


def test_it_stands_before_everything_else_with_since_when_and_what_to_do(
    as_alice: Client, firm: Domain
) -> None:
    worry(firm, "quota", facts={"sent": 40_000, "most": 50_000})
    worry(firm, "paused", facts={"by": "amazon"})
    sending_world.standing(firm, enforcement="SHUTDOWN")
    said = text(as_alice.get(page_of(firm)))
    places = [
        said.index(one)
        for one in ("Amazon has paused sending by your account.", "40,000 are used", "How far it is")
    ]
    assert places == sorted(places)
    assert "Answer that letter in the AWS Support Center." in said
    assert "The owners of this account were told by mail." in said
    assert said.count("Answer that letter") == 1, "it is not said a second time further down"


def test_a_domain_without_records_leads_to_them(as_alice: Client, firm: Domain) -> None:
    worry(firm, f"domain:{firm.pk.hex}", facts={"domain": firm.name, "verified": True, "why": ""})
    page = as_alice.get(page_of(firm)).content.decode()
    assert f'<a href="/mail/domains/{firm.pk}#records">See the records</a>' in page


@pytest.mark.parametrize("fields", [{"told_at": None}, {"over_at": timezone.now()}])
def test_what_is_not_sure_and_what_is_over_is_not_shown(
    as_alice: Client, firm: Domain, fields: dict[str, Any]
) -> None:
    worry(firm, "paused", facts={"by": "amazon"}, **fields)
    for path in (page_of(firm), "/", f"/servers/{firm.home}"):
        assert "Amazon has paused" not in text(as_alice.get(path))


def test_what_amazon_refuses_just_now_is_said_once(as_alice: Client, firm: Domain) -> None:
    worry(firm, "key_stopped", facts={"why": "wrong_key", "key": "MPLE"})
    sending_world.standing(firm, trouble=refused("wrong_key"), trouble_at=timezone.now())
    said = text(as_alice.get(page_of(firm)))
    assert "Amazon does not know this access key." in said
    assert "Amazon no longer knows the access key" not in said


@pytest.mark.parametrize("path", ["/overview", "/servers/{}"])
def test_a_server_whose_mail_does_not_leave_is_not_well(as_alice: Client, firm: Domain, path: str) -> None:
    where = path.format(firm.home)
    assert "Needs attention" not in text(as_alice.get(where))
    worry(firm, "quota", facts={"sent": 40_000, "most": 50_000})
    assert "40,000 are used. See what to do" in text(as_alice.get(where))
    assert "Needs attention" not in text(as_alice.get(where)), "all mail leaves as yet"

    worry(firm, "key_stopped", facts={"why": "wrong_key", "key": "MPLE"})
    page = as_alice.get(where)
    assert "Needs attention" in text(page)
    assert "Mail arrives, but not all leaves." in text(page)
    assert "Amazon no longer knows the access key" in text(page)
    assert f'href="{page_of(firm)}"' in page.content.decode()


def test_the_overview_asks_about_sending_once_for_all_servers(
    as_alice: Client, firm: Domain, account: Account
) -> None:
    as_alice.get("/overview")  # notes the browser, once
    with CaptureQueriesContext(connection) as few:
        as_alice.get("/overview")
    for name in ("two", "three", "four"):
        other = mail_world.domain(mail_world.serving(account, name, f"{name}.example"), f"{name}.example")
        worry(other, "paused", facts={"by": "amazon"})
    with CaptureQueriesContext(connection) as many:
        as_alice.get("/overview")
    assert len(many) == len(few)


def test_an_old_key_is_no_trouble_of_the_server(as_alice: Client, firm: Domain) -> None:
    worry(firm, "key_old", facts={"days": 91, "key": "MPLE"})
    assert "91 days" not in text(as_alice.get(f"/servers/{firm.home}"))


def test_how_old_the_key_is_stands_there_always_with_the_way_to_replace_it(
    as_alice: Client, firm: Domain
) -> None:
    page = as_alice.get(page_of(firm))
    assert "less than a day ago" in text(page)
    assert 'href="#access_key"' in page.content.decode()
    assert 'id="access_key"' in page.content.decode()
    assert "The one in use works until the new one is proven" in text(page)
    Credentials.objects.update(added_at=timezone.now() - timedelta(days=12, hours=1))
    assert "12 days ago" in text(as_alice.get(page_of(firm)))


def test_a_member_sees_what_is_wrong_and_no_button_and_a_stranger_nothing(
    client: Client, firm: Domain, bob: User, charlie: User
) -> None:
    worry(firm, "paused", facts={"by": "amazon"})
    client.force_login(bob)
    page = client.get(page_of(firm))
    assert "Amazon has paused sending by your account." in text(page)
    assert "What came back, and who complained" in text(page)
    assert "Replace the key" not in text(page)
    client.force_login(charlie)
    assert client.get(page_of(firm)).status_code == 404
    assert client.get(f"{page_of(firm)}/live").status_code == 404
    assert "Amazon has paused" not in text(client.get("/overview"))


@pytest.mark.parametrize(
    ("met", "word", "says"),
    [
        (Met(812, 3, 0), "good", "3 of 812 recipients, which is 0.37 %."),
        (Met(1_000, 0, 0), "good", "0 of 1,000 recipients, which is 0.00 %."),
        (Met(1_000, 40, 0), "warn", "40 of 1,000 recipients, which is 4.00 %."),
        (Met(1_000, 50, 0), "bad", "50 of 1,000 recipients, which is 5.00 %."),
        (
            Met(20, 4, 0),
            "unknown",
            "4 of 20 recipients. That is too little mail to say anything of the share.",
        ),
        (Met(1, 0, 0), "unknown", "0 of 1 recipient. That is too little mail to say anything of the share."),
        (Met(0, 0, 0), "unknown", "Nothing was sent."),
        (
            Met(None, 7, 0),
            "unknown",
            "7. Of how many recipients is not known, because Amazon was not asked all that time.",
        ),
    ],
)
def test_a_figure_stands_beside_its_base(met: Met, word: str, says: str) -> None:
    assert (bounced(met).word, bounced(met).says) == (word, says)


@pytest.mark.parametrize(
    ("met", "word"),
    [
        (Met(3_000, 0, 1), "good"),
        (Met(800, 0, 1), "unknown"),
        (Met(2_200, 0, 2), "warn"),
        (Met(2_000, 0, 2), "bad"),
    ],
)
def test_complaints_have_lines_of_their_own(met: Met, word: str) -> None:
    assert complained(met).word == word


def test_bounces_and_complaints_are_shown_with_who_caused_them(as_alice: Client, firm: Domain) -> None:
    feedback(firm, "anna@firm.example", 3)
    feedback(firm, "gone@firm.example", 2, kind="complaint", at=timezone.now() - timedelta(days=3))
    hours: dict[str, Any] = {}
    for days in range(6, -1, -1):
        hours = rates.with_hour(hours, "1", 1_000, timezone.now() - timedelta(days=days))
    Standing.objects.update(hours=hours)
    page = as_alice.get(page_of(firm))
    said = text(page)
    assert "Last 24 hours: 3 of 1,204 recipients, which is 0.25 %." in said
    assert "Last 7 days: 2 of 7,000 recipients, which is 0.03 %." in said
    assert "of 14 recipients in the last 24 hours 3 do not exist and 0 complained; in 7 days 3 and 0." in said
    assert (
        "gone@firm.example: in the last 24 hours 0 do not exist and 0 complained; in 7 days 0 and 2." in said
    )
    assert "in a day 4 % do not exist, at least 5, or 0.08 % complain, at least 2," in said
    assert "Amazon does not report to us yet" in said
    Topic.objects.create(
        home=firm.home, account=firm.account, arn="arn", token="t", confirmed_at=timezone.now()
    )
    assert "Amazon does not report to us yet" not in text(as_alice.get(page_of(firm)))


def feedback(firm: Domain, sender: str, count: int, kind: str = "bounce", **fields: Any) -> None:
    notice = Notice.objects.create(home=firm.home, message=sender)
    given = {"kind": kind, "permanent": True, "at": timezone.now(), "home": firm.home, **fields}
    Feedback.objects.bulk_create(
        Feedback(notice=notice, number=n, sender=sender, **given) for n in range(count)
    )


def test_without_a_key_in_use_there_are_no_figures(as_alice: Client, account: Account) -> None:
    server: Server = mail_world.serving(account)
    mail_world.domain(server)
    page = as_alice.get(f"/mail/sending/{server.pk}")
    assert headline(page) == "Sending is not set up yet"
    assert "What came back" not in text(page)
