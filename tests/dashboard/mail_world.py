"""Domains, mailboxes and what a server says of its mail, for the pages to show."""

import time
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.utils import timezone

from accounts.models import Account
from domains.models import Alias, AppPassword, Domain, Erasure, Invitation, Mailbox, WayOut
from engine.models import Run
from servers import desired, mail_report
from servers.models import Agent, Metric, Server
from tests.dashboard import world

GB = 10**9
HASH = "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNo"
DKIM = "v=DKIM1; k=rsa; p=" + "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA" * 8
FINE = dict.fromkeys(("smtp", "submission", "submissions", "imaps", "sieve", "https", "lmtp"), "")
DAY = 86_400


def told(name: str = "firm.example", **changes: Any) -> dict[str, Any]:
    """What a healthy server with this domain reports of its mail."""
    now = time.time()
    return {
        "generation": 12,
        "taken_back": None,
        "probes": FINE,
        "probed_at": now - 40,
        "queue": {"active": 0, "deferred": 0, "hold": 0, "oldest": None, "why": ""},
        "bans": {"now": 1, "latest": [{"address": "198.51.100.7", "jail": "dovecot", "at": now - 300, "until": now + 300}]},
        "certificates": [
            {"name": "post.mailat.test", "until": now + 62 * DAY, "issuer": "Let's Encrypt", "names": ["post.mailat.test"],
             "waiting": [], "error": ""},
            {"name": name, "until": now + 71 * DAY, "issuer": "Let's Encrypt", "error": "", "waiting": [],
             "names": [f"{one}.{name}" for one in ("mail", "webmail", "autoconfig", "autodiscover", "mta-sts")]},
        ],
        "canary": {"at": now - 100, "seconds": 3.24, "misses": 0, "way": "relay", "error": ""},
        "patches": patches(),
        "mailboxes": {f"anna@{name}": [1_400_000_000, 8_211, 14], f"bo@{name}": [4_920_000_000, 31_007, 3]},
        "stopped": [],
        "dkim": {name: {"selector": "mailat", "txt": DKIM}},
        **changes,
    }  # fmt: skip


def patches(**changes: Any) -> dict[str, Any]:
    now = time.time()
    put_in = {"from": "3.5.1-1", "security": True}
    return {
        "checked_at": now - 1200,
        "pending": [],
        "applied": [
            {"package": "openssl", "to": "3.5.4-1~deb13u1", "published_at": now - 3 * DAY, "applied_at": now - 3 * DAY + 5400, **put_in},
            {"package": "libgnutls30t64", "to": "3.8.9-3", "published_at": now - 9 * DAY, "applied_at": now - 9 * DAY + 9000, **put_in},
        ],
        "reboot_needed": False,
        "booted_at": now - 12 * DAY,
        "taken_back": [],
        "after": {"at": now - 3 * DAY + 5500, "ok": True, "why": ""},
        **changes,
    }  # fmt: skip


def serving(account: Account, name: str = "post", domain: str = "firm.example", **mail: Any) -> Server:
    """A server that was handed over, reports its mail, and did what was ordered; call `in_force` after adding rows."""
    return world.running(account, name, mail=mail_report.kept(told(domain, **mail)))


def in_force(server: Server) -> Server:
    """The server's last order is what is wanted now, and was applied."""
    agent = Agent.objects.select_related("server").get(server=server)
    version = desired.order(agent)
    Agent.objects.filter(server=server).update(applied_version=version, applied_as_of=timezone.now())
    server.refresh_from_db()
    return server


def domain(server: Server, name: str = "firm.example", **fields: Any) -> Domain:
    return Domain.objects.create(account=server.account, home=server.pk, name=name, **fields)


def mailbox(of: Domain, local: str = "anna", **fields: Any) -> Mailbox:
    """A mailbox whose owner has chosen a password."""
    given = {"quota": 5 * GB, "password": HASH, "password_at": timezone.now() - timedelta(days=9), **fields}
    return Mailbox.objects.create(domain=of, local=local, **given)


def erasure(of: Domain, local: str = "dora", days: int = 2, **fields: Any) -> Erasure:
    """A mailbox that went with its domain some days ago and can be had back, unless `fields` say more."""
    asked = timezone.now() - timedelta(days=days)
    given = {
        "why": "domain",
        "by": "user:1",
        "asked_at": asked,
        "due_at": asked + timedelta(days=7),
        **fields,
    }
    address = f"{local}@{of.name}"
    return Erasure.objects.create(pk=uuid4(), account=of.account, home=of.home, address=address, **given)


def alias(of: Domain, local: str = "info", *targets: str) -> Alias:
    return Alias.objects.create(domain=of, local=local, targets=list(targets or [f"anna@{of.name}"]))


def app_password(of: Mailbox, label: str = "Telephone") -> AppPassword:
    return AppPassword.objects.create(mailbox=of, label=label, hash=HASH)


def invitation(of: Mailbox, to: str = "anna@elsewhere.test", token_hash: str = "0" * 64) -> Invitation:
    expires = timezone.now() + timedelta(days=6)
    return Invitation.objects.create(
        mailbox=of, to=to, by="user:1", token_hash=token_hash, expires_at=expires
    )


def way_out(of: Domain) -> WayOut:
    return WayOut.objects.create(
        home=of.home,
        account=of.account,
        region="eu-central-1",
        access_key="AKIAIOSFODNN7EXAMPLE",
        sealed="c2VhbGVk",
        seal_key="",
        sender=of,
        by="user:1",
    )


def firm(account: Account, **mail: Any) -> Domain:
    """A small firm whose mail works: three mailboxes, an alias, a way out."""
    server = serving(account, **mail)
    one = domain(server)
    mailbox(one, "anna", name="Anna Berg")
    mailbox(one, "bo", name="Bo Lindqvist")
    mailbox(one, "clara", name="Clara", password="", password_at=None)
    alias(one)
    way_out(one)
    in_force(server)
    return one


def kept(server: Server) -> Run:
    """The resting program that orders anew when something is wanted."""
    return Run.objects.create(program="Keep", subject=server.subject, step="rest", due_at=None)


def flown(of: Server, minutes: int = 60, every: int = 5) -> None:
    """A canary every few minutes up to now."""
    now = timezone.now()
    for ago in range(1, minutes, every):
        Metric.objects.filter(server=of, at=now - timedelta(minutes=ago)).delete()
        Metric.objects.create(
            server=of, at=now - timedelta(minutes=ago, seconds=7), canary=2.4 + (ago * 7919 % 23) / 10
        )
