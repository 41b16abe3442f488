"""The owner of a mailbox chooses its password by a link, once, and nobody else ever knows it."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail as letters_sent
from django.utils import timezone

from accounts.models import Account, Letter, User
from audit.models import Event
from domains import actions, hashes, tasks
from domains.models import Domain, Invitation, Mailbox
from domains.refusals import BadName, BadPassword, Refusal, Spent, TooMany
from servers.models import Server
from tests.accounts.conftest import work_letters
from tests.accounts.test_letters import words_of_html, words_of_text
from tests.domains.conftest import BY, PASSWORD, add, last_token

pytestmark = pytest.mark.django_db
HOME_OF_ANNA = "anna@elsewhere.test"


def invite(mailbox: Mailbox, to: str = HOME_OF_ANNA, by: str = BY) -> str:
    """Sends an invitation and reads its link."""
    actions.invite(mailbox=mailbox, to=to, by=by)
    return last_token()


def is_password(mailbox: Mailbox, password: str) -> bool:
    mailbox.refresh_from_db()
    return hashes.SLOW.verify(mailbox.password.removeprefix("{ARGON2ID}"), password)


def test_a_mailbox_is_made_and_its_owner_invited_in_one_go(firm: Domain, alice: User) -> None:
    mailbox = add(firm, "anna", invite_to=f" {HOME_OF_ANNA.upper()} ")
    token = last_token()
    assert letters_sent.outbox[-1].to == [HOME_OF_ANNA]
    opened = actions.open_invitation(token)
    assert opened is not None
    assert opened.mailbox == mailbox
    assert actions.set_password(token=token, password=PASSWORD) == mailbox
    assert is_password(mailbox, PASSWORD)
    assert mailbox.password_at is not None


def test_looking_at_the_link_uses_nothing_up(anna: Mailbox) -> None:
    token = invite(anna)
    for _ in range(3):
        assert actions.open_invitation(token)
    actions.set_password(token=token, password=PASSWORD)


def test_a_link_works_once(anna: Mailbox) -> None:
    token = invite(anna)
    actions.set_password(token=token, password=PASSWORD)
    assert actions.open_invitation(token) is None
    with pytest.raises(Spent, match="Ask for a new invitation"):
        actions.set_password(token=token, password="another long password")
    assert is_password(anna, PASSWORD)


def test_a_password_that_is_refused_uses_nothing_up(anna: Mailbox) -> None:
    token = invite(anna)
    with pytest.raises(BadPassword):
        actions.set_password(token=token, password="short")
    assert Mailbox.objects.get().password == ""
    actions.set_password(token=token, password=PASSWORD)


def test_a_newer_link_takes_the_place_of_the_older(anna: Mailbox) -> None:
    older = invite(anna)
    newer = invite(anna)
    assert older != newer
    with pytest.raises(Spent):
        actions.set_password(token=older, password=PASSWORD)
    actions.set_password(token=newer, password=PASSWORD)


def test_a_link_ends_after_a_week(anna: Mailbox) -> None:
    token = invite(anna)
    row = Invitation.objects.get()
    assert row.expires_at - row.sent_at == timedelta(days=7)
    Invitation.objects.update(expires_at=timezone.now())
    with pytest.raises(Spent):
        actions.set_password(token=token, password=PASSWORD)


def test_a_link_to_a_removed_mailbox_opens_nothing(firm: Domain, anna: Mailbox) -> None:
    token = invite(anna)
    actions.remove_mailbox(mailbox=anna, by=BY)
    with pytest.raises(Spent):
        actions.set_password(token=token, password=PASSWORD)


@pytest.mark.parametrize("token", ["", "0" * 64, "\ud800", "'; --", "x" * 5000])
def test_another_token_opens_nothing(anna: Mailbox, token: str) -> None:
    invite(anna)
    with pytest.raises(Spent):
        actions.set_password(token=token, password=PASSWORD)


def test_a_link_made_under_another_secret_key_is_not_sent(anna: Mailbox, settings: Any) -> None:
    actions.invite(mailbox=anna, to=HOME_OF_ANNA, by=BY)
    settings.SECRET_KEY = "the key was changed before the letter went"
    work_letters()
    assert letters_sent.outbox == []
    assert "used, replaced or too old" in Letter.objects.get().dropped


def test_a_letter_whose_link_was_replaced_before_it_went_is_not_sent(anna: Mailbox) -> None:
    for _ in range(2):
        actions.invite(mailbox=anna, to=HOME_OF_ANNA, by=BY)
    work_letters()
    assert len(letters_sent.outbox) == 1


@pytest.mark.parametrize("to", ["", "anna", "a@b.test, c@d.test", "a@b.test\nBcc: c@d.test"])
def test_an_invitation_goes_to_one_address(anna: Mailbox, to: str) -> None:
    with pytest.raises(BadName, match="no mail address") as caught:
        actions.invite(mailbox=anna, to=to, by=BY)
    assert caught.value.field == "invite_to"


def test_nobody_is_invited_into_a_mailbox_that_they_cannot_read(anna: Mailbox) -> None:
    with pytest.raises(Refusal, match="before it has a password"):
        actions.invite(mailbox=anna, to="Anna@firm.test", by=BY)


def test_a_refused_invitation_makes_no_mailbox(firm: Domain) -> None:
    with pytest.raises(BadName):
        add(firm, "anna", invite_to="nobody")
    assert not Mailbox.objects.exists()
    assert not Event.objects.filter(action="mailbox.added").exists()


def test_nobodys_mailbox_is_filled_with_invitations(anna: Mailbox) -> None:
    for n in range(5):
        actions.invite(mailbox=anna, to=f"a{n}@elsewhere.test", by=BY)
    with pytest.raises(TooMany, match="Try again tomorrow"):
        actions.invite(mailbox=anna, to=HOME_OF_ANNA, by=BY)
    Invitation.objects.update(sent_at=timezone.now() - timedelta(days=1, seconds=1))
    actions.invite(mailbox=anna, to=HOME_OF_ANNA, by=BY)


def test_nor_does_an_account_send_invitations_without_end(firm: Domain, anna: Mailbox) -> None:
    rows = [
        Invitation(mailbox=anna, to=HOME_OF_ANNA, token_hash=str(n), by=BY, expires_at=timezone.now())
        for n in range(100)
    ]
    Invitation.objects.bulk_create(rows)
    with pytest.raises(TooMany, match="100 invitations"):
        add(firm, "bob", invite_to="bob@elsewhere.test")


def test_who_invited_is_said_in_the_letter(anna: Mailbox, alice: User) -> None:
    invite(anna, by=f"user:{alice.pk}")
    text = str(letters_sent.outbox[-1].body)
    assert "Alice (alice@example.test) has made the mailbox anna@firm.test for you" in text
    assert "for 7 days" in text


@pytest.mark.parametrize("by", ["demo", "user:999999", "user:x", "staff:1"])
def test_where_nobody_is_known_the_account_invited(anna: Mailbox, account: Account, by: str) -> None:
    invite(anna, by=by)
    assert f"{account.name} has made the mailbox" in str(letters_sent.outbox[-1].body)


def test_that_a_password_was_chosen_is_confirmed_to_who_was_invited(firm: Domain, account: Account) -> None:
    Server.objects.create(pk=firm.home, account=account, name="post", plan="basic", place="fsn1")
    token = invite(add(firm, "anna"))
    actions.set_password(token=token, password=PASSWORD)
    work_letters()
    message = letters_sent.outbox[-1]
    assert message.to == [HOME_OF_ANNA]
    assert message.subject == "The password of anna@firm.test was chosen"
    assert "https://post.mailat.test/" in message.body
    assert PASSWORD not in message.body


@pytest.mark.parametrize("kind", ["mailbox_invitation", "mailbox_password_set"])
def test_letters_say_the_same_in_text_and_in_html(anna: Mailbox, kind: str) -> None:
    actions.set_password(token=invite(anna), password=PASSWORD)
    work_letters()
    letter = Letter.objects.get(kind=kind)
    message = next(
        one for one in letters_sent.outbox if one.extra_headers["Message-ID"].startswith(f"<{letter.pk}@")
    )
    page = message.alternatives[0][0]
    assert words_of_text(message.body) == words_of_html(page)
    assert page.count("href=") == 2
    assert "You get this because" in message.body
    assert "{" not in message.subject + message.body


def test_a_chosen_password_is_an_event_of_the_mailboxs_own(anna: Mailbox, account: Account) -> None:
    actions.set_password(token=invite(anna), password=PASSWORD)
    event = Event.objects.get(action="mailbox.password_set")
    assert (event.by, event.account_id, event.facts) == (
        f"mailbox:{anna.pk}",
        account.pk,
        {"address": "anna@firm.test"},
    )


def test_a_forgotten_password_is_chosen_anew_by_a_new_link(anna: Mailbox) -> None:
    actions.set_password(token=invite(anna), password=PASSWORD)
    actions.set_password(token=invite(anna), password="another long password")
    assert is_password(anna, "another long password")


def test_what_nobody_used_is_forgotten_a_month_after_its_end(anna: Mailbox) -> None:
    actions.set_password(token=invite(anna), password=PASSWORD)
    actions.invite(mailbox=anna, to=HOME_OF_ANNA, by=BY)
    tasks.purge()
    assert Invitation.objects.count() == 2
    Invitation.objects.update(expires_at=timezone.now() - timedelta(days=31))
    tasks.purge()
    assert [bool(row.used_at) for row in Invitation.objects.all()] == [True]
