"""What a charge says: the plan that is paid for, whether its money went back, and what was announced for the next one."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from billing import policy
from billing.events import iso, note
from billing.models import Subscription
from billing.offer import names, plan_bought, plan_named
from billing.policy import Then
from billing.puzzle import Puzzle, solved
from billing.standing import Standing
from clients.gumroad import Sale
from servers import actions as fleet
from servers import resizing

Returned, Status = Subscription.Returned, Subscription.Status
EARLY = timedelta(hours=12)  # a renewal within so little of the announced moment is the announced one


@transaction.atomic
def apply_sale(*, subscription: Subscription, sale: Sale, by: str) -> None:
    """The plan of the newest charge is what is paid for; an older charge says nothing new. Raises Puzzle."""
    row = Subscription.objects.select_for_update(of=["self"]).select_related("server").get(pk=subscription.pk)
    if not _is_newer(row, sale):
        return
    plan, before = plan_bought(sale).key, row.plan
    row.plan, row.charged_at = plan, sale.created_at
    row.next_plan, row.next_plan_at = "", None
    row.save(update_fields=["plan", "charged_at", "next_plan", "next_plan_at"])
    solved(f"announced:{row.gumroad_id}")
    if plan != before:
        note("plan_changed", row, by, before=before, plan=plan)
        if row.server and not row.server.gone_at:
            fleet.look_again(server=row.server)
    fit(row, by, always=plan != before)


def _is_newer(row: Subscription, sale: Sale) -> bool:
    return not row.charged_at or bool(sale.created_at and sale.created_at > row.charged_at)


def fit(row: Subscription, by: str, *, always: bool = False) -> None:
    """Wishes that the server be of the plan that is paid for; `always` also where it is, which withdraws another wish."""
    server = row.server
    if server is None or server.gone_at or row.status == Status.ENDED:
        return
    if always or server.plan != row.plan:
        resizing.want_plan(server=server, plan=row.plan, by=by)


@transaction.atomic
def announce(*, subscription: Subscription, tier: str, instead_of: str, at: datetime | None, by: str) -> None:
    """Keeps what Gumroad announces for the page; nothing else follows before it is charged. Raises Puzzle.

    A ping bears no time of its own. So one that names another plan than the present one as the old one, or a moment at
    which there has been a charge since, is an old story.
    """
    row = Subscription.objects.select_for_update(of=["self"]).get(pk=subscription.pk)
    plan, old = plan_named(tier), plan_named(instead_of)
    if row.status == Status.ENDED or _is_past(row, at) or (old and old.key != row.plan):
        return
    if plan is None:
        about = f"announced:{row.gumroad_id}"
        raise Puzzle.of("announced", about=about, email=row.email, tier=tier, plans=names())
    new = (plan.key, at) if plan.key != row.plan else ("", None)
    if (row.next_plan, row.next_plan_at) != new:
        row.next_plan, row.next_plan_at = new
        row.save(update_fields=["next_plan", "next_plan_at"])
        note("plan_announced", row, by, plan=plan.key, at=iso(at))
    solved(f"announced:{row.gumroad_id}")


def _is_past(row: Subscription, at: datetime | None) -> bool:
    return bool(at and row.charged_at and row.charged_at > at - EARLY)


def forget_wishes(row: Subscription) -> None:
    """What has ended has no next plan, and no money that somebody should end it for; the caller saves."""
    row.next_plan, row.next_plan_at = "", None
    solved(f"announced:{row.gumroad_id}")
    if row.ended_reason != Returned.REFUNDED:
        solved(f"{Returned.REFUNDED}:{row.gumroad_id}")


def tells_of_a_return(row: Subscription, sale: Sale | None) -> bool:
    """Whether it has lived since we asked last: it was charged again, or the bank gave back what was disputed.

    To be asked before `see_money`.
    """
    if sale is None or _is_older(row, sale):
        return False
    return _is_newer(row, sale) or row.returned == Returned.DISPUTED != returned(sale)


def _is_older(row: Subscription, sale: Sale) -> bool:
    return bool(row.charged_at and (sale.created_at is None or sale.created_at < row.charged_at))


def see_money(row: Subscription, sale: Sale, by: str) -> None:
    """Whether the newest charge's money is still ours; the caller saves, and then asks `after_policy`."""
    word = returned(sale)
    if _is_older(row, sale) or word == row.returned:
        return
    row.returned, row.returned_at = word, timezone.now() if word else None
    note("money_returned" if word else "money_kept", row, by, what=word or None, sale=sale.id)
    solved(*(f"{one}:{row.gumroad_id}" for one in Returned.values))
    if word and policy.then(word) != Then.NOTHING:
        rule = policy.RETURNS[Returned(word)]
        says = rule.says.format(email=row.email)
        Puzzle(says, advice=rule.advice, about=f"{word}:{row.gumroad_id}").tell(row.subject)


def see_older(row: Subscription, told: Sale | None, newest: Sale | None) -> None:
    """Staff hear of a dispute of an earlier charge as well, for Gumroad ends the subscription with it."""
    if told is None or newest is None or told.received or told.id == newest.id:
        return
    about = f"{Returned.DISPUTED}:{row.gumroad_id}:{told.id}"
    if returned(told) != Returned.DISPUTED:
        solved(about)
    elif policy.then(Returned.DISPUTED) != Then.NOTHING:
        Puzzle.of("older_dispute", about=about, email=row.email, sale=told.id).tell(row.subject)


def returned(sale: Sale) -> str:
    """What became of this charge's money, one of Subscription.Returned, or nothing."""
    if sale.disputed and not sale.dispute_won:
        return Returned.DISPUTED
    return Returned.REFUNDED if sale.refunded else ""


def after_policy(row: Subscription, stands: Standing) -> Standing:
    """Where it stands if money that went back ends it; else where Gumroad says."""
    ends = bool(row.returned) and policy.then(row.returned) == Then.END
    is_earlier = stands.ended_at and row.returned_at and stands.ended_at <= row.returned_at
    if not ends or is_earlier:
        return stands
    return Standing(Status.ENDED, row.returned_at, row.returned_at, row.returned)
