"""Test mails that an order asks for: each is handed in once, and followed until the way out has said what it makes of it.

What a letter may have been handed in is noted before it is. Killed at any line, a letter is sent once or, at worst, never.
"""

import contextlib
import json
import smtplib
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate
from pathlib import Path
from typing import Any

from ..files import read_object, write_whole
from . import flight, postfix, tracks
from .chore import Chore, Situation
from .commands import Failed
from .letter import Letter
from .part import Host

FILE = "letters.json"  # in Host.home
SOON, LATER = 2.0, 60.0  # seconds
PATIENCE = 300.0  # seconds from when a letter was seen first; whoever asked for it looks at a page meanwhile
REMEMBERED = 50  # letters that no order names any more
LONGEST = 300  # characters of an answer


@dataclass
class State:
    """How far a letter is; times are Unix times. `at`, `code` and `answer` are reported once there is an answer.

    `code` is that of the way out's reply, 0 where there was none. `handed` is when it may have been handed in; None as long
    as it surely was not.
    """

    since: float
    handed: float | None = None
    at: float | None = None
    code: int = 0
    answer: str = ""


class Books:
    """What is known of letters, on disk."""

    def __init__(self, home: Path) -> None:
        self.path = home / FILE
        self.states: dict[str, State] = {}
        for name, kept in read_object(self.path).items():
            with contextlib.suppress(TypeError):  # of a later version
                self.states[name] = State(**kept)

    def write(self) -> None:
        rows = {name: asdict(state) for name, state in self.states.items()}
        write_whole(self.path, json.dumps(rows) + "\n")

    def see(self, letters: Sequence[Letter], now: float) -> None:
        """Begin with those that are new; forget the eldest of those that no order names any more."""
        before, named = dict(self.states), {letter.id for letter in letters}
        for letter in letters:
            self.states.setdefault(letter.id, State(since=now))
        past = sorted(set(self.states) - named, key=lambda name: self.states[name].since)
        for name in past[: max(0, len(past) - REMEMBERED)]:
            del self.states[name]
        if self.states != before:
            self.write()

    def settle(self, state: State, code: int, answer: str) -> None:
        state.at, state.code, state.answer = round(time.time()), code, answer[:LONGEST]
        self.write()


class NotTaken(Exception):
    """The letter surely was not handed in; `for_good` where trying again is in vain."""

    def __init__(self, why: str, for_good: bool = False) -> None:
        super().__init__(f"not sent: {why}")
        self.for_good = for_good


def run(situation: Situation) -> dict[str, Any]:
    """The report's `letters`: of those that the order names, the ones that have an answer."""
    books, named = Books(situation.host.home), situation.mail.letters
    if not named and not books.states:
        return {"letters": []}
    books.see(named, time.time())
    for letter in named:
        if books.states[letter.id].at is None:
            _advance(situation, letter, books)
    return {"letters": _answers(named, books)}


def _answers(named: Sequence[Letter], books: Books) -> list[dict[str, Any]]:
    known = [(letter.id, books.states[letter.id]) for letter in named]
    return [
        {"id": name, "at": state.at, "code": state.code, "answer": state.answer}
        for name, state in known
        if state.at is not None
    ]


def every(situation: Situation) -> float:
    """Seconds: somebody waits for an answer that is not there yet."""
    states = Books(situation.host.home).states
    waiting = [one for one in situation.mail.letters if one.id not in states or states[one.id].at is None]
    return SOON if waiting else LATER


def _advance(situation: Situation, letter: Letter, books: Books) -> None:
    """One step further: hand it in if it never was, look for its answer if it was, give up if that takes too long."""
    state, why = books.states[letter.id], ""
    if state.handed is None:
        try:
            _hand_in(situation, letter, state, books)
        except NotTaken as refusal:
            why = str(refusal)
            if refusal.for_good:
                books.settle(state, 0, why)
    if state.handed is not None and state.at is None:
        why = _follow(letter, state, books)
    if state.at is None and not 0 <= time.time() - state.since < PATIENCE:
        books.settle(state, 0, why)


def _hand_in(situation: Situation, letter: Letter, state: State, books: Books) -> None:
    """By the way out that the order names, and by no other: the answer is about that one."""
    relay = situation.mail.relay
    if relay is None:
        raise NotTaken("there is no way out")
    if not situation.busy.acquire(blocking=False):
        raise NotTaken("the mail system is just being changed")
    try:
        if not postfix.leaves_by(relay, situation.host):
            raise NotTaken("the way out is not in force")
        _submit(situation.host, letter, lambda handed: _note(state, handed, books))
    finally:
        situation.busy.release()


def _note(state: State, handed: float | None, books: Books) -> None:
    state.handed = handed
    books.write()


def _submit(host: Host, letter: Letter, note: Callable[[float | None], None]) -> None:
    """Raises NotTaken. `note` is told when the letter may be handed in from, and None if it then was not."""
    with _door(host) as door:
        _demand(door.mail(letter.sender))
        # Nobody gets a bounce of it: what became of it is reported.
        _demand(door.rcpt(letter.to, ["NOTIFY=NEVER"] if door.has_extn("dsn") else []))
        note(time.time())
        try:
            _demand(door.data(text(letter)))
        except NotTaken:
            note(None)
            raise
        except smtplib.SMTPDataError as refusal:
            note(None)
            raise NotTaken(flight.in_words(refusal), refusal.smtp_code >= 500) from None
        except (OSError, smtplib.SMTPException):
            return  # it may have been taken: the log tells


@contextlib.contextmanager
def _door(host: Host) -> Any:
    door = None
    try:
        try:
            door = smtplib.SMTP(
                host.hostname, flight.SUBMISSION, local_hostname=host.hostname, timeout=flight.TIMEOUT
            )
            door.starttls(context=ssl.create_default_context())
            door.login(host.canary_address, host.canary_password)
        except (OSError, smtplib.SMTPException) as error:
            words = f"could not be handed in at port {flight.SUBMISSION}: {flight.in_words(error)}"
            raise NotTaken(words) from None
        yield door
    finally:
        if door is not None:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                door.quit()


def _demand(answer: tuple[int, bytes]) -> None:
    code, words = answer
    if not 200 <= code < 300:
        raise NotTaken(f"refused: {code} {words.decode('utf-8', 'replace')}", code >= 500)


def _follow(letter: Letter, state: State, books: Books) -> str:
    """Settle it if the log tells enough; returns what is known so far."""
    try:
        found = tracks.track(message_id(letter), state.handed or state.since)
        over = not 0 <= time.time() - state.since < PATIENCE
        if found.queue_id and found.status != "sent" and (found.final or over):
            tracks.take_out(found.queue_id, letter.sender)
    except (Failed, ValueError) as failure:
        return f"it is not known what became of it: {failure}"
    if found.status and (found.final or over):
        books.settle(state, found.code, found.says)
    return found.says or "it is not known what became of it"


def message_id(letter: Letter) -> str:
    """By which the log is searched; without the brackets."""
    return f"{letter.id}@{letter.sender.rpartition('@')[2]}"


def text(letter: Letter) -> bytes:
    """The mail itself."""
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"] = letter.sender, letter.to
    mail["Subject"] = "Test mail from your mail server"
    mail["Date"], mail["Message-ID"] = formatdate(), f"<{message_id(letter)}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody answers it
    domain = letter.sender.rpartition("@")[2]
    mail.set_content(
        f"This is a test mail from the mail server of {domain}.\n\n"
        "It was sent because somebody who administers that server asked for it.\n"
        "If you can read it, mail leaves that server and reaches you.\n"
    )
    return mail.as_bytes()


CHORE = Chore(name="letters", every=every, run=run)
