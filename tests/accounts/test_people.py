"""Accounts and who belongs to them; every change leaves an event."""

import pytest

from accounts import actions
from accounts.models import Account, Membership, User
from audit.models import Event

pytestmark = pytest.mark.django_db


def events(account: Account) -> list[str]:
    found = Event.objects.filter(account_id=account.pk).order_by("pk")
    return list(found.values_list("action", flat=True))


def test_an_account_is_opened_once_and_found_again() -> None:
    first = actions.ensure_account(email=" Alice@Example.test", name="Alice", by="gumroad")
    again = actions.ensure_account(email="alice@example.test", by="gumroad")
    alice = User.objects.get()
    assert first == again
    assert (alice.email, alice.name, first.name) == ("alice@example.test", "Alice", "Alice")
    assert alice.memberships.get().role == Membership.Role.OWNER
    assert not alice.has_usable_password()
    assert events(first) == ["account.opened", "person.joined"]


def test_a_name_learned_later_is_kept_and_an_old_one_not_overwritten() -> None:
    actions.ensure_account(email="alice@example.test", by="x")
    actions.ensure_account(email="alice@example.test", name="Alice", by="x")
    actions.ensure_account(email="alice@example.test", name="Mallory", by="x")
    assert User.objects.get().name == "Alice"


def test_a_member_who_buys_gets_an_account_of_their_own(account: Account, bob: User) -> None:
    bobs = actions.ensure_account(email=bob.email, by="gumroad")
    assert bobs != account
    assert bob.memberships.count() == 2


def test_somebody_is_let_in_once_and_keeps_their_role(account: Account, alice: User) -> None:
    by = f"user:{alice.pk}"
    first = actions.add_member(account=account, email="Dora@example.test", by=by)
    again = actions.add_member(account=account, email="dora@example.test", role="owner", by=by)
    assert first == again
    assert again.role == Membership.Role.MEMBER
    assert events(account) == ["person.joined"]


def test_somebody_may_be_taken_out_again(account: Account, bob: User) -> None:
    assert actions.remove_member(account=account, user=bob, by="x") is True
    assert actions.remove_member(account=account, user=bob, by="x") is False
    assert events(account) == ["person.left"]


def test_the_last_owner_stays(account: Account, alice: User, bob: User) -> None:
    with pytest.raises(actions.LastOwner, match="last owner"):
        actions.remove_member(account=account, user=alice, by="x")
    assert account.memberships.count() == 2
