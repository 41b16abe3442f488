"""Nothing that a stranger can see tells whether an address is known here."""

import re

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Letter, SignInLink, User
from engine.models import Run
from tests.accounts.conftest import Browser, work_letters

pytestmark = pytest.mark.django_db
CSRF = re.compile(rb'name="csrfmiddlewaretoken" value="\w+"')


def seen(email: str) -> tuple[object, ...]:
    """All that asking for a link shows to a fresh browser, with the address itself taken out."""
    browser = Browser()
    with CaptureQueriesContext(
        connection,
    ) as asked:
        answer = browser.ask(email)
    with CaptureQueriesContext(connection) as shown:
        page = browser.get("/sign-in/code")
    headers = {name: value for name, value in answer.items() if name != "X-Request-ID"}
    body = CSRF.sub(b"", page.content).replace(email.encode(), b"ADDRESS")
    shapes = [re.sub(r"'[^']*'|\bs\d+_x\d+|\b\d+\b", "?", query["sql"]) for query in asked.captured_queries]
    return answer.status_code, headers, answer.content, sorted(answer.cookies), shapes, len(shown), body


def test_the_answer_for_a_known_address_is_that_for_an_unknown_one(alice: User) -> None:
    known, unknown = seen("alice@example.test"), seen("nobody@example.test")
    assert known == unknown


def test_nor_does_it_tell_of_staff_or_of_somebody_deactivated(alice: User, stella: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert seen("alice@example.test") == seen("stella@example.test") == seen("nobody@example.test")


def test_what_is_written_down_is_the_same(alice: User) -> None:
    for email in ("alice@example.test", "nobody@example.test"):
        Browser().ask(email)
        assert Letter.objects.filter(to=email, kind="sign_in").count() == 1
        assert SignInLink.objects.filter(email=email).count() == 1
    assert Run.objects.filter(program="SendLetter").count() == 2
    assert User.objects.count() == 1


def test_the_mail_has_the_same_form(alice: User) -> None:
    for email in ("alice@example.test", "nobody@example.test"):
        Browser().ask(email)
    work_letters()
    forms = []
    for message in mail.outbox:
        html = message.alternatives[0][0]
        changing = rf"{message.to[0]}|link/\w+|\b[A-Z]{{4}}-[A-Z]{{4}}\b"
        forms.append((message.subject, re.sub(changing, "", message.body), re.sub(changing, "", html)))
    assert forms[0] == forms[1]


def test_the_limit_is_the_same_too(alice: User) -> None:
    answers = {}
    for email in ("alice@example.test", "nobody@example.test"):
        for _ in range(3):
            assert Browser().ask(email).status_code == 302
        limited = Browser().ask(email)
        assert limited.status_code == 429
        answers[email] = CSRF.sub(b"", limited.content)
    assert len(set(answers.values())) == 1
