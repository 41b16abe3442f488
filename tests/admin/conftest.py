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
from audit.models import Deed, Fault
from billing.models import Ping, Reconciliation, Subscription
from domains.models import Alias, AppPassword, Domain, Erasure, Invitation, Mailbox, WayOut
from domains.models import Letter as TestLetter
from engine.models import Alarm, Run, Signal, StepTaken
from servers.models import Agent, Destruction, PlanChange, Replacement, Server, Suspension
from tests.admin.backups_world import backups_of
from tests.admin.sending_world import sending_of
from vault import signing
from vault.models import Key, Secret

SECRET = "canary-that-no-page-shows"
LISTS = (
    "accounts/account", "accounts/user", "accounts/letter", "billing/ping", "billing/reconciliation", "billing/subscription",
    "domains/domain", "domains/mailbox", "domains/wayout", "domains/letter", "domains/erasure", "servers/server", "servers/destruction", "servers/replacement", "servers/planchange", "servers/suspension", "engine/run", "engine/alarm", "audit/event", "audit/receipt", "audit/deed", "audit/fault",
    "vault/secret", "vault/key", "backups/repository", "backups/point", "backups/job", "backups/export",
    "sending/credentials", "sending/standing", "sending/identity", "sending/topic", "sending/notice", "sending/feedback", "sending/worry",
    "sending/suppression", "sending/tester",
)  # fmt: skip
World = dict[str, Any]


@pytest.fixture
def staff_site(client: Client, stella: User) -> Client:
    client.force_login(stella)
    return client


@pytest.fixture
def make_world(db: None) -> Callable[[], World]:
    """Makes one more of everything; every secret column holds the canary."""
    return make_one


def make_one() -> World:
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
        **_mail(server, key),
        "servers/server": server,
        "servers/destruction": Destruction.objects.create(
            server=server, by="gumroad", reason="ended", due_at=now + timedelta(days=7), answers=[{"what": "the machine"}]
        ),
        "servers/replacement": Replacement.objects.create(
            server=server, asked_by="user:1", old_machine=42, why="sold out", old_agent={"key_hash": SECRET}
        ),
        "servers/planchange": PlanChange.objects.create(server=server, before="basic", after="plus", by="gumroad", at=now),
        "servers/suspension": Suspension.objects.create(server=server, by="staff:1", reason="spam", ended_at=now, ended_by="staff:1"),
        "engine/run": run,
        "billing/reconciliation": Reconciliation.objects.create(by="clock", sales=7, error="waits: timeout"),
        "engine/alarm": Alarm.objects.create(key=key, subject=server.subject, says=f"{run} cannot get on", advice="Look"),
        "audit/event": server.account,
        "audit/deed": Deed.objects.create(
            by=f"staff:{user.pk}", act="engine.run:retry_now", title="Retry now", reason="They asked",
            told=[{"row": f"engine.run:{run.pk}", "name": str(run), "why_not": ""}],
        ),
        "audit/fault": Fault.objects.create(reference=f"ref-{key}", method="GET", route="servers/<uuid:server>", error="ValueError", place="x.py:1 in y"),
        **_vault(account),
        **sending_of(server, SECRET),
        **backups_of(server, SECRET),
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


def _mail(server: Server, key: str) -> World:
    domain = Domain.objects.create(account=server.account, home=server.pk, name=f"{key}.test")
    mailbox = Mailbox.objects.create(
        domain=domain, local="anna", name="Anna", password=SECRET, quota=10**9, vacation_text=SECRET
    )
    AppPassword.objects.create(mailbox=mailbox, label="telephone", hash=SECRET)
    Invitation.objects.create(
        mailbox=mailbox,
        to="anna@elsewhere.test",
        token_hash=f"{SECRET}-{key}",
        by="user:1",
        expires_at=timezone.now(),
    )
    Alias.objects.create(domain=domain, local="info", targets=[mailbox.address])
    way_out = WayOut.objects.create(
        home=server.pk, account=server.account, region="eu-west-1", access_key="AKIA" + key.upper(), sealed=SECRET, seal_key=SECRET,
        sender=domain, by="user:1",
    )  # fmt: skip
    erasure = Erasure.objects.create(
        pk=uuid4(), account=server.account, home=server.pk, address=f"bo@{key}.test", why="domain", by="user:1",
        asked_at=timezone.now(), due_at=timezone.now(), kept=SECRET,
    )  # fmt: skip
    letter = TestLetter.objects.create(
        account=server.account,
        home=server.pk,
        to=f"{key}@elsewhere.test",
        sender=f"anna@{key}.test",
        by="user:1",
    )
    made = {
        "domains/letter": letter,
        "domains/domain": domain,
        "domains/mailbox": mailbox,
        "domains/wayout": way_out,
    }
    return {**made, "domains/erasure": erasure}


def _vault(account: Account) -> World:
    key = Key.objects.create(id=uuid4().hex[:16])
    secret = Secret.objects.create(
        account_id=account.pk,
        purpose="aws",
        subject="credentials:1",
        key=key,
        sealed=SECRET.encode(),
        by="user:1",
    )
    return {"vault/secret": secret, "vault/key": key}


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
