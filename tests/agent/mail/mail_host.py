"""Alice's server as a postmaster meets it: strangers write to it, mailboxes' owners sign in to it with verified TLS."""

import base64
import hashlib
import imaplib
import smtplib
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import IO, Any, TypeVar

from sandbox.internet import ses_users
from sandbox.internet.names import Names
from sandbox.internet.records import record
from sandbox.internet.store import Store
from sandbox.internet.trust import Trust
from sandbox.mail.store import Store as Mailbox
from tests.agent.mail.whole_host import HOSTNAME, STRANGER, WholeHost
from tests.agent.orders import mailbox
from vault.sealing import seal_to

REGION = "eu-central-1"
SOON = 180.0  # seconds within which what was sent must be somewhere, on a busy machine
GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
Result = TypeVar("Result")
Answer = tuple[int, str]


def hashed(password: str) -> str:
    """A password in one of the forms that orders have."""
    salt = b"salt-for-tests"
    digest = hashlib.sha512(password.encode() + salt).digest()
    return "{SSHA512}" + base64.b64encode(digest + salt).decode()


def box(address: str, **changes: object) -> dict[str, object]:
    """A mailbox whose password is its local part, and `-secret`."""
    return mailbox(address, **{"password": hashed(secret(address)), **changes})


def secret(address: str) -> str:
    return address.partition("@")[0] + "-secret"


class MailHost:
    """A whole host, and what people do with it."""

    def __init__(self, whole: WholeHost, **wanted: object) -> None:
        self.whole, self.wanted = whole, wanted
        self.names = Names(whole.home, whole.hosts.network)
        self.outside = Mailbox(whole.home)

    def want(self, **changes: object) -> None:
        """Change what is wanted, and wait until it is done without complaint."""
        self.wanted = {**self.wanted, **changes}
        self.whole.want(**self.wanted)
        assert self.whole.undone() == []

    def mailbox(self, address: str, **changes: object) -> None:
        """Want one mailbox otherwise."""
        boxes: Any = self.wanted["mailboxes"]
        self.want(mailboxes=[{**each, **changes} if each["address"] == address else each for each in boxes])

    def laptop(self, work: Callable[[], Result]) -> Result:
        """What `work` returns on another machine of the network."""
        return self.whole.at(STRANGER, work)

    @property
    def trusting(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(Trust(self.whole.home).bundle))

    def write(
        self,
        to: str,
        subject: str = "Hello",
        text: str = "Hello",
        sender: str = "carol@outside.test",
        **headers: str,
    ) -> Answer:
        """A stranger's server hands in a mail; what was answered."""

        def send() -> Answer:
            with smtplib.SMTP(self.whole.address, 25, local_hostname="mx.outside.test", timeout=120) as door:
                return handed(door, letter(to, subject, text, sender, **headers), sender, to)

        return self.laptop(send)

    def submit(
        self,
        user: str,
        to: str,
        subject: str = "Hello",
        text: str = "Hello",
        sender: str | None = None,
        port: int = 587,
    ) -> Answer:
        """A mailbox' owner sends by a submission port; what was answered."""
        author = user if sender is None else sender

        def send() -> Answer:
            with self._submission(port) as door:
                door.login(user, secret(user))
                return handed(door, letter(to, subject, text, author), author, to)

        return self.laptop(send)

    @contextmanager
    def _submission(self, port: int) -> Iterator[smtplib.SMTP]:
        if port == 465:
            with SmtpTls(self.whole.address, port, timeout=120, context=self.trusting) as door:
                yield door
        else:
            with smtplib.SMTP(self.whole.address, port, timeout=120) as door:
                door._host = HOSTNAME  # type: ignore[attr-defined] # the name that the certificate must have
                door.starttls(context=self.trusting)
                yield door

    def imap(
        self, user: str, work: Callable[[imaplib.IMAP4_SSL], Result], password: str | None = None
    ) -> Result:
        """What `work` returns for a signed-in user."""

        def sign_in() -> Result:
            door = Imap(HOSTNAME, self.whole.address, self.trusting)
            try:
                door.login(user, secret(user) if password is None else password)
                return work(door)
            finally:
                door.shutdown()

        return self.laptop(sign_in)

    def read(self, user: str, subject: str, folder: str = "INBOX") -> str:
        """The newest mail with this subject, once it is there."""

        words = '"' + subject.replace("\\", "\\\\").replace('"', '\\"') + '"'

        def look(door: imaplib.IMAP4_SSL) -> str:
            deadline = time.monotonic() + SOON
            while True:
                there = door.select(folder)[0] == "OK"  # a rule makes a folder with the first mail for it
                if there and (found := door.search(None, "SUBJECT", words)[1][0].split()):
                    return bytes(door.fetch(found[-1], "(RFC822)")[1][0][1]).decode()  # type: ignore[index]
                assert time.monotonic() < deadline, f"{subject} did not come to {user}'s {folder}"
                time.sleep(0.1)

        return self.imap(user, look)

    def activate(self, user: str, script: str) -> None:
        """Put a Sieve script in force, as webmail does: by ManageSieve (RFC 5804)."""

        def sign_in() -> None:
            with socket.create_connection((self.whole.address, 4190), timeout=120) as plain:
                told(plain.makefile("rb"))
                plain.sendall(b"STARTTLS\r\n")
                told(plain.makefile("rb", buffering=0))
                with self.trusting.wrap_socket(plain, server_hostname=HOSTNAME) as door:
                    words = door.makefile("rb")
                    told(words)
                    known = base64.b64encode(f"\0{user}\0{secret(user)}".encode()).decode()
                    text = script.encode()
                    for command in (
                        f'AUTHENTICATE "PLAIN" "{known}"'.encode(),
                        b'PUTSCRIPT "rules" {%d+}\r\n%s' % (len(text), text),
                        b'SETACTIVE "rules"',
                    ):
                        door.sendall(command + b"\r\n")
                        told(words)

        self.laptop(sign_in)

    def subjects(self, user: str, folder: str = "INBOX") -> list[str]:
        """What lies in a folder now."""
        said = self.whole.run("doveadm", "fetch", "-u", user, "hdr.subject", "mailbox", folder, check=False)
        return sorted(line.partition(": ")[2] for line in said.splitlines() if line.startswith("hdr.subject"))

    def arrived(self, recipient: str, subject: str) -> bytes:
        """A mail that reached somebody outside, once it did."""
        deadline = time.monotonic() + SOON
        while True:
            for message in self.outside.all(recipient):
                if message["subject"] == subject:
                    return bytes(message["raw"])
            assert time.monotonic() < deadline, f"{subject} did not reach {recipient}: {self.queue()}"
            time.sleep(0.1)

    def wait_left(self, words: str) -> None:
        """Until no mail waits in the queue of which these words are told: Postfix takes it out a moment after it was taken."""
        deadline = time.monotonic() + SOON
        while words in (waiting := self.queue()):
            assert time.monotonic() < deadline, waiting
            time.sleep(0.1)

    def queue(self) -> str:
        return self.whole.run("postqueue", "-j", check=False)

    def relay(self) -> dict[str, object]:
        """A way out, as a customer's credentials make it."""
        user = ses_users.Users(Store(self.whole.home)).make(REGION, ["firm.test"])
        control = self.whole.control
        info = b"mailat-relay-v1\n" + control.server.encode()
        sealed = seal_to(control.enrolments[-1]["seal_key"], info, user.smtp_password)
        return {
            "host": f"email-smtp.{REGION}.amazonaws.com",
            "port": 587,
            "username": user.access_key,
            "sealed": sealed,
            "sender": "postmaster@firm.test",
        }

    def publish_key(self) -> None:
        """Enter what the host reports of its DKIM key into DNS, as the customer does."""
        said = self.whole.wait(lambda mail: (mail.get("dkim") or {}).get("firm.test"))["dkim"]["firm.test"]
        self.names.add([record(f"{said['selector']}._domainkey.firm.test", "TXT", said["txt"])])


class SmtpTls(smtplib.SMTP_SSL):
    """SMTP in TLS to an address, verified as a name."""

    def _get_socket(self, host: str, port: int, timeout: float) -> ssl.SSLSocket:
        plain = socket.create_connection((host, port), timeout)
        return self.context.wrap_socket(plain, server_hostname=HOSTNAME)


class Imap(imaplib.IMAP4_SSL):
    """IMAPS to an address, verified as a name."""

    def __init__(self, name: str, address: str, context: ssl.SSLContext) -> None:
        self._verified_name = name
        super().__init__(address, 993, ssl_context=context, timeout=120)

    def _create_socket(self, timeout: float | None) -> ssl.SSLSocket:
        plain = imaplib.IMAP4._create_socket(self, timeout)  # type: ignore[attr-defined]
        return self.ssl_context.wrap_socket(plain, server_hostname=self._verified_name)


def told(words: IO[bytes]) -> None:
    """The answer of a ManageSieve server, which must be good."""
    while line := words.readline():
        assert not line.startswith((b"NO", b"BYE")), line
        if line.startswith(b"OK"):
            return
    raise AssertionError("the server went away")


def letter(to: str, subject: str, text: str, sender: str, **headers: str) -> bytes:
    """A mail as programs write it."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = headers.pop("author", sender), to, subject
    mail["Date"], mail["Message-ID"] = formatdate(), make_msgid(domain="outside.test")
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    return mail.as_bytes()


def handed(door: smtplib.SMTP, mail: bytes, sender: str, *to: str) -> Answer:
    """Code and words of the answer that decided."""
    try:
        door.sendmail(sender, to, mail)
    except smtplib.SMTPRecipientsRefused as refused:
        code, said = refused.recipients[to[0]]
        return code, bytes(said).decode()
    except smtplib.SMTPResponseException as refused:
        return refused.smtp_code, bytes(refused.smtp_error).decode()  # type: ignore[arg-type]
    return 250, ""


def mail_host(whole: WholeHost, **wanted: object) -> MailHost:
    """The host with what is wanted."""
    whole.begin(**wanted)
    return MailHost(whole, **wanted)
