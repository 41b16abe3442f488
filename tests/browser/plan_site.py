"""The pages of a plan, of an end and of suspended sending, with what must be in the database for them."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.models import Account, User
from billing.models import Subscription
from domains.models import Domain, Mailbox
from engine.models import Run
from servers import actions, resizing
from servers.models import Agent, PlanChange, Server
from tests.browser.sight import Sight
from tests.dashboard import world

GB = 10**9
STEPS = ("wait_window", "back_up", "wait_backup", "begin", "turn_off", "wait_off", "change_type")


def _server(account: Account, plan: str = "basic", stored: int = 9 * GB, **subscription: Any) -> Server:
    server = world.running(account, mail={"mailboxes": {"anna@firm.test": [stored, 900, 0]}})
    Server.objects.filter(pk=server.pk).update(machine_id=4711, plan=plan)
    world.subscription(account, server, **{"plan": plan, **subscription})
    server.refresh_from_db()
    return server


def _page(server: Server) -> str:
    return f"/servers/{server.pk}/plan"


def _wants(server: Server, plan: str, **change: Any) -> None:
    Subscription.objects.update(plan=plan)
    resizing.want_plan(server=server, plan=plan, by="gumroad")
    PlanChange.objects.filter(server=server).update(**change)


def rests(account: Account, user: User) -> str:
    return _page(_server(account, next_plan="pro", next_plan_at=timezone.now() + timedelta(days=11)))


def waits(account: Account, user: User) -> str:
    server = _server(account)
    _wants(server, "plus", why="sold_out", failures=1)
    return _page(server)


def too_full(account: Account, user: User) -> str:
    server = _server(account, "plus", stored=30 * GB)
    domain = Domain.objects.create(home=server.pk, name="firm.test", account=account)
    Mailbox.objects.bulk_create(Mailbox(domain=domain, local=f"box-{n}", quota=4 * GB) for n in range(12))
    _wants(server, "basic", why="no_room")
    return _page(server)


def grows(account: Account, user: User) -> str:
    server = _server(account)
    now = timezone.now()
    _wants(server, "plus", state=PlanChange.State.UNDER_WAY, begun_at=now)
    Server.objects.update(rebuilding_since=now)
    run = Run.objects.get(program="Resize")
    Run.objects.filter(pk=run.pk).update(step="wait_changed", step_since=now - timedelta(seconds=40))
    for number, name in enumerate(STEPS):
        at = now - timedelta(seconds=200 - number * 12)
        run.taken.create(program="Resize", step=name, began_at=at, ended_at=at + timedelta(seconds=9))
    return _page(server)


def has_grown(account: Account, user: User) -> str:
    server = _server(account, "plus")
    now = timezone.now()
    PlanChange.objects.create(
        server=server, before="basic", after="plus", by="gumroad", at=now, finished_at=now, state="done"
    )
    return _page(server)


def billing(account: Account, user: User) -> str:
    _wants(_server(account), "plus")
    return "/billing#stop-" + str(Subscription.objects.get().pk)


def billing_ended(account: Account, user: User) -> str:
    server, now = _server(account, status=Subscription.Status.ENDED, ended_at=timezone.now()), timezone.now()
    actions.schedule_destruction(server=server, ended_at=now, reason="cancelled", by="gumroad")
    return "/billing"


def suspended(account: Account, user: User) -> str:
    server = _server(account)
    actions.suspend_sending(server=server, reason="it sends what nobody asked for", by="user:9")
    Agent.objects.update(reported_at=timezone.now())
    return f"/servers/{server.pk}"


PLAN_SIGHTS = [
    Sight("plan-rests", rests),
    Sight("plan-waits", waits),
    Sight("plan-too-full", too_full),
    Sight("plan-grows", grows),
    Sight("plan-has-grown", has_grown),
    Sight("billing-change", billing),
    Sight("billing-ended", billing_ended),
    Sight("server-suspended", suspended),
]
