"""A letter is owed from the moment that what it tells of is true, and reads the same in text and in HTML."""

import html
import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core import mail
from django.db import transaction
from django.utils.html import strip_tags

from accounts import actions, letters
from accounts.models import Account, Letter, Membership, User
from engine.models import Run
from tests.accounts.conftest import Browser, work_letters
from tests.accounts.letters_of_people import PEOPLE, with_rows
from tests.accounts.letters_of_plans import PLANS

pytestmark = pytest.mark.django_db
DUE = datetime(2026, 11, 28, 9, 30, tzinfo=UTC)
SERVER = {"server": "post.mailat.test", "url": "/servers/1"}
CONTEXTS = {
    "server_ready": SERVER,
    "destruction_scheduled": {**SERVER, "due": DUE},
    "server_kept": SERVER,
    "server_rebuilt": {**SERVER, "lost_at": DUE, "url": "/servers/1/rebuild"},
    "server_back": {
        **SERVER,
        "why": "The data centre had <no> machine & none came.",
        "url": "/servers/1/rebuild",
    },
    "destroyed": {**SERVER, "url": "/receipts/1"},
    "server_trouble": {**SERVER, "says": "Mail is late.", "next": "Wait."},
    "server_well": {**SERVER, "says": "Mail is late.", "next": ""},
    "sending_trouble": {
        "server": "post.mailat.test",
        "says": "It is <paused>.",
        "next": "Answer it.",
        "url": "/mail/sending/1",
    },
    "sending_well": {
        "server": "post.mailat.test",
        "says": "It goes on.",
        "next": "",
        "url": "/mail/sending/1",
    },
    "backup_trouble": {
        **SERVER,
        "says": "The newest is <old> & late.",
        "next": "Wait.",
        "url": "/servers/1/backups",
    },
    "backup_well": {**SERVER, "says": "It is fresh.", "next": "", "url": "/servers/1/backups"},
    "export_ready": {"what": "anna@firm.test", "until": DUE, "url": "/servers/1/exports"},
    "export_failed": {"what": "anna@firm.test", "url": "/servers/1/exports"},
    "mailbox_slowed": {"address": "anna@firm.test", "says": "Of 400 two complained.", "url": "/mail"},
    "alarm": {
        "says": "Provision of server:1 has not reached “ready” in time & waits.",
        "advice": "Look <at> the run.",
        "subject_of": "server:1",
        "opened_at": DUE,
        "url": "/admin/engine/alarm/1/change/",
    },
}
CONTEXTS |= PEOPLE | PLANS
KEY: dict[str, str] = {"what": "webauthn", "name": "<ring> & telephone", "url": "/account/security"}
CONTEXTS |= {
    "key_added": KEY,
    "key_removed": {**KEY, "what": "totp"},
    "codes_made": KEY,
    "code_spent": {**KEY, "left": 1},
}
KINDS = [*CONTEXTS, "welcome", "sign_in"]


def written(kind: str) -> mail.EmailMultiAlternatives:
    """The message that a letter of this kind becomes."""
    if kind == "sign_in":
        Browser().ask("alice@example.test")
    elif kind == "welcome":
        actions.invite_in(email="alice@example.test", key="w", goes_to="/servers/new", by="x", plan="Small")
    else:
        letters.post(kind, to="alice@example.test", key=kind, **with_rows(CONTEXTS[kind]))
    work_letters()
    return mail.outbox[-1]


def words_of_text(text: str) -> list[str]:
    """Its words, without the address of the next step, which in HTML stands behind the button."""
    return re.sub(r":\nhttps?://\S+", "", text).split()


def words_of_html(page: str) -> list[str]:
    body = page.partition("</h1>")[2]
    return html.unescape(strip_tags(body)).split()


@pytest.mark.parametrize("kind", KINDS)
def test_text_and_html_have_the_same_words(alice: User, kind: str) -> None:
    message = written(kind)
    assert words_of_text(message.body) == words_of_html(message.alternatives[0][0])


@pytest.mark.parametrize("kind", KINDS)
def test_a_letter_has_one_next_step_and_says_why_it_was_sent(alice: User, kind: str) -> None:
    message = written(kind)
    page = message.alternatives[0][0]
    step = re.search(r":\n(https?://\S+)", message.body).group(1)
    assert re.findall(r'href="([^"]+)"', page) == [html.escape(step), "http://testserver"]
    assert "You get this because" in message.body
    assert message.subject
    assert "\n" not in message.subject
    assert "{" not in message.body


@pytest.mark.parametrize("kind", KINDS)
def test_a_letter_carries_no_picture_and_nothing_that_tracks(alice: User, kind: str) -> None:
    page = written(kind).alternatives[0][0]
    assert not re.search(r"<img|<script|<link|url\(|src=", page)
    assert 'name="color-scheme" content="light dark"' in page


@pytest.mark.parametrize("kind", KINDS)
def test_a_letter_says_that_a_machine_wrote_it(alice: User, kind: str) -> None:
    message = written(kind).message()
    letter = Letter.objects.get(kind=kind)
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"] == f"<{letter.pk}@mailat.test>"
    assert message["From"] == "Mailat <hello@mailat.test>"


def test_text_is_not_written_in_the_way_of_html(alice: User) -> None:
    message = written("alarm")
    assert "in time & waits" in message.body
    assert "Look <at> the run" in message.body
    assert "Look &lt;at&gt; the run" in message.alternatives[0][0]


def test_an_ending_says_when_and_what_can_be_done(alice: User) -> None:
    message = written("destruction_scheduled")
    assert message.subject == "post.mailat.test will be deleted on Saturday 28 November"
    assert "Saturday 28 November 2026 at 09:30 UTC" in message.body
    assert "renew the subscription" in message.body
    assert "buy a plan again" in message.body
    assert "take your mail with you" in message.body


def test_the_welcome_says_what_was_bought(alice: User) -> None:
    assert "You bought: Small." in written("welcome").body


def test_the_welcome_says_that_an_old_server_can_be_kept(alice: User) -> None:
    actions.invite_in(
        email=alice.email, key="w", goes_to="/servers/1/keep", by="x", plan="Small", keeps="post.mailat.test"
    )
    work_letters()
    message = mail.outbox[-1]
    assert message.subject == "Thank you: you can keep post.mailat.test"
    assert "waits for its deletion" in message.body
    assert "Your server is not made yet" not in message.body
    assert words_of_text(message.body) == words_of_html(message.alternatives[0][0])


def test_the_same_key_is_the_same_letter(alice: User) -> None:
    first = letters.post("server_ready", to=alice.email, key="server_ready:1", **SERVER)
    again = letters.post("server_ready", to=alice.email, key="server_ready:1", **SERVER)
    work_letters()
    letters.post("server_ready", to=alice.email, key="server_ready:1", **SERVER)
    work_letters()
    assert first == again
    assert len(mail.outbox) == 1
    assert Run.objects.filter(program="SendLetter").count() == 1


def test_what_is_taken_back_is_not_told(alice: User) -> None:
    with transaction.atomic():
        letters.post("server_ready", to=alice.email, key="server_ready:1", **SERVER)
        transaction.set_rollback(True)
    assert not Letter.objects.exists()
    assert not Run.objects.exists()


def test_each_owner_gets_a_letter_and_members_none(account: Account, alice: User, bob: User) -> None:
    dora = User.objects.create_user("dora@example.test")
    Membership.objects.create(account=account, user=dora, role=Membership.Role.OWNER)
    for _ in range(2):
        letters.to_owners(account, "server_ready", key="server_ready:1", **SERVER)
    work_letters()
    assert sorted(message.to[0] for message in mail.outbox) == ["alice@example.test", "dora@example.test"]
    assert set(Letter.objects.values_list("account_id", flat=True)) == {account.pk}


def test_somebody_deactivated_is_written_to_no_more(account: Account, alice: User) -> None:
    letters.post("server_ready", to=alice.email, key="1", **SERVER)
    User.objects.update(is_active=False)
    work_letters()
    assert mail.outbox == []
    assert Letter.objects.get().dropped == "the person may not sign in"
    assert letters.owners(account) == []


def test_long_keys_stay_apart(alice: User) -> None:
    keys = ["k" * 400 + end for end in "ab"]
    pks = {letters.post("server_ready", to=alice.email, key=key, **SERVER).pk for key in keys * 2}
    assert len(pks) == 2


def test_a_sign_in_letter_that_comes_too_late_is_not_sent(browser: Browser, alice: User) -> None:
    from accounts.models import SignInLink

    browser.ask(alice.email)
    SignInLink.objects.update(expires_at=DUE.replace(year=2020))
    work_letters()
    assert mail.outbox == []
    assert "too old" in Letter.objects.get().dropped


def test_a_sign_in_letter_that_was_replaced_before_it_went_is_not_sent(browser: Browser, alice: User) -> None:
    browser.ask(alice.email)
    browser.ask(alice.email)
    work_letters()
    assert len(mail.outbox) == 1
    assert "replaced" in Letter.objects.exclude(dropped="").get().dropped


def test_a_letter_under_another_secret_key_is_not_sent(browser: Browser, alice: User, settings: Any) -> None:
    browser.ask(alice.email)
    settings.SECRET_KEY = "the key was changed before the letter went"
    work_letters()
    assert mail.outbox == []


def test_a_welcome_that_was_held_up_still_goes_and_leads_to_the_sign_in_page(alice: User) -> None:
    from accounts.models import SignInLink

    actions.invite_in(email=alice.email, key="w", goes_to="/servers/new", by="gumroad")
    SignInLink.objects.update(expires_at=DUE.replace(year=2020))
    work_letters()
    assert "http://testserver/sign-in?next=%2Fservers%2Fnew" in mail.outbox[0].body


def test_an_invitation_is_written_once_for_a_key_and_its_link_stays_the_same(account: Account) -> None:
    from accounts.models import SignInLink

    for _ in range(2):
        actions.invite_in(account=account, key="welcome:1", goes_to="/servers/new", by="gumroad")
    assert SignInLink.objects.live().count() == SignInLink.objects.count() == 1
    assert [letter.to for letter in Letter.objects.all()] == ["alice@example.test"]


def test_a_letter_keeps_ids_and_words_as_plain_json(account: Account) -> None:
    letter = letters.post("destroyed", to="a@b.test", key="1", account=account, id=account.pk, due=DUE)
    letter.refresh_from_db()
    assert json.dumps(letter.context, sort_keys=True) == json.dumps(
        {"due": "2026-11-28T09:30:00Z", "id": str(account.pk)}
    )
