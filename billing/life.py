"""The life of a subscription: what Gumroad's API says of it is carried out, each change once and each with its event.

What a sale says of plan and money is billing/charges.py's.
"""

from datetime import datetime

from django.db import connection, transaction
from django.utils import timezone

from accounts import actions as people
from billing import charges, keeping
from billing.events import iso, note
from billing.models import Subscription
from billing.offer import check_email, check_product, plan_bought
from billing.puzzle import Puzzle, solved
from billing.standing import Standing, standing
from clients.gumroad import Sale, Subscriber
from servers import actions as fleet
from servers.desired import host_name
from servers.models import Server
from servers.plans import PLANS

Status = Subscription.Status


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
    row = Subscription.objects.select_for_update(of=["self"]).filter(gumroad_id=subscriber.id).first()
    if row:
        lived_again = charges.tells_of_a_return(row, sale)
        if sale:
            charges.see_money(row, sale, by)
        _move(row, charges.after_policy(row, stands), by, lived_again=lived_again)
    else:
        row = _begin(subscriber, sale, stands, by)
    row.gumroad_email = subscriber.email or row.gumroad_email
    row.recurrence = subscriber.recurrence[:20] or row.recurrence
    row.checked_at = now
    row.save()
    solved(f"subscription:{subscriber.id}", f"unasked:{subscriber.id}")
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
    charges.see_money(row, sale, by)
    _stand(row, charges.after_policy(row, stands))
    row.save(force_insert=True)
    note("began", row, by, plan=plan.key, status=row.status)
    if row.status != Status.ENDED:
        _welcome(row, by)
    return row


def _nothing_sold(subscriber: Subscriber) -> Puzzle:
    return Puzzle.of("nothing_sold", about=f"subscription:{subscriber.id}", subscription=subscriber.id)


def _welcome(row: Subscription, by: str, instead_of: Server | None = None) -> None:
    """The way in, once however often this is said; and once more where a server was lost and another one is to be made.

    It leads to the server that waits for its deletion, if there is one: whoever buys anew may have come to keep it.
    """
    again = f":{instead_of.pk}" if instead_of else ""
    kept = keeping.only_ending(row.account)
    way = f"/servers/{kept.pk}/keep" if kept else "/servers/new"
    people.invite_in(
        email="" if instead_of else row.email,  # later on it is the owners whom the account has then
        account=row.account,
        kind="welcome",
        key=f"welcome:{row.pk}{again}",
        goes_to=f"{way}?subscription={row.pk}",
        by=by,
        plan=PLANS[row.plan].name,
        keeps=host_name(kept) if kept else "",
    )


def _move(row: Subscription, stands: Standing, by: str, *, lived_again: bool) -> None:
    """Carries out the difference between where it stood and where it stands now.

    What has ended and came back and ended again while we did not look has its days anew. But a dispute moves the end of
    what had ended long before, and gives nobody more time: without a sign of life the first end counts.
    """
    announced = row.ends_at
    match row.status, stands.status:
        case Status.ENDED, Status.ENDED:
            if lived_again and _is_later(announced, stands.ends_at):
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
                note("ending", row, by, ends_at=iso(row.ends_at))
        case Status.ENDING, Status.ALIVE:
            _stand(row, stands)
            note("resumed", row, by)


def _is_later(before: datetime | None, now: datetime | None) -> bool:
    return bool(before and now and now > before)


def _end(row: Subscription, stands: Standing, by: str) -> None:
    _stand(row, stands)
    note("ended", row, by, ended_at=iso(row.ended_at), reason=row.ended_reason)
    charges.forget_wishes(row)
    if row.server and row.ended_at:
        fleet.schedule_destruction(server=row.server, ended_at=row.ended_at, reason=row.ended_reason, by=by)


def _come_back(row: Subscription, by: str) -> None:
    """The server stays if its destruction has not begun; if it has, the customer makes a new one."""
    note("resumed", row, by, ends_at=iso(row.ends_at if row.status == Status.ENDING else None))
    before = row.server
    if before and not fleet.keep_server(server=before, by=by):
        note("server_lost", row, by, server=str(before.pk), name=before.name)
        row.server = None
    if row.server is None and row.status != Status.ENDED:
        _welcome(row, by, instead_of=before)
    charges.fit(row, by)


def _stand(row: Subscription, stands: Standing) -> None:
    row.status, row.ends_at = stands.status, stands.ends_at
    row.ended_at, row.ended_reason = stands.ended_at, stands.reason
