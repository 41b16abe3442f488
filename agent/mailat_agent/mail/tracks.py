"""What Postfix wrote in its log about one mail: under which name it waits, and what the way out said to it."""

import json
import re
from dataclasses import dataclass, replace
from typing import Any

from .commands import run

UNIT = "postfix.service"
PATIENCE = 30.0  # seconds for the journal or the queue
EARLIER = 60  # seconds before a mail was handed in from which the log is read
OUTCOME = re.compile(r"to=<[^>]*>, .*?\bstatus=(sent|deferred|bounced) \((.*)\)")
REPLY = re.compile(r"([2-5][0-9]{2})[ -](.+)")  # RFC 5321, 4.2
NO_SIGN_IN = re.compile(r"(?:delivery temporarily suspended: )?SASL authentication failed")
COMMAND = re.compile(r" ?\(in reply to [^()]*\)$")


@dataclass(frozen=True)
class Track:
    """How far a mail is; `code` and `says` are the way out's latest reply, 0 and Postfix' own words where there was none.

    `queue_id` is "" while Postfix has not taken it, and `status` "" while nothing became of it.
    """

    queue_id: str = ""
    status: str = ""
    code: int = 0
    says: str = ""
    no_sign_in: bool = False  # the way out refused our credentials

    @property
    def final(self) -> bool:
        """Whether no later try says anything else: it was taken, or refused, or the credentials are wrong."""
        return self.status in ("sent", "bounced") or (self.no_sign_in and self.code >= 500)


def track(message_id: str, since: float) -> Track:
    """What the log says of the mail with this Message-ID, handed in at `since` (Unix time) or later. Raises Failed."""
    begin = f"--since=@{max(0, int(since) - EARLIER)}"
    said = run(["journalctl", "-u", UNIT, "-o", "cat", "--no-pager", "-q", begin], PATIENCE)
    return read(said.splitlines(), message_id)


def read(lines: list[str], message_id: str) -> Track:
    """The same from the log's lines. A queue's name is used again once its mail is gone."""
    found = Track()
    for line in lines:
        name, _, rest = line.partition(": ")
        if not found.queue_id:
            if rest == f"message-id=<{message_id}>":
                found = Track(queue_id=name)
        elif name == found.queue_id:
            if rest == "removed":
                return found
            if outcome := OUTCOME.fullmatch(rest):
                found = _after(found, outcome[1], outcome[2])
    return found


def _after(before: Track, status: str, words: str) -> Track:
    """What one try has made of it; `words` are Postfix' own, which repeat the other side's reply if there was one."""
    _own, said, answer = words.partition(" said: ")
    told = REPLY.fullmatch(COMMAND.sub("", answer if said else words))
    no_sign_in = bool(NO_SIGN_IN.match(words))
    if told is None:
        return replace(before, status=status, code=0, says=words, no_sign_in=no_sign_in)
    return replace(before, status=status, code=int(told[1]), says=told[0], no_sign_in=no_sign_in)


def take_out(queue_id: str, sender: str) -> None:
    """A mail that would leave late, when nobody waits for it any more, leaves the queue; another of this name does not."""
    for line in run(["postqueue", "-j"], PATIENCE).splitlines():
        entry: dict[str, Any] = json.loads(line)
        if entry.get("queue_id") == queue_id and entry.get("sender") == sender:
            run(["postsuper", "-d", queue_id], PATIENCE)
