"""Several at once: exactly one is first."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

import pytest
from django.db import connection

from accounts import actions, letters
from accounts.models import Account, Letter, SignInLink, User
from audit.models import Event
from tests.accounts.conftest import last_mail

pytestmark = pytest.mark.django_db(transaction=True)
T = TypeVar("T")
NONCE = "n" * 43
MANY = 6


def all_at_once(work: Callable[[int], T]) -> list[T]:
    """What `work` gives to each of several threads that begin together."""
    barrier = Barrier(MANY)

    def begin(n: int) -> T:
        try:
            barrier.wait()
            return work(n)
        finally:
            connection.close()

    with ThreadPoolExecutor(MANY) as pool:
        return list(pool.map(begin, range(MANY)))


def ask() -> SignInLink:
    return actions.request_link(email="alice@example.test", nonce=NONCE, goes_to="", address="127.0.0.1")


def test_of_several_who_use_a_link_exactly_one_gets_in() -> None:
    ask()
    token = last_mail().token
    entries = all_at_once(lambda n: actions.use_link(token=token, nonce=NONCE, address="127.0.0.1"))
    assert len([entry for entry in entries if entry]) == 1
    assert User.objects.count() == Account.objects.count() == 1
    of_account = Event.objects.filter(account_id=Account.objects.get().pk)
    assert of_account.filter(action="person.signed_in").count() == 1


def test_of_link_and_code_used_at_once_exactly_one_gets_in() -> None:
    ask()
    letter = last_mail()

    def enter(n: int) -> object:
        if n % 2:
            return actions.use_code(nonce=NONCE, code=letter.code, address="127.0.0.1")
        return actions.use_link(token=letter.token, nonce=NONCE, address="127.0.0.1")

    assert len([entry for entry in all_at_once(enter) if entry]) == 1


def test_guesses_at_once_are_no_more_than_five() -> None:
    link = ask()
    all_at_once(lambda n: actions.use_code(nonce=NONCE, code="BBBBBBBB", address="127.0.0.1"))
    link.refresh_from_db()
    assert link.tries == SignInLink.MOST_TRIES
    assert actions.use_code(nonce=NONCE, code=last_code(link), address="127.0.0.1") is None


def last_code(link: SignInLink) -> str:
    from accounts.tokens import code_of

    return code_of(link.pk)


def test_of_several_links_asked_for_at_once_one_is_live() -> None:
    all_at_once(lambda n: ask())
    assert SignInLink.objects.count() == MANY
    assert SignInLink.objects.live().count() == 1


def test_a_person_who_buys_twice_at_once_is_one_person_with_one_account() -> None:
    found = all_at_once(
        lambda n: actions.ensure_account(email="Alice@example.test", name="Alice", by="gumroad")
    )
    assert len({account.pk for account in found}) == 1
    assert User.objects.count() == Account.objects.count() == 1


def test_nor_does_somebody_known_already_get_two_accounts_at_once() -> None:
    User.objects.create_user("alice@example.test")
    all_at_once(lambda n: actions.ensure_account(email="alice@example.test", by="gumroad"))
    assert Account.objects.count() == 1


def test_an_invitation_said_by_several_is_one_letter() -> None:
    all_at_once(
        lambda n: actions.invite_in(email="alice@example.test", key="w", goes_to="/servers/new", by="gumroad")
    )
    assert Letter.objects.count() == SignInLink.objects.count() == 1


def test_a_letter_written_by_several_is_one_letter() -> None:
    found = all_at_once(lambda n: letters.post("server_ready", to="a@b.test", key="k", server="x", url="/"))
    assert len({letter.pk for letter in found}) == 1


def test_the_last_two_owners_cannot_both_leave() -> None:
    account = actions.ensure_account(email="alice@example.test", by="x")
    actions.add_member(account=account, email="bob@example.test", role="owner", by="x")
    people = list(User.objects.order_by("pk"))

    def leave(n: int) -> str:
        try:
            return str(actions.remove_member(account=account, user=people[n % 2], by="x"))
        except actions.LastOwner:
            return "last"

    all_at_once(leave)
    assert account.memberships.count() == 1
