"""The policy service that Postfix asks before it takes a submitted mail: how much each mailbox may send.

`python3 -m mailat_agent.mail.policy` serves; protocol: https://www.postfix.org/SMTPD_POLICY_README.html
"""

import contextlib
import json
import os
import shutil
import socketserver
import sqlite3
import sys
import time
from pathlib import Path
from typing import Any

from . import outbound, policy_state, postfix
from .chore import Chore, Situation
from .part import CURRENT, HOME, File, Host, Part
from .policy_state import DAY, HOUR
from .state import Mail
from .templates import text

SOCKET = Path("/var/spool/postfix/private/mailat-policy")
LIMITS = "policy/limits.json"
UNIT = "mailat-policy.service"
LONGEST = 16384  # bytes of a request
PATIENTLY = 3  # times the hourly limit: whoever asks for more within an hour is not a person
FINE = "DUNNO"


class Ledger:
    """Decides, and remembers; asked by several threads, whose transactions the file puts in order."""

    def __init__(self, home: Path, limits: Path) -> None:
        self.home = home
        self.limits = limits

    def decide(self, mailbox: str, recipients: int, now: float) -> str:
        """The answer to a mail from a signed-in mailbox to so many recipients."""
        limit = json.loads(self.limits.read_text(encoding="utf-8")).get(mailbox)
        if limit is None:
            return FINE
        with policy_state.opened(self.home) as state:
            return _decide(state, mailbox, recipients, now, **limit)


def _decide(
    state: sqlite3.Connection,
    mailbox: str,
    recipients: int,
    now: float,
    *,
    per_hour: int,
    per_day: int,
    releases: int,
) -> str:
    if why := _why_stopped(state, mailbox, releases):
        return f"550 5.7.1 {why}"
    _forget(state, mailbox, now)
    hour = _sum(state, "sent", mailbox, now - HOUR, now)
    if _sum(state, "sent", mailbox, now - DAY, now) + recipients > per_day:
        return _stop(state, mailbox, now, releases, f"more than {per_day} recipients in a day")
    if hour + recipients <= per_hour:
        state.execute("INSERT INTO sent VALUES (?, ?, ?)", (mailbox, now, recipients))
        return FINE
    state.execute("INSERT INTO refused VALUES (?, ?, ?)", (mailbox, now, recipients))
    # What was sent before the limit was lowered was no disobedience.
    asked = min(hour, per_hour) + _sum(state, "refused", mailbox, now - HOUR, now)
    if asked >= PATIENTLY * per_hour + recipients:
        return _stop(state, mailbox, now, releases, f"kept on far beyond {per_hour} recipients an hour")
    return f"450 4.7.1 The hourly limit of {per_hour} recipients is reached; please try again later"


def _why_stopped(state: sqlite3.Connection, mailbox: str, releases: int) -> str:
    row = state.execute("SELECT why, releases FROM stopped WHERE mailbox = ?", (mailbox,)).fetchone()
    if row is None:
        return ""
    if row[1] >= releases:
        return str(row[0])
    for table in ("stopped", "sent", "refused"):  # it was lifted, and begins anew
        state.execute(f"DELETE FROM {table} WHERE mailbox = ?", (mailbox,))
    return ""


def _stop(state: sqlite3.Connection, mailbox: str, now: float, releases: int, reason: str) -> str:
    why = f"Sending from this mailbox was stopped: {reason}. Its administrator can lift that."
    state.execute("INSERT OR REPLACE INTO stopped VALUES (?, ?, ?, ?)", (mailbox, now, why, releases))
    return f"550 5.7.1 {why}"


def _sum(state: sqlite3.Connection, table: str, mailbox: str, since: float, now: float) -> int:
    query = f"SELECT TOTAL(recipients) FROM {table} WHERE mailbox = ? AND at > ? AND at <= ?"
    return int(state.execute(query, (mailbox, since, now)).fetchone()[0])


def _forget(state: sqlite3.Connection, mailbox: str, now: float) -> None:
    state.execute("DELETE FROM sent WHERE mailbox = ? AND at <= ?", (mailbox, now - DAY))
    state.execute("DELETE FROM refused WHERE mailbox = ? AND at <= ?", (mailbox, now - HOUR))


class Server(socketserver.ThreadingUnixStreamServer):
    """One thread for each of Postfix' connections, which stay open."""

    daemon_threads = True
    ledger: Ledger


class Conversation(socketserver.StreamRequestHandler):
    """Requests of one connection, until the other side leaves or makes no sense."""

    server: Server

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            while request := self._request():
                self.wfile.write(f"action={answer(request, self.server.ledger)}\n\n".encode())

    def _request(self) -> dict[str, str]:
        fields: dict[str, str] = {}
        size = 0
        while line := self.rfile.readline(LONGEST):
            size += len(line)
            if line == b"\n" or size > LONGEST:
                return fields if size <= LONGEST else {}
            name, _, value = line.rstrip(b"\n").decode(errors="replace").partition("=")
            fields[name] = value
        return {}


def answer(request: dict[str, str], ledger: Ledger) -> str:
    """What Postfix is told; where this service fails, mail goes on."""
    mailbox = request.get("sasl_username", "").lower()
    if not mailbox:
        return FINE
    count = request.get("recipient_count", "")
    recipients = int(count) if count.isascii() and count.isdigit() else 0
    try:
        return ledger.decide(mailbox, max(recipients, 1), time.time())
    except (OSError, ValueError, TypeError, AttributeError, sqlite3.Error) as trouble:
        print(f"cannot decide: {type(trouble).__name__}", file=sys.stderr, flush=True)
        return FINE


def serve(socket: Path, ledger: Ledger) -> Server:
    """A server bound to the socket, which only its owner's group may use; it serves once it is told to."""
    socket.unlink(missing_ok=True)
    with _umask(0o177):
        server = Server(str(socket), Conversation)
    server.ledger = ledger
    return server


@contextlib.contextmanager
def _umask(mask: int) -> Any:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def main() -> None:
    """Serve Postfix until told to end."""
    server = serve(SOCKET, Ledger(HOME, Path(CURRENT) / LIMITS))
    shutil.chown(SOCKET, "postfix", "postfix")
    server.serve_forever()


def files(mail: Mail, _host: Host) -> list[File]:
    """The limits, and the unit that keeps the service alive."""
    return [
        File(LIMITS, policy_state.limits(mail), mode=0o600),
        File(f"policy/{UNIT}", text("policy/mailat-policy.service")),
    ]


def look(situation: Situation) -> dict[str, Any]:
    """Has the mail system rendered anew once a mailbox was stopped or released, and its waiting mail held or returned."""
    stops = policy_state.stopped(situation.host.home, situation.mail)
    if not postfix.knows(stops, situation.mail, situation.host):
        situation.changed()
    outbound.hold(situation.host.home, situation.mail, stops)
    return {"stopped": policy_state.as_report(stops)}


CHORE = Chore(name="policy", every=10.0, run=look)
PART = Part(
    name="policy",
    files=files,
    links={
        f"/etc/systemd/system/{UNIT}": f"policy/{UNIT}",
        f"/etc/systemd/system/multi-user.target.wants/{UNIT}": f"policy/{UNIT}",
    },
    reload=(("systemctl", "restart", UNIT),),
    units=(UNIT,),
)

if __name__ == "__main__":
    main()
