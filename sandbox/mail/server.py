"""The SMTP side: takes every message, unless it was told to misbehave."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from hashlib import sha256
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from sandbox.mail.letters import header, parsed
from sandbox.mail.store import Store

FAULTS = {
    "refuse_later": "The server wants the message later (451)",
    "refuse": "The server refuses the recipient for good (550)",
    "slow": "The answer takes three seconds",
    "lose_answer": "The message is filed, but the connection ends without an answer",
}
SLOW_SECONDS = 3.0
READY_SECONDS = 60.0  # until it must answer, on a busy machine
MOST_BYTES = 5_000_000
nap = asyncio.sleep


class Faults:
    """What goes wrong next, and how often."""

    def __init__(self) -> None:
        self._left: Counter[str] = Counter()
        self._lock = threading.Lock()

    def add(self, kind: str, times: int) -> None:
        with self._lock:
            self._left[kind] += times

    def clear(self) -> None:
        with self._lock:
            self._left.clear()

    def all(self) -> dict[str, int]:
        with self._lock:
            return {kind: times for kind, times in self._left.items() if times > 0}

    def take(self, kind: str) -> bool:
        """Whether it is to happen now."""
        with self._lock:
            if self._left[kind] <= 0:
                return False
            self._left[kind] -= 1
            return True


class Door:
    """aiosmtpd calls these for each message."""

    def __init__(self, store: Store, faults: Faults) -> None:
        self._store, self._faults = store, faults

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self._faults.take("refuse"):
            return "550 5.1.1 no such mailbox"
        if self._faults.take("refuse_later"):
            return "451 4.3.0 try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self._faults.take("slow"):
            await nap(SLOW_SECONDS)
        file_message(self._store, envelope)
        if self._faults.take("lose_answer"):
            transport: Any = server.transport
            transport.abort()
        return "250 filed"


def file_message(store: Store, envelope: Envelope) -> None:
    """One row for each recipient; a message without an id gets one of its content."""
    raw = envelope.content if isinstance(envelope.content, bytes) else str(envelope.content or "").encode()
    message = parsed(raw)
    message_id = header(message, "Message-ID") or sha256(raw).hexdigest()
    for recipient in envelope.rcpt_tos:
        store.file(
            recipient=recipient,
            sender=envelope.mail_from or "",
            message_id=message_id,
            subject=header(message, "Subject") or "(no subject)",
            raw=raw,
        )


class AnyPort(Controller):
    """At the port that is asked for, or at any that is free: one that was let go may be somebody else's a moment later."""

    def _trigger_server(self) -> None:
        listening: Any = self.server
        self.port = listening.sockets[0].getsockname()[1]
        super()._trigger_server()


def listen(store: Store, faults: Faults, port: int) -> Controller:
    """A started server on loopback; port 0 takes a free one."""
    controller = AnyPort(
        Door(store, faults),
        hostname="127.0.0.1",
        port=port,
        ready_timeout=READY_SECONDS,
        data_size_limit=MOST_BYTES,
    )
    controller.start()
    return controller
