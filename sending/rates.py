"""How much of a server's mail goes to nobody or is complained of, beside the shares at which Amazon looks at an account.

Amazon reviews an account at 5 % of hard bounces or 0.1 % of complaints, and may pause it at 10 % or 0.5 %. It reckons over an
amount of mail that it finds representative, not over a day, so these figures are near to its own and not the same:
https://docs.aws.amazon.com/ses/latest/dg/reputationdashboardmessages.html.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from sending import slowing
from sending.models import Credentials, Feedback, Standing, Topic

BOUNCES_LOOKED_AT, COMPLAINTS_LOOKED_AT = 0.05, 0.001
DAY, WEEK = timedelta(days=1), timedelta(days=7)
HOUR = "%Y-%m-%dT%H"  # UTC
OFF = 1  # hours by which a count may stand beside the day that it is taken for
MOST_SENDERS = 5
CALMED = 0.75  # of a share: below it what was near the line is no longer
HARD = Q(kind=Feedback.Kind.BOUNCE, permanent=True)
COMPLAINED = Q(kind=Feedback.Kind.COMPLAINT)


@dataclass(frozen=True)
class Met:
    """What mail met with; `sent` counts recipients and is None where nobody has counted them."""

    sent: int | None
    bounces: int
    complaints: int

    @property
    def near(self) -> bool:
        """Whether Amazon may soon look, by the shares at which a single mailbox is slowed."""
        return self._reaches(1)

    @property
    def calm(self) -> bool:
        """Whether it is well below that, so that what begins near the line does not end and begin again."""
        return not self._reaches(CALMED)

    def _reaches(self, part: float) -> bool:
        if self.sent is None:
            return False
        return slowing.is_too_much(self.sent, self.bounces, self.complaints, part)


@dataclass(frozen=True)
class Sender:
    """An address that caused some of it; `sent` is what its server counted in the last day."""

    address: str
    day: Met
    week: Met


@dataclass(frozen=True)
class Rates:
    """Of a server's account; `heard` is whether Amazon tells us at all."""

    day: Met
    week: Met
    senders: list[Sender]
    heard: bool
    read_at: datetime | None


def rates_of(home: UUID) -> Rates:
    """All that the page shows."""
    standing = Standing.objects.filter(home=home).first()
    return Rates(
        day=day_of(home, standing),
        week=week_of(home, standing),
        senders=_senders(home),
        heard=Topic.objects.filter(home=home).exclude(confirmed_at=None).exists(),
        read_at=standing.read_at if standing else None,
    )


def day_of(home: UUID, standing: Standing | None) -> Met:
    """The last 24 hours."""
    return _met(home, DAY, _sent_in_a_day(standing))


def week_of(home: UUID, standing: Standing | None) -> Met:
    """The last seven days; Amazon counts a day only, so seven of its counts are added."""
    return _met(home, WEEK, _sent_in_a_week(standing))


def with_hour(hours: dict[str, Any], of: str, sent24: float, now: datetime) -> dict[str, Any]:
    """The counts of the last week and this one, an hour's last; another account's counts are no part of them."""
    oldest, known = (now - WEEK).strftime(HOUR), hours.get("sent", {}) if hours.get("of") == of else {}
    sent = {at: count for at, count in known.items() if at >= oldest}
    return {"of": of, "sent": {**sent, now.strftime(HOUR): sent24}}


def _sent_in_a_day(standing: Standing | None) -> int | None:
    """None where Amazon has not told it within a day."""
    fresh = standing is not None and standing.read_at > timezone.now() - DAY
    return int(standing.sent24) if standing and fresh else None


def _sent_in_a_week(standing: Standing | None) -> int | None:
    """None where one of the seven days was not counted."""
    if standing is None:
        return None
    counts = [_count(standing.hours.get("sent", {}), timezone.now() - days * DAY) for days in range(7)]
    known = [one for one in counts if one is not None]
    return int(sum(known)) if len(known) == len(counts) else None


def _count(hours: dict[str, float], at: datetime) -> float | None:
    near = (at + timedelta(hours=by) for by in (0, -OFF, OFF))
    return next((found for one in near if (found := hours.get(one.strftime(HOUR))) is not None), None)


def _met(home: UUID, span: timedelta, sent: int | None) -> Met:
    counted = _told(home, span).aggregate(
        bounces=Count("pk", filter=HARD), complaints=Count("pk", filter=COMPLAINED)
    )
    least = counted["bounces"] + counted["complaints"]
    return Met(None if sent is None else max(sent, least), **counted)


def _told(home: UUID, span: timedelta) -> QuerySet[Feedback]:
    """By the mail of all servers that send by the same account at Amazon, which it judges as one."""
    return Feedback.objects.filter(home__in=_together(home), at__gt=timezone.now() - span)


def _together(home: UUID) -> set[UUID]:
    living = Credentials.objects.exclude(state=Credentials.State.ENDED).exclude(aws_account="")
    own = living.filter(home=home).order_by("-in_use_at").first()
    if own is None:
        return {home}
    same = living.filter(account=own.account_id, aws_account=own.aws_account, region=own.region)
    return {home, *same.values_list("home", flat=True)}


def _senders(home: UUID) -> list[Sender]:
    """Those of this server that caused most in a week."""
    recent = Q(at__gt=timezone.now() - DAY)
    rows = (
        Feedback.objects.filter(HARD | COMPLAINED, home=home, at__gt=timezone.now() - WEEK)
        .values("sender")
        .annotate(
            all=Count("pk"),
            bounces=Count("pk", filter=HARD),
            complaints=Count("pk", filter=COMPLAINED),
            day_bounces=Count("pk", filter=HARD & recent),
            day_complaints=Count("pk", filter=COMPLAINED & recent),
        )
        .order_by("-complaints", "-all", "sender")[:MOST_SENDERS]
    )
    sent = slowing.sent_by_mailbox(home)
    return [
        Sender(
            one["sender"],
            Met(_at_least(sent.get(one["sender"]), one), one["day_bounces"], one["day_complaints"]),
            Met(None, one["bounces"], one["complaints"]),
        )
        for one in rows
    ]


def _at_least(sent: int | None, one: Mapping[str, Any]) -> int | None:
    return None if sent is None else max(sent, one["day_bounces"] + one["day_complaints"])
