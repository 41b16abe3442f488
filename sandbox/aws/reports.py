"""What becomes of letters, told to those who sent them: by the topics of their configuration set."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage, Message
from typing import TypeGuard

from sandbox.aws import events
from sandbox.aws.cloud import Cloud
from sandbox.aws.events import Letter
from sandbox.aws.sending import SIMULATOR
from sandbox.internet import headers
from sandbox.internet.outcome import Outcome

# Addresses with a fate. Source: docs.aws.amazon.com/ses/latest/dg/send-an-email-from-console.html.
FATES = {
    "success": (250, "2.0.0 OK"),
    "complaint": (250, "2.0.0 OK"),
    "bounce": (550, "5.1.1 user unknown"),
    "suppressionlist": (550, "5.1.1 on the suppression list"),
}
FOR_PROGRAMS = ("message/delivery-status", "message/feedback-report")


class Reports:
    """Knows letters by their ids; those of an older home have no account, and nobody to tell."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def letter(self, number: str) -> Letter | None:
        row = self._cloud.store.one(
            "select aws_letters.*, ses_letters.subject, ses_letters.raw from aws_letters"
            " join ses_letters on ses_letters.id = aws_letters.letter where letter = ?",
            number,
        )
        if row is None:
            return None
        rows = self._cloud.store.all(
            "select recipient from ses_deliveries where letter = ? order by recipient", number
        )
        fields = headers.read(row["raw"]).fields
        return Letter(
            id=number, account=row["account"], region=row["region"], identity=row["identity"], source=row["source"],
            configuration_set=row["configuration_set"], recipients=[one["recipient"] for one in rows],
            subject=row["subject"], headers=[_field(each) for each in fields], at=row["at"],
        )  # fmt: skip

    def fated(self, number: str, recipients: list[str]) -> list[Outcome]:
        """What becomes of those who are not written to at all: suppressed ones, and the vendor's own test addresses."""
        letter = self.letter(number)
        if letter is None:
            return []
        found = []
        for each in recipients:
            local, _, domain = each.lower().partition("@")
            if domain == SIMULATOR:
                found.append(Outcome(each, *FATES.get(_unlabelled(local), FATES["bounce"])))
            elif self._cloud.sets.is_suppressed(letter.account, letter.region, each):
                found.append(
                    Outcome(each, 550, "5.1.1 the address is on the suppression list of the account")
                )
        return found

    def taken(self, number: str) -> None:
        """Publishes that it will be sent."""
        if letter := self.letter(number):
            events.sent(self._cloud, letter)

    def tell(self, number: str, outcomes: list[Outcome], lost: list[Outcome]) -> None:
        """Publishes deliveries and bounces; what is to be tried again is neither."""
        letter = self.letter(number)
        if letter is None:
            return
        for one in outcomes:
            if one.ok:
                events.delivered(self._cloud, letter, [one.recipient], f"{one.code} {one.said}")
            local, _, domain = one.recipient.lower().partition("@")
            if (_unlabelled(local), domain) == ("complaint", SIMULATOR):
                events.complained(self._cloud, letter, [one.recipient])
        for one in lost:
            self._lost(letter, one)

    def _lost(self, letter: Letter, one: Outcome) -> None:
        """A server that only said "later" until the end is no reason to suppress the address."""
        permanent = one.code >= 500
        told = {
            "emailAddress": one.recipient,
            "status": "5.1.1" if permanent else "4.4.7",
            "diagnosticCode": f"smtp; {one.code} {one.said}",
        }
        listed = self._cloud.sets.is_suppressed(letter.account, letter.region, one.recipient)
        sub = "OnAccountSuppressionList" if listed else "General"
        events.bounced(self._cloud, letter, [told], "Permanent" if permanent else "Transient", sub)

    def incoming(self, number: str, raw: bytes) -> None:
        """A report that another server sent back later: a bounce (RFC 3464) or a complaint (RFC 5965); others are let pass."""
        letter = self.letter(number)
        message = email.message_from_bytes(raw, _class=EmailMessage, policy=email.policy.default)
        if letter is None or message.get_content_type() != "multipart/report":
            return
        kind = str(message.get_param("report-type", "")).lower()
        told = _fields(message)
        if kind == "feedback-report":
            recipients = told.get("original-rcpt-to", letter.recipients)
            events.complained(self._cloud, letter, recipients, told.get("feedback-type", ["abuse"])[0])
        elif kind == "delivery-status" and told.get("action") == ["failed"]:
            one = told.get("final-recipient", letter.recipients)[0].rpartition(";")[2].strip()
            status = told.get("status", ["5.0.0"])[0]
            lost = {
                "emailAddress": one,
                "status": status,
                "diagnosticCode": told.get("diagnostic-code", [""])[0],
            }
            events.bounced(
                self._cloud, letter, [lost], "Permanent" if status.startswith("5") else "Transient"
            )


def _unlabelled(local: str) -> str:
    """The vendor's test addresses take any label behind a plus."""
    return local.partition("+")[0]


def _field(raw: bytes) -> tuple[str, str]:
    name, _, value = raw.decode("utf-8", "replace").partition(":")
    return name.strip(), " ".join(value.split())


def _fields(message: Message) -> dict[str, list[str]]:
    """Those of a report's part for programs, by their names in small letters."""
    found: dict[str, list[str]] = {}
    for part in message.walk():
        blocks = part.get_payload() if part.get_content_type() in FOR_PROGRAMS else []
        for block in filter(_is_message, blocks if isinstance(blocks, list) else []):
            for name, value in block.items():
                found.setdefault(name.lower(), []).append(str(value).strip("<> "))
    return found


def _is_message(block: object) -> TypeGuard[Message]:
    return isinstance(block, Message)
