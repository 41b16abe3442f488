"""What people of an account may do about the key by which their server's mail leaves."""

from datetime import timedelta
from uuid import UUID, uuid4

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from accounts.models import Account
from audit.actions import record
from domains import actions as domains
from domains import ses
from domains.actions.common import hold
from domains.models import Domain, WayOut
from domains.refusals import BadCredentials, Refusal
from engine import actions as engine
from sending import standing, worries
from sending.amazon import PURPOSE
from sending.ending import end
from sending.models import Credentials, Notice, Suppression, Tester
from sending.programs.check import CheckCredentials
from vault import actions as vault

NOTICES_KEPT = timedelta(days=31)


@transaction.atomic
@sensitive_variables("access_key", "secret_key", "secret")
def propose(
    *,
    account: Account,
    home: UUID,
    region: str,
    access_key: str,
    secret_key: str,
    sender_domain: Domain,
    port: int = ses.PORTS[0],
    by: str,
) -> Credentials:
    """Seals the key and begins to try it; the one in use stays in use until this one is proven. Raises BadCredentials."""
    region = ses.good_region(region)
    access_key, secret_key = ses.good_credentials(access_key, secret_key)
    if port not in ses.PORTS:
        raise BadCredentials(_("Choose port 587 or 2587: the others are closed in the data centre."), "port")
    if sender_domain.account_id != account.pk or sender_domain.home != home:
        raise Refusal(_("Choose one of the domains of this server."), "sender_domain")
    hold(account.pk)
    drop_candidate(home=home, by=by)
    pk = uuid4()
    secret = vault.keep(
        account=account.pk, purpose=PURPOSE, subject=f"credentials:{pk}", secret=secret_key, by=by
    )
    row = Credentials.objects.create(
        id=pk,
        account=account,
        home=home,
        region=region,
        port=port,
        access_key=access_key,
        secret=secret,
        sender=sender_domain,
        by=by,
    )
    _record("credentials.given", row, by, region=region, key=access_key[-4:])
    engine.start(CheckCredentials, subject=row.subject)
    return row


@transaction.atomic
def check_again(*, row: Credentials, by: str) -> None:
    """Asks Amazon once more, now."""
    _record("credentials.checked_again", row, by)
    engine.signal("again", subject=row.subject)


@transaction.atomic
def drop_candidate(*, home: UUID, by: str) -> bool:
    """Gives up a key that is being tried; the one in use, if there is one, stays. False if none is tried."""
    row = Credentials.objects.select_for_update().filter(home=home, state="candidate").first()
    if row is None:
        return False
    _end(row, Credentials.End.DROPPED, by)
    return True


@transaction.atomic
def remove(*, home: UUID, why: Credentials.End = Credentials.End.REMOVED, by: str) -> None:
    """Nothing leaves by the customer's account any more: the server is told, and every secret of it is shredded."""
    for account in Credentials.objects.filter(home=home).values_list("account_id", flat=True)[:1]:
        hold(account)  # so that no worker is about to give the server what it read before
    for row in Credentials.objects.select_for_update().filter(home=home).exclude(state="ended"):
        _end(row, why, by)
    standing.forget(home)
    worries.forget(home)
    Suppression.objects.filter(home=home).delete()
    Tester.objects.filter(home=home).delete()
    if WayOut.objects.filter(home=home).exists():
        domains.remove_way_out(home=home, by=by)


@transaction.atomic
def forget_notices() -> int:
    """Removes what Amazon told more than NOTICES_KEPT ago; returns how many messages."""
    gone, _rows = Notice.objects.filter(received_at__lt=timezone.now() - NOTICES_KEPT).delete()
    return gone


def _end(row: Credentials, why: Credentials.End, by: str) -> None:
    engine.stop(CheckCredentials, subject=row.subject)
    end(row, why, by)


def _record(action: str, row: Credentials, by: str, **facts: object) -> None:
    record(action, by=by, account=row.account_id, subject=row.subject, server=f"server:{row.home}", **facts)
