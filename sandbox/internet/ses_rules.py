"""What the sending service refuses of a message. Sources: docs.aws.amazon.com/ses/latest/dg header-fields, troubleshoot-smtp."""

from __future__ import annotations

from collections import Counter

from sandbox.internet.headers import Message

MOST_RECIPIENTS = 50
MOST_BYTES = 40 * 1024 * 1024
SPEAKING = ("From", "Sender", "Return-Path")  # fields whose addresses must be verified
FIELDS = (
    "accept-language acceptlanguage archived-at auto-submitted bounces-to comments content-alternative content-base"
    " content-class content-description content-disposition content-duration content-id content-language"
    " content-length content-location content-md5 content-transfer-encoding content-type date delivered-to"
    " disposition-notification-options disposition-notification-to dkim-signature domainkey-signature errors-to from"
    " importance in-reply-to keywords list-archive list-help list-id list-owner list-post list-subscribe"
    " list-unsubscribe list-unsubscribe-post message-context message-id mime-version organization original-from"
    " original-message-id original-recipient original-subject precedence priority references reply-to return-path"
    " return-receipt-to sender solicitation sensitivity subject thread-index thread-topic user-agent vbr-info"
)
ONCE = frozenset(FIELDS.split())


def refusal(recipients: list[str], message: Message) -> str:
    """The answer to the form of a message, whoever sends it, or nothing if it is taken."""
    if len(recipients) > MOST_RECIPIENTS:
        return f"554 Transaction failed: Recipient count exceeds {MOST_RECIPIENTS}."
    if twice := sorted(
        name for name, times in Counter(message.names()).items() if times > 1 and name in ONCE
    ):
        return f"554 Transaction failed: Duplicate header '{twice[0].title()}'."
    if not message.addresses("From"):
        return "554 Transaction failed: Missing final '@domain'."
    return ""


def speaking(sender: str, message: Message) -> list[str]:
    """The addresses in whose name it comes, the author's first; all of them must be verified."""
    return [*(each for name in SPEAKING for each in message.addresses(name)), sender.lower()]
