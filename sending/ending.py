"""The end of a key: used no more, and its secret gone."""

from django.utils import timezone

from audit.actions import record
from sending.models import Credentials
from vault import actions as vault


def end(row: Credentials, why: Credentials.End, by: str) -> None:
    """In the caller's transaction, who also stops a run that tries it; the row and its events stay as the proof."""
    row.state, row.ended_at, row.ended_why = Credentials.State.ENDED, timezone.now(), why
    row.save(update_fields=["state", "ended_at", "ended_why"])
    vault.shred(secret=row.secret_id, by=by, why=str(Credentials.End(why).label))
    record(
        "credentials.ended",
        by=by,
        account=row.account_id,
        subject=row.subject,
        server=f"server:{row.home}",
        why=str(why),
        key=row.access_key[-4:],
    )
