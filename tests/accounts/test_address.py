"""Being reached at another address: both ends say yes, or the old one may say no for a week."""

from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.test import Client

from accounts import actions, address, invitations
from accounts.models import Account, Session, SignInLink, User
from accounts.open import AddressChange
from audit.models import Event
from tests.accounts.conftest import Browser
from tests.accounts.passing import letters_to, passes, press, way_in, work
from tests.keys import give_app

pytestmark = pytest.mark.django_db
OLD, NEW = "alice@example.test", "alice@new.test"


@pytest.fixture
def her(browser: Browser, alice: User) -> Browser:
    """Alice's browser, in which she is signed in."""
    browser.force_login(alice)
    browser.get("/account")
    return browser


def wish(browser: Browser, new: str = NEW, **data: str) -> int:
    return browser.post("/account/address", {"email": new, **data}).status_code


def yes(*ends: str) -> None:
    for end in ends:
        assert press(way_in("address_confirm", end)) == 200
    work()


def is_at(email: str) -> bool:
    return User.objects.filter(email=email).exists()


def outcome() -> str:
    return AddressChange.objects.order_by("-asked_at")[0].outcome


@pytest.mark.parametrize("ends", [(NEW, OLD), (OLD, NEW)])
def test_it_changes_when_both_ends_have_said_yes(her: Browser, alice: User, ends: tuple[str, str]) -> None:
    assert wish(her, " Alice@New.TEST ") == 302
    yes(ends[0])
    assert is_at(OLD)
    yes(ends[1])
    alice.refresh_from_db()
    assert (alice.email, outcome()) == (NEW, "done")
    assert list(EmailAddress.objects.values_list("email", "verified", "primary")) == [(NEW, True, True)]
    for end in (OLD, NEW):
        assert letters_to(end)[-1] == "address_changed"


def test_it_can_be_confirmed_where_nobody_is_signed_in_and_looking_confirms_nothing(her: Browser) -> None:
    wish(her)
    for end in (OLD, NEW):
        way = way_in("address_confirm", end)
        for look in (Client().get, Client().head, Client().options):
            look(way)
    passes(hours=1)
    assert not AddressChange.objects.exclude(new_confirmed_at=None, old_confirmed_at=None).exists()
    yes(OLD, NEW)
    assert is_at(NEW)


def test_links_die_other_sessions_end_and_the_one_that_asked_goes_on(
    her: Browser, other_browser: Browser, alice: User
) -> None:
    other_browser.force_login(alice)
    other_browser.get("/account")
    wish(her)
    Browser().ask(OLD)
    Browser().ask(NEW)
    yes(OLD, NEW)
    assert her.get("/account").status_code == 200
    assert other_browser.get("/account").status_code == 302
    assert not SignInLink.objects.live().exists()


def test_one_end_alone_changes_nothing_and_after_a_day_it_is_over(her: Browser) -> None:
    for end in (OLD, NEW):
        wish(her)
        yes(end)
        passes(hours=25)
        assert (is_at(OLD), outcome()) == (True, "expired")
        assert letters_to(OLD)[-1] == "address_ended"


def test_a_yes_that_comes_too_late_is_none(her: Browser) -> None:
    wish(her)
    ways = [way_in("address_confirm", end) for end in (OLD, NEW)]
    AddressChange.objects.update(expires_at=AddressChange.objects.get().asked_at - timedelta(seconds=1))
    assert [press(way) for way in ways] == [410, 410]
    work()
    assert is_at(OLD)


def test_it_can_be_called_off_and_a_newer_wish_takes_its_place(her: Browser) -> None:
    wish(her)
    first = [way_in("address_confirm", end) for end in (OLD, NEW)]
    wish(her, "third@new.test")
    assert [press(way) for way in first] == [410, 410]
    assert her.post("/account/address/stop").status_code == 302
    assert outcome() == "called off"
    assert AddressChange.objects.filter(ended_at=None).count() == 0
    passes(days=2)
    assert is_at(OLD)


def test_a_link_of_one_end_is_of_no_use_for_the_other(her: Browser) -> None:
    wish(her)
    way = way_in("address_confirm", NEW)
    assert [press(way), press(way)] == [200, 410]
    work()
    change = AddressChange.objects.get()
    assert (change.new_confirmed_at is None, change.old_confirmed_at is None) == (False, True)


@pytest.mark.parametrize("token", ["0" * 64, "x", "é"])
def test_a_made_up_link_confirms_nothing(her: Browser, token: str) -> None:
    wish(her)
    assert press(f"/address/{AddressChange.objects.get().pk}/{token}") == 410


def test_whose_address_it_is_only_its_reader_learns(her: Browser, charlie: User) -> None:
    assert wish(her, charlie.email) == wish(her, "nobody@new.test") == 302
    assert letters_to(charlie.email) == ["address_taken"]
    assert "address_confirm" not in letters_to(charlie.email)


def test_an_address_that_somebody_took_meanwhile_is_not_taken_from_them(her: Browser) -> None:
    wish(her)
    ways = [way_in("address_confirm", end) for end in (OLD, NEW)]
    actions.ensure_account(email=NEW, by="gumroad")
    assert [press(way) for way in ways] == [200, 200]
    work()
    assert (is_at(OLD), outcome()) == (True, "taken")


def test_the_same_address_is_no_change(her: Browser) -> None:
    assert wish(her, "ALICE@example.test") == 422
    assert not AddressChange.objects.exists()


def test_invitations_that_went_to_the_old_address_are_withdrawn(
    her: Browser, alice: User, charlie: User
) -> None:
    one = invitations.invite(account=charlie.accounts.get(), email=OLD, role="member", by=charlie)
    wish(her)
    yes(OLD, NEW)
    one.refresh_from_db()
    assert one.withdrawn_at is not None


def test_gumroads_address_is_not_changed_and_that_is_said(her: Browser) -> None:
    assert "Gumroad is not told" in her.get("/account/address").content.decode()


# --- nobody reads the old one any more


def test_without_a_second_factor_the_old_end_is_always_asked(her: Browser) -> None:
    assert wish(her, old_lost="on") == 422
    assert not AddressChange.objects.exists()


@pytest.fixture
def hers_with_app(browser: Browser, alice: User) -> Browser:
    give_app(alice)
    browser.force_login(alice)
    browser.get("/account")
    return browser


def test_with_one_a_week_passes_in_which_the_old_end_may_say_no(hers_with_app: Browser) -> None:
    assert wish(hers_with_app, old_lost="on") == 302
    assert letters_to(OLD) == ["address_notice"]
    yes(NEW)
    passes(days=6, hours=23)
    assert is_at(OLD)
    passes(hours=2)
    assert is_at(NEW)


@pytest.mark.parametrize("late", [0, 6])
def test_the_old_end_stops_it(hers_with_app: Browser, late: int) -> None:
    wish(hers_with_app, old_lost="on")
    way = way_in("address_notice", OLD)
    assert Client().get(way).status_code == 200
    yes(NEW)
    passes(days=late)
    assert press(way) == 200
    passes(days=10)
    assert (is_at(OLD), outcome()) == (True, "called off")


def test_any_session_stops_it(hers_with_app: Browser, other_browser: Browser, alice: User) -> None:
    other_browser.force_login(alice)
    wish(hers_with_app, old_lost="on")
    yes(NEW)
    assert "Call it off" in other_browser.get("/account").content.decode()
    other_browser.post("/account/address/stop")
    passes(days=10)
    assert is_at(OLD)


def test_a_factor_that_went_meanwhile_ends_it(hers_with_app: Browser, alice: User) -> None:
    wish(hers_with_app, old_lost="on")
    yes(NEW)
    alice.authenticator_set.all().delete()
    passes(days=8)
    assert is_at(OLD)


def test_each_account_sees_that_it_changed_and_not_from_what(her: Browser, account: Account) -> None:
    wish(her)
    yes(OLD, NEW)
    told = Event.objects.filter(account_id=account.pk, action__startswith="address.")
    assert [one.action for one in told.order_by("pk")] == [
        "address.change_asked", "address.confirmed", "address.confirmed", "address.changed",
    ]  # fmt: skip
    assert "@" not in str([one.facts for one in told])


def test_who_did_not_show_themselves_lately_is_asked_first(her: Browser) -> None:
    from tests.keys import age

    age(her)
    assert her.get("/account/address").url.startswith("/prove")
    assert wish(her) == 302
    assert not AddressChange.objects.exists()


def test_the_session_that_asked_is_remembered_by_its_row(her: Browser) -> None:
    wish(her)
    assert AddressChange.objects.get().session == Session.objects.get().pk
    assert address.open_change(User.objects.get()) == AddressChange.objects.get()
