"""The mailbox whose mail is complained of is slowed, alone, and its account is told."""

from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from accounts.models import Letter
from domains import actions as domains
from domains import wanted
from domains.models import Alias, Domain, Mailbox
from sending import slowing
from sending.models import Feedback, Notice
from servers.models import Agent
from tests.domains.conftest import add
from tests.sending.conftest import BY


@pytest.fixture
def anna(firm: Domain) -> Mailbox:
    return add(firm, "anna")


def hear(mailbox: Mailbox, kind: str, count: int, *, permanent: bool = True, sender: str = "") -> bool:
    """So many recipients of Anna's, in one message of Amazon's; whether she was slowed for it."""
    home = mailbox.domain.home
    notice = Notice.objects.create(home=home, message=str(Notice.objects.count()))
    rows = [
        Feedback(notice=notice, number=n, home=home, sender=sender or mailbox.address, kind=kind, permanent=permanent, at=timezone.now())
        for n in range(count)
    ]  # fmt: skip
    Feedback.objects.bulk_create(rows)
    return slowing.look(mailbox)


def sent(mailbox: Mailbox, recipients: int) -> None:
    report: dict[str, Any] = {"mail": {"mailboxes": {mailbox.address: [0, 0, recipients]}}}
    Agent.objects.filter(server=mailbox.domain.home).update(report=report)


def ordered(home: UUID) -> dict[str, int]:
    return {one["address"]: one["per_hour"] for one in wanted.mail(home)["mailboxes"]}


def test_a_hijacked_mailbox_alone_is_slowed_and_its_account_is_told(firm: Domain, anna: Mailbox) -> None:
    bert = add(firm, "bert")
    sent(anna, 400)
    assert hear(anna, "complaint", 2)

    assert ordered(firm.home) == {anna.address: 10, bert.address: 100}
    (letter,) = Letter.objects.filter(kind="mailbox_slowed")
    assert letter.to == "alice@example.test"
    anna.refresh_from_db()
    assert anna.slowed_why == "Of 400 recipients in a day 0 do not exist and 2 complained."
    assert not hear(anna, "complaint", 2)
    assert Letter.objects.filter(kind="mailbox_slowed").count() == 1


@pytest.mark.parametrize(
    ("recipients", "kind", "count", "slow"),
    [
        (10_000, "complaint", 2, False),
        (2_000, "complaint", 2, True),
        (10, "complaint", 1, False),
        (1_000, "bounce", 20, False),
        (1_000, "bounce", 40, True),
        (20, "bounce", 4, False),
    ],
)
def test_it_is_slowed_before_amazon_would_look(
    anna: Mailbox, recipients: int, kind: str, count: int, slow: bool
) -> None:
    sent(anna, recipients)
    assert hear(anna, kind, count) is slow


def test_what_may_arrive_later_is_no_bounce(anna: Mailbox) -> None:
    assert not hear(anna, "bounce", 50, permanent=False)


def test_what_was_forgiven_counts_no_more(anna: Mailbox) -> None:
    hear(anna, "complaint", 5)
    domains.unslow_mailbox(mailbox=anna, by=BY)
    anna.refresh_from_db()
    assert ordered(anna.domain.home)[anna.address] == 100
    assert not hear(anna, "complaint", 1)


def told(firm: Domain, *senders: str) -> list[str]:
    """Whose mailbox is looked at because of complaints about these senders."""
    notice = Notice.objects.create(home=firm.home, message=str(Notice.objects.count()))
    rows = [Feedback(notice=notice, home=firm.home, sender=one, kind="complaint") for one in senders]
    return [one.local for one in slowing.mailboxes(rows)]


@pytest.fixture
def aliases(firm: Domain, anna: Mailbox) -> None:
    """`sales` and what leads there are Anna's alone, `all` is everybody's."""
    bert = add(firm, "bert")
    for local, to in {
        "sales": [anna.address, "carol@outside.test"],
        "shop": ["sales@firm.test"],
        "all": [anna.address, bert.address],
    }.items():
        Alias.objects.create(domain=firm, local=local, targets=to)


@pytest.mark.parametrize(
    ("sender", "whose"),
    [
        ("anna@firm.test", ["anna"]),
        ("anna+offer@firm.test", ["anna"]),
        ("sales@firm.test", ["anna"]),
        ("sales+1@firm.test", ["anna"]),
        ("shop@firm.test", ["anna"]),
        ("all@firm.test", []),
        ("nobody@firm.test", []),
    ],
)
@pytest.mark.usefixtures("aliases")
def test_whoever_writes_under_another_name_of_a_mailbox_is_known_by_it(
    firm: Domain, sender: str, whose: list[str]
) -> None:
    assert told(firm, sender) == whose


@pytest.mark.usefixtures("aliases")
def test_complaints_under_all_its_names_count_together_and_others_do_not(anna: Mailbox) -> None:
    assert not hear(anna, "complaint", 1, sender="anna+1@firm.test")
    assert not hear(anna, "complaint", 5, sender="annabel+1@firm.test")
    assert not hear(anna, "complaint", 5, sender="all@firm.test")
    assert hear(anna, "complaint", 1, sender="shop+2@firm.test")
