"""A server's way out and the key that it follows from, kept in step: who is sent as, and to whom the password is sealed."""

from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from audit.actions import record
from domains import actions as domains
from domains.actions.common import hold
from domains.models import Domain, WayOut
from domains.refusals import Refusal
from sending.amazon import smtp_password_of
from sending.models import Credentials
from servers.models import Agent

TRIED = "the server signs in to SES with what follows from it"
REBUILT = "the server has a new key of its own, to which its password is sealed"


def give(row: Credentials, seal_key: str, sender: Domain, *, by: str, why: str = TRIED) -> WayOut:
    """Mail leaves by this key from now on; only the server that has the other half of `seal_key` can sign in. Raises Refusal.

    In the caller's transaction: whoever takes the key away meanwhile waits for its end, or comes first and it is not given.
    """
    hold(row.account_id)
    if not Credentials.objects.filter(pk=row.pk).exclude(state="ended").exists():
        raise Refusal(_("This key was taken away a moment ago."))
    return domains.set_way_out(
        account=row.account,
        home=row.home,
        region=row.region,
        access_key=row.access_key,
        password=smtp_password_of(row, by=by, why=why),
        seal_key=seal_key,
        sender_domain=sender,
        port=row.port,
        by=by,
    )


@transaction.atomic
def choose_sender(*, home: UUID, sender_domain: Domain, by: str) -> WayOut:
    """Notices leave in the name of this domain, also when the server is given an earlier key back. Raises Refusal."""
    way = domains.set_sender(home=home, sender_domain=sender_domain, by=by)
    Credentials.objects.filter(home=home).exclude(state="ended").update(sender=way.sender)
    return way


def seal_anew(*, home: UUID, by: str) -> bool:
    """A server that was made anew has another key; its password is made from the vault and sealed to that. Whether it was."""
    try:
        return _seal_anew(home, by)
    except Refusal:  # what its agent called a key is none
        return False


@transaction.atomic
def _seal_anew(home: UUID, by: str) -> bool:
    way = WayOut.objects.select_related("sender").filter(home=home).first()
    agent = Agent.objects.filter(server=home).first()
    if way is None or agent is None or agent.seal_key in ("", way.seal_key):
        return False
    living = Credentials.objects.select_related("account").filter(home=home).exclude(state="ended")
    row = living.filter(access_key=way.access_key).first()
    if row is None:
        return False
    give(row, agent.seal_key, way.sender, by=by, why=REBUILT)
    record(
        "credentials.sealed_anew", by=by, account=row.account_id, subject=row.subject, server=f"server:{home}"
    )
    return True
