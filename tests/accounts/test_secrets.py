"""The token and the code are in the mail and nowhere else: in no row, in no line of the log."""

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection
from django.utils import timezone

from accounts import actions, tasks, views
from accounts.models import Letter, SignInLink, User
from mailat.logs import configure
from tests.accounts.conftest import Browser, last_mail

pytestmark = pytest.mark.django_db


def every_row() -> str:
    """All that the database holds, as text."""
    with connection.cursor() as cursor:
        rows = []
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT t::text FROM "{table}" AS t')
            rows += [row[0] for row in cursor.fetchall()]
    return "\n".join(rows)


@contextmanager
def the_log(format: str) -> Iterator[io.StringIO]:
    """What the product's own logging writes at its most talkative."""
    out, root, refusals = io.StringIO(), logging.getLogger(), logging.getLogger("django.request")
    before = root.handlers[:], root.level, refusals.level
    configure({"format": format, "level": "DEBUG"})
    ours = next(one for one in root.handlers if one not in before[0])
    ours.setStream(out)  # type: ignore[attr-defined]
    refusals.setLevel("DEBUG")
    try:
        yield out
    finally:
        root.handlers[:], root.level = before[:2]
        refusals.setLevel(before[2])


def test_no_row_holds_the_token_or_the_code(browser: Browser, other_browser: Browser, alice: User) -> None:
    letter = browser.ask_and_read(alice.email)
    other_browser.get(letter.path)
    browser.type("BBBB-BBBB")
    rows = every_row()
    assert str(SignInLink.objects.get().pk) in rows
    browser.type(letter.code)
    for text in (rows, every_row()):
        for secret in (letter.token, letter.code, letter.code.replace("-", "")):
            assert secret not in text


def test_no_row_holds_an_invitations_token(browser: Browser, alice: User) -> None:
    actions.invite_in(email=alice.email, key="w", goes_to="/servers/new", by="gumroad")
    letter = last_mail()
    browser.post(letter.path)
    assert letter.token not in every_row()


@pytest.mark.parametrize("format", ["plain", "json"])
def test_no_line_of_the_log_holds_the_token_or_the_code(
    alice: User, format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, strict = Browser(), Browser(enforce_csrf_checks=True, raise_request_exception=False)
    with the_log(format) as log:
        letter = browser.ask_and_read(alice.email)
        for answer in (browser.get, browser.head, strict.get, strict.post, browser.put):
            answer(letter.path)
        strict.get(letter.path + "/and/more")
        browser.type(letter.code)
        browser.post(letter.path)
        monkeypatch.setattr(views, "_show", _fails)
        assert strict.get(letter.path).status_code == 500
    lines = log.getvalue()
    assert "sign-in/link/<str:token>" in lines
    assert "CSRF" in lines
    assert "Internal Server Error" in lines
    assert "the view fails" in lines
    for secret in (letter.token, letter.code):
        assert secret not in lines


def _fails(request: object, token: str) -> None:
    raise RuntimeError("the view fails")


def test_old_links_and_their_letters_are_forgotten(browser: Browser, alice: User) -> None:
    browser.ask_and_read(alice.email)
    tasks.forget_links()
    assert SignInLink.objects.count() == 1
    long_ago = timezone.now() - timedelta(days=2)
    SignInLink.objects.update(expires_at=long_ago)
    Letter.objects.update(written_at=long_ago)
    Letter.objects.create(kind="server_ready", key="kept", to=alice.email, written_at=long_ago)
    tasks.forget_links()
    assert not SignInLink.objects.exists()
    assert [letter.key for letter in Letter.objects.all()] == ["kept"]
    assert len(mail.outbox) == 1
