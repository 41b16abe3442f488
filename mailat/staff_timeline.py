"""Everything that happened with a customer, from several tables, as one list in time order and in pages by key.

Each table gives its newest rows from the page's place on, by an index; the newest of them all are the page. A place is
the last row's time, which table it is of, and its key, so nothing is shown twice and nothing is left out.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from itertools import islice
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.dateparse import parse_datetime

from accounts.models import Account, Letter
from audit import staff_words as words
from audit.models import Event
from billing.models import Ping
from engine import staff_words
from engine.models import Alarm

SIZE = 50


class BadPlace(ValueError):
    """The address of the page names no place in the list."""


@dataclass(frozen=True)
class Line:
    """One thing that happened, as it is shown."""

    at: datetime
    what: object
    says: object
    about: object
    by: object


@dataclass(frozen=True)
class Source:
    """A table: its rows, the fields that order them, and how one is shown.

    `key` is a unique field; where `key_rises` with the time, an index of it alone serves both.
    """

    rows: QuerySet[Any]
    at: str
    key: str
    of_text: Callable[[str], Any]
    line: Callable[[Any], Line]
    key_rises: bool = False

    def beyond(self, place: "Place | None", rank: int) -> QuerySet[Any]:
        """From the place on, the newest first; `rank` is this table's among those of one moment."""
        rows = self.rows if place is None else self.rows.filter(self._after(place, rank))
        return (
            rows.order_by(f"-{self.key}") if self.key_rises else rows.order_by(f"-{self.at}", f"-{self.key}")
        )

    def _after(self, place: "Place", rank: int) -> Q:
        before, until = Q(**{f"{self.at}__lt": place.at}), Q(**{f"{self.at}__lte": place.at})
        if rank != place.rank:
            return before if rank < place.rank else until
        beyond = Q(**{f"{self.key}__lt": self.of_text(place.key)})
        return until & (beyond if self.key_rises else before | beyond)


@dataclass(frozen=True)
class Place:
    """The last row of a page."""

    at: datetime
    rank: int
    key: str

    def __str__(self) -> str:
        return f"{self.at.isoformat()}~{self.rank}~{self.key}"


@dataclass(frozen=True)
class Page:
    lines: list[Line]
    older: str  # the place from which the next page goes on; empty on the last one


def page(account: Account, subjects: list[str], *, after: str = "", size: int = SIZE) -> Page:
    """The newest of everything, or what came before the place. Raises BadPlace."""
    sources = sources_of(account, subjects)
    place = _place(after, sources) if after else None
    streams = [_stream(rank, source, place, size) for rank, source in enumerate(sources)]
    found = list(islice(merge(*streams, key=_order), size + 1))
    shown = found[:size]
    older = str(Place(_at(shown[-1]), shown[-1][0], _key(shown[-1]))) if len(found) > size else ""
    return Page([source.line(row) for _rank, source, row in shown], older)


Entry = tuple[int, Source, Any]


def _stream(rank: int, source: Source, place: Place | None, size: int) -> Iterator[Entry]:
    for row in source.beyond(place, rank)[: size + 1]:
        yield rank, source, row


def _order(entry: Entry) -> tuple[float, int]:
    """The newest first, and of one moment by table; within a table the database has put them in order."""
    return -_at(entry).timestamp(), entry[0]


def _at(entry: Entry) -> datetime:
    at: datetime = getattr(entry[2], entry[1].at)
    return at


def _key(entry: Entry) -> str:
    return str(getattr(entry[2], entry[1].key))


def _place(text: str, sources: list[Source]) -> Place:
    try:
        at, rank, key = text.split("~")
        place = Place(_moment(at), int(rank), key)
        if not 0 <= place.rank < len(sources):
            raise BadPlace(text)
        sources[place.rank].of_text(key)
    except (ValueError, OverflowError) as error:
        raise BadPlace(text) from error
    return place


def _moment(text: str) -> datetime:
    at = parse_datetime(text)
    if at is None or at.tzinfo is None:
        raise BadPlace(text)
    return at


def _number(text: str) -> int:
    number = int(text)
    if abs(number) >= 2**63:
        raise BadPlace(text)
    return number


def sources_of(account: Account, subjects: list[str]) -> list[Source]:
    """What is told of: the account's own log, ours about its things, letters, pings and alarms."""
    log = Event.objects.defer("prev_hash", "hash")
    chain = log.filter(account_id=account.pk, seq__isnull=False)  # none is committed without its number
    about = [f"account:{account.pk}", *subjects]
    pings = Ping.objects.defer("body").filter(subscription__account=account)
    return [
        Source(Alarm.objects.filter(subject__in=about), "opened_at", "id", _number, _alarm),
        Source(chain, "at", "seq", _number, _event, key_rises=True),
        Source(log.filter(account_id=None, subject__in=about), "at", "id", _number, _event),
        Source(Letter.objects.filter(account_id=account.pk), "written_at", "id", UUID, _letter),
        Source(pings, "received_at", "id", _number, _ping),
    ]


def _event(row: Event) -> Line:
    """What staff did says why."""
    reason = row.facts.get("reason", "") if isinstance(row.facts, dict) else ""
    says = words.sentences([words.link(row, row.action), reason])
    about = words.subject_link(row.subject, brief=True)
    return Line(row.at, "event", says, about, words.subject_link(row.by, brief=True))


def _letter(row: Letter) -> Line:
    state = words.mark("sent", "good") if row.sent_at else words.mark("on its way", "calm")
    if row.dropped:
        state = words.mark(f"not sent: {row.dropped}", "bad")
    return Line(
        row.written_at, "letter", words.sentences([words.link(row, row.kind), state]), f"to {row.to}", ""
    )


TONES = {Ping.Became.PUZZLING: "bad", Ping.Became.NEW: "warn", Ping.Became.APPLIED: "good"}


def _ping(row: Ping) -> Line:
    state = words.mark(row.get_became_display(), TONES.get(Ping.Became(row.became), "calm"))
    says = words.sentences([words.link(row, row.kind or "ping"), state, row.note])
    about = words.subject_link(f"subscription:{row.subscription_id}", brief=True)
    return Line(row.received_at, "ping", says, about, "gumroad")


def _alarm(row: Alarm) -> Line:
    says = words.sentences([words.link(row, row.says), staff_words.alarm_mark(row)])
    return Line(row.opened_at, "alarm", says, words.subject_link(row.subject, brief=True), "")
