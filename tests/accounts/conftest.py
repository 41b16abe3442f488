"""A mail server that can be told to refuse, a browser that asks for links, and the worker that sends letters."""

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from django.core import mail
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from accounts.models import Account, Membership, User
from engine import worker
from engine.models import Run
from sandbox.mail.server import AnyPort
from tests.keys import give_app

LINK = re.compile(r"http://testserver(/sign-in/link/(\w+))")
CODE = re.compile(r"^([A-Z]{4}-[A-Z]{4})$", re.MULTILINE)


def work_letters() -> None:
    """What a worker does once every letter is due."""
    Run.objects.filter(program="SendLetter", finished_at=None).update(
        due_at=timezone.now() - timedelta(days=1)
    )
    owed = Run.objects.filter(program="SendLetter", finished_at=None).order_by("pk")
    for pk in owed.values_list("pk", flat=True):
        worker.work(pk)


@dataclass
class Mail:
    """What a person reads in a letter of ours."""

    path: str
    token: str
    code: str


def last_mail() -> Mail:
    """Sends what is owed and reads the newest letter."""
    work_letters()
    text = str(mail.outbox[-1].body)
    path, token = LINK.search(text).groups()
    code = CODE.search(text)
    return Mail(path, token, code.group(1) if code else "")


class Browser(Client):
    """A browser with cookies of its own, in front of which somebody sits."""

    def ask(self, email: str, goes_to: str = "", **extra: str) -> HttpResponse:
        return self.post("/sign-in", {"email": email, "next": goes_to}, **extra)

    def ask_and_read(self, email: str, goes_to: str = "") -> Mail:
        assert self.ask(email, goes_to).status_code == 302
        return last_mail()

    def type(self, code: str) -> HttpResponse:
        return self.post("/sign-in/code", {"code": code})

    @property
    def signed_in_as(self) -> int | None:
        pk = self.session.get("_auth_user_id")
        return int(pk) if pk else None


@pytest.fixture
def browser(db: None) -> Browser:
    return Browser()


@pytest.fixture
def other_browser(db: None) -> Browser:
    return Browser(REMOTE_ADDR="203.0.113.9")


@dataclass
class Postbox:
    """An SMTP server on loopback; `recipient` and `data` are its answers, in its own words."""

    recipient: str = "250 OK"
    data: str = "250 OK"
    received: list[EmailMessage] = field(default_factory=list)

    async def handle_RCPT(self, server, session, envelope, address, options):  # type: ignore[no-untyped-def]
        if self.recipient.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.recipient

    async def handle_DATA(self, server, session, envelope):  # type: ignore[no-untyped-def]
        self.received.append(message_from_bytes(envelope.content, policy=policy.default))
        return self.data


@contextmanager
def nobodys_port() -> Iterator[int]:
    """One where nobody answers, and nobody else can begin to."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield int(held.getsockname()[1])


@pytest.fixture
def postbox(settings: Any) -> Iterator[Postbox]:
    """A real mail server that letters go to in this test."""
    box = Postbox()
    controller = AnyPort(box, hostname="127.0.0.1", port=0, ready_timeout=60)
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", controller.port
    yield box
    controller.stop()


@pytest.fixture
def locked_out(alice: User) -> User:
    """Alice has an app and a second address, and has lost the app."""
    from tests.accounts.recovering import set_second

    give_app(alice)
    set_second(alice)
    return alice


@pytest.fixture
def dora(account: Account) -> User:
    """Another owner of Alice's account."""
    user = User.objects.create_user("dora@example.test")
    Membership.objects.create(account=account, user=user, role=Membership.Role.OWNER)
    return user
