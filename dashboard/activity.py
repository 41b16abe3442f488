"""What happened in an account, in pages that are turned by key."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from accounts.models import Account, User
from audit.models import Event
from dashboard import words
from servers.models import Server

PAGE = 50


@dataclass(frozen=True)
class Line:
    at: datetime
    says: str
    who: str
    about: str
    link: str
    reference: str


@dataclass(frozen=True)
class Page:
    """`older` is the key that the next page begins after; empty on the last one."""

    lines: list[Line]
    older: str
    first: bool


def page_of(account: Account, reader: User, before: str = "") -> Page:
    """The newest events of the account, or those before the key."""
    rows = Event.objects.filter(account_id=account.pk)
    key = int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None
    if key is not None:
        rows = rows.filter(id__lt=key)
    found = list(rows.order_by("-id")[: PAGE + 1])
    shown = found[:PAGE]
    older = str(shown[-1].pk) if len(found) > PAGE else ""
    return Page(_lines(account, reader, shown), older, key is None)


def _lines(account: Account, reader: User, events: list[Event]) -> list[Line]:
    people = {user.pk: user for user in account.people.all()}
    servers = _servers(account, events)
    return [_line(event, reader, people, servers.get(event.subject)) for event in events]


def _servers(account: Account, events: list[Event]) -> dict[str, Server]:
    ids = {pk for event in events if (pk := _server_id(event.subject))}
    found = Server.objects.filter(account=account, pk__in=ids)
    return {server.subject: server for server in found}


def _server_id(subject: str) -> UUID | None:
    kind, _colon, number = subject.partition(":")
    try:
        return UUID(number) if kind == "server" else None
    except ValueError:
        return None


def _line(event: Event, reader: User, people: dict[int, User], server: Server | None) -> Line:
    return Line(
        at=event.at,
        says=words.sentence(event.action, event.facts if isinstance(event.facts, dict) else {}),
        who=words.who(event.by, reader, people),
        about=server.name if server else "",
        link=f"/servers/{server.pk}" if server else "",
        reference=event.reference,
    )
