"""What a person may change of themselves from the dashboard."""

from django.db import transaction

from accounts.models import User
from audit.actions import record


@transaction.atomic
def rename(*, person: User, name: str, by: str) -> bool:
    """The person wants to be called so; False if they are already. Their accounts see that it changed, not from what."""
    name = " ".join(name.split())[:120]
    if name == person.name:
        return False
    person.name = name
    person.save(update_fields=["name"])
    for account in person.memberships.values_list("account_id", flat=True):
        record("person.renamed", by=by, account=account, subject=f"user:{person.pk}")
    return True
