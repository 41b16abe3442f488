"""People outside who mean no good: they try to send to others through the server, and guess passwords."""

import contextlib
import imaplib
import smtplib
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from tests.agent.mail.mail_host import Imap
from tests.journeys.mail_program import Program

MOST = 20  # guesses
HANGS = 30.0  # seconds: a guess is answered late, and one in whose midst somebody is kept out never
# How mail to the victim has been smuggled through servers that were not careful: sender and recipient as they stand in
# MAIL FROM and RCPT TO. $domain and $host are the server's.
RELAYING = {
    "a stranger to a stranger": ("<mallory@evil.test>", "<charlie@outside.test>"),
    "nobody to a stranger": ("<>", "<charlie@outside.test>"),
    "one of ours to a stranger": ("<alice@$domain>", "<charlie@outside.test>"),
    "the server itself to a stranger": ("<postmaster@$host>", "<charlie@outside.test>"),
    "the server by its address": ("<mallory@[$address]>", "<charlie@outside.test>"),
    "a sender without a domain": ("<alice>", "<charlie@outside.test>"),
    "localhost": ("<root@localhost>", "<charlie@outside.test>"),
    "the percent hack": ("<mallory@evil.test>", "<charlie%outside.test@$domain>"),
    "the percent hack at the server": ("<mallory@evil.test>", "<charlie%outside.test@$host>"),
    "the percent hack at its address": ("<mallory@evil.test>", "<charlie%outside.test@[$address]>"),
    "the percent hack, in quotes": ("<mallory@evil.test>", '<"charlie%outside.test"@$domain>'),
    "an address in quotes": ("<mallory@evil.test>", '<"charlie@outside.test"@$domain>'),
    "only quotes": ("<mallory@evil.test>", '<"charlie@outside.test">'),
    "a source route": ("<mallory@evil.test>", "<@$domain:charlie@outside.test>"),
    "a source route over the server": ("<mallory@evil.test>", "<@$host:charlie@outside.test>"),
    "a source route over its address": ("<mallory@evil.test>", "<@[$address]:charlie@outside.test>"),
    "a bang path": ("<mallory@evil.test>", "<outside.test!charlie>"),
    "a bang path at the server": ("<mallory@evil.test>", "<outside.test!charlie@$domain>"),
    "a bang path at its address": ("<mallory@evil.test>", "<outside.test!charlie@[$address]>"),
    "two domains": ("<mallory@evil.test>", "<charlie@outside.test@$domain>"),
    "no brackets": ("mallory@evil.test", "charlie@outside.test"),
}


def relayed(program: Program) -> dict[str, str]:
    """The ways by which the server took a mail to others, with what it said; empty where it refused all."""
    taken = {}
    for way, (sender, recipient) in RELAYING.items():
        with stranger(program) as door:
            said = door.docmd("MAIL", f"FROM:{_filled(sender, program)}")
            if said[0] < 400:
                said = door.docmd("RCPT", f"TO:{_filled(recipient, program)}")
        if said[0] < 400:
            taken[way] = said[1].decode()
    return taken


@contextlib.contextmanager
def stranger(program: Program) -> Iterator[smtplib.SMTP]:
    """At port 25, greeted and not signed in."""
    with program.there(lambda: smtplib.SMTP(program.address, 25, "mx.evil.test", 120)) as door:
        door.ehlo()
        yield door


def _filled(text: str, program: Program) -> str:
    domain = program.user.partition("@")[2]
    for name, value in (("$domain", domain), ("$host", program.host), ("$address", program.address)):
        text = text.replace(name, value)
    return text


def begin_to_guess(reader: Program, sender: Program) -> list[Future[int]]:
    """Two people, each at a machine of their own, try passwords beside whatever else happens."""
    pool = ThreadPoolExecutor(2)
    return [pool.submit(guess_at_reading, reader), pool.submit(guess_at_sending, sender)]


def guess_at_reading(program: Program) -> int:
    """Wrong passwords by IMAP until nobody opens any more; how many could be tried."""
    for tried in range(MOST):
        try:
            door = program.there(lambda: Imap(program.host, program.address, program.trusting))
        except ConnectionRefusedError:
            return tried
        except (imaplib.IMAP4.error, OSError):  # kept out while the door was opening
            continue
        door.sock.settimeout(HANGS)
        with contextlib.suppress(imaplib.IMAP4.error, OSError):
            door.login(program.user, f"guess {tried}")
        door.shutdown()
    return MOST


def guess_at_sending(program: Program) -> int:
    """The same at the door for sending."""
    for tried in range(MOST):
        try:
            with program.submission() as door:
                door.sock.settimeout(HANGS)  # type: ignore[union-attr]
                door.login(program.user, f"guess {tried}")
        except ConnectionRefusedError:
            return tried
        except (smtplib.SMTPException, OSError):  # refused, or kept out while the door was opening
            continue
    return MOST
