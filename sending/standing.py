"""What Amazon said of an account, written down."""

from typing import Any
from uuid import UUID

from django.utils import timezone

from clients import aws_records
from sending import rates
from sending.models import Credentials, Standing, Topic
from sending.refusals import Obstacle


def note(row: Credentials, said: aws_records.Standing) -> Standing:
    """Writes down what the account may do; whether something troubles us is another question."""
    now = timezone.now()
    before = Standing.objects.select_for_update().filter(home=row.home).first()
    of = f"{row.aws_account}/{row.region}"
    values: dict[str, Any] = {
        "account": row.account,
        "region": row.region,
        "production": said.production,
        "sending_enabled": said.sending_enabled,
        "enforcement": said.enforcement,
        "review": said.review,
        "case_id": said.case,
        "max24": said.max24,
        "rate": said.rate,
        "sent24": said.sent24,
        "hours": rates.with_hour(before.hours if before else {}, of, said.sent24, now),
        "read_at": now,
    }
    return Standing.objects.update_or_create(home=row.home, defaults=values)[0]


def note_well(row: Credentials) -> None:
    """Amazon answered all that we asked."""
    Standing.objects.filter(home=row.home).exclude(trouble=None).update(trouble=None, trouble_at=None)


def note_trouble(row: Credentials, found: Obstacle) -> None:
    """Amazon could be asked, and refused; since when stays as it was while it is the same."""
    standing = Standing.objects.select_for_update().filter(home=row.home).first()
    if standing and standing.trouble != found.plain():
        standing.trouble, standing.trouble_at = found.plain(), timezone.now()
        standing.save(update_fields=["trouble", "trouble_at"])


def forget(home: UUID) -> None:
    """Nothing is asked of Amazon any more, so nothing that it said is kept."""
    Standing.objects.filter(home=home).delete()
    Topic.objects.filter(home=home).delete()
