"""A receipt as its page shows it; what counts is the signed text, which is read here and never made up."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime

from audit.models import Receipt
from servers.plans import PLACES


@dataclass(frozen=True)
class Removal:
    """One line of what was removed, with what the provider said to it."""

    what: str
    provider: str
    at: datetime | None
    answer: str
    more: list[tuple[str, str]]


@dataclass(frozen=True)
class Evidence:
    receipt: Receipt
    name: str
    place: str
    facts: dict[str, Any]
    removed: list[Removal]

    def when(self, name: str) -> datetime | None:
        return parse_datetime(str(self.facts.get(name) or ""))

    @property
    def said_at(self) -> datetime | None:
        return self.when("said_at")

    @property
    def due_at(self) -> datetime | None:
        return self.when("due_at")

    @property
    def begun_at(self) -> datetime | None:
        return self.when("begun_at")


SHOWN = {"what", "provider", "at", "answer"}


def evidence_of(receipt: Receipt) -> Evidence:
    facts = json.loads(receipt.text).get("facts", {})
    server = facts.get("server", {})
    place = PLACES.get(server.get("place", ""))
    return Evidence(
        receipt=receipt,
        name=server.get("name", ""),
        place=f"{place.city}, {place.country}" if place else server.get("place", ""),
        facts=facts,
        removed=[_removal(line) for line in facts.get("removed", [])],
    )


def _removal(line: dict[str, Any]) -> Removal:
    more = [(name, str(value)) for name, value in line.items() if name not in SHOWN and value is not None]
    at = parse_datetime(str(line.get("at") or ""))
    return Removal(line.get("what", ""), line.get("provider", ""), at, str(line.get("answer", "")), more)
