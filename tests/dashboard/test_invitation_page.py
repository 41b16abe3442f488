"""Where the owner of a mailbox chooses its password, without an account here."""

import re

import pytest
from django.test import Client

from accounts.models import Account
from domains import tokens
from domains.models import Invitation, Mailbox
from tests.dashboard import mail_world
from tests.dashboard.test_pages import headline, text

GOOD = "correct horse battery staple"


@pytest.fixture
def invited(account: Account) -> Invitation:
    clara = Mailbox.objects.get(domain=mail_world.firm(account), local="clara")
    row = mail_world.invitation(clara)
    Invitation.objects.filter(pk=row.pk).update(token_hash=tokens.hash_token(tokens.token_of(row.pk)))
    return row


@pytest.fixture
def link(invited: Invitation) -> str:
    return f"/mailbox/{tokens.token_of(invited.pk)}"


def test_looking_uses_nothing_up(client: Client, link: str) -> None:
    for _look in range(3):
        assert headline(client.get(link)) == "Choose the password of clara@firm.example"


def test_a_password_is_chosen_once(client: Client, link: str, invited: Invitation) -> None:
    answer = client.post(link, {"password": GOOD})
    assert headline(answer) == "Your mailbox is ready"
    assert 'href="https://webmail.firm.example/"' in answer.content.decode()
    assert 'href="https://autoconfig.firm.example/apple.mobileconfig"' in answer.content.decode()
    assert "mail.firm.example , port 993" in text(answer)
    invited.mailbox.refresh_from_db()
    assert invited.mailbox.password.startswith("{")
    spent = client.post(link, {"password": GOOD + "!"})
    assert spent.status_code == 410
    assert "ask whoever invited you" in text(spent)


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short", "at least 12 characters"),
        ("1" * 14, "Digits alone"),
        ("clara@firm.example", "too much like the address"),
    ],
)
def test_a_weak_password_is_refused_beside_the_field_and_not_repeated(
    client: Client, link: str, password: str, why: str
) -> None:
    answer = client.post(link, {"password": password})
    assert answer.status_code == 422
    assert why in re.search(r'<div id="password_error">(.*?)</div>', answer.content.decode(), re.S)[1]  # type: ignore[index]
    assert f'value="{password}"' not in re.sub(
        r'<input[^>]*name="username"[^>]*>', "", answer.content.decode()
    )
    assert client.get(link).status_code == 200


@pytest.mark.parametrize("token", ["0" * 64, "x", "a" * 2000])
def test_a_link_that_is_none_says_what_to_do(client: Client, db: None, token: str) -> None:
    answer = client.get(f"/mailbox/{token}")
    assert answer.status_code == 410
    assert "This link cannot be used any more" in headline(answer)


def test_the_page_is_kept_nowhere_and_its_address_told_to_no_one(client: Client, link: str) -> None:
    answer = client.get(link)
    assert answer["Cache-Control"] == "no-store"
    assert answer["Referrer-Policy"] == "strict-origin"
    assert answer["X-Robots-Tag"] == "noindex"


def test_who_tries_again_and_again_must_wait(client: Client, link: str) -> None:
    statuses = {client.post(link, {"password": "short"}).status_code for _try in range(70)}
    assert statuses == {422, 429}


def test_a_link_of_a_removed_mailbox_opens_nothing(client: Client, link: str, invited: Invitation) -> None:
    Mailbox.objects.filter(pk=invited.mailbox_id).update(removed_at=invited.sent_at)
    assert client.get(link).status_code == 410
