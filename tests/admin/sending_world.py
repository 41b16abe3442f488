"""What staff see of a server's account at Amazon; every column that no page may show holds the secret given."""

from typing import Any
from uuid import uuid4

from django.utils import timezone

from domains.models import Domain
from sending.models import (
    Credentials,
    Feedback,
    Identity,
    Notice,
    Standing,
    Suppression,
    Tester,
    Topic,
    Worry,
)
from servers.models import Server
from vault.models import Key, Secret


def sending_of(server: Server, secret: str) -> dict[str, Any]:
    """One of each."""
    now, account, domain = timezone.now(), server.account, Domain.objects.get(home=server.pk)
    topic = Topic.objects.create(
        home=server.pk,
        account=account,
        arn=f"arn:aws:sns:eu-west-1:1:{server.pk}",
        token=f"{secret}-{uuid4().hex[:8]}",
    )
    notice = Notice.objects.create(message=str(uuid4()), home=server.pk, body=secret, verdict="1 noted")
    return {
        "sending/credentials": _credentials(server, domain, secret),
        "sending/standing": Standing.objects.create(
            home=server.pk, account=account, region="eu-west-1", read_at=now, max24=200, trouble={"code": "wrong_key", "facts": {}}, trouble_at=now
        ),
        "sending/identity": Identity.objects.create(domain=domain, region="eu-west-1", why="HOST_NOT_FOUND"),
        "sending/topic": topic,
        "sending/notice": notice,
        "sending/feedback": Feedback.objects.create(
            notice=notice, number=0, home=server.pk, sender=f"anna@{domain.name}", kind="bounce", at=now
        ),
        "sending/suppression": Suppression.objects.create(
            home=server.pk, account=account, by="user:1", read_at=now, entries=[{"address": secret, "reason": "BOUNCE"}]
        ),
        "sending/tester": Tester.objects.create(
            home=server.pk, account=account, region="eu-west-1", address=f"anna@{domain.name}", by="user:1"
        ),
        "sending/worry": Worry.objects.create(home=server.pk, account=account, code="paused", facts={"by": "amazon"}),
    }  # fmt: skip


def _credentials(server: Server, domain: Domain, secret: str) -> Credentials:
    key = Key.objects.create(id=uuid4().hex[:16])
    sealed = Secret.objects.create(
        account_id=uuid4(),
        purpose="aws",
        subject=f"credentials:{uuid4()}",
        key=key,
        sealed=secret.encode(),
        by="user:1",
    )
    return Credentials.objects.create(
        account=server.account,
        home=server.pk,
        region="eu-west-1",
        access_key=f"AKIA{secret}{uuid4().hex[:4].upper()}",
        secret=sealed,
        sender=domain,
        aws_account=str(uuid4().int)[:12],
        by="user:1",
        refusals=[{"code": "permission", "facts": {"action": "sns:CreateTopic"}}],
    )
