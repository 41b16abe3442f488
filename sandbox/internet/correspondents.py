"""People outside: they get mail for every domain whose MX leads to them, and write to others' servers as strangers do."""

from __future__ import annotations

import dataclasses
import email.policy
import email.utils
import pathlib
import uuid
from email.message import EmailMessage

from aiosmtpd.smtp import SMTP, Envelope, Session

from sandbox.hosts.debian import machines
from sandbox.internet import addresses, headers
from sandbox.internet.delivery import Courier, Outcome, exchangers
from sandbox.internet.names import Names
from sandbox.internet.signing import DkimKey
from sandbox.internet.store import Store, now
from sandbox.mail.server import file_message
from sandbox.mail.store import Store as Mailbox

MOST_BYTES = 50 * 1024 * 1024
REFUSED = {
    "nobody": "550 5.1.1 There is no such mailbox",
    "full": "552 5.2.2 The mailbox is full",
    "later": "451 4.3.0 Not now, try again later",
}  # local parts that are never served, so that a test can meet each refusal


class Incoming:
    """aiosmtpd calls these for each message that reaches the outside."""

    def __init__(self, home: pathlib.Path, names: Names) -> None:
        self._mailbox, self._names = Mailbox(home), names
        self._address = addresses.of(names.network, addresses.OUTSIDE)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if refusal := REFUSED.get(address.partition("@")[0].lower()):
            return refusal
        servers = exchangers(self._names, headers.domain(address))
        if isinstance(servers, str) or self._address not in (each for _, each in servers):
            return "550 5.7.1 Mail for that domain is not taken here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        envelope.mail_from = (envelope.mail_from or "").strip("<>")  # the null sender comes with its brackets
        envelope.content = headers.read(_bytes(envelope)).on_top(*self._trace(session, envelope)).raw()
        file_message(self._mailbox, envelope)
        return "250 2.0.0 OK, filed"

    def _trace(self, session: Session, envelope: Envelope) -> list[bytes]:
        """Where it came from, by the address that it really came from."""
        peer = session.peer[0] if session.peer else "unknown"
        called = self._names.lookup(_reversed(peer), "PTR").values("PTR")
        name = called[0].rstrip(".") if called else "unknown"
        way = "ESMTPS" if session.ssl else "ESMTP"
        came = f"from {session.host_name} ({name} [{peer}]) by {addresses.OUTSIDE_NAME} with {way}"
        at = email.utils.format_datetime(email.utils.localtime())
        return [f"Return-Path: <{envelope.mail_from}>".encode(), f"Received: {came}; {at}".encode()]


def _bytes(envelope: Envelope) -> bytes:
    content = envelope.content
    return content if isinstance(content, bytes) else str(content or "").encode()


def _reversed(address: str) -> str:
    return ".".join(reversed(address.split("."))) + ".in-addr.arpa"


@dataclasses.dataclass(frozen=True)
class Letter:
    """What somebody outside wants to send: as it shall travel, to the envelope's recipients."""

    sender: str
    recipients: list[str]
    raw: bytes
    helo: str = addresses.OUTSIDE_NAME
    address: str = str(addresses.OUTSIDE)


def written(sender: str, recipients: list[str], subject: str, text: str) -> bytes:
    """A plain letter with everything that a mail program gives it."""
    message = EmailMessage(policy=email.policy.SMTP)
    message["From"], message["To"], message["Subject"] = sender, ", ".join(recipients), subject
    message["Date"] = email.utils.format_datetime(email.utils.localtime())
    message["Message-ID"] = f"<{uuid.uuid4()}@{headers.domain(sender) or addresses.OUTSIDE_DOMAIN}>"
    message.set_content(text)
    return message.as_bytes()


def send(home: pathlib.Path, lan: machines.Noted, letter: Letter) -> list[Outcome]:
    """Brings it to the recipients' servers now, from a machine of the network; raises NoLan where that is not there."""
    names = Names(home, lan.network)
    raw = headers.read(letter.raw).raw()
    if headers.domain(letter.sender) == addresses.OUTSIDE_DOMAIN:
        raw = DkimKey(home).sign(raw, addresses.OUTSIDE_DOMAIN)
    with lan.machine(addresses.read(lan.network, letter.address)) as machine:
        outcomes = Courier(machine, names, letter.helo).deliver(letter.sender, letter.recipients, raw)
    _note(Store(home), letter, outcomes)
    return outcomes


def _note(store: Store, letter: Letter, outcomes: list[Outcome]) -> None:
    subject = (headers.read(letter.raw).named("Subject") or [""])[0]
    with store.open() as db:
        db.executemany(
            "insert into sent (at, sender, recipient, subject, server, said, ok) values (?, ?, ?, ?, ?, ?, ?)",
            [
                (now(), letter.sender, one.recipient, subject, one.server, f"{one.code} {one.said}", one.ok)
                for one in outcomes
            ],
        )
