"""One canary's flight: handed in like anybody's mail, waited for, read back, deleted."""

import contextlib
import imaplib
import json
import re
import smtplib
import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate
from typing import Any

from .part import Host

SUBMISSION, IMAPS = 587, 993
TIMEOUT = 20.0  # seconds for any one answer
PATIENCE = 60.0  # seconds until a mail that did not come is missing
PAUSE = 0.2  # seconds between two looks into the mailbox
PUSH_EVERY = (
    5.0  # seconds between two tries of a mail that was put off, where somebody waits to hear that all is well
)
STALE = 600  # seconds after which a canary still in the queue is taken out of it
INBOX, JUNK = "INBOX", "Junk"
TOKEN = re.compile(rb"canary ([0-9a-f]{32})")
LONGEST = 300  # characters of an error


class Failed(Exception):
    """The mail did not make it; the text says at which step, in words for its owner. `late` ones came meanwhile."""

    late: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Way:
    """How a canary leaves ("relay" or "direct"), in whose name, and where it must arrive."""

    name: str
    sender: str
    recipient: str


@dataclass(frozen=True)
class Landed:
    """A mail that came back: how long it took, in seconds, and which earlier ones lay there late."""

    seconds: float
    late: frozenset[str]


def fly(host: Host, way: Way, token: str, *, push: bool, patience: float = PATIENCE) -> Landed:
    """Send one mail and read it back; raises Failed. `push` does not leave it to Postfix when to try again."""
    with _mailbox(host) as box:
        began = time.monotonic()
        _hand_in(host, way, token)
        uid = _wait(box, token, began + patience, way if push else None)
        if uid is None:
            raise _astray(box, way, token, patience)
        seconds = time.monotonic() - began
        with _step("could not be read"):
            _demand_whole(box, uid, token)
            return Landed(seconds, _clear(box) - {token})


def _hand_in(host: Host, way: Way, token: str) -> None:
    with (
        _step(f"could not be handed in at port {SUBMISSION}"),
        smtplib.SMTP(host.hostname, SUBMISSION, local_hostname=host.hostname, timeout=TIMEOUT) as door,
    ):
        door.starttls(context=ssl.create_default_context())
        door.login(host.canary_address, host.canary_password)
        door.send_message(_letter(way, token), way.sender, [way.recipient])


def _letter(way: Way, token: str) -> EmailMessage:
    letter = EmailMessage()
    letter["From"], letter["To"] = way.sender, way.recipient
    letter["Subject"] = f"canary {token}"
    letter["Date"] = formatdate()
    letter["Message-ID"] = f"<{token}@{way.sender.rpartition('@')[2]}>"
    letter["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody answers it
    letter.set_content(f"This server checks by itself that mail goes out and comes back.\ncanary {token}\n")
    return letter


@contextlib.contextmanager
def _mailbox(host: Host) -> Iterator[imaplib.IMAP4_SSL]:
    with _step(f"could not be read at port {IMAPS}"):
        context = ssl.create_default_context()
        box = imaplib.IMAP4_SSL(host.hostname, IMAPS, ssl_context=context, timeout=TIMEOUT)
    try:
        with _step("could not be read: signing in failed"):
            box.login(host.canary_address, host.canary_password)
        with _step("could not be read"):
            _open(box, INBOX)
        yield box
    finally:
        with contextlib.suppress(OSError, imaplib.IMAP4.error):
            box.logout()


def _open(box: imaplib.IMAP4_SSL, folder: str) -> bool:
    return box.select(folder)[0] == "OK"


def _wait(box: imaplib.IMAP4_SSL, token: str, deadline: float, pushed: Way | None) -> bytes | None:
    push_at = time.monotonic() + PUSH_EVERY
    with _step("could not be read"):
        while True:
            if uid := _found(box, token):
                return uid
            if time.monotonic() >= deadline:
                return None
            if pushed and time.monotonic() >= push_at:
                _push(pushed)
                push_at += PUSH_EVERY
            time.sleep(PAUSE)


def _found(box: imaplib.IMAP4_SSL, token: str) -> bytes | None:
    box.noop()
    uids: list[bytes] = (box.uid("SEARCH", "SUBJECT", token)[1][0] or b"").split()
    return uids[0] if uids else None


def _astray(box: imaplib.IMAP4_SSL, way: Way, token: str, patience: float) -> Failed:
    with _step("could not be read"):
        late = _clear(box)
        if _open(box, JUNK) and _found(box, token):
            _clear(box)
            return Failed("arrived in Junk: it was taken for spam")
    reason = _held_up(way)
    waits = f"; it waits in the queue: {reason}" if reason else ""
    failure = Failed(f"did not arrive within {patience:.0f} s{waits}")
    failure.late = late
    return failure


def _demand_whole(box: imaplib.IMAP4_SSL, uid: bytes, token: str) -> None:
    parts = box.uid("FETCH", uid.decode(), "(BODY.PEEK[TEXT])")[1]
    text = b"".join(part[1] for part in parts if isinstance(part, tuple))
    if token.encode() not in text:
        raise Failed("came back changed: its text is not what was sent")


def _clear(box: imaplib.IMAP4_SSL) -> frozenset[str]:
    """Empty the open folder, which is nobody's; returns the tokens of the canaries that lay there."""
    answers = box.uid("FETCH", "1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]
    subjects = b"\n".join(part[1] for part in answers if isinstance(part, tuple))
    if subjects:
        box.uid("STORE", "1:*", "+FLAGS.SILENT", r"(\Deleted)")
        box.expunge()
    return frozenset(token.decode() for token in TOKEN.findall(subjects))


@contextlib.contextmanager
def _step(what: str) -> Iterator[None]:
    try:
        yield
    except (OSError, smtplib.SMTPException, imaplib.IMAP4.error) as error:
        raise Failed(f"{what}: {in_words(error)}"[:LONGEST]) from None


def in_words(error: Exception) -> str:
    """What a failed exchange says of itself: the server's own answer where there is one; never what we sent."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message})"
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, text = next(iter(error.recipients.values()))
        return f"refused: {code} {_plain(text)}"
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return f"signing in failed: {error.smtp_code} {_plain(error.smtp_error)}"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"refused: {error.smtp_code} {_plain(error.smtp_error)}"
    if isinstance(error, TimeoutError):
        return "no answer"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return _plain(str(error)) or type(error).__name__


def _plain(text: bytes | str) -> str:
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return " ".join(re.sub(r"[^\x20-\x7e\xa0-\uffff]", " ", words).split())


def _held_up(way: Way) -> str:
    """Why the newest canary still waits, in the queue's words; "" where none does."""
    waiting = [entry for entry in _queue() if _is_to(entry, way.recipient)]
    if not waiting:
        return ""
    newest = max(waiting, key=lambda entry: entry["arrival_time"])
    return _plain(newest["recipients"][0].get("delay_reason") or "not tried yet")[:200]


def _push(way: Way) -> None:
    for entry in _queue():
        if _is_to(entry, way.recipient) and entry.get("queue_name") == "deferred":
            _run("postqueue", "-i", entry["queue_id"])


def let_go() -> None:
    """Try all that waits: what kept the canary back kept other mail back, and Postfix waits ever longer, up to 67 minutes."""
    _run("postqueue", "-f")


def sweep(way: Way, now: float) -> None:
    """Take canaries out of the queue that are too old to say anything, so that they do not pile up."""
    for entry in _queue():
        if _is_to(entry, way.recipient) and now - entry["arrival_time"] > STALE:
            _run("postsuper", "-d", entry["queue_id"])


def _is_to(entry: dict[str, Any], recipient: str) -> bool:
    recipients = entry.get("recipients") or [{}]
    return recipients[0].get("address") == recipient and isinstance(entry.get("arrival_time"), int)


def _queue() -> list[dict[str, Any]]:
    """Postfix' queue, an object per mail, postqueue(1); empty where it does not say."""
    entries = []
    for line in _run("postqueue", "-j").splitlines():
        with contextlib.suppress(ValueError):
            entries.append(json.loads(line))
    return entries


def _run(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout
