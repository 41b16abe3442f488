"""Several people in an account: asked by letter, in by their own yes, and never without an owner."""

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client

from accounts import actions, invitations, roles
from accounts.models import Account, Membership, User
from accounts.open import Invitation
from audit.models import Event
from tests.accounts.conftest import Browser, work_letters
from tests.accounts.passing import letters_to, passes, way_in

pytestmark = pytest.mark.django_db
DORA = "dora@example.test"


@pytest.fixture
def hers(browser: Browser, alice: User) -> Browser:
    browser.force_login(alice)
    return browser


def ask(browser: Client, email: str = DORA, role: str = "member") -> int:
    return browser.post("/account/people", {"email": email, "role": role}).status_code


def come_in(browser: Browser, email: str, goes_to: str = "") -> str:
    """Signs in by a link; returns where that leads."""
    cache.clear()
    work_letters()
    return browser.post(browser.ask_and_read(email, goes_to).path).url


def roles_of(account: Account) -> dict[str, str]:
    return dict(account.memberships.values_list("user__email", "role"))


def events(account: Account) -> list[str]:
    found = Event.objects.filter(account_id=account.pk).exclude(action__startswith="person.signed")
    return list(found.order_by("pk").values_list("action", flat=True))


def test_somebody_new_comes_in_by_the_letter_and_their_own_yes(
    hers: Browser, other_browser: Browser, account: Account
) -> None:
    assert ask(hers, " Dora@Example.TEST", "owner") == 302
    way = way_in("person_invited", DORA)
    page = other_browser.get(way).content.decode()
    assert f'value="{DORA}"' in page
    assert "bakery" not in page
    assert come_in(other_browser, DORA, way) == way
    assert Account.objects.count() == 1
    assert "Alice&#x27;s bakery" in other_browser.get(way).content.decode()
    assert other_browser.post(way, {"do": "accept"}).url == "/overview"
    assert roles_of(account)[DORA] == "owner"
    assert letters_to("alice@example.test")[-1] == "person_joined"
    assert events(account) == ["invitation.sent", "person.joined"]


def test_looking_accepts_nothing(hers: Browser, account: Account, charlie: User) -> None:
    ask(hers, charlie.email)
    way = way_in("person_invited", charlie.email)
    his = Browser()
    his.force_login(charlie)
    for one in (Client(), his):
        for look in (one.get, one.head):
            assert look(way).status_code == 200
    assert Client().post(way, {"do": "accept"}).status_code == 200
    assert his.post(way).status_code == 200
    assert charlie.email not in roles_of(account)
    his.post(way, {"do": "accept"})
    assert charlie.email in roles_of(account)


def test_only_the_invited_address_may_say_yes_and_learns_whose_account_it_is(
    hers: Browser, other_browser: Browser, account: Account, charlie: User
) -> None:
    ask(hers)
    way = way_in("person_invited", DORA)
    other_browser.force_login(charlie)
    for answer in (other_browser.get(way), other_browser.post(way, {"do": "accept"})):
        assert answer.status_code == 410
        assert "bakery" not in answer.content.decode()
    assert set(roles_of(account)) == {"alice@example.test"}


def test_somebody_new_who_goes_elsewhere_is_led_to_the_invitation(
    hers: Browser, other_browser: Browser
) -> None:
    ask(hers)
    way = way_in("person_invited", DORA)
    come_in(other_browser, DORA)
    assert other_browser.get("/overview").url == way


def test_who_says_no_has_an_account_of_their_own(
    hers: Browser, other_browser: Browser, account: Account
) -> None:
    ask(hers)
    way = way_in("person_invited", DORA)
    come_in(other_browser, DORA, way)
    other_browser.post(way, {"do": "decline"})
    assert other_browser.get("/overview").status_code == 200
    assert DORA not in roles_of(account)
    assert events(account)[-1] == "invitation.declined"
    assert other_browser.post(way, {"do": "accept"}).status_code == 410


def test_an_invitation_is_over_after_a_week_and_can_be_sent_again(
    hers: Browser, other_browser: Browser, account: Account
) -> None:
    ask(hers)
    way = way_in("person_invited", DORA)
    passes(days=7, minutes=1)
    come_in(other_browser, DORA)
    assert other_browser.post(way, {"do": "accept"}).status_code == 410
    assert "too old since" in hers.get("/account/people").content.decode()
    one = Invitation.objects.get()
    assert hers.post("/account/people", {"do": "again", "one": str(one.pk)}).status_code == 302
    assert letters_to(DORA).count("person_invited") == 2
    other_browser.post(way, {"do": "accept"})
    assert DORA in roles_of(account)


def test_a_withdrawn_one_opens_nothing_and_a_letter_that_waited_is_not_sent(
    hers: Browser, account: Account
) -> None:
    ask(hers)
    one = Invitation.objects.get()
    hers.post("/account/people", {"do": "withdraw", "one": str(one.pk)})
    work_letters()
    assert [letter.to for letter in mail.outbox] == []
    dora = User.objects.create_user(DORA)
    assert invitations.accept(invitation=one, user=dora) is None
    assert events(account) == ["invitation.sent", "invitation.withdrawn"]
    hers.post("/account/people", {"do": "withdraw", "one": str(one.pk)})
    assert events(account) == ["invitation.sent", "invitation.withdrawn"]


def test_the_same_address_is_invited_once_and_the_newest_role_counts(hers: Browser, account: Account) -> None:
    ask(hers)
    ask(hers, role="owner")
    assert Invitation.objects.get().role == "owner"
    assert letters_to(DORA) == ["person_invited", "person_invited"]


def test_a_double_yes_is_one(hers: Browser, account: Account, charlie: User) -> None:
    ask(hers, charlie.email)
    one = Invitation.objects.get()
    assert invitations.accept(invitation=one, user=charlie)
    assert invitations.accept(invitation=one, user=charlie) is None
    assert events(account) == ["invitation.sent", "person.joined"]


def test_who_belongs_to_it_already_is_not_invited(hers: Browser, bob: User) -> None:
    assert ask(hers, bob.email.upper()) == 422
    assert not Invitation.objects.exists()


def test_there_is_an_end_to_invitations(hers: Browser, account: Account, alice: User) -> None:
    for number in range(invitations.MOST):
        invitations.invite(account=account, email=f"p{number}@example.test", role="member", by=alice)
    assert ask(hers) == 422
    with pytest.raises(invitations.TooMany):
        invitations.invite(account=account, email=DORA, role="member", by=alice)


def test_invitations_are_limited_by_the_hour(hers: Browser, account: Account) -> None:
    answers = [ask(hers, f"p{number}@example.test") for number in range(31)]
    assert answers == [302] * 30 + [429]


@pytest.mark.parametrize("role", ["", "staff", "superuser"])
def test_there_are_two_roles(hers: Browser, role: str) -> None:
    assert ask(hers, role=role) == 422
    assert not Invitation.objects.exists()


def test_an_invitation_of_another_account_is_not_there(hers: Browser, charlie: User) -> None:
    theirs = invitations.invite(account=charlie.accounts.get(), email=DORA, role="member", by=charlie)
    for do in ("again", "withdraw"):
        assert hers.post("/account/people", {"do": do, "one": str(theirs.pk)}).status_code == 404
    assert hers.post("/account/people", {"do": "again", "one": "junk"}).status_code == 302


def test_the_letter_names_the_address_of_who_asks_and_nothing_that_people_call_themselves(
    hers: Browser, account: Account, alice: User
) -> None:
    Account.objects.update(name="Win a prize")
    User.objects.update(name="Your bank")
    ask(hers)
    work_letters()
    text = mail.outbox[-1].subject + str(mail.outbox[-1].body)
    assert alice.email in text
    assert "prize" not in text
    assert "bank" not in text


# --- roles


def test_a_role_is_changed_and_the_person_hears_of_it(hers: Browser, account: Account, bob: User) -> None:
    part = bob.memberships.get()
    assert hers.post(f"/account/people/{part.pk}", {"do": "role", "role": "owner"}).url == "/account/people"
    assert roles_of(account)[bob.email] == "owner"
    assert letters_to(bob.email) == ["role_changed"]
    assert roles.change_role(account=account, user=bob, role="owner", by="x") is False
    assert events(account) == ["person.role_changed"]


@pytest.mark.parametrize("data", [{"do": "role", "role": "member"}, {"do": "remove"}])
def test_the_last_owner_stays_one(hers: Browser, account: Account, alice: User, data: dict[str, str]) -> None:
    answer = hers.post(f"/account/people/{alice.memberships.get().pk}", data)
    assert answer.status_code == 422
    assert roles_of(account) == {alice.email: "owner"}


def test_the_last_owner_does_not_leave(hers: Browser, account: Account, bob: User) -> None:
    assert hers.post("/account/leave").status_code == 422
    assert len(roles_of(account)) == 2


def test_somebody_is_taken_out_and_sees_nothing_from_then_on(
    hers: Browser, other_browser: Browser, account: Account, bob: User
) -> None:
    other_browser.force_login(bob)
    assert other_browser.get("/overview").status_code == 200
    hers.post(f"/account/people/{bob.memberships.get().pk}", {"do": "remove"})
    assert other_browser.get("/overview").status_code == 403
    assert letters_to(bob.email) == ["person_removed"]
    assert events(account) == ["person.left"]


def test_somebody_leaves_and_is_left_with_an_account_of_their_own(
    other_browser: Browser, account: Account, bob: User
) -> None:
    other_browser.force_login(bob)
    assert other_browser.post("/account/leave").url == "/overview"
    assert other_browser.get("/overview").status_code == 200
    assert bob.email not in roles_of(account)
    assert bob.memberships.get().role == Membership.Role.OWNER
    assert "person_removed" not in letters_to(bob.email)


def test_an_owner_who_steps_down_is_led_away_from_the_list(
    hers: Browser, account: Account, alice: User, bob: User
) -> None:
    roles.change_role(account=account, user=bob, role="owner", by="x")
    answer = hers.post(f"/account/people/{alice.memberships.get().pk}", {"do": "role", "role": "member"})
    assert answer.url == "/overview"
    assert hers.get("/account/people").status_code == 403


def test_a_member_changes_nobody(other_browser: Browser, account: Account, alice: User, bob: User) -> None:
    other_browser.force_login(bob)
    for pk in (alice.memberships.get().pk, bob.memberships.get().pk):
        for data in ({"do": "remove"}, {"do": "role", "role": "owner"}, {"do": "vouch"}):
            assert other_browser.post(f"/account/people/{pk}", data).status_code == 403
    assert ask(other_browser) == 403
    assert roles_of(account) == {alice.email: "owner", bob.email: "member"}


def test_a_person_of_another_account_is_not_there(hers: Browser, charlie: User) -> None:
    for pk in (charlie.memberships.get().pk, 0, 10**12):
        assert hers.get(f"/account/people/{pk}").status_code == 404


def test_a_sign_in_of_somebody_invited_and_known_changes_nothing_of_theirs(
    hers: Browser, other_browser: Browser, charlie: User
) -> None:
    ask(hers, charlie.email)
    come_in(other_browser, charlie.email)
    assert other_browser.get("/overview").status_code == 200
    assert "You are invited" in other_browser.get("/account").content.decode()
    assert charlie.memberships.count() == 1
    assert actions.ensure_account(email=charlie.email, by="x") == charlie.accounts.get()
