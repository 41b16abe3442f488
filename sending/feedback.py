"""Amazon's word on what bounced and who complained: where it comes to, and what is kept of it."""

import json
import secrets
from datetime import timedelta
from email.utils import parseaddr
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from clients.aws import Aws
from clients.aws_policy import CONFIGURATION_SET, TOPIC
from clients.errors import Gone
from domains.models import Domain
from sending.models import Credentials, Feedback, Notice, Topic

TYPES = ("BOUNCE", "COMPLAINT", "REJECT")
DESTINATION = "mailat"
AGAIN = timedelta(hours=1)  # a question of Amazon's that never came is asked for anew
MOST_RECIPIENTS = 100  # of one message; SES takes fifty


def ensure(row: Credentials, amazon: Aws) -> Topic:
    """Bounces and complaints of this account come to us, also after somebody removed it there. Raises clients.aws_errors."""
    arn = amazon.sns.ensure_topic(TOPIC, account=row.aws_account, configuration_set=CONFIGURATION_SET)
    try:
        amazon.ses.ensure_destination(CONFIGURATION_SET, DESTINATION, topic=arn, types=TYPES)
    except Gone:
        amazon.ses.ensure_configuration_set(CONFIGURATION_SET)
        amazon.ses.ensure_destination(CONFIGURATION_SET, DESTINATION, topic=arn, types=TYPES)
    topic, _new = Topic.objects.get_or_create(
        home=row.home, defaults={"account": row.account, "arn": arn, "token": secrets.token_urlsafe(32)}
    )
    if topic.arn != arn:
        topic.arn, topic.confirmed_at, topic.subscription = arn, None, ""
        topic.save(update_fields=["arn", "confirmed_at", "subscription"])
    if topic.confirmed_at is None and (not topic.subscription or topic.wanted_at < timezone.now() - AGAIN):
        topic.subscription, topic.wanted_at = amazon.sns.subscribe(arn, address(topic)), timezone.now()
        topic.save(update_fields=["subscription", "wanted_at"])
    return topic


def address(topic: Topic) -> str:
    """Where Amazon tells us; whoever does not know it is not listened to at all."""
    return f"{settings.BASE_URL}/hooks/ses/{topic.home}/{topic.token}"


def address_of(home: UUID) -> str:
    """The same for a server that may have no topic yet: then an address at which nobody is listened to."""
    topic = Topic.objects.filter(home=home).first()
    return address(topic) if topic else f"{settings.BASE_URL}/hooks/ses/{home}/none"


def note(notice: Notice, text: str) -> list[Feedback]:
    """Writes down what a message of SES tells, without the recipients; what is no event of SES tells nothing."""
    told = _object(text)
    kind = str(told.get("eventType", told.get("notificationType", ""))).lower()
    if kind not in Feedback.Kind.values:
        return []
    mail, event = _part(told, "mail"), _part(told, kind)
    sender = parseaddr(str(mail.get("source", "")))[1][:320].lower()  # a name may stand before it
    if not Domain.objects.filter(home=notice.home, name=sender.rpartition("@")[2]).exists():
        return []  # another server of the same account at Amazon
    who = event.get("bouncedRecipients" if kind == "bounce" else "complainedRecipients")
    rows = [
        Feedback(
            notice=notice,
            number=number,
            home=notice.home,
            sender=sender,
            kind=kind,
            permanent=event.get("bounceType") == "Permanent",
            at=_moment(event.get("timestamp")),
        )
        for number in range(min(len(who), MOST_RECIPIENTS) if isinstance(who, list) else 0)
    ]
    return Feedback.objects.bulk_create(rows, ignore_conflicts=True)


def _object(text: str) -> dict[str, Any]:
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _part(told: dict[str, Any], name: str) -> dict[str, Any]:
    part = told.get(name)
    return part if isinstance(part, dict) else {}


def _moment(value: object) -> Any:
    try:
        return parse_datetime(str(value)) or timezone.now()
    except ValueError:
        return timezone.now()
