"""What may be asked about the plan of a server: another one, at another time."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from engine import actions as engine
from servers import plan_changes
from servers.models import PlanChange, Server
from servers.plan_changes import PUT_OFF, iso, living, note, tell
from servers.plans import PLANS
from servers.programs.resize import Resize

State = PlanChange.State


class CannotChange(ValueError):
    """That time cannot be; the text says why, for people."""


@transaction.atomic
def want_plan(*, server: Server, plan: str, by: str) -> PlanChange | None:
    """The server is to be one of this plan, in its next window; None where it is already or is gone.

    Saying so again changes nothing; saying the plan that it is of withdraws what has not begun. KeyError for no plan.
    """
    kind = PLANS[plan]
    server = Server.objects.select_for_update().select_related("account").get(pk=server.pk)
    row = living(server)
    if server.gone_at:
        return None
    if row and row.state == State.UNDER_WAY:
        return _follow(row, kind.key)
    if kind.key == server.plan:
        _withdraw(server, row, by)
        return None
    if row and (row.before, row.after) == (server.plan, kind.key):
        return row
    return _plan(server, row, kind.key, by)


def _follow(row: PlanChange, plan: str) -> PlanChange:
    """What is under way is ended first."""
    row.following = "" if plan == row.after else plan
    row.save(update_fields=["following"])
    return row


def _withdraw(server: Server, row: PlanChange | None, by: str) -> None:
    if row is None:
        return
    _end(server, row)
    note(server, "plan_change_withdrawn", by, before=row.before, after=row.after)
    tell(server, "plan_stays", str(row.pk), plan=PLANS[server.plan].name)


def _end(server: Server, row: PlanChange) -> None:
    PlanChange.objects.filter(pk=row.pk).update(state=State.WITHDRAWN, finished_at=timezone.now())
    engine.stop(Resize, subject=server.subject)


def _plan(server: Server, row: PlanChange | None, after: str, by: str) -> PlanChange:
    """One that waited for another plan ends, so that each row tells one story."""
    if row:
        _end(server, row)
    change = plan_changes.plan(server, after, by)
    engine.start(Resize, subject=server.subject)
    return change


@transaction.atomic
def set_time(*, server: Server, at: datetime | None, by: str) -> PlanChange:
    """The change begins then, or now where `at` is None. Raises CannotChange with a sentence for people."""
    server = Server.objects.select_for_update().get(pk=server.pk)
    row, now = living(server), timezone.now()
    if row is None or row.state != State.WAITING:
        raise CannotChange(_("It has begun already, or is not wanted any more."))
    if at and at < now:
        raise CannotChange(_("That time is over."))
    if at and at > row.wanted_at + PUT_OFF:
        raise CannotChange(_("It can be put off by at most 14 days from the day on which it was paid."))
    row.at, row.chosen = at or now, True
    row.save(update_fields=["at", "chosen"])
    note(server, "plan_change_time_set", by, begins_at=iso(row.at))
    engine.wake(subject=server.subject, program=Resize)
    return row
