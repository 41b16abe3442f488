"""The letter that tells a sender what could not be delivered, with a part for programs (RFC 3464)."""

from __future__ import annotations

import email.policy
import email.utils
import uuid
from email.message import Message
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart
from email.mime.text import MIMEText

from sandbox.internet import headers
from sandbox.internet.delivery import Outcome
from sandbox.internet.ses_queue import Job

FROM = "MAILER-DAEMON@amazonses.com"


def bounce(job: Job, lost: list[Outcome]) -> bytes:
    whole = MIMEMultipart("report", report_type="delivery-status")
    whole["From"], whole["To"] = FROM, job.sender
    whole["Subject"] = "Delivery Status Notification (Failure)"
    whole["Date"], whole["Auto-Submitted"] = email.utils.formatdate(), "auto-replied"
    whole["Message-ID"] = f"<{uuid.uuid4()}@amazonses.com>"
    told = "\n".join(f"{one.recipient}: {one.code} {one.said}" for one in lost)
    whole.attach(MIMEText(f"This letter could not be delivered to:\n\n{told}\n"))
    whole.attach(_report(lost))
    fields = b"\n".join(headers.read(job.raw).fields).decode("utf-8", "replace")
    whole.attach(MIMEText(fields.replace("\r", ""), "rfc822-headers"))
    return whole.as_bytes(policy=email.policy.SMTP)


def _report(lost: list[Outcome]) -> Message:
    report = MIMENonMultipart("message", "delivery-status")
    report.set_payload([_block({"Reporting-MTA": "dns; amazonses.com"}), *map(_of_one, lost)])
    return report


def _of_one(outcome: Outcome) -> Message:
    return _block(
        {
            "Final-Recipient": f"rfc822; {outcome.recipient}",
            "Action": "failed",
            "Status": "5.0.0" if outcome.code >= 500 else "4.4.7",
            "Diagnostic-Code": f"smtp; {outcome.code} {outcome.said}",
        }
    )


def _block(fields: dict[str, str]) -> Message:
    block = Message()
    for name, value in fields.items():
        block[name] = value
    return block
