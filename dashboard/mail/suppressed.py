"""Amazon's suppression list as its page shows it: read, being read, refused, or not asked for; in pages and searched."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from dashboard import sending_words as words
from engine.models import Run
from sending import suppression
from sending.models import Suppression
from sending.programs.read_suppressed import is_being_read

PAGE = 50
REASONS = {
    "BOUNCE": lazy("mail to it came back for good, as when there is no such mailbox"),
    "COMPLAINT": lazy("its reader called a mail from you spam"),
}
PASSING = {
    "throttled": (
        lazy("Amazon wants fewer calls just now."),
        lazy("We ask again by ourselves, some seconds later. What Amazon has told so far is not lost."),
        lazy("There is nothing that you need to do."),
    ),
    "away": (
        lazy("Amazon cannot be reached, or does not answer as it should."),
        lazy("We ask again by ourselves."),
        lazy("There is nothing that you need to do."),
    ),
    "no_key": (
        lazy("There is no access key any more by which Amazon could be asked."),
        lazy("We have not asked."),
        lazy("Enter a key in step 2 of the page “Sending”, then come back here."),
    ),
}


@dataclass(frozen=True)
class Line:
    """One address; `word` is empty, asked, allowed or refused."""

    address: str
    reason: str
    since: datetime
    word: str
    told: words.Told | None


@dataclass(frozen=True)
class Shown:
    """`word` is none, reading, trouble or read; `total` counts the addresses that were searched for, or all."""

    word: str
    row: Suppression | None = None
    trouble: words.Told | None = None
    so_far: int = 0
    lines: tuple[Line, ...] = ()
    total: int = 0
    number: int = 1
    pages: int = 1
    stuck: bool = False

    @property
    def busy(self) -> bool:
        return self.word == "reading" or any(one.word == "asked" for one in self.lines)

    @property
    def leaves_at(self) -> datetime | None:
        return self.row.asked_at + suppression.KEPT if self.row else None

    @property
    def all(self) -> int:
        return len(self.row.entries) if self.row else 0


def shown_of(home: UUID, *, number: int = 1, part: str = "") -> Shown:
    """The list of a server, its page `number`, or those addresses in which `part` stands; nothing once its time is over."""
    row = Suppression.objects.filter(home=home).first()
    if row is None or row.asked_at < timezone.now() - suppression.KEPT:
        return Shown("none")
    runs = Run.objects.filter(subject=f"suppression:{home}", finished_at=None)
    stuck = any(run.error and run.tries > 1 for run in runs)
    trouble = told(row.trouble) if row.trouble else None
    if is_being_read(row):
        so_far = sum(int(run.args.get("seen", 0)) for run in runs)
        return Shown("reading", row, trouble, so_far, stuck=stuck)
    return replace(_page(row, number, part), stuck=stuck) if row.read_at else Shown("trouble", row, trouble)


def _page(row: Suppression, number: int, part: str) -> Shown:
    wanted = [one for one in row.entries if part.lower() in one["address"].lower()]
    pages = max(1, -(-len(wanted) // PAGE))
    number = min(max(number, 1), pages)
    lines = tuple(_line(one) for one in wanted[(number - 1) * PAGE : number * PAGE])
    return Shown("read", row, lines=lines, total=len(wanted), number=number, pages=pages)


def _line(entry: dict[str, Any]) -> Line:
    reason = str(REASONS.get(entry["reason"], entry["reason"]))
    trouble = told(entry["trouble"]) if entry.get("trouble") else None
    return Line(
        entry["address"], reason, datetime.fromisoformat(entry["since"]), entry.get("again", ""), trouble
    )


def told(obstacle: dict[str, Any]) -> words.Told:
    """Why Amazon did not do it: what passes by itself, and what keeps any key from use."""
    known = PASSING.get(obstacle["code"])
    if known:
        return words.Told(*map(str, known))
    return replace(words.told(obstacle), did=_("Nothing at Amazon was changed."))
