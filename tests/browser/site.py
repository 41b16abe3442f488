"""Every page that there is to look at, each with what must be in the database for it."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.models import Account, Membership, User
from audit.actions import record
from audit.models import Receipt
from billing.models import Subscription
from servers.models import Server
from tests.browser.backup_site import BACKUP_SIGHTS
from tests.browser.export_site import EXPORT_SIGHTS
from tests.browser.mail_site import MAIL_SIGHTS
from tests.browser.people_site import PEOPLE_SIGHTS
from tests.browser.plan_site import PLAN_SIGHTS
from tests.browser.rebuild_site import REBUILD_SIGHTS
from tests.browser.sight import Sight
from tests.dashboard import backups_world, mail_world, world


def landing(account: Account, user: User) -> str:
    return "/"


def sign_in(account: Account, user: User) -> str:
    return "/sign-in?next=/overview"


def plans(account: Account, user: User) -> str:
    return "/plans"


def overview_empty(account: Account, user: User) -> str:
    return "/overview"


def overview_first_step(account: Account, user: User) -> str:
    world.subscription(account, plan="plus")
    return "/overview"


def overview(account: Account, user: User) -> str:
    post = mail_world.serving(account)
    backups_world.hourly(backups_world.repository(post), 2)
    for one in (
        post,
        world.silent(account, "quiet"),
        world.being_made(account, "fresh"),
        world.ending(account, "leaving"),
        world.running(
            account,
            "a-rather-long-name-that-somebody-chose",
            disk_used=39_000_000_000.0,
            disk_total=40_000_000_000.0,
        ),
    ):
        world.subscription(account, one)
    return "/overview"


def new_server(account: Account, user: User) -> str:
    world.subscription(account, plan="plus")
    return "/servers/new"


def being_made(account: Account, user: User) -> str:
    one = world.being_made(account)
    world.subscription(account, one)
    return f"/servers/{one.pk}"


def sold_out(account: Account, user: User) -> str:
    one = world.being_made(
        account, step="order_machine", args={"sold_out": True}, tries=4, error="503 from Hetzner"
    )
    world.subscription(account, one)
    return f"/servers/{one.pk}"


def running(account: Account, user: User) -> str:
    server = Server.objects.get(pk=backups_world.firm(account).home)
    world.measured(server, 60, leave_out=range(22, 31))
    mail_world.flown(server)
    world.subscription(account, server)
    return f"/servers/{server.pk}"


def fresh_charts(account: Account, user: User) -> str:
    one = world.running(account, services={"postfix.service": "failed", "cron.service": "active"})
    world.subscription(account, one)
    return f"/servers/{one.pk}"


def ending(account: Account, user: User) -> str:
    one = world.ending(account)
    world.measured(one, 30)
    world.subscription(account, one, status="ended", ended_at=timezone.now() - timedelta(days=1.8))
    return f"/servers/{one.pk}"


def keep(account: Account, user: User) -> str:
    one = world.ending(account)
    world.subscription(account, one, status="ended", ended_at=timezone.now() - timedelta(days=2))
    world.subscription(account, plan="plus")
    return f"/servers/{one.pk}/keep"


def being_deleted(account: Account, user: User) -> str:
    return f"/servers/{world.being_deleted(account).pk}"


def gone(account: Account, user: User) -> str:
    return f"/servers/{world.gone(account).pk}"


def billing(account: Account, user: User) -> str:
    now = timezone.now()
    world.gone(account)
    world.subscription(account, world.running(account))
    world.subscription(
        account, world.running(account, "office"), status="ending", ends_at=now + timedelta(days=9)
    )
    world.subscription(account, world.ending(account), status="ended", ended_at=now - timedelta(days=2))
    return "/billing"


def billing_empty(account: Account, user: User) -> str:
    return "/billing"


def receipt(account: Account, user: User) -> str:
    return f"/receipts/{Receipt.objects.get(subject=world.gone(account).subject).pk}"


def activity(account: Account, user: User) -> str:
    one = world.running(account)
    me = f"user:{user.pk}"
    facts: dict[str, Any] = {"account": account.pk, "subject": one.subject}
    record("account.opened", by="gumroad", account=account.pk)
    record("subscription.began", by="gumroad", account=account.pk, plan="basic")
    record("person.signed_in", by=me, account=account.pk, how="link")
    record("server.wanted", by=me, name="post", place="fsn1", plan="basic", **facts)
    record("server.machine_ordered", by="program:Provision", type="cx23", **facts)
    record("agent.enrolled", by="agent", **facts)
    record("server.ready", by="program:Provision", **facts)
    record("server.late", by="clock", **facts)
    record("server.heard_again", by="clock", **facts)
    return "/activity"


def account_page(account: Account, user: User) -> str:
    User.objects.filter(pk=user.pk).update(name="Alice")
    other = Account.objects.create(name="The choir of Saint Cecilia")
    Membership.objects.create(account=other, user=user, role=Membership.Role.MEMBER)
    bob = User.objects.create_user("bob@example.test")
    Membership.objects.create(account=account, user=bob, role=Membership.Role.MEMBER)
    return "/account"


def nothing_waits(account: Account, user: User) -> str:
    world.subscription(account, status=Subscription.Status.ENDED)
    return "/servers/new"


def a_member_makes_none(account: Account, user: User) -> str:
    Membership.objects.filter(account=account, user=user).update(role=Membership.Role.MEMBER)
    return "/servers/new"


def not_found(account: Account, user: User) -> str:
    return "/nowhere"


SIGHTS = [
    Sight("landing", landing, signed_in=False),
    Sight("plans", plans, signed_in=False),
    Sight("sign-in", sign_in, signed_in=False),
    Sight("overview", overview),
    Sight("overview-empty", overview_empty),
    Sight("overview-first-step", overview_first_step),
    Sight("new-server", new_server),
    Sight("nothing-waits", nothing_waits),
    Sight("a-member-makes-none", a_member_makes_none),
    Sight("being-made", being_made),
    Sight("sold-out", sold_out),
    Sight("server", running),
    Sight("server-attention", fresh_charts),
    Sight("ending", ending),
    Sight("keep", keep),
    Sight("being-deleted", being_deleted),
    Sight("gone", gone),
    Sight("billing", billing),
    Sight("billing-empty", billing_empty),
    Sight("receipt", receipt),
    Sight("activity", activity),
    Sight("account", account_page),
    Sight("not-found", not_found, signed_in=False),
    *MAIL_SIGHTS,
    *BACKUP_SIGHTS,
    *REBUILD_SIGHTS,
    *PLAN_SIGHTS,
    *EXPORT_SIGHTS,
    *PEOPLE_SIGHTS,
]
