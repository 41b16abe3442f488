"""What the programs and pages of a change of plan have in common: which way it goes, when, and whether all fits."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

from django.db.models import Sum
from django.utils import timezone

from accounts import letters
from audit.actions import record
from domains.models import Mailbox
from servers.desired import host_name
from servers.models import Agent, PlanChange, Server
from servers.plans import PLANS

PUT_OFF = timedelta(days=14)  # as far as its owner may
NOTICE = timedelta(hours=1)  # before the first window that counts
GB = 10**9  # bytes
ROOM = 0.85  # of what a plan has for mail: so much may be stored when a server becomes one of it


@dataclass(frozen=True)
class Fit:
    """What a server holds beside what a plan has room for; sizes in bytes. `stored` is None where no report told it."""

    mailboxes: int
    most_mailboxes: int
    promised: int
    most_promised: int
    stored: int | None
    most_stored: int

    @property
    def fits(self) -> bool:
        return self.stored is not None and not (self.too_many or self.promised_over or self.stored_over)

    @property
    def too_many(self) -> int:
        return max(self.mailboxes - self.most_mailboxes, 0)

    @property
    def promised_over(self) -> int:
        return max(self.promised - self.most_promised, 0)

    @property
    def stored_over(self) -> int:
        return max((self.stored or 0) - self.most_stored, 0)


def living(server: Server) -> PlanChange | None:
    """The one that has not ended."""
    return PlanChange.objects.filter(server=server, finished_at=None).first()


def plan(server: Server, after: str, by: str) -> PlanChange:
    """A new one, for the next window; its owners are told. Whoever calls has the server's row, and starts the program."""
    now = timezone.now()
    change = PlanChange.objects.create(
        server=server, before=server.plan, after=after, by=by, wanted_at=now, at=next_window(server, now + NOTICE)
    )  # fmt: skip
    note(server, "plan_change_wanted", by, before=server.plan, after=after, begins_at=iso(change.at))
    tell(
        server,
        "plan_planned",
        str(change.pk),
        before=PLANS[server.plan].name,
        after=PLANS[after].name,
        smaller=is_smaller(change),
        begins_at=iso(change.at),
    )
    return change


def note(server: Server, what: str, by: str, **facts: object) -> None:
    """An event of the server's account."""
    account = cast(UUID, server.account_id)
    record(f"server.{what}", by=by, account=account, subject=server.subject, **facts)


def tell(server: Server, kind: str, key: str, **words: object) -> None:
    """A letter to the owners that leads to the page of the plan; once for each key."""
    url = f"/servers/{server.pk}/plan"
    letters.to_owners(server.account, kind, key=f"{kind}:{key}", server=host_name(server), url=url, **words)


def iso(at: datetime) -> str:
    return at.isoformat(timespec="seconds")


def is_smaller(change: PlanChange) -> bool:
    """Whether the server is to become one of a smaller plan; the disk decides, for Hetzner shrinks none."""
    return PLANS[change.after].disk_gb < PLANS[change.before].disk_gb


def next_window(server: Server, after: datetime) -> datetime:
    """The beginning of the first window for restarts that does not begin before `after`."""
    begins = after.replace(hour=server.reboot_hour, minute=0, second=0, microsecond=0)
    for day in range(9):
        start = begins + timedelta(days=day)
        if start >= after and start.weekday() in (server.reboot_days or range(7)):
            return start
    raise AssertionError("a week has each of its days")


def fit(server: Server, plan: str) -> Fit:
    """Whether what is on the server fits that plan's disk with room, and its mailboxes their number."""
    kind = PLANS[plan]
    rows = Mailbox.objects.living().filter(domain__home=cast(UUID, server.pk))
    promised = rows.aggregate(all=Sum("quota"))["all"] or 0
    most = int(kind.mail_bytes * ROOM)
    return Fit(rows.count(), kind.mailboxes, promised, kind.mail_bytes, stored(server), most)


def stored(server: Server) -> int | None:
    """Bytes in all mailboxes, as its agent said last; None where it has not said so."""
    agent = Agent.objects.filter(server=server).only("report").first()
    mail = (agent.report if agent else {}).get("mail")
    return sum(one[0] for one in mail["mailboxes"].values()) if mail else None
