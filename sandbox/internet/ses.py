"""The SMTP side of the sending service, as its customers' mail servers meet it on the ports 587 and 2587."""

from __future__ import annotations

import re
import ssl
from dataclasses import replace
from typing import Any, cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from sandbox.aws.reports import Reports
from sandbox.aws.sending import Sending
from sandbox.internet import headers, ses_rules
from sandbox.internet.ca import Leaf
from sandbox.internet.faults import Faults
from sandbox.internet.ses_queue import Queue

PORTS = (587, 2587)
IDENT = "ESMTP SimpleEmailService-sandbox"
NAME = re.compile(r"email-smtp\.([a-z0-9-]+)\.amazonaws\.com")
NO_LOGIN = "535 Authentication Credentials Invalid"
DEFERRALS = {
    "throttle": "454 Throttling failure: Maximum sending rate exceeded.",
    "quota": "454 Throttling failure: Daily message quota exceeded.",
}


class Submission:
    """aiosmtpd calls these for each message of somebody who has signed in."""

    def __init__(self, sending: Sending, queue: Queue, faults: Faults) -> None:
        self._sending, self._queue, self._faults = sending, queue, faults
        self._reports = Reports(sending.cloud)

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        if self._faults.take("down"):
            await server.push("421 4.3.0 The service is not available, closing the connection")
            transport: Any = server.transport
            transport.close()
        session.host_name = hostname
        return responses

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        if not isinstance(data, LoginPassword) or self._faults.take("no_login"):
            return AuthResult(success=False, handled=False, message=NO_LOGIN)
        try:
            key, password = data.login.decode(), data.password.decode()
        except UnicodeDecodeError:
            return AuthResult(success=False, handled=False, message=NO_LOGIN)
        region = self._sending.authentic(key, password, _region_called(session))
        if not region:
            return AuthResult(success=False, handled=False, message=NO_LOGIN)
        return AuthResult(success=True, auth_data=(key, region))

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if "@" not in address:
            return "501 Invalid MAIL FROM address provided"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 Ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        for kind, answer in DEFERRALS.items():
            if self._faults.take(kind):
                return answer
        access_key, region = cast(tuple[str, str], session.auth_data)
        key = self._sending.key(access_key)
        if key is None:
            return "554 Access denied: the user has no permission to perform ses:SendRawEmail"
        if self._faults.take("refuse"):
            return "554 Message rejected: sending is paused for this account"
        content = (
            envelope.content if isinstance(envelope.content, bytes) else str(envelope.content or "").encode()
        )
        message, sender, recipients = headers.read(content), envelope.mail_from or "", envelope.rcpt_tos
        if answer := ses_rules.refusal(recipients, message):
            return answer
        speaking = ses_rules.speaking(sender, message)
        if answer := self._sending.refusal(key, region, speaking, recipients, message):
            return answer
        # Events name who stands in the envelope, whoever is the author.
        way = replace(self._sending.way(key, region, speaking[0], recipients, message), source=sender.lower())
        letter = self._queue.take(way, access_key, sender, recipients, message)
        self._reports.taken(letter)
        return f"250 Ok {letter}"


def protocol(door: Submission, known: ssl.SSLContext) -> SMTP:
    """One connection of a customer's."""
    return SMTP(
        door,
        hostname="email-smtp.amazonaws.com",
        ident=IDENT,
        data_size_limit=ses_rules.MOST_BYTES,
        tls_context=known,
        require_starttls=True,
        auth_required=True,
        auth_require_tls=True,
        auth_exclude_mechanism=["CRAM-MD5"],
        authenticator=door.authenticate,
    )


def context(leaf: Leaf) -> ssl.SSLContext:
    """For all connections; each remembers by which name it was made."""
    known = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    known.minimum_version = ssl.TLSVersion.TLSv1_2
    known.load_cert_chain(leaf.certificate, leaf.key)
    known.sni_callback = _remember
    return known


def _remember(connection: Any, name: str | None, context: ssl.SSLContext) -> None:
    connection.name_called = name or ""


def _region_called(session: Session) -> str:
    """The region in the name by which the service was called; nothing where the client did not say."""
    told = session.ssl or {}
    found = NAME.fullmatch(getattr(told.get("ssl_object"), "name_called", ""))
    return found[1] if found else ""
