"""What a server is ordered to be is what the rows say, as the agent reads it."""

import json
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Account
from agent.mailat_agent.mail import state
from domains import actions
from domains.models import Alias, AppPassword, Domain, Mailbox
from domains.postmasters import LOCALS
from domains.wanted import mail
from tests.domains.conftest import BY, GB, PLENTY, add, made_aliases, set_way_out

pytestmark = pytest.mark.django_db
REST = {
    "acme": {"directory": "https://acme.test/dir", "contact": ""},
    "canary_every": 300,
    "reboot": {"days": [6], "hour": 3, "hours": 2},
}


def read(home: UUID) -> state.Mail:
    """As it arrives at the agent."""
    return state.read(json.loads(json.dumps({**mail(home), **REST})))


def test_of_a_server_without_a_domain_nothing_is_wanted(home: UUID, db: None) -> None:
    nothing: dict[str, list[object]] = {
        name: [] for name in ("domains", "mailboxes", "aliases", "erase", "letters")
    }
    assert mail(home) == {**nothing, "relay": None}
    assert read(home).mailboxes == ()


def test_the_agent_reads_all_that_can_be_wanted(firm: Domain, anna: Mailbox) -> None:
    actions.set_catch_all(domain=firm, mailbox=anna, by=BY)
    actions.add_alias(domain=firm, local="info", targets=["anna@firm.test", "x@elsewhere.test"], by=BY)
    actions.set_forward(mailbox=anna, to=["a@elsewhere.test"], keep_copy=False, by=BY)
    actions.set_vacation(
        mailbox=anna,
        subject="Away",
        text="Back\non Monday",
        begins=date(2026, 12, 1),
        ends=date(2026, 12, 5),
        by=BY,
    )
    row, _secret = actions.add_app_password(mailbox=anna, label="telephone", by=BY)
    set_way_out(firm, port=2587)
    now = read(firm.home)
    box = now.mailboxes[0]
    assert now.domains == (state.Domain("firm.test", "anna@firm.test", "testing"),)
    assert box.id == str(anna.pk)
    assert (box.address, box.name, box.password, box.quota) == ("anna@firm.test", "Anna", None, GB)
    assert (box.forward, box.keep_copy, box.suspended) == (("a@elsewhere.test",), False, False)
    assert box.vacation == state.Vacation("Away", "Back\non Monday", "2026-12-01", "2026-12-05")
    assert [one.id for one in box.app_passwords] == [str(row.pk)]
    assert state.Alias("info@firm.test", ("anna@firm.test", "x@elsewhere.test")) in now.aliases
    assert now.relay is not None
    assert (now.relay.host, now.relay.port) == ("email-smtp.eu-central-1.amazonaws.com", 2587)
    assert now.relay.sender == "postmaster@firm.test"


def test_one_server_is_not_told_of_another(firm: Domain, anna: Mailbox, account: Account) -> None:
    there = actions.add_domain(account=account, home=uuid4(), name="other.test", by=BY)
    add(there, "bob")
    assert [one["address"] for one in mail(firm.home)["mailboxes"]] == ["anna@firm.test"]
    assert [one["address"] for one in mail(there.home)["mailboxes"]] == ["bob@other.test"]


def test_the_order_of_rows_does_not_depend_on_when_they_were_made(firm: Domain, account: Account) -> None:
    actions.add_domain(account=account, home=firm.home, name="a.test", by=BY)
    for local in ("zoe", "bob", "mia"):
        add(firm, local)
        actions.add_alias(domain=firm, local=f"{local}-alias", targets=["x@elsewhere.test"], by=BY)
    now = mail(firm.home)
    assert [one["name"] for one in now["domains"]] == ["a.test", "firm.test"]
    assert [one["address"].partition("@")[0] for one in now["mailboxes"]] == ["bob", "mia", "zoe"]
    assert [one["address"][:3] for one in made_aliases(firm.home)] == ["bob", "mia", "zoe"]
    addresses = [one["address"].rpartition("@")[::-2] for one in now["aliases"]]
    assert addresses == sorted(addresses)
    assert now == mail(firm.home)


def test_the_eldest_app_password_stays_first(anna: Mailbox) -> None:
    first, _ = actions.add_app_password(mailbox=anna, label="one", by=BY)
    second, _ = actions.add_app_password(mailbox=anna, label="two", by=BY)
    third, _ = actions.add_app_password(mailbox=anna, label="three", by=BY)
    ids = lambda: [one["id"] for one in mail(anna.domain.home)["mailboxes"][0]["app_passwords"]]  # noqa: E731
    assert ids() == [str(one.pk) for one in (first, second, third)]
    actions.revoke_app_password(app_password=second, by=BY)
    assert ids() == [str(first.pk), str(third.pk)]


def test_what_is_removed_is_not_ordered_and_nothing_leads_there(firm: Domain, anna: Mailbox) -> None:
    bob = add(firm, "bob")
    actions.set_catch_all(domain=firm, mailbox=bob, by=BY)
    actions.add_alias(domain=firm, local="info", targets=["bob@firm.test"], by=BY)
    actions.add_alias(domain=firm, local="both", targets=["bob@firm.test", "anna@firm.test"], by=BY)
    actions.set_forward(mailbox=anna, to=["bob@firm.test"], keep_copy=True, by=BY)
    before = mail(firm.home)
    actions.remove_mailbox(mailbox=bob, by=BY)
    now = mail(firm.home)
    assert now["domains"][0]["catch_all"] is None
    assert [one["address"] for one in now["mailboxes"]] == ["anna@firm.test"]
    assert now["mailboxes"][0]["forward"] == []
    assert made_aliases(firm.home) == [{"address": "both@firm.test", "targets": ["anna@firm.test"]}]
    actions.restore_mailbox(mailbox=bob, most=PLENTY, by=BY)
    assert mail(firm.home) == before


def test_a_way_out_sealed_to_another_key_is_still_ordered(firm: Domain) -> None:
    row: Any = set_way_out(firm)
    assert mail(firm.home)["relay"]["sealed"] == row.sealed
    type(row).objects.update(seal_key="of an agent that is no more")
    assert mail(firm.home)["relay"]["sealed"] == row.sealed


def fill(firm: Domain, mailboxes: int, aliases: int) -> None:
    boxes = Mailbox.objects.bulk_create(
        Mailbox(
            domain=firm,
            local=f"person.number{n}",
            name="Somebody With A Name",
            quota=GB,
            password="{ARGON2ID}" + "x" * 97,
        )
        for n in range(mailboxes)
    )
    AppPassword.objects.bulk_create(
        AppPassword(mailbox=box, label="telephone", hash="{SSHA512}" + "x" * 107)
        for box in boxes
        for _ in range(AppPassword.MOST)
    )
    targets = [f"person.number{n}@firm.test" for n in range(min(3, mailboxes))]
    Alias.objects.bulk_create(Alias(domain=firm, local=f"alias{n}", targets=targets) for n in range(aliases))


def test_it_takes_seven_queries_however_many_there_are(firm: Domain) -> None:
    fill(firm, 3, 3)
    few = queries(firm.home)
    add_more = Domain.objects.create(account=firm.account, home=firm.home, name="more.test")
    fill(add_more, 30, 30)
    assert few == queries(firm.home) == 7


def queries(home: UUID) -> int:
    with CaptureQueriesContext(connection) as seen:
        mail(home)
    return len(seen)


def test_the_largest_plan_fits_in_a_mebibyte_and_the_agent_reads_it(firm: Domain) -> None:
    fill(firm, 200, 400)
    text = json.dumps({**mail(firm.home), **REST}, sort_keys=True, separators=(",", ":"))
    assert len(text) < 1024**2
    now = state.read(json.loads(text))
    assert (len(now.mailboxes), len(now.aliases)) == (200, 400 + len(LOCALS))
    assert len(now.mailboxes[0].app_passwords) == AppPassword.MOST
