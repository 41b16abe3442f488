"""What may be done about aliases, and which addresses are still free."""

from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.actions import record
from domains.actions import limits
from domains.actions.common import as_it_is, hold, refuse_circle, refuse_missing, tell_server
from domains.models import Alias, Domain, Mailbox
from domains.names import good_address, good_local
from domains.refusals import Refusal, Taken, TooMany


@transaction.atomic
def add_alias(*, domain: Domain, local: str, targets: Iterable[str], by: str) -> Alias:
    """Mail to local@domain goes to the targets. Raises BadName, Taken, TooMany, Loop or Refusal."""
    local, to = good_local(local), good_targets(targets, limits.TARGETS)
    hold(domain.account_id)
    domain = as_it_is(domain)
    limits.room_for_alias(domain.home)
    refuse_taken(domain, local)
    alias = Alias.objects.create(domain=domain, local=local, targets=to)
    _check(alias)
    record(
        "alias.added",
        by=by,
        account=domain.account_id,
        subject=f"domain:{domain.pk}",
        address=alias.address,
        targets=", ".join(to),
    )
    tell_server(domain.home)
    return alias


@transaction.atomic
def change_alias(*, alias: Alias, targets: Iterable[str], by: str) -> Alias:
    """It goes to others from now on. Raises BadName, TooMany, Loop or Refusal."""
    to = good_targets(targets, limits.TARGETS)
    hold(alias.domain.account_id)
    alias = as_it_is(alias)
    alias.targets, alias.changed_at = to, timezone.now()
    alias.save(update_fields=["targets", "changed_at"])
    _check(alias)
    domain = alias.domain
    record(
        "alias.changed",
        by=by,
        account=domain.account_id,
        subject=f"domain:{domain.pk}",
        address=alias.address,
        targets=", ".join(to),
    )
    tell_server(domain.home)
    return alias


def _check(alias: Alias) -> None:
    account = alias.domain.account_id
    refuse_circle(account, alias.address, "targets")
    refuse_missing(account, alias.targets, "targets")


@transaction.atomic
def remove_alias(*, alias: Alias, by: str) -> None:
    """Mail to it is refused from now on, or caught by the catch-all."""
    hold(alias.domain.account_id)
    alias = as_it_is(alias)
    domain = alias.domain
    record(
        "alias.removed",
        by=by,
        account=domain.account_id,
        subject=f"domain:{domain.pk}",
        address=alias.address,
    )
    alias.delete()
    tell_server(domain.home, grows=False)


def good_targets(typed: Iterable[str], most: int) -> list[str]:
    """The addresses, each once, in their order. Raises BadName, TooMany or Refusal."""
    found = list(dict.fromkeys(good_address(one, "targets") for one in typed if one.strip()))
    if not found:
        raise Refusal(_("Type at least one address that gets the mail."), "targets")
    if len(found) > most:
        raise TooMany(_("There are at most %d addresses.") % most, "targets")
    return found


def refuse_taken(domain: Domain, local: str) -> None:
    """An address belongs to one mailbox or to one alias. Raises Taken."""
    address = f"{local}@{domain.name}"
    if Alias.objects.filter(domain=domain, local=local).exists():
        raise Taken(_("%s is an alias already.") % address, "local")
    mailbox = Mailbox.objects.filter(domain=domain, local=local).first()
    if mailbox and mailbox.removed_at:
        raise Taken(
            _("%s was removed a few days ago and can still be brought back; until then its address is kept.")
            % address,
            "local",
        )
    if mailbox:
        raise Taken(_("There is a mailbox %s already.") % address, "local")
