"""A host of which only what a test mail meets is real: a submission port that speaks SMTP with TLS, a log and a queue."""

import contextlib
import json
import re
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from agent.mailat_agent.mail import selfsigned, state
from agent.mailat_agent.mail.chore import Situation
from agent.mailat_agent.mail.part import Host
from tests.agent.orders import mail

NAME = "localhost"
QUEUE_ID = "4CFA81C0"
RELAY = {
    "host": "email-smtp.eu-central-1.amazonaws.com",
    "port": 587,
    "username": "AKIA" + "X" * 16,
    "sealed": "A" * 100,
    "sender": "postmaster@firm.test",
}
AT = "relay=email-smtp.eu-central-1.amazonaws.com[192.0.2.7]:587, delay=0.4, delays=0.1/0/0.2/0.1, dsn={}, status={}"
TAKEN = f"{AT.format('2.0.0', 'sent')} (250 Ok 0102018f-000000)"


class Programs:
    """The host's programs, as scripts over two files; `path` goes before all others."""

    def __init__(self, place: Path) -> None:
        self.path, self.log, self.queue = place / "bin", place / "log", place / "queue"
        self.path.mkdir(parents=True)
        self.forget()
        self._write("journalctl", f"cat {self.log}")
        self._write("postqueue", f"cat {self.queue}")
        self._write("postsuper", f'echo "$2: removed" >>{self.log}; : >{self.queue}')

    def _write(self, name: str, script: str) -> None:
        (self.path / name).write_text(f"#!/bin/sh\n{script}\n")
        (self.path / name).chmod(0o755)

    def forget(self) -> None:
        self.log.write_text("")
        self.queue.write_text("")

    def say(self, *lines: str) -> None:
        with self.log.open("a") as log:
            log.write("".join(f"{line}\n" for line in lines))

    def enqueue(self, sender: str) -> None:
        waits = {"queue_id": QUEUE_ID, "queue_name": "deferred", "sender": sender, "arrival_time": 1}
        self.queue.write_text(json.dumps({**waits, "recipients": [{"address": "carol@outside.test"}]}) + "\n")


class Post:
    """aiosmtpd calls it; `answers` replace what it says to a command, `outcome` is what becomes of a mail, in the log's words."""

    def __init__(self, programs: Programs) -> None:
        self.programs = programs
        self.taken: list[bytes] = []
        self.answers: dict[str, str] = {}
        self.outcome = TAKEN
        self.hangs_up = self.loses = False

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        right = isinstance(data, LoginPassword) and data.password == b"p" * 64
        message = self.answers.get("AUTH")
        return AuthResult(success=right and message is None, handled=False, message=message)

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        return self.answers.get("MAIL", "250 2.1.0 Ok")

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        return self.answers.get("RCPT", "250 2.1.5 Ok")

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if "DATA" in self.answers:
            return self.answers["DATA"]
        content = bytes(envelope.content or b"")
        self.taken.append(content)
        found = re.search(rb"^Message-ID: (<.*>)\r$", content, re.MULTILINE)
        assert found
        if not self.loses:
            to = f"{QUEUE_ID}: to=<{envelope.rcpt_tos[0]}>, {self.outcome}"
            self.programs.say(f"{QUEUE_ID}: message-id={found[1].decode()}", to)
            self.programs.enqueue(str(envelope.mail_from))
        if self.hangs_up:
            transport: Any = server.transport
            transport.close()
        return "250 2.0.0 Ok: queued as " + QUEUE_ID


class _Port(Controller):
    """At any port that is free."""

    context: ssl.SSLContext

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()

    def factory(self) -> SMTP:
        return SMTP(
            self.handler,
            tls_context=self.context,
            require_starttls=True,
            auth_required=True,
            authenticator=self.handler.authenticate,
        )


@contextlib.contextmanager
def listening(post: Post, host: Host) -> Iterator[int]:
    """The port at which it answers, for as long as the block."""
    chain, key = host.certificate(NAME)
    port = _Port(post, hostname="127.0.0.1", port=0, ready_timeout=60)
    port.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    port.context.load_cert_chain(chain, key)
    port.start()
    try:
        yield port.port
    finally:
        port.stop()


def small_host(home: Path) -> Host:
    """With a certificate of its own making."""
    host = Host(NAME, ("127.0.0.1",), home, relay_password="secret", canary_password="p" * 64)
    selfsigned.ensure(host)
    return host


def asking(host: Host, *letters: dict[str, str], **changes: object) -> Situation:
    """An order with these letters, whose way out is in force."""
    return Situation(state.read(mail(**{"relay": RELAY, "letters": list(letters), **changes})), host)
