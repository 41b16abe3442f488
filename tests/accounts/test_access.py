"""Which account somebody is at, and who is led where."""

from uuid import uuid4

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from accounts import access, actions
from accounts.models import Account, User

pytestmark = pytest.mark.django_db


def request_of(
    person: User | None, path: str = "/servers?x=1", method: str = "get", **headers: str
) -> HttpRequest:
    request = getattr(RequestFactory(), method)(path, headers=headers)
    request.user, request.session = person or AnonymousUser(), {}
    return request


@pytest.fixture(autouse=True)
def _in_a_request() -> object:
    """allauth's adapter looks for the request under way."""
    from allauth.core.context import request_context

    with request_context(RequestFactory().get("/")):
        yield


@access.signed_in
def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(access.account_of(request)))


@access.owner_required
def owners_page(request: HttpRequest) -> HttpResponse:
    return HttpResponse("yours")


def test_alice_is_at_her_account(account: Account, alice: User) -> None:
    assert page(request_of(alice)).content.decode() == "Alice's bakery"


def test_bob_is_at_alices_account_and_charlie_is_not(account: Account, bob: User, charlie: User) -> None:
    assert access.account_of(request_of(bob)) == account
    assert access.account_of(request_of(charlie)) != account


def test_somebody_with_several_accounts_is_at_the_oldest_until_they_choose(
    account: Account, bob: User
) -> None:
    bobs = actions.ensure_account(email=bob.email, by="x")
    request = request_of(bob)
    assert access.account_of(request) == account
    assert access.accounts_of(request) == [account, bobs]
    access.choose_account(request, bobs.pk)
    assert access.account_of(request) == bobs
    later = request_of(bob)
    later.session = request.session
    assert access.account_of(later) == bobs


def test_nobody_chooses_an_account_of_others(account: Account, charlie: User) -> None:
    for account_id in (account.pk, uuid4()):
        with pytest.raises(access.NoAccount):
            access.choose_account(request_of(charlie), account_id)


def test_a_choice_is_worth_nothing_once_one_has_left(account: Account, bob: User) -> None:
    bobs = actions.ensure_account(email=bob.email, by="x")
    request = request_of(bob)
    access.choose_account(request, account.pk)
    actions.remove_member(account=account, user=bob, by="x")
    later = request_of(bob)
    later.session = request.session
    assert access.account_of(later) == bobs


def test_whoever_is_not_signed_in_comes_back_after_it() -> None:
    assert page(request_of(None)).url == "/sign-in?next=%2Fservers%3Fx%3D1"


def test_what_was_posted_is_not_gone_back_to() -> None:
    assert page(request_of(None, method="post")).url == "/sign-in"


def test_a_part_of_a_page_takes_the_page_along() -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/servers/1?y=2"}
    answer = page(request_of(None, path="/servers/1/live", **headers))
    assert (answer.status_code, answer["HX-Redirect"]) == (204, "/sign-in?next=%2Fservers%2F1")


def test_staff_without_an_account_are_shown_to_the_admin(stella: User) -> None:
    assert page(request_of(stella)).url == "/admin/"


def test_a_person_without_an_account_is_refused(alice: User) -> None:
    alice.memberships.all().delete()
    with pytest.raises(PermissionDenied):
        page(request_of(alice))


def test_only_an_owner_gets_to_an_owners_page(alice: User, bob: User) -> None:
    assert owners_page(request_of(alice)).content == b"yours"
    assert owners_page(request_of(None)).status_code == 302
    with pytest.raises(PermissionDenied):
        owners_page(request_of(bob))
