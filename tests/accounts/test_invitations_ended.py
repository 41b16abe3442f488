"""Nobody comes in at the word of somebody who owns the account no more."""

from collections.abc import Callable

import pytest

from accounts import actions, invitations, roles
from accounts.models import Account, Membership, User
from accounts.open import Invitation
from audit.models import Event
from tests.accounts.conftest import Browser, work_letters
from tests.accounts.passing import way_in

pytestmark = pytest.mark.django_db
End = Callable[[Account, User, User], object]


def removed(account: Account, dora: User, alice: User) -> None:
    actions.remove_member(account=account, user=dora, by=f"user:{alice.pk}")


def demoted(account: Account, dora: User, alice: User) -> None:
    roles.change_role(account=account, user=dora, role="member", by=f"user:{alice.pk}")


def left(account: Account, dora: User, alice: User) -> None:
    actions.remove_member(account=account, user=dora, by=f"user:{dora.pk}")


def withdrawn(account: Account) -> list[str]:
    found = Event.objects.filter(account_id=account.pk, action="invitation.withdrawn")
    return list(found.values_list("by", flat=True))


@pytest.mark.parametrize("end", [removed, demoted, left])
def test_what_an_owner_had_asked_ends_with_their_part(
    account: Account, alice: User, dora: User, charlie: User, browser: Browser, end: End
) -> None:
    invitations.invite(account=account, email=charlie.email, role="owner", by=dora)
    way = way_in("person_invited", charlie.email)
    end(account, dora, alice)
    browser.force_login(charlie)
    assert browser.post(way, {"do": "accept"}).status_code == 410
    assert not account.people.filter(pk=charlie.pk).exists()
    assert withdrawn(account) == [f"user:{dora.pk if end is left else alice.pk}"]


def test_what_others_asked_stays_and_so_does_what_was_answered(
    account: Account, alice: User, dora: User, charlie: User
) -> None:
    theirs = invitations.invite(account=account, email=charlie.email, role="member", by=dora)
    assert invitations.accept(invitation=theirs, user=charlie)
    invitations.invite(account=account, email="erin@example.test", role="member", by=alice)
    removed(account, dora, alice)
    assert withdrawn(account) == []
    assert account.people.filter(pk=charlie.pk).exists()
    assert Invitation.objects.live().get().email == "erin@example.test"


def test_what_was_asked_for_another_account_stays(account: Account, alice: User, dora: User) -> None:
    other = Account.objects.create(name="Dora's")
    Membership.objects.create(account=other, user=dora)
    invitations.invite(account=other, email="erin@example.test", role="member", by=dora)
    removed(account, dora, alice)
    assert Invitation.objects.live().count() == 1


def test_who_becomes_an_owner_loses_nothing(account: Account, alice: User, dora: User) -> None:
    invitations.invite(account=account, email="erin@example.test", role="member", by=dora)
    roles.change_role(account=account, user=dora, role="owner", by=f"user:{alice.pk}")
    assert Invitation.objects.live().count() == 1


def test_who_asked_is_looked_at_again_when_somebody_says_yes(
    account: Account, alice: User, dora: User, charlie: User
) -> None:
    row = invitations.invite(account=account, email=charlie.email, role="owner", by=dora)
    work_letters()
    Membership.objects.filter(user=dora).update(role="member")
    assert invitations.accept(invitation=row, user=charlie) is None
    Membership.objects.filter(user=dora).delete()
    assert invitations.accept(invitation=row, user=charlie) is None
    assert not account.people.filter(pk=charlie.pk).exists()
