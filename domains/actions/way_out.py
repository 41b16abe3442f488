"""How mail leaves a server: by the customer's own SES, whose password only that server's agent can open."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from accounts.models import Account
from audit.actions import record
from domains import ses
from domains.actions.common import as_it_is, hold, tell_server
from domains.models import Domain, WayOut
from domains.refusals import BadCredentials, Refusal
from vault import sealing

INFO = b"mailat-relay-v1\n"


@transaction.atomic
@sensitive_variables("password")
def set_way_out(
    *,
    account: Account,
    home: UUID,
    region: str,
    access_key: str,
    password: str,
    seal_key: str,
    sender_domain: Domain,
    port: int = ses.PORTS[0],
    by: str,
) -> WayOut:
    """Mail of the server `home` leaves through SES from now on. `seal_key` is its agent's public key in base64.

    `password` is that of SES' SMTP endpoint in this region; the secret key that it follows from stays in the vault. Raises
    BadCredentials or Refusal.
    """
    region, access_key = ses.good_region(region), ses.good_access_key(access_key)
    if port not in ses.PORTS:
        raise BadCredentials(_("Choose port 587 or 2587: the others are closed in the data centre."), "port")
    hold(account.pk)
    sender = _good_sender(sender_domain, account.pk, home)
    values = {
        "account": account,
        "region": region,
        "port": port,
        "access_key": access_key,
        "sealed": _sealed(seal_key, home, password),
        "seal_key": seal_key,
        "sender": sender,
        "added_at": timezone.now(),
        "by": by,
    }
    row, _new = WayOut.objects.update_or_create(home=home, defaults=values)
    record(
        "way_out.set", by=by, account=account.pk, subject=f"server:{home}", region=region, key=access_key[-4:]
    )
    tell_server(home)
    return row


def _sealed(seal_key: str, home: UUID, password: str) -> str:
    try:
        return sealing.seal_to(seal_key, INFO + str(home).encode(), password)
    except ValueError:
        raise Refusal(_("Your server has not called us yet. Try again when it is ready.")) from None


def _good_sender(domain: Domain, account: UUID, home: UUID) -> Domain:
    domain = as_it_is(domain)
    if domain.account_id != account or domain.home != home:
        raise Refusal(_("Choose one of the domains of this server."), "sender_domain")
    return domain


@transaction.atomic
def set_sender(*, home: UUID, sender_domain: Domain, by: str) -> WayOut:
    """Mail without a sender leaves in the name of this domain, which must be verified at SES. Raises Refusal."""
    hold(sender_domain.account_id)
    row = _row(home)
    row.sender = _good_sender(sender_domain, row.account_id, home)
    row.save(update_fields=["sender"])
    record(
        "way_out.sender_set", by=by, account=row.account_id, subject=f"server:{home}", name=row.sender.name
    )
    tell_server(home)
    return row


@transaction.atomic
def remove_way_out(*, home: UUID, by: str) -> None:
    """Nothing leaves to the outside any more: it waits on the server until there is a way again. Raises Refusal."""
    account = _row(home).account_id
    hold(account)
    _row(home).delete()
    record("way_out.removed", by=by, account=account, subject=f"server:{home}")
    tell_server(home, grows=False)


def _row(home: UUID) -> WayOut:
    row = WayOut.objects.filter(home=home).first()
    if row is None:
        raise Refusal(_("This server has no way out yet."))
    return row
