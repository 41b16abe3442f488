"""Which of a server's keys Amazon is asked by."""

from uuid import UUID

from sending.models import Credentials


def living_key(home: UUID) -> Credentials | None:
    """The key in use; while there is none, the one that is being tried."""
    rows = Credentials.objects.select_related("account", "sender").filter(home=home).exclude(state="ended")
    living = {row.state: row for row in rows}
    return living.get("in_use") or living.get("candidate")
