"""Every domain has a postmaster and somebody who hears of abuse, whether anybody made these addresses or not."""

from uuid import UUID

import pytest
from django.utils import timezone

from accounts.models import Account, User
from domains import actions
from domains.models import Domain, Mailbox
from domains.wanted import mail, standing_in
from tests.domains.conftest import BY, add

pytestmark = pytest.mark.django_db


def goes_to(home: UUID, address: str) -> list[str] | None:
    found = {one["address"]: one["targets"] for one in mail(home)["aliases"]}
    return found.get(address)


def test_they_reach_the_first_mailbox_that_somebody_reads(firm: Domain, anna: Mailbox) -> None:
    assert (
        goes_to(firm.home, "postmaster@firm.test")
        == goes_to(firm.home, "abuse@firm.test")
        == ["anna@firm.test"]
    )
    bob = add(firm, "bob")
    assert goes_to(firm.home, "abuse@firm.test") == ["anna@firm.test"]
    Mailbox.objects.filter(pk=bob.pk).update(password="{ARGON2ID}x", password_at=timezone.now())
    assert goes_to(firm.home, "abuse@firm.test") == ["bob@firm.test"]
    actions.suspend_mailbox(mailbox=bob, by=BY)
    assert goes_to(firm.home, "abuse@firm.test") == ["anna@firm.test"]


def test_without_a_mailbox_they_reach_the_owner(firm: Domain, alice: User) -> None:
    assert goes_to(firm.home, "postmaster@firm.test") == [alice.email]


def test_whoever_makes_one_of_them_gets_it(firm: Domain, anna: Mailbox) -> None:
    bob = add(firm, "bob")
    actions.add_alias(domain=firm, local="abuse", targets=["bob@firm.test"], by=BY)
    assert goes_to(firm.home, "abuse@firm.test") == ["bob@firm.test"]
    actions.remove_mailbox(mailbox=bob, by=BY)
    assert goes_to(firm.home, "abuse@firm.test") == ["anna@firm.test"], (
        "where it leads to nobody, another takes it"
    )
    own = add(firm, "postmaster")
    assert goes_to(firm.home, "postmaster@firm.test") is None
    actions.remove_mailbox(mailbox=own, by=BY)
    assert goes_to(firm.home, "postmaster@firm.test") == ["anna@firm.test"]


def test_a_catch_all_has_them_too(firm: Domain, anna: Mailbox) -> None:
    actions.set_catch_all(domain=firm, mailbox=anna, by=BY)
    assert mail(firm.home)["aliases"] == []
    assert standing_in(Domain.objects.get()) == ([], [])


def test_the_page_says_the_same_as_the_order(firm: Domain, anna: Mailbox, account: Account) -> None:
    free, to = standing_in(firm)
    assert free == ["abuse@firm.test", "postmaster@firm.test"]
    assert [goes_to(firm.home, one) for one in free] == [to, to]
    actions.add_alias(domain=firm, local="abuse", targets=["x@y.test"], by=BY)
    assert standing_in(firm)[0] == ["postmaster@firm.test"]
