"""A server's way through Amazon in each of its states, for the pages to show."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.utils import timezone

from domains.models import Domain, Letter, WayOut
from engine import actions as engine
from sending.models import Credentials, Identity, Standing
from sending.programs.check import CheckCredentials
from servers.models import Agent
from tests.dashboard import mail_world
from vault import actions as vault

KEY = "AKIAIOSFODNN7EXAMPLE"


def credentials(of: Domain, state: str = "candidate", *codes: dict[str, Any], **fields: Any) -> Credentials:
    """A key with a secret in the vault that is none."""
    pk = uuid4()
    secret = vault.keep(
        account=of.account_id, purpose="aws", subject=f"credentials:{pk}", secret="s" * 40, by="user:1"
    )
    now = timezone.now()
    given = {
        "region": "eu-central-1",
        "access_key": KEY,
        "by": "user:1",
        "checked_at": now,
        "in_use_at": now if state == "in_use" else None,
        "tried_at": now if state == "in_use" else None,
        "refusals": list(codes),
        **fields,
    }
    return Credentials.objects.create(
        pk=pk, account=of.account, home=of.home, secret=secret, sender=of, state=state, **given
    )


def refused(code: str, **facts: str) -> dict[str, Any]:
    return {"code": code, "facts": facts}


def standing(of: Domain, **fields: Any) -> Standing:
    """A healthy account in production, unless `fields` say more."""
    given = {
        "account": of.account,
        "region": "eu-central-1",
        "production": True,
        "sending_enabled": True,
        "enforcement": "HEALTHY",
        "review": "GRANTED",
        "max24": 50_000,
        "rate": 14,
        "sent24": 1_204,
        "read_at": timezone.now(),
        **fields,
    }
    return Standing.objects.update_or_create(home=of.home, defaults=given)[0]


def identity(of: Domain, **fields: Any) -> Identity:
    """A verified domain, unless `fields` say more."""
    now = timezone.now()
    given = {
        "region": "eu-central-1",
        "verified": True,
        "dkim_status": "SUCCESS",
        "mail_from": f"bounces.{of.name}",
        "mail_from_status": "SUCCESS",
        "asked_at": now - timedelta(hours=5),
        "read_at": now,
        "verified_at": now - timedelta(hours=2),
        **fields,
    }
    return Identity.objects.create(domain=of, **given)


def waiting(of: Domain, why: str = "HOST_NOT_FOUND") -> Identity:
    return identity(
        of, verified=False, dkim_status="PENDING", verified_at=None, why=why, mail_from_status="PENDING"
    )


def letter(of: Domain, code: int = 250, answer: str = "250 Ok 010201", **fields: Any) -> Letter:
    """A test mail that was answered; a code of -1 means that nothing was heard of it yet."""
    now = timezone.now()
    heard = {"code": code, "answer": answer, "answered_at": now} if code >= 0 else {}
    given = {
        "to": "alice@elsewhere.test",
        "sender": f"postmaster@{of.name}",
        "by": "user:1",
        **heard,
        **fields,
    }
    return Letter.objects.create(account=of.account, home=of.home, **given)


def running(row: Credentials) -> None:
    """The trial of this key has begun."""
    engine.start(CheckCredentials, subject=row.subject)


def works(of: Domain) -> Credentials:
    """All is set up, and a test mail left."""
    row = credentials(of, "in_use")
    if not WayOut.objects.filter(home=of.home).exists():
        mail_world.way_out(of)
    opens(of)
    standing(of)
    identity(of)
    letter(of)
    return row


def opens(of: Domain) -> None:
    """The server has the key that the way out was sealed to."""
    agent = Agent.objects.get(server=of.home)
    WayOut.objects.filter(home=of.home).update(seal_key=agent.seal_key)
