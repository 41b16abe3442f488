"""What is kept here of a server's mail ends with the server."""

from uuid import UUID

from django.db import transaction

from audit.actions import record
from domains.actions.erasure import erased_with
from domains.models import Alias, Domain, Letter, Mailbox, WayOut


@transaction.atomic
def forget_home(home: UUID) -> int:
    """The server and its disk are deleted: so are its domains, mailboxes, passwords and credentials. Returns how many rows.

    Domains may be added to another server from now on; what was to be erased is gone with the disk.
    """
    rows = erased_with(home)
    for domain in Domain.objects.filter(home=home):
        record(
            "domain.left",
            by="clock",
            account=domain.account_id,
            subject=f"domain:{domain.pk}",
            name=domain.name,
        )
    for gone in (
        WayOut.objects.filter(home=home),
        Letter.objects.filter(home=home),
        Alias.objects.filter(domain__home=home),
        Mailbox.objects.filter(domain__home=home),
        Domain.objects.filter(home=home),
    ):
        rows += gone.delete()[0]
    return rows
