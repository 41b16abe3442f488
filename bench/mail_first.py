"""The first mail: handed in from outside as soon as the server takes it, and read by IMAP as soon as it is there."""

import imaplib
import smtplib
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from bench.mail_host import ALICE, HOSTNAME, PATIENCE, SECRET

PAUSE = 0.02  # seconds between two tries
KNOCK = 0.5  # seconds for a connection


@dataclass(frozen=True)
class First:
    """Seconds since the machine was turned on: until the mail was taken, and until it was read."""

    taken: float
    readable: float


def first(address: str, trusting: ssl.SSLContext, began: float) -> First:
    """Send one mail and read it, again and again until it goes well; by verified doors."""
    subject = f"first {time.time_ns()}"
    until = time.monotonic() + PATIENCE
    _again(lambda: _hand_in(address, subject), until)
    taken = time.monotonic() - began
    _again(lambda: _read(address, trusting, subject), until)
    return First(taken, time.monotonic() - began)


def _again(work: Callable[[], None], until: float) -> None:
    while True:
        try:
            return work()
        except (OSError, smtplib.SMTPException, imaplib.IMAP4.error) as trouble:
            if time.monotonic() > until:
                raise SystemExit(f"the first mail did not come: {trouble}") from None
            time.sleep(PAUSE)


def _hand_in(address: str, subject: str) -> None:
    with _Smtp(address, 25, local_hostname="mail.outside.test", timeout=60) as door:
        door.send_message(letter(subject), "carol@outside.test", [ALICE])


def _read(address: str, trusting: ssl.SSLContext, subject: str) -> None:
    door = _Imap(address, trusting)
    try:
        door.login(ALICE, SECRET)
        door.select()
        found = door.search(None, "SUBJECT", f'"{subject}"')[1][0].split()
        if not found or not door.fetch(found[0], "(RFC822)")[1][0]:
            raise imaplib.IMAP4.error("not there yet")
    finally:
        door.shutdown()


def letter(subject: str) -> EmailMessage:
    """A short mail as programs write it."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "carol@outside.test", ALICE, subject
    mail["Date"], mail["Message-ID"] = formatdate(), make_msgid(domain="outside.test")
    mail.set_content("Hello Alice,\n\nthis is the first one.\n\nCarol\n")
    return mail


class _Smtp(smtplib.SMTP):
    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        sock = socket.create_connection((host, port), KNOCK)
        sock.settimeout(timeout)
        return sock


class _Imap(imaplib.IMAP4_SSL):
    """IMAPS to an address, verified as the server's name."""

    def __init__(self, address: str, context: ssl.SSLContext) -> None:
        super().__init__(address, 993, ssl_context=context, timeout=60)

    def _create_socket(self, timeout: float | None) -> ssl.SSLSocket:
        plain = socket.create_connection((self.host, self.port), KNOCK)
        plain.settimeout(timeout)
        return self.ssl_context.wrap_socket(plain, server_hostname=HOSTNAME)
