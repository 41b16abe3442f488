"""Who gets mail to postmaster and abuse: every domain that takes mail must have somebody who does (RFC 5321, 4.5.1; RFC 2142, 2)."""

from collections.abc import Iterable
from uuid import UUID

from accounts import letters
from accounts.models import Account
from domains.models import Domain, Mailbox

LOCALS = ("abuse", "postmaster")


def first_of(boxes: Iterable[Mailbox]) -> dict[UUID, str]:
    """By domain the mailbox that was there first, rather one that somebody reads."""
    found: dict[UUID, str] = {}
    for box in sorted(boxes, key=lambda one: (one.suspended_at is not None, not one.password, one.added_at)):
        found.setdefault(box.domain_id, box.address)
    return found


def of(domain: Domain, first: dict[UUID, str]) -> list[str]:
    """The domain's first mailbox, or where it has none those who answer for the account."""
    if domain.pk in first:
        return [first[domain.pk]]
    return letters.owners(Account(pk=domain.account_id))
