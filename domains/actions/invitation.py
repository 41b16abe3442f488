"""How the owner of a mailbox comes to its password, so that nobody else ever knows it."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from accounts import letters
from accounts.models import User
from domains import hashes, tokens
from domains.actions.common import held_mailbox, record_of, save, tell_server
from domains.actions.limits import INVITED_A_DAY, INVITED_A_DAY_IN_ALL
from domains.links import host_of
from domains.models import Invitation, Mailbox
from domains.names import good_address
from domains.passwords import check
from domains.refusals import Refusal, Spent, TooMany

UNUSED_KEPT = timedelta(days=30)  # after an invitation expired, so that an old link can still say so


@transaction.atomic
def invite(*, mailbox: Mailbox, to: str, by: str) -> Invitation:
    """Sends a link with which the password is chosen, at first or anew; links sent before open nothing any more.

    Raises BadName, TooMany or Refusal.
    """
    return send_invitation(held_mailbox(mailbox), to, by)


def send_invitation(mailbox: Mailbox, to: str, by: str) -> Invitation:
    """The same for a mailbox whose account is held."""
    to = good_address(to, "invite_to")
    if to == mailbox.address:
        raise Refusal(
            _("Nobody can read %s before it has a password. Type another address of the person's.") % to,
            "invite_to",
        )
    _refuse_flood(mailbox)
    invitation = _new_invitation(mailbox, to, by)
    record_of("mailbox.invited", mailbox, by, to=to)
    letters.post(
        "mailbox_invitation",
        to=to,
        key=f"mailbox_invitation:{invitation.pk}",
        account=mailbox.domain.account,
        invitation=invitation.pk,
        address=mailbox.address,
        inviter=_name_of(by, mailbox),
        days=settings.MAILBOX_INVITATION_LIFE.days,
    )
    return invitation


def _refuse_flood(mailbox: Mailbox) -> None:
    """Nobody's mailbox is filled with our letters."""
    today = Invitation.objects.filter(sent_at__gt=timezone.now() - timedelta(days=1))
    if today.filter(mailbox=mailbox).count() >= INVITED_A_DAY:
        raise TooMany(
            _("%d invitations for this mailbox were sent within a day. Try again tomorrow.") % INVITED_A_DAY
        )
    if today.filter(mailbox__domain__account=mailbox.domain.account_id).count() >= INVITED_A_DAY_IN_ALL:
        raise TooMany(_("%d invitations were sent within a day. Try again tomorrow.") % INVITED_A_DAY_IN_ALL)


def _new_invitation(mailbox: Mailbox, to: str, by: str) -> Invitation:
    """The newest of a mailbox is its only one."""
    now = timezone.now()
    Invitation.objects.filter(mailbox=mailbox, used_at=None, void_at=None).update(void_at=now)
    row = Invitation(
        mailbox=mailbox, to=to, by=by, sent_at=now, expires_at=now + settings.MAILBOX_INVITATION_LIFE
    )
    row.token_hash = tokens.hash_token(tokens.token_of(row.pk))
    row.save(force_insert=True)
    return row


def _name_of(by: str, mailbox: Mailbox) -> str:
    """Who invited, as the invited person knows them; the account's name where it was no person."""
    kind, _colon, number = by.partition(":")
    user = User.objects.filter(pk=int(number)).first() if kind == "user" and number.isdigit() else None
    if user is None:
        return mailbox.domain.account.name
    return f"{user.name} ({user.email})" if user.name else user.email


@sensitive_variables("token")
def open_invitation(token: str) -> Invitation | None:
    """The invitation whose link this is, if it still opens; looking uses nothing up."""
    rows = Invitation.objects.live().select_related("mailbox__domain__account")
    return rows.filter(token_hash=tokens.hash_token(token)).first()


@transaction.atomic
@sensitive_variables("token", "password")
def set_password(*, token: str, password: str) -> Mailbox:
    """The owner of the mailbox chooses its password, by the link and once. Raises Spent or BadPassword.

    A password that is refused uses nothing up.
    """
    invitation = open_invitation(token)
    if invitation is None:
        raise Spent(
            _("This link was used, replaced by a newer one, or is too old. Ask for a new invitation.")
        )
    check(password, invitation.mailbox)
    mailbox = held_mailbox(invitation.mailbox)
    _use(invitation)
    mailbox.password, mailbox.password_at = hashes.of_password(password), timezone.now()
    save(mailbox, "password", "password_at")
    record_of("mailbox.password_set", mailbox, f"mailbox:{mailbox.pk}")
    _confirm(mailbox, invitation)
    tell_server(mailbox.domain.home)
    return mailbox


def _use(invitation: Invitation) -> None:
    """One conditional UPDATE decides who of several was first."""
    unused = Invitation.objects.filter(pk=invitation.pk, used_at=None, void_at=None)
    if unused.update(used_at=timezone.now()) != 1:
        raise Spent(_("This link has just been used. Ask for a new invitation if that was not you."))


def _confirm(mailbox: Mailbox, invitation: Invitation) -> None:
    letters.post(
        "mailbox_password_set",
        to=invitation.to,
        key=f"mailbox_password_set:{invitation.pk}",
        account=mailbox.domain.account,
        address=mailbox.address,
        inviter=_name_of(invitation.by, mailbox),
        url=host_of(mailbox),
    )


def forget_invitations() -> int:
    """Removes those that expired UNUSED_KEPT ago without being used; returns how many. A used one tells whom to write to."""
    old = Invitation.objects.filter(expires_at__lt=timezone.now() - UNUSED_KEPT, used_at=None)
    return old.delete()[0]
