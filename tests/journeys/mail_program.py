"""A mail program on a laptop in the hosts' network: it knows the server's name, and verifies its certificate."""

import base64
import imaplib
import re
import smtplib
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import TypeVar

from sandbox.hosts.debian import lan, machines
from sandbox.internet import addresses
from tests.agent.mail.mail_host import Imap, handed, letter, told
from tests.journeys.mail_internet import PATIENCE

Result = TypeVar("Result")


class Program:
    """Reads, writes and sorts mail as one person; `place` is the last number of the laptop's address."""

    def __init__(
        self, sandbox: Path, host: str, address: str, ca: str, user: str, password: str, place: int
    ) -> None:
        self.sandbox, self.host, self.address = sandbox, host, address
        self.user, self.password, self.place = user, password, place
        self.trusting = ssl.create_default_context(cafile=ca)

    def there(self, work: Callable[[], Result]) -> Result:
        """What `work` returns on the laptop."""
        network = machines.noted(lan.notes(self.sandbox))
        with network.machine(addresses.of(network.network, self.place)) as machine:
            return machine.inside(work)

    @contextmanager
    def imap(self) -> Iterator[imaplib.IMAP4_SSL]:
        """Signed in; raises imaplib's error with what the server said."""
        door = self.there(lambda: Imap(self.host, self.address, self.trusting))
        try:
            door.login(self.user, self.password)
            yield door
        finally:
            door.shutdown()

    def read(self, subject: str, folder: str = "INBOX") -> Message:
        """The newest mail with this subject, once it is there."""
        until = time.monotonic() + PATIENCE
        with self.imap() as door:
            while not (found := _search(door, folder, subject)):
                assert time.monotonic() < until, f"“{subject}” did not come to {self.user}'s {folder}"
                time.sleep(0.1)
            parts = door.fetch(found[-1].decode(), "(BODY.PEEK[])")[1]
            return message_from_bytes(parts[0][1])  # type: ignore[index,arg-type]

    def has(self, subject: str, folder: str = "INBOX") -> bool:
        """Whether it is there now."""
        with self.imap() as door:
            return bool(_search(door, folder, subject))

    def submit(self, to: str, subject: str, text: str = "Hello") -> tuple[int, str]:
        """Sends by port 587 with STARTTLS; what the server said."""
        with self.submission() as door:
            door.login(self.user, self.password)
            return handed(door, letter(to, subject, text, self.user), self.user, to)

    @contextmanager
    def submission(self) -> Iterator[smtplib.SMTP]:
        """The door for sending, with TLS, not signed in yet."""
        with self.there(lambda: smtplib.SMTP(self.address, 587, "laptop.sandbox.test", 120)) as door:
            door._host = self.host  # type: ignore[attr-defined] # the name that the certificate must have
            door.starttls(context=self.trusting)
            yield door

    def refused_to_send(self) -> str:
        """What the server says to the password at the door for sending; empty if it opens."""
        try:
            with self.submission() as door:
                door.login(self.user, self.password)
        except smtplib.SMTPAuthenticationError as refused:
            return bytes(refused.smtp_error).decode()  # type: ignore[arg-type]
        return ""

    def refused_to_read(self) -> str:
        """What the server says to the password at the mailbox; empty if it opens."""
        try:
            with self.imap():
                return ""
        except imaplib.IMAP4.error as refused:
            return str(refused)

    def sort(self, script: str) -> None:
        """Puts a Sieve script in force by ManageSieve (RFC 5804)."""
        with self.there(lambda: socket.create_connection((self.address, 4190), timeout=120)) as plain:
            told(plain.makefile("rb"))
            plain.sendall(b"STARTTLS\r\n")
            told(plain.makefile("rb", buffering=0))
            with self.trusting.wrap_socket(plain, server_hostname=self.host) as door:
                self._put(door, script.encode())

    def _put(self, door: ssl.SSLSocket, script: bytes) -> None:
        words = door.makefile("rb")
        told(words)
        known = base64.b64encode(f"\0{self.user}\0{self.password}".encode()).decode()
        for command in (
            f'AUTHENTICATE "PLAIN" "{known}"'.encode(),
            b'PUTSCRIPT "rules" {%d+}\r\n%s' % (len(script), script),
            b'SETACTIVE "rules"',
        ):
            door.sendall(command + b"\r\n")
            told(words)


@contextmanager
def idling(door: imaplib.IMAP4_SSL, folder: str = "INBOX") -> Iterator[Callable[[], int]]:
    """Waits as telephones do (RFC 2177); what is yielded returns how many mails there are as soon as another came."""
    door.select(folder)
    door.send(b"W1 IDLE\r\n")
    while not door.readline().startswith(b"+"):
        pass

    def told_of_another() -> int:
        while not (found := re.fullmatch(rb"\* (\d+) EXISTS\r\n", door.readline())):
            pass
        return int(found[1])

    yield told_of_another
    door.send(b"DONE\r\n")


def _search(door: imaplib.IMAP4_SSL, folder: str, subject: str) -> list[bytes]:
    if door.select(folder, readonly=True)[0] != "OK":
        return []
    return list(door.search(None, "SUBJECT", f'"{subject}"')[1][0].split())
