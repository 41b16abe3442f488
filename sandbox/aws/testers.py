"""Addresses that prove themselves: the vendor's letter with a link, and what happens to whoever follows it.

Source: https://docs.aws.amazon.com/ses/latest/dg/creating-identities.html. The letter lies in the mailbox of this machine.
"""

from __future__ import annotations

import email.utils
import html
import pathlib
import secrets
import time
import uuid
from email.message import EmailMessage
from email.policy import SMTP
from urllib.parse import urlencode

from sandbox.aws.errors import AwsError
from sandbox.aws.identities import Identities, Identity
from sandbox.aws.store import Store
from sandbox.mail.store import Store as Mailbox

LINK_WORKS = 24 * 3600.0  # seconds
SENDER = "no-reply-aws@amazon.com"
SUBJECT = "Amazon Web Services – Email Address Verification Request in region {region}"  # noqa: RUF001
TEXT = """Somebody has asked Amazon SES to be allowed to use {name} with the AWS account {account}, in the region {region}.

If that was you, follow this link within 24 hours:

{link}

If it was not, do nothing: without the link the address cannot be used.
"""


class Testers:
    """Links are kept with the moment at which their identity was made: one that is made anew has a link of its own."""

    def __init__(self, home: pathlib.Path, store: Store, identities: Identities) -> None:
        self._store, self._identities, self._mailbox = store, identities, Mailbox(home)

    def write(self, one: Identity, url: str) -> None:
        """Posts the letter to an address that has just become an identity; `url` is the stand-in's own."""
        token = secrets.token_urlsafe(32)
        self._store.do(
            "insert into aws_links (token, account, region, name, made) values (?, ?, ?, ?, ?)",
            token, one.account, one.region, one.name, one.made,
        )  # fmt: skip
        link = f"{url}/verify?{urlencode({'token': token})}"
        raw = letter(one, link)
        message_id = f"<{uuid.uuid4()}@amazonses.com>"
        raw = b"Message-ID: " + message_id.encode() + b"\r\n" + raw
        subject = SUBJECT.format(region=one.region)
        self._mailbox.file(recipient=one.name, sender=SENDER, message_id=message_id, subject=subject, raw=raw)

    def prove(self, token: str) -> str:
        """What the page says to whoever follows the link. Raises AwsError for one that is forged, used, late or of before."""
        row = self._store.one("select * from aws_links where token = ?", token)
        if row is None:
            raise AwsError("InvalidToken", "This link is not one of ours.", 404)
        one = self._identities.find(row["account"], row["region"], row["name"])
        late = row["made"] < time.time() - LINK_WORKS
        if row["used"] or late or one is None or one.made != row["made"]:
            raise AwsError("ExpiredToken", "This link does not work any more.", 410)
        if not self._store.do("update aws_links set used = 1 where token = ? and used = 0", token):
            raise AwsError("ExpiredToken", "This link does not work any more.", 410)
        self._identities.change(one, forced=True, verified=time.time())
        return f"Congratulations: {html.escape(one.name)} is verified in {one.region}."


def letter(one: Identity, link: str) -> bytes:
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"] = f"Amazon Web Services <{SENDER}>", one.name
    message["Subject"] = SUBJECT.format(region=one.region)
    message["Date"] = email.utils.format_datetime(email.utils.localtime())
    message.set_content(TEXT.format(name=one.name, account=one.account, region=one.region, link=link))
    return message.as_bytes()
