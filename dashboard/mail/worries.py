"""What owners are told of their account at Amazon, as the pages say it: worst first, since when, and what to do."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dashboard.mail.assistant import Found
from dashboard.mail.told import Verdict
from domains.models import Mailbox
from sending import rates, slowing, worry_letters
from sending.models import Worry
from sending.rates import Met

ORDER = ("paused", "key_stopped", "domain", "review", "rates", "quota", "key_old")  # the worst first
OF_THE_KEY = "key_old"  # stands beside the key, and is no trouble


@dataclass(frozen=True)
class Line:
    """`keeps_mail` is whether mail does not leave while it lasts."""

    home: UUID
    kind: str
    says: str
    todo: str
    since: datetime
    keeps_mail: bool
    domain: UUID | None = None  # whose records they are

    @property
    def word(self) -> str:
        return "bad" if self.keeps_mail else "warn"


@dataclass(frozen=True)
class Culprit:
    """A sender whose mail came back or was complained of; `mailbox` is None where it is none of the server's."""

    address: str
    says: str
    mailbox: Mailbox | None


def lines_of(homes: Collection[UUID]) -> list[Line]:
    """Of these servers, what was told and lasts, the worst first."""
    rows = Worry.objects.filter(home__in=homes, over_at=None).exclude(told_at=None).order_by("began_at", "pk")
    return sorted(
        (_line(row) for row in rows), key=lambda line: (not line.keeps_mail, ORDER.index(line.kind))
    )


def worst_of(homes: Collection[UUID]) -> dict[UUID, Line]:
    """For each server that has one, the one to be said in a line; an old key is none of them."""
    worst: dict[UUID, Line] = {}
    for line in lines_of(homes):
        if line.kind != OF_THE_KEY:
            worst.setdefault(line.home, line)
    return worst


def _line(row: Worry) -> Line:
    kind, _colon, thing = row.code.partition(":")
    return Line(
        home=row.home,
        kind=kind,
        says=worry_letters.says(row.code, row.facts),
        todo=worry_letters.advice(row.code, row.facts),
        since=row.began_at,
        keeps_mail=worry_letters.keeps_mail(row.code, row.facts),
        domain=UUID(thing) if kind == "domain" else None,
    )


def context_of(found: Found) -> dict[str, Any]:
    """What the assistant's page shows; what Amazon refuses just now stands there in full already."""
    if found.in_use is None:
        return {"worries": [], "worried": set(), "rates": None, "key_age": None}
    lines = lines_of([found.server.pk])
    stopped = bool(found.standing and found.standing.trouble)
    shown = [one for one in lines if one.kind != OF_THE_KEY and not (stopped and one.kind == "key_stopped")]
    return {
        "worries": shown,
        "worried": {one.kind for one in shown},
        "rates": rates_of(found),
        "key_age": _age((timezone.now() - found.in_use.added_at).days),
    }


def _age(days: int) -> str:
    if days < 1:
        return _("less than a day")
    return ngettext("%d day", "%d days", days) % days


def rates_of(found: Found) -> Mapping[str, Any]:
    """Figures with their base, beside Amazon's lines, and who caused them."""
    met = rates.rates_of(found.server.pk)
    spans = ((_("Last 24 hours"), met.day), (_("Last 7 days"), met.week))
    return {
        "bounces": [(name, bounced(one)) for name, one in spans],
        "complaints": [(name, complained(one)) for name, one in spans],
        "culprits": _culprits(found, met.senders),
        "heard": met.heard,
        "read_at": met.read_at,
        "own": _own_lines(),
    }


def _own_lines() -> dict[str, str]:
    """From where on a mailbox is slowed."""
    return {
        "bounces": f"{slowing.BOUNCE_SHARE:.0%}".replace("%", " %"),
        "complaints": f"{slowing.COMPLAINT_SHARE:.2%}".replace("%", " %"),
        "least_bounces": str(slowing.BOUNCES),
        "least_complaints": str(slowing.COMPLAINTS),
    }


def bounced(met: Met) -> Verdict:
    return _verdict(met.bounces, met.sent, slowing.BOUNCES, slowing.BOUNCE_SHARE, rates.BOUNCES_LOOKED_AT)


def complained(met: Met) -> Verdict:
    return _verdict(
        met.complaints, met.sent, slowing.COMPLAINTS, slowing.COMPLAINT_SHARE, rates.COMPLAINTS_LOOKED_AT
    )


def _verdict(count: int, sent: int | None, least: int, own: float, amazons: float) -> Verdict:
    """A few among few say nothing; what nobody counted has no share."""
    if sent is None:
        says = _("%(n)s. Of how many recipients is not known, because Amazon was not asked all that time.")
        return Verdict("unknown", says % {"n": f"{count:,}"})
    if not sent:
        return Verdict("unknown", _("Nothing was sent."))
    facts = {"n": f"{count:,}", "all": f"{sent:,}", "share": f"{100 * count / sent:.2f}"}
    says = ngettext("%(n)s of %(all)s recipient", "%(n)s of %(all)s recipients", sent) % facts
    share = count / sent
    if count < least and (share >= own or sent * amazons < least):
        return Verdict("unknown", _("%s. That is too little mail to say anything of the share.") % says)
    word = "good" if share < own else "warn" if share < amazons else "bad"
    return Verdict(word, _("%(says)s, which is %(share)s %%.") % {**facts, "says": says})


def _culprits(found: Found, senders: list[rates.Sender]) -> list[Culprit]:
    own = Mailbox.objects.living().filter(domain__in=found.domains).select_related("domain")
    known = {
        one.address: one for one in own.filter(local__in=[one.address.partition("@")[0] for one in senders])
    }
    return [Culprit(one.address, _caused(one), known.get(one.address)) for one in senders]


def _caused(one: rates.Sender) -> str:
    """The week is counted without a base, for a server counts what a mailbox sends in a day."""
    facts = {
        "bounces": one.day.bounces,
        "complaints": one.day.complaints,
        "sent": f"{one.day.sent:,}" if one.day.sent is not None else "",
        "week_bounces": one.week.bounces,
        "week_complaints": one.week.complaints,
    }
    if one.day.sent is None:
        day = _("in the last 24 hours %(bounces)d do not exist and %(complaints)d complained")
    else:
        day = _(
            "of %(sent)s recipients in the last 24 hours %(bounces)d do not exist and %(complaints)d complained"
        )
    return (day + _("; in 7 days %(week_bounces)d and %(week_complaints)d")) % facts
