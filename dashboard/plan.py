"""The plan of a server, as its page tells it: what it is, what is paid, what comes next and when, and whether all fits."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.models import Subscription
from dashboard import figures, rebuild
from dashboard.shop import kept, manage_link
from servers import plan_changes, progress
from servers.desired import host_name
from servers.models import PlanChange, Server
from servers.plans import PLANS, Plan

State = PlanChange.State
SHOWN_FOR = timedelta(days=14)  # what came of the last change


@dataclass(frozen=True)
class Choice:
    """A plan beside that of the server; `lacks` says what would not fit, each with what to do."""

    plan: Plan
    is_now: bool
    is_paid: bool
    is_smaller: bool
    lacks: list[str]

    @property
    def backups(self) -> str:
        return kept(self.plan.backups_kept)


@dataclass(frozen=True)
class Planned:
    """A server's plan, the last change of it or none, and what was paid for."""

    server: Server
    row: PlanChange | None
    subscription: Subscription | None

    @property
    def host(self) -> str:
        return host_name(self.server)

    @property
    def plan(self) -> Plan:
        return PLANS[self.server.plan]

    @property
    def paid(self) -> Plan | None:
        return PLANS.get(self.subscription.plan) if self.subscription else None

    @property
    def manage(self) -> str:
        return manage_link(self.subscription.gumroad_id) if self.subscription else ""

    @property
    def announced(self) -> Plan | None:
        """What Gumroad will charge for next, where that is another plan; nothing happens before the charge."""
        row = self.subscription
        return PLANS.get(row.next_plan) if row and row.next_plan not in ("", row.plan) else None

    @property
    def change(self) -> PlanChange | None:
        """The one that is to come or is under way."""
        return self.row if self.row and self.row.finished_at is None else None

    @property
    def after(self) -> Plan | None:
        return PLANS[self.row.after] if self.row else None

    @property
    def is_waiting(self) -> bool:
        return self.change is not None and self.change.state == State.WAITING

    @property
    def is_under_way(self) -> bool:
        return self.change is not None and self.change.state == State.UNDER_WAY

    @property
    def is_smaller(self) -> bool:
        return self.row is not None and plan_changes.is_smaller(self.row)

    @property
    def outcome(self) -> PlanChange | None:
        """The last change, while it is news."""
        row = self.row
        is_news = row and row.finished_at and row.finished_at > timezone.now() - SHOWN_FOR
        return row if row and is_news and row.state == State.DONE else None

    @property
    def why(self) -> str:
        """What kept it last, in words."""
        return says(self.change.why) if self.change else ""

    @cached_property
    def steps(self) -> list[progress.Progress]:
        if not self.is_under_way:
            return []
        return rebuild.steps_of(self.server) if self.is_smaller else progress.of(self.server, "Resize")

    @property
    def lacks(self) -> list[str]:
        """What does not fit the plan that is to come."""
        return lacks(self.server, self.row.after) if self.row and self.is_smaller else []

    @cached_property
    def choices(self) -> list[Choice]:
        return [self._choice(plan) for plan in PLANS.values()]

    def _choice(self, plan: Plan) -> Choice:
        smaller = plan.disk_gb < self.plan.disk_gb
        missing = lacks(self.server, plan.key) if smaller else []
        return Choice(plan, plan == self.plan, plan == self.paid, smaller, missing)

    @property
    def last_day(self) -> datetime | None:
        """Until when it can be put off."""
        return self.change.wanted_at + plan_changes.PUT_OFF if self.change else None

    @property
    def days(self) -> list[tuple[str, str]]:
        """The days that can be chosen, in the reader's zone."""
        if self.last_day is None:
            return []
        first, last = timezone.localdate(), timezone.localtime(self.last_day).date()
        all_days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        return [(day.isoformat(), date_format(day, "l j F")) for day in all_days]

    @property
    def chosen_day(self) -> str:
        return timezone.localtime(self.change.at).date().isoformat() if self.change else ""

    @property
    def chosen_hour(self) -> int:
        return timezone.localtime(self.change.at).hour if self.change else 0

    @property
    def hours(self) -> list[tuple[int, str]]:
        return [(hour, f"{hour:02d}:00") for hour in range(24)]


def planned(server: Server) -> Planned:
    """Of a server read with its subscription."""
    row = PlanChange.objects.filter(server=server).exclude(state=State.WITHDRAWN).order_by("-id").first()
    return Planned(server, row, getattr(server, "subscription", None))


def lacks(server: Server, plan: str) -> list[str]:
    """What would have to go before the server is one of that plan, with figures."""
    fit, found = plan_changes.fit(server, plan), []
    if fit.stored is None:
        return [_("It has not told yet how much it holds.")]
    if fit.too_many:
        said = {"has": fit.mailboxes, "most": fit.most_mailboxes, "over": fit.too_many}
        found.append(
            ngettext(
                "It has %(has)d mailboxes, and the plan has %(most)d. Remove %(over)d.",
                "It has %(has)d mailboxes, and the plan has %(most)d. Remove %(over)d of them.",
                fit.too_many,
            )
            % said
        )
    if fit.stored_over:
        size = _sizes(fit.stored, fit.most_stored, fit.stored_over)
        found.append(
            _("%(has)s of mail are stored, and %(most)s fit with room to spare. Delete %(over)s.") % size
        )
    if fit.promised_over:
        size = _sizes(fit.promised, fit.most_promised, fit.promised_over)
        found.append(
            _("The mailboxes may grow to %(has)s together, and %(most)s fit. Lower their sizes by %(over)s.")
            % size
        )
    return found


def _sizes(has: int, most: int, over: int) -> dict[str, str]:
    return {"has": figures.size(has), "most": figures.size(most), "over": figures.size(over)}


def says(code: str) -> str:
    """What kept a change of plan, in a customer's words."""
    words = {
        "sold_out": _("The data centre had no such machine free, so the machine runs as it was."),
        "provider": _("The provider did not answer as it should, so the machine runs as it was."),
        "backup": _("The server could not be backed up just before, so nothing was touched."),
        "silent": _("The server does not report at the moment, so it is left alone."),
        "ending": _("The subscription has ended. Nothing changes unless you come back."),
        "being_made": _("The server is still being made."),
        "moves": _("The server moves to another machine, which is finished first."),
        "no_room": _("What it holds does not fit the smaller plan, so nothing was moved or deleted."),
        "no_point": _("There is no restore point yet from which it could move."),
        "went_back": _("The move was taken back, so it is on its old machine."),
        "machine_gone": _("The provider did not know its machine. Our staff have been told."),
    }
    return words.get(code, "")
