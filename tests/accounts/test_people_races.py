"""Several at once about people: each thing happens once, and an account keeps an owner."""

import time

import pytest
from django.utils import timezone

from accounts import actions, address, invitations, recovery, roles
from accounts.models import Account, Membership, User
from accounts.open import AddressChange, Invitation, Recovery
from audit.models import Event
from tests.accounts.passing import letters_to, work
from tests.accounts.test_races import MANY, all_at_once
from tests.dashboard import people_world

pytestmark = pytest.mark.django_db(transaction=True)


def owners(account: Account) -> int:
    return account.memberships.filter(role=Membership.Role.OWNER).count()


@pytest.mark.parametrize("way", ["leave", "step down"])
def test_of_owners_who_all_go_at_once_one_stays(account: Account, way: str) -> None:
    people = [people_world.person(account, f"p{n}@example.test", "owner").user for n in range(MANY)]
    account.memberships.filter(user__email="alice@example.test").delete()

    def go(n: int) -> bool:
        try:
            if way == "leave":
                return actions.remove_member(account=account, user=people[n], by=f"user:{people[n].pk}")
            return roles.change_role(account=account, user=people[n], role="member", by="x")
        except actions.LastOwner:
            return False

    assert sum(all_at_once(go)) == MANY - 1
    assert owners(account) == 1


def test_of_a_yes_and_a_withdrawal_at_once_exactly_one_counts(account: Account, charlie: User) -> None:
    row = people_world.invitation(account, charlie.email)

    def answer(n: int) -> bool:
        if n % 2:
            return invitations.withdraw(invitation=row, by="user:1")
        return invitations.accept(invitation=row, user=charlie) is not None

    assert sum(all_at_once(answer)) == 1
    row = Invitation.objects.get()
    assert (row.accepted_at is None) != (row.withdrawn_at is None)
    assert account.people.filter(pk=charlie.pk).exists() == (row.accepted_at is not None)


def test_one_address_is_invited_once_however_many_press(account: Account, alice: User) -> None:
    all_at_once(
        lambda n: invitations.invite(account=account, email="d@example.test", role="member", by=alice)
    )
    assert Invitation.objects.get().sent == MANY


def test_of_wishes_for_another_address_at_once_one_is_left(alice: User) -> None:
    all_at_once(
        lambda n: address.ask(user=alice, new=f"n{n}@new.test", old_lost=False, session=None, by="user:1")
    )
    assert AddressChange.objects.filter(ended_at=None).count() == 1
    assert AddressChange.objects.filter(outcome="called off").count() == MANY - 1


def test_of_a_yes_and_a_no_at_once_nothing_is_half_done(alice: User) -> None:
    row = people_world.change(alice, old_confirmed_at=None)

    def answer(n: int) -> bool:
        ways = (
            lambda: address.confirm(change=row, end=address.NEW),
            lambda: address.confirm(change=row, end=address.OLD),
            lambda: address.call_off(change=row, by="letter"),
        )
        return ways[n % 3]()

    all_at_once(answer)
    work()
    row.refresh_from_db()
    assert row.outcome == "called off"
    assert Event.objects.filter(action="address.change_ended").count() == 1
    assert User.objects.filter(email=alice.email).exists()


def test_a_letter_about_one_recovery_is_written_once_however_many_say_yes(
    account: Account, alice: User
) -> None:
    dora = people_world.person(account, role="owner").user
    people_world.second(alice, confirmed_at=timezone.now())
    row = people_world.lost(alice)
    said = all_at_once(lambda n: recovery.confirm(recovery=row, end=recovery.FIRST))
    assert sum(said) == 1
    assert letters_to(dora.email) == ["vouch_wanted"]

    def vouch(n: int) -> bool:
        try:
            return bool(recovery.vouch(user=alice, by=dora))
        except recovery.CannotVouch:
            return False

    assert sum(all_at_once(vouch)) == 1
    assert Recovery.objects.get().vouched_by == dora


@pytest.mark.parametrize("later", [0, 0.02, 0.05, 0.2])
def test_of_a_yes_to_a_recovery_and_a_change_of_address_at_once_one_counts(alice: User, later: float) -> None:
    people_world.second(alice, confirmed_at=timezone.now())
    row = people_world.lost(alice)
    change = address.ask(user=alice, new="alice@new.test", old_lost=False, session=None, by="user:1")
    for end in (address.OLD, address.NEW):
        assert address.confirm(change=change, end=end)

    def act(n: int) -> bool:
        if not n % 2:
            work()
            return False
        time.sleep(later)
        return recovery.confirm(recovery=row, end=recovery.FIRST)

    said_yes = any(all_at_once(act))
    work()
    row.refresh_from_db()
    moved = User.objects.get(pk=alice.pk).email == "alice@new.test"
    assert (moved, row.outcome) == ((False, "") if said_yes else (True, "stopped"))
