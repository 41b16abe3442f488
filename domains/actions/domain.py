"""What may be done about a domain."""

from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Account
from audit.actions import record
from domains.actions import limits
from domains.actions.common import as_it_is, hold, refuse_circle, tell_server
from domains.actions.erasure import plan_erasure
from domains.models import Alias, Domain, Erasure, Mailbox, WayOut
from domains.names import good_domain
from domains.refusals import InUse, NotEmpty, Refusal, Taken


@transaction.atomic
def add_domain(*, account: Account, home: UUID, name: str, by: str) -> Domain:
    """Mail of this domain is from now on taken by the server `home`. Raises BadName, Taken or TooMany."""
    name = good_domain(name)
    hold(account.pk)
    limits.room_for_domain(home)
    domain = _new_domain(Domain(account=account, home=home, name=name))
    record("domain.added", by=by, account=account.pk, subject=f"domain:{domain.pk}", name=name)
    tell_server(home)
    return domain


def _new_domain(domain: Domain) -> Domain:
    """Nothing here tells whose it is, so that nobody learns who our customers are."""
    try:
        with transaction.atomic():
            domain.save(force_insert=True)
    except IntegrityError:
        if Domain.objects.filter(name=domain.name, account=domain.account).exists():
            raise Taken(_("You have “%s” already.") % domain.name, "name") from None
        raise Taken(
            _("“%s” is in use at another server here. If it is yours, write to us.") % domain.name, "name"
        ) from None
    return domain


def what_is_lost(domain: Domain) -> str:
    """What goes with the domain, in words; empty if nothing does."""
    mailboxes, aliases = (
        Mailbox.objects.filter(domain=domain).count(),
        Alias.objects.filter(domain=domain).count(),
    )
    parts = [
        ngettext("%d mailbox", "%d mailboxes", mailboxes) % mailboxes if mailboxes else "",
        ngettext("%d alias", "%d aliases", aliases) % aliases if aliases else "",
    ]
    return _(" and ").join(part for part in parts if part)


@transaction.atomic
def remove_domain(*, domain: Domain, confirmed: bool = False, by: str) -> None:
    """The server takes no mail of this domain any more. Raises InUse, or NotEmpty unless `confirmed`.

    Its aliases go with it, and so do its mailboxes: with their mail each of them can be had back for as long as a removed
    mailbox can, once the domain is there again.
    """
    hold(domain.account_id)
    domain = as_it_is(domain)
    _refuse_if_sender(domain)
    lost = what_is_lost(domain)
    if lost and not confirmed:
        raise NotEmpty(_("With %(domain)s you lose %(lost)s.") % {"domain": domain.name, "lost": lost})
    _remove(domain, by)
    tell_server(domain.home, grows=False)


def _refuse_if_sender(domain: Domain) -> None:
    if WayOut.objects.filter(sender=domain).exists():
        raise InUse(
            _(
                "Mail without a sender leaves in the name of %s. Choose another domain for that, or end the sending, first."
            )
            % domain.name
        )


def _remove(domain: Domain, by: str) -> None:
    mailboxes = list(Mailbox.objects.filter(domain=domain).select_related("domain"))
    aliases = Alias.objects.filter(domain=domain)
    record(
        "domain.removed",
        by=by,
        account=domain.account_id,
        subject=f"domain:{domain.pk}",
        name=domain.name,
        mailboxes=[one.address for one in mailboxes],
        aliases=aliases.count(),
    )
    aliases.delete()
    for mailbox in mailboxes:
        plan_erasure(mailbox, why=Erasure.Why.DOMAIN, by=by)
    domain.delete()


@transaction.atomic
def set_catch_all(*, domain: Domain, mailbox: Mailbox | None, by: str) -> None:
    """What nobody else at the domain gets goes to this mailbox, or is refused. Raises Refusal or Loop."""
    hold(domain.account_id)
    domain = as_it_is(domain)
    if mailbox is not None:
        mailbox = as_it_is(mailbox)
        if mailbox.removed_at or mailbox.domain.home != domain.home:
            raise Refusal(_("Choose one of the mailboxes of this server."), "mailbox")
    domain.catch_all, domain.changed_at = mailbox, timezone.now()
    domain.save(update_fields=["catch_all", "changed_at"])
    if mailbox is not None:
        refuse_circle(domain.account_id, mailbox.address, "mailbox")
    record(
        "domain.catch_all_set",
        by=by,
        account=domain.account_id,
        subject=f"domain:{domain.pk}",
        name=domain.name,
        mailbox=mailbox.address if mailbox else _("nobody"),
    )
    tell_server(domain.home)


@transaction.atomic
def set_mta_sts(*, domain: Domain, mode: str, by: str) -> None:
    """What senders are told about our encryption: "none", "testing" or "enforce" (RFC 8461). Raises Refusal."""
    hold(domain.account_id)
    domain = as_it_is(domain)
    if mode not in Domain.MtaSts.values:
        raise Refusal(_("Choose none, testing or enforce."), "mode")
    domain.mta_sts, domain.changed_at = Domain.MtaSts(mode), timezone.now()
    domain.save(update_fields=["mta_sts", "changed_at"])
    record(
        "domain.mta_sts_set",
        by=by,
        account=domain.account_id,
        subject=f"domain:{domain.pk}",
        name=domain.name,
        mode=mode,
    )
    tell_server(domain.home)
