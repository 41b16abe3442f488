"""What SES tells about letters: records of events, published to the topics of their configuration set.

Source: https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
import uuid
from typing import Any

from sandbox.aws import notices
from sandbox.aws.cloud import Cloud

SUBJECT = "Amazon SES Email Event Notification"
TYPES = {
    "BOUNCE": "Bounce",
    "COMPLAINT": "Complaint",
    "DELIVERY": "Delivery",
    "SEND": "Send",
    "REJECT": "Reject",
}


@dataclasses.dataclass(frozen=True)
class Letter:
    """What an event says of the letter that it is about."""

    id: str
    account: str
    region: str
    identity: str
    source: str
    configuration_set: str
    recipients: list[str]
    subject: str = ""
    headers: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    at: float = 0.0


def bounced(
    cloud: Cloud, letter: Letter, lost: list[dict[str, str]], kind: str = "Permanent", sub: str = "General"
) -> int:
    """`lost` has an emailAddress, a status and a diagnosticCode each. Returns how many endpoints will be told."""
    told = {
        "feedbackId": _number(),
        "bounceType": kind,
        "bounceSubType": sub,
        "bouncedRecipients": [{"action": "failed", **one} for one in lost],
        "timestamp": _now(),
        "reportingMTA": "dns; amazonses.com",
    }
    if kind == "Permanent":
        _suppress(cloud, letter, [one["emailAddress"] for one in lost], "BOUNCE")
    return publish(cloud, letter, "BOUNCE", {"bounce": told})


def complained(cloud: Cloud, letter: Letter, recipients: list[str], kind: str = "abuse") -> int:
    """Somebody pressed a button in their mail program. Returns how many endpoints will be told."""
    told = {
        "feedbackId": _number(),
        "complaintSubType": None,
        "complainedRecipients": [{"emailAddress": each} for each in recipients],
        "timestamp": _now(),
        "userAgent": "Sandbox feedback loop",
        "complaintFeedbackType": kind,
        "arrivalDate": _now(),
    }
    _suppress(cloud, letter, recipients, "COMPLAINT")
    return publish(cloud, letter, "COMPLAINT", {"complaint": told})


def delivered(cloud: Cloud, letter: Letter, recipients: list[str], said: str) -> int:
    told = {
        "timestamp": _now(),
        "processingTimeMillis": 1000,
        "recipients": recipients,
        "smtpResponse": said,
        "reportingMTA": "smtp-out.amazonses.com",
    }
    return publish(cloud, letter, "DELIVERY", {"delivery": told})


def sent(cloud: Cloud, letter: Letter) -> int:
    return publish(cloud, letter, "SEND", {"send": {}})


def publish(cloud: Cloud, letter: Letter, kind: str, content: dict[str, Any]) -> int:
    """To every topic of the set that wants this kind and whose policy lets SES in."""
    topics = [topic for topic in _topics(cloud, letter, kind) if _may(cloud, letter, topic)]
    body = json.dumps({"eventType": TYPES[kind], **content, "mail": _mail(letter)}) + "\n"
    url = cloud.store.setting("url")
    return sum(notices.publish(cloud, topic, body, url, SUBJECT) for topic in topics)


def _topics(cloud: Cloud, letter: Letter, kind: str) -> list[str]:
    """A set that is gone tells nobody."""
    name = letter.configuration_set
    if not name or not cloud.sets.has(letter.account, letter.region, name):
        return []
    return [
        each["SnsDestination"]["TopicArn"]
        for each in cloud.sets.destinations(letter.account, letter.region, name)
        if each.get("Enabled") and kind in each["MatchingEventTypes"]
    ]


def _may(cloud: Cloud, letter: Letter, topic: str) -> bool:
    source = f"arn:aws:ses:{letter.region}:{letter.account}:configuration-set/{letter.configuration_set}"
    return cloud.topics.lets_ses(topic, letter.account, source)


def _mail(letter: Letter) -> dict[str, Any]:
    named = {name.lower(): value for name, value in letter.headers}
    common = {
        "from": [named.get("from", letter.source)],
        "to": [named.get("to", ", ".join(letter.recipients))],
        "messageId": letter.id,
        "subject": letter.subject,
    }
    tags = {
        "ses:configuration-set": [letter.configuration_set],
        "ses:from-domain": [letter.source.partition("@")[2]],
        "ses:caller-identity": ["mail"],
    }
    return {
        "timestamp": _written(letter.at),
        "source": letter.source,
        "sourceArn": f"arn:aws:ses:{letter.region}:{letter.account}:identity/{letter.identity}",
        "sendingAccountId": letter.account,
        "messageId": letter.id,
        "destination": letter.recipients,
        "headersTruncated": False,
        "headers": [{"name": name, "value": value} for name, value in letter.headers],
        "commonHeaders": common,
        "tags": tags,
    }


def _suppress(cloud: Cloud, letter: Letter, addresses: list[str], reason: str) -> None:
    """The account's list, for the reasons that the account wants on it."""
    if reason in cloud.regions.get(letter.account, letter.region).suppresses:
        for address in addresses:
            cloud.sets.suppress(letter.account, letter.region, address, reason)


def _number() -> str:
    return f"01{uuid.uuid4().hex}-{uuid.uuid4()}-000000"


def _now() -> str:
    return _written(datetime.datetime.now(datetime.UTC).timestamp())


def _written(seconds: float) -> str:
    moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
