"""The life of a subscription: what Gumroad's API says of it is carried out, each change once and each with its event."""

from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

from accounts import actions as people
from audit.actions import record
from billing.models import Subscription
from billing.offer import check_email, check_product, plan_bought
from billing.puzzle import Puzzle, solved
from billing.standing import Standing, standing
from clients.gumroad import Sale, Subscriber
from servers import actions as fleet
from servers.models import Server
from servers.plans import PLANS

Status = Subscription.Status
SAME_END = timedelta(hours=1)  # nobody comes back and leaves again within so little


def take_turn(gumroad_id: str) -> bool:
    """Whether the caller's transaction alone may ask and write about this subscription; else somebody else is at it.

    To be taken before Gumroad is asked, and held until the commit: so an older answer never overwrites a newer one.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [f"gumroad:{gumroad_id}"])
        return bool(cursor.fetchone()[0])


@transaction.atomic
def apply_subscriber(*, subscriber: Subscriber, sale: Sale | None = None, by: str) -> Subscription:
    """Brings our row to where the subscription stands; `sale` is needed for one that we do not know. Raises Puzzle."""
    check_product(subscriber.product_id)
    now = timezone.now()
    stands = standing(subscriber, now=now)
    row = Subscription.objects.select_for_update().filter(gumroad_id=subscriber.id).first()
    if row:
        _move(row, stands, by)
    else:
        row = _begin(subscriber, sale, stands, by)
    row.email = subscriber.email or row.email
    row.recurrence = subscriber.recurrence[:20] or row.recurrence
    row.checked_at = now
    row.save()
    solved(f"subscription:{subscriber.id}")
    return row


def _begin(subscriber: Subscriber, sale: Sale | None, stands: Standing, by: str) -> Subscription:
    if sale is None:
        raise _nothing_sold(subscriber)
    email, plan = check_email(sale), plan_bought(sale)
    row = Subscription(
        gumroad_id=subscriber.id,
        account=people.ensure_account(email=email, name=sale.name[:120], by=by),
        email=email,
        plan=plan.key,
        began_at=subscriber.created_at or sale.created_at or timezone.now(),
        charged_at=sale.created_at,
    )
    _stand(row, stands)
    row.save(force_insert=True)
    _record("began", row, by, plan=plan.key, status=row.status)
    if row.status != Status.ENDED:
        _welcome(row, by)
    return row


def _nothing_sold(subscriber: Subscriber) -> Puzzle:
    return Puzzle(
        f"Nothing that counts was sold in the subscription {subscriber.id}.",
        advice="A test purchase by the seller looks like this, and then nothing is to be done. "
        "Otherwise look at the subscription at Gumroad, then read the ping again.",
        about=f"subscription:{subscriber.id}",
    )


def _welcome(row: Subscription, by: str, instead_of: Server | None = None) -> None:
    """The way in, once however often this is said; and once more where a server was lost and another one is to be made."""
    again = f":{instead_of.pk}" if instead_of else ""
    people.invite_in(
        email=row.email,
        account=row.account,
        kind="welcome",
        key=f"welcome:{row.pk}{again}",
        goes_to=f"/servers/new?subscription={row.pk}",
        by=by,
        plan=PLANS[row.plan].name,
    )


def _move(row: Subscription, stands: Standing, by: str) -> None:
    """Carries out the difference between where it stood and where it stands now."""
    announced = row.ends_at
    match row.status, stands.status:
        case Status.ENDED, Status.ENDED:
            if _is_another_end(announced, stands.ends_at):
                _come_back(row, by)
                _end(row, stands, by)
        case _, Status.ENDED:
            _end(row, stands, by)
        case Status.ENDED, _:
            _stand(row, stands)
            _come_back(row, by)
        case _, Status.ENDING:
            _stand(row, stands)
            if announced != row.ends_at:
                _record("ending", row, by, ends_at=_iso(row.ends_at))
        case Status.ENDING, Status.ALIVE:
            _stand(row, stands)
            _record("resumed", row, by)


def _is_another_end(before: datetime | None, now: datetime | None) -> bool:
    """It came back and ended again while we did not look, so the days until the deletion count anew."""
    return bool(before and now and now - before > SAME_END)


def _end(row: Subscription, stands: Standing, by: str) -> None:
    _stand(row, stands)
    _record("ended", row, by, ended_at=_iso(row.ended_at), reason=row.ended_reason)
    solved(f"plan:{row.gumroad_id}", f"announced:{row.gumroad_id}")
    if row.server and row.ended_at:
        fleet.schedule_destruction(server=row.server, ended_at=row.ended_at, reason=row.ended_reason, by=by)


def _come_back(row: Subscription, by: str) -> None:
    """The server stays if its destruction has not begun; if it has, the customer makes a new one."""
    _record("resumed", row, by, ends_at=_iso(row.ends_at if row.status == Status.ENDING else None))
    before = row.server
    if before and not fleet.keep_server(server=before, by=by):
        _record("server_lost", row, by, server=str(before.pk), name=before.name)
        row.server = None
    if row.server is None and row.status != Status.ENDED:
        _welcome(row, by, instead_of=before)


def _stand(row: Subscription, stands: Standing) -> None:
    row.status, row.ends_at = stands.status, stands.ends_at
    row.ended_at, row.ended_reason = stands.ended_at, stands.reason


@transaction.atomic
def apply_sale(*, subscription: Subscription, sale: Sale, by: str) -> None:
    """Takes note of a newer charge's plan; one that we know says nothing new. Raises Puzzle if a server would have to change."""
    row = Subscription.objects.select_for_update(of=["self"]).select_related("server").get(pk=subscription.pk)
    if row.charged_at and sale.created_at and sale.created_at <= row.charged_at:
        return
    plan = plan_bought(sale)
    if plan.key != row.plan:
        _change_plan(row, plan.key, by)
    row.charged_at = sale.created_at or row.charged_at
    row.save(update_fields=["plan", "charged_at"])
    solved(f"plan:{row.gumroad_id}", f"announced:{row.gumroad_id}")


def _change_plan(row: Subscription, plan: str, by: str) -> None:
    """Free while no server was made of the old plan; a server is not moved by what stands in a sale."""
    server = row.server
    if server and not server.gone_at:
        raise Puzzle(
            f"{row.email} now pays for “{plan}”, but the server {server.name} was made for “{row.plan}”.",
            advice="Move the server to the other plan by hand, set the subscription's plan, then read the ping again.",
            about=f"plan:{row.gumroad_id}",
        )
    _record("plan_changed", row, by, before=row.plan, plan=plan)
    row.plan = plan


def _record(what: str, row: Subscription, by: str, **facts: str | None) -> None:
    record(f"subscription.{what}", by=by, account=row.account_id, subject=row.subject, **facts)


def _iso(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds") if at else None
