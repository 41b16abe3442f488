"""How much there may be of anything, so that an order can be sent and one customer's mistake stays small."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Sum
from django.utils.translation import gettext as _

from domains.models import Alias, AppPassword, Domain, Mailbox
from domains.refusals import Refusal, TooMany

DOMAINS, ALIASES = 50, 400  # of a server
TARGETS, FORWARDS = 50, 5  # of an alias, of a mailbox
LEAST_QUOTA = 10 * 1024**2  # bytes: less would not hold one mail of usual size
MOST_RECIPIENTS = 100_000  # in an hour or a day
INVITED_A_DAY, INVITED_A_DAY_IN_ALL = 5, 100  # letters for one mailbox, for an account


@dataclass(frozen=True)
class Most:
    """What the server's plan has room for: `mailboxes`, and `disk` in bytes for all of them together."""

    mailboxes: int
    disk: int


def room_for_domain(home: UUID) -> None:
    """Raises TooMany."""
    if Domain.objects.filter(home=home).count() >= DOMAINS:
        raise TooMany(_("A server has at most %d domains.") % DOMAINS)


def room_for_alias(home: UUID) -> None:
    """Raises TooMany."""
    if Alias.objects.filter(domain__home=home).count() >= ALIASES:
        raise TooMany(_("A server has at most %d aliases.") % ALIASES)


def room_for_app_password(mailbox: Mailbox) -> None:
    """Raises TooMany."""
    if mailbox.app_passwords.count() >= AppPassword.MOST:
        raise TooMany(
            _("A mailbox has at most %d app passwords. Revoke one that is no longer used.") % AppPassword.MOST
        )


def room_for_mailbox(home: UUID, most: Most, quota: int, but: UUID | None = None) -> None:
    """Whether the plan has room for a mailbox of this size, or for `but` to become so large. Raises TooMany or Refusal."""
    others = Mailbox.objects.living().filter(domain__home=home)
    if but:
        others = others.exclude(pk=but)
    if others.count() >= most.mailboxes:
        raise TooMany(_("Your plan has room for %d mailboxes, and all are in use.") % most.mailboxes)
    room_for_quota(quota, most.disk - (others.aggregate(all=Sum("quota"))["all"] or 0))


def room_for_quota(quota: int, left: int) -> None:
    if quota < LEAST_QUOTA:
        raise Refusal(_("A mailbox has at least %s.") % size(LEAST_QUOTA), "quota")
    if quota > left:
        raise TooMany(
            _("That is more than is left: the mailboxes of this server can have another %s together.")
            % size(max(left, 0)),
            "quota",
        )


def good_pace(per_hour: int, per_day: int) -> None:
    """How many recipients a mailbox may write to. Raises Refusal."""
    if not 1 <= per_hour <= MOST_RECIPIENTS:
        raise Refusal(_("In an hour a mailbox may write to 1 to %d people.") % MOST_RECIPIENTS, "per_hour")
    if not per_hour <= per_day <= MOST_RECIPIENTS:
        raise Refusal(
            _("In a day it may be as many as in an hour or more, up to %d.") % MOST_RECIPIENTS, "per_day"
        )


def size(quota: int) -> str:
    """Bytes in words."""
    if quota >= 10**9:
        return f"{quota / 10**9:.1f} GB"
    return f"{quota // 10**6} MB"
