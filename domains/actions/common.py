"""What every change has in common: one at a time in an account, on rows as they are now, and its server is told."""

import json
from typing import TypeVar
from uuid import UUID

from django.db import connection
from django.db.models import Model
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.actions import record
from domains import ways
from domains.models import Mailbox
from domains.refusals import BadName, Loop, Refusal, TooMany
from domains.wanted import mail
from engine import actions as engine

MOST_BYTES = (
    900 * 1024
)  # of all that is wanted of one server's mail, so that the order stays under a mebibyte
M = TypeVar("M", bound=Model)


def hold(account: UUID) -> None:
    """Changes in one account follow each other, so that what one has looked at is still so when it writes."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"domains:{account}"])


def as_it_is(row: M) -> M:
    """The row as it is now. Raises Refusal if somebody removed it meanwhile."""
    found = type(row)._default_manager.filter(pk=row.pk).first()
    if found is None:
        raise Refusal(_("This was removed a moment ago, perhaps by somebody else of your account."))
    return found


def held_mailbox(mailbox: Mailbox) -> Mailbox:
    """The mailbox as it is now, with its account held. Raises Refusal if it was removed."""
    hold(mailbox.domain.account_id)
    mailbox = as_it_is(mailbox)
    if mailbox.removed_at:
        raise Refusal(_("%s was removed. Bring it back first.") % mailbox.address)
    return mailbox


def tell_server(home: UUID, *, grows: bool = True) -> None:
    """Whoever keeps the server orders anew. Raises TooMany if what `grows` has become too long to be sent."""
    size = len(json.dumps(mail(home), sort_keys=True, separators=(",", ":"))) if grows else 0
    if size > MOST_BYTES:
        raise TooMany(
            _(
                "This is more than one server can be told: shorten the out-of-office texts or lists of addresses."
            )
        )
    engine.wake(subject=f"server:{home}")


def refuse_missing(account: UUID, targets: list[str], field: str) -> None:
    """Raises BadName if one of them is at a domain of the account's and nobody has it."""
    known = ways.of_account(account)
    missing = [one for one in targets if known.is_missing(one)]
    if missing:
        raise BadName(
            _("There is no mailbox and no alias %s yet. Make it first.") % ", ".join(missing), field
        )


def refuse_circle(account: UUID, address: str, field: str) -> None:
    """Raises Loop, which undoes what was just written."""
    if circle := ways.of_account(account).circle(address):
        raise Loop(_("Mail would run in a circle: %s.") % " → ".join(circle), field)


def save(mailbox: Mailbox, *names: str) -> None:
    """Only what was changed."""
    mailbox.changed_at = timezone.now()
    mailbox.save(update_fields=[*names, "changed_at"])


def record_of(action: str, mailbox: Mailbox, by: str, **facts: object) -> None:
    """An event about a mailbox."""
    record(
        action,
        by=by,
        account=mailbox.domain.account_id,
        subject=f"mailbox:{mailbox.pk}",
        address=mailbox.address,
        **facts,
    )
