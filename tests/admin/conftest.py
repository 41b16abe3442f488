"""Everything that staff can look at, once, and as often as a test wants."""

from collections.abc import Callable
from datetime import timedelta
from ipaddress import IPv4Address
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Account, Letter, Membership, SignInLink, User
from audit import receipts
from audit.actions import record
from billing.models import Ping, Subscription
from engine.models import Alarm, Run, Signal, StepTaken
from servers.models import Agent, Destruction, Server
from vault import signing

SECRET = "canary-that-no-page-shows"
LISTS = (
    "accounts/account", "accounts/user", "accounts/letter", "billing/ping", "billing/subscription",
    "servers/server", "servers/destruction", "engine/run", "engine/alarm", "audit/event", "audit/receipt",
)  # fmt: skip
World = dict[str, Any]


@pytest.fixture
def staff_site(client: Client, stella: User) -> Client:
    client.force_login(stella)
    return client


@pytest.fixture
def make_world(db: None) -> Callable[[], World]:
    """Makes one more of everything; every secret column holds the canary."""
    return _make_world


def _make_world() -> World:
    key, now = uuid4().hex[:12], timezone.now()
    account = Account.objects.create(name=f"Bakery {key}")
    user = User.objects.create_user(f"{key}@example.test", name="Olive")
    User.objects.filter(pk=user.pk).update(password=SECRET)
    Membership.objects.create(account=account, user=user)
    server = _server(account, key)
    run = _run(server)
    subscription = Subscription.objects.create(
        gumroad_id=key, account=account, server=server, email=user.email, plan="basic"
    )
    SignInLink.objects.create(
        email=user.email, token_hash=f"{SECRET}-{key}", code_hash=SECRET, browser_hash=SECRET, expires_at=now
    )
    record("server.wanted", by="user:1", account=account.pk, subject=server.subject, place="fsn1")
    return {
        "accounts/account": account,
        "accounts/user": user,
        "accounts/letter": Letter.objects.create(key=key, kind="welcome", to=user.email, account_id=account.pk, context={"x": SECRET}),
        "billing/ping": Ping.objects.create(subscription=subscription, body=BODY, about="sub==", became="puzzling", note="what is this", kind="sale"),
        "billing/subscription": subscription,
        "servers/server": server,
        "servers/destruction": Destruction.objects.create(
            server=server, by="gumroad", reason="ended", due_at=now + timedelta(days=7), answers=[{"what": "the machine"}]
        ),
        "engine/run": run,
        "engine/alarm": Alarm.objects.create(key=key, subject=server.subject, says=f"{run} cannot get on", advice="Look"),
        "audit/event": server.account,
        "audit/receipt": receipts.issue(account=account.pk, subject=server.subject, facts={"n": 1}, sign=signing.sign),
    }  # fmt: skip


BODY = f"resource_name=sale&sale_id=abc&email=a%40b.test&license_key={SECRET}&note=<script>alert(1)</script>".encode()


def _server(account: Account, key: str) -> Server:
    now = timezone.now()
    server = Server.objects.create(
        account=account, name=f"s{key}", plan="basic", place="fsn1", ready_at=now, enrolment_hash=SECRET,
        ipv4=str(IPv4Address(int(key[:8], 16))), ipv6=f"2001:db8:{key[:4]}:{key[4:8]}::1",
    )  # fmt: skip
    Agent.objects.create(
        server=server,
        key_hash=SECRET,
        seal_key=SECRET,
        desired_signature=SECRET,
        reported_at=now,
        health="late",
    )
    return server


def _run(server: Server) -> Run:
    now = timezone.now()
    late = now - timedelta(minutes=5)
    run = Run.objects.create(
        program="Provision", subject=server.subject, step="wait_agent", error="ValueError: no", tries=5,
        due_at=now + timedelta(hours=1), deadline_step="announce", deadline_at=late,
    )  # fmt: skip
    StepTaken.objects.create(run=run, program="Provision", step="order_machine", began_at=late, ended_at=now)
    Signal.objects.create(run=run, name="enrolled")
    return run


@pytest.fixture
def world(make_world: Callable[[], World]) -> World:
    return make_world()
