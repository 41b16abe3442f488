"""Doors to the people outside: they write to somebody, and what reached them can be read."""

from __future__ import annotations

import dataclasses
from typing import Any

import dkim
import dns.rdata
import flask

from sandbox.hosts.debian import machines
from sandbox.hosts.debian.lan import notes
from sandbox.internet import addresses, headers
from sandbox.internet.correspondents import Letter, send, written
from sandbox.internet.doors import Doors, several, text
from sandbox.internet.names import Names
from sandbox.internet.store import Store
from sandbox.mail.office import told

MOST_BYTES = 80 * 1024 * 1024  # of a request; more than any server here takes


class MailDoors(Doors):
    """Below /internet/api."""

    def register(self, doors: flask.Blueprint) -> None:
        self.open(doors, "/api/send", self.send, "POST")
        self.open(doors, "/api/received", self.received, "GET")
        doors.before_request(_allow_letters)

    def send(self, asked: dict[str, Any]) -> dict[str, Any]:
        """What each recipient's server said; `sender` is the envelope's, if it is another than `from`."""
        sender, recipients = text(asked, "from"), several(asked, "to")
        if "raw" in asked:
            raw = text(asked, "raw").encode()
        else:
            raw = written(sender, recipients, text(asked, "subject", ""), text(asked, "text", ""))
        letter = Letter(
            sender=text(asked, "sender", sender),
            recipients=recipients,
            raw=raw,
            helo=text(asked, "helo", addresses.OUTSIDE_NAME),
            address=text(asked, "address", str(addresses.OUTSIDE)),
        )
        outcomes = send(self.internet.home, machines.noted(notes(self.internet.home)), letter)
        results = [dataclasses.asdict(one) for one in outcomes]
        said = "; ".join(f"{one.recipient}: {one.code} {one.said}" for one in outcomes)
        return {"ok": all(one.ok for one in outcomes), "results": results, "shown": said}

    def received(self, asked: dict[str, Any]) -> dict[str, Any]:
        """The newest first; `raw` has one character for each byte, `dkim` each signature's domain and whether it holds."""
        found = self.internet.mailbox.all(text(asked, "to", ""))
        names = self.internet.names
        return {
            "messages": [
                {**told(row), "raw": row["raw"].decode("latin-1"), "dkim": verdicts(row["raw"], names)}
                for row in found
            ]
        }


def _allow_letters() -> None:
    if flask.request.path.endswith("/api/send"):
        flask.request.max_content_length = MOST_BYTES


def verdicts(raw: bytes, names: Names) -> list[dict[str, Any]]:
    """Each DKIM signature, checked against the names of this internet by another program than the one that signed."""

    def txt(name: bytes | str, timeout: int = 5) -> bytes:
        asked = (name.decode() if isinstance(name, bytes) else name).rstrip(".").lower()
        values = names.lookup(asked, "TXT").values("TXT")
        return _joined(values[0]) if values else b""

    checked = dkim.DKIM(raw)
    signatures = headers.read(raw).named("DKIM-Signature")
    return [
        {"domain": _tag(one, "d"), "selector": _tag(one, "s"), "valid": _holds(checked, at, txt)}
        for at, one in enumerate(signatures)
    ]


def _holds(checked: dkim.DKIM, at: int, txt: Any) -> bool:
    try:
        return bool(checked.verify(idx=at, dnsfunc=txt))
    except (dkim.DKIMException, ValueError):
        return False


def _tag(signature: str, name: str) -> str:
    pairs = (part.partition("=") for part in signature.split(";"))
    return next((value.strip() for key, _, value in pairs if key.strip() == name), "")


def _joined(value: str) -> bytes:
    """The strings of a TXT record as the one text that they are."""
    rdata: Any = dns.rdata.from_text("IN", "TXT", value)
    return b"".join(rdata.strings)


def sent(store: Store, most: int = 50) -> list[dict[str, Any]]:
    """What people outside have sent, the newest first."""
    with store.open() as db:
        return [dict(row) for row in db.execute("select * from sent order by id desc limit ?", [most])]
