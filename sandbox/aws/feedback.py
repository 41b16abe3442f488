"""Synthetic feedback: what recipients and their servers would say, without any of them."""

from __future__ import annotations

import dataclasses
import time
import uuid
from typing import Any

from sandbox.aws import events
from sandbox.aws.cloud import Cloud
from sandbox.aws.events import Letter
from sandbox.aws.reports import Reports
from sandbox.internet.doors import WishError, several, text

KINDS = {
    "complaint": "A recipient calls it spam",
    "bounce": "There is no such mailbox",
    "soft_bounce": "The mailbox is full",
    "delivery": "It arrives",
    "send": "It is on its way",
}
MOST = 1000


def make(cloud: Cloud, asked: dict[str, Any]) -> dict[str, Any]:
    """So many events of a kind, each for a letter and recipient of its own; says how many endpoints will be told of each."""
    kind = text(asked, "kind")
    if kind not in KINDS:
        raise WishError(f"kind must be one of {', '.join(KINDS)}")
    letters = _letters(cloud, asked)
    told = [_tell(cloud, kind, letter) for letter in letters]
    return {"letters": [letter.id for letter in letters], "told": sum(told)}


def _letters(cloud: Cloud, asked: dict[str, Any]) -> list[Letter]:
    if number := text(asked, "letter", ""):
        found = Reports(cloud).letter(number)
        if found is None:
            raise WishError("no such letter was sent")
        recipients = several(asked, "recipients") if asked.get("recipients") else found.recipients
        return [dataclasses.replace(found, recipients=recipients)]
    recipients = several(asked, "recipients") if asked.get("recipients") else _made_up(asked)
    return [_synthetic(cloud, asked, each) for each in recipients]


def _made_up(asked: dict[str, Any]) -> list[str]:
    given = asked.get("times", 1)
    times = 1 if given == "" else int(given)
    if not 0 < times <= MOST:
        raise WishError(f"times must be a whole number from 1 to {MOST}")
    return [f"reader{number}@outside.test" for number in range(times)]


def _synthetic(cloud: Cloud, asked: dict[str, Any], recipient: str) -> Letter:
    account, region, sender = text(asked, "account"), text(asked, "region"), text(asked, "sender").lower()
    one = cloud.identities.covering(account, region, sender)
    if one is None:
        raise WishError(f"{sender} is no identity of the account in that region")
    number = f"01{uuid.uuid4().hex}-000000"
    fields = [
        ("From", sender),
        ("To", recipient),
        ("Subject", "An offer"),
        ("Message-ID", f"<{uuid.uuid4()}@sandbox>"),
    ]
    return Letter(
        number, account, region, one.name, sender, text(asked, "configuration_set", one.configuration_set),
        [recipient], "An offer", fields, time.time(),
    )  # fmt: skip


def _tell(cloud: Cloud, kind: str, letter: Letter) -> int:
    if kind == "complaint":
        return events.complained(cloud, letter, letter.recipients)
    if kind == "delivery":
        return events.delivered(cloud, letter, letter.recipients, "250 2.0.0 OK")
    if kind == "send":
        return events.sent(cloud, letter)
    status, code, says = (
        ("5.1.1", 550, "no such mailbox") if kind == "bounce" else ("4.2.2", 452, "the mailbox is full")
    )
    lost = [
        {"emailAddress": each, "status": status, "diagnosticCode": f"smtp; {code} {status} {says}"}
        for each in letter.recipients
    ]
    hard = kind == "bounce"
    return events.bounced(
        cloud, letter, lost, *(("Permanent", "General") if hard else ("Transient", "MailboxFull"))
    )
