"""What the people of an account may do about a mailbox."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from domains.actions import limits
from domains.actions.alias import refuse_taken
from domains.actions.common import as_it_is, held_mailbox, hold, record_of, refuse_circle, save, tell_server
from domains.actions.invitation import send_invitation
from domains.actions.limits import Most
from domains.models import Domain, Invitation, Mailbox
from domains.names import good_local, one_line
from domains.refusals import Refusal

LONGEST_NAME = 120


@transaction.atomic
def add_mailbox(
    *, domain: Domain, local: str, name: str = "", quota: int, most: Most, invite_to: str = "", by: str
) -> Mailbox:
    """A new mailbox of `quota` bytes; without a password until its owner has chosen one by the invitation to `invite_to`.

    Raises BadName, Taken, TooMany or Refusal.
    """
    local, name = good_local(local), good_name(name)
    hold(domain.account_id)
    domain = as_it_is(domain)
    refuse_taken(domain, local)
    limits.room_for_mailbox(domain.home, most, quota)
    mailbox = Mailbox.objects.create(domain=domain, local=local, name=name, quota=quota)
    record_of("mailbox.added", mailbox, by, quota=limits.size(quota))
    if invite_to.strip():
        send_invitation(mailbox, invite_to, by)
    tell_server(domain.home)
    return mailbox


@transaction.atomic
def change_mailbox(
    *, mailbox: Mailbox, name: str, quota: int, per_hour: int, per_day: int, most: Most, by: str
) -> Mailbox:
    """Its owner's name, its size in bytes, and to how many recipients it may write. Raises TooMany or Refusal."""
    name = good_name(name)
    limits.good_pace(per_hour, per_day)
    mailbox = held_mailbox(mailbox)
    if quota > mailbox.quota:
        limits.room_for_mailbox(mailbox.domain.home, most, quota, but=mailbox.pk)
    elif quota < limits.LEAST_QUOTA:
        limits.room_for_quota(quota, quota)
    mailbox.name, mailbox.quota, mailbox.per_hour, mailbox.per_day = name, quota, per_hour, per_day
    save(mailbox, "name", "quota", "per_hour", "per_day")
    record_of("mailbox.changed", mailbox, by, quota=limits.size(quota), per_hour=per_hour, per_day=per_day)
    tell_server(mailbox.domain.home)
    return mailbox


def good_name(typed: str) -> str:
    """Raises Refusal if it is too long."""
    name = " ".join(one_line(typed).split())
    if len(name) > LONGEST_NAME:
        raise Refusal(_("A name has at most %d letters.") % LONGEST_NAME, "name")
    return name


@transaction.atomic
def remove_mailbox(*, mailbox: Mailbox, by: str) -> Mailbox:
    """The host stops serving it at once; for settings.REMOVED_MAILBOX_KEPT it can be brought back as it was, with its mail.

    After that the host deletes the mail, and says so: see domains.actions.erasure.
    """
    mailbox = held_mailbox(mailbox)
    mailbox.removed_at = timezone.now()
    save(mailbox, "removed_at")
    Invitation.objects.live().filter(mailbox=mailbox).update(void_at=mailbox.removed_at)
    record_of("mailbox.removed", mailbox, by)
    tell_server(mailbox.domain.home, grows=False)
    return mailbox


@transaction.atomic
def restore_mailbox(*, mailbox: Mailbox, most: Most, by: str) -> Mailbox:
    """A removed mailbox is there again, with its mail and its passwords. Raises TooMany, Loop or Refusal."""
    hold(mailbox.domain.account_id)
    mailbox = as_it_is(mailbox)
    if mailbox.removed_at is None:
        return mailbox
    limits.room_for_mailbox(mailbox.domain.home, most, mailbox.quota)
    mailbox.removed_at = None
    save(mailbox, "removed_at")
    refuse_circle(mailbox.domain.account_id, mailbox.address, "")
    record_of("mailbox.restored", mailbox, by)
    tell_server(mailbox.domain.home)
    return mailbox


@transaction.atomic
def suspend_mailbox(*, mailbox: Mailbox, why: str = "", by: str) -> Mailbox:
    """It receives on, and nobody can sign in to it."""
    mailbox = held_mailbox(mailbox)
    if mailbox.suspended_at is None:
        mailbox.suspended_at, mailbox.suspended_why = timezone.now(), one_line(why)[:200]
        save(mailbox, "suspended_at", "suspended_why")
        record_of("mailbox.suspended", mailbox, by, why=mailbox.suspended_why)
        tell_server(mailbox.domain.home, grows=False)
    return mailbox


@transaction.atomic
def resume_mailbox(*, mailbox: Mailbox, by: str) -> Mailbox:
    """Its owner can sign in again."""
    mailbox = held_mailbox(mailbox)
    if mailbox.suspended_at is not None:
        mailbox.suspended_at, mailbox.suspended_why = None, ""
        save(mailbox, "suspended_at", "suspended_why")
        record_of("mailbox.resumed", mailbox, by)
        tell_server(mailbox.domain.home, grows=False)
    return mailbox


@transaction.atomic
def release_mailbox(*, mailbox: Mailbox, by: str) -> Mailbox:
    """Lifts the host's stop of its sending: the host compares `releases` with what it was when it stopped."""
    mailbox = held_mailbox(mailbox)
    mailbox.releases += 1
    save(mailbox, "releases")
    record_of("mailbox.released", mailbox, by)
    tell_server(mailbox.domain.home, grows=False)
    return mailbox


@transaction.atomic
def slow_mailbox(*, mailbox: Mailbox, why: str, by: str) -> bool:
    """Its server takes few recipients an hour from it, and everything from all others. False if it is slow already."""
    mailbox = held_mailbox(mailbox)
    if mailbox.slowed_at:
        return False
    mailbox.slowed_at, mailbox.slowed_why = timezone.now(), why[:200]
    save(mailbox, "slowed_at", "slowed_why")
    record_of("mailbox.slowed", mailbox, by, why=why)
    tell_server(mailbox.domain.home, grows=False)
    return True


@transaction.atomic
def unslow_mailbox(*, mailbox: Mailbox, by: str) -> Mailbox:
    """It sends as before; what was complained of until now is forgiven. Raises Refusal if it was removed."""
    mailbox = held_mailbox(mailbox)
    mailbox.slowed_at, mailbox.slowed_why, mailbox.lifted_at = None, "", timezone.now()
    save(mailbox, "slowed_at", "slowed_why", "lifted_at")
    record_of("mailbox.unslowed", mailbox, by)
    tell_server(mailbox.domain.home, grows=False)
    return mailbox
