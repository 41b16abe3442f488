"""Removals that hosts ask for, one call of a repository after the other, so that two at once are not both under the limit."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from audit.actions import record
from backups import alarms, rows
from backups.asked import Named
from backups.models import Point, Repository, Stored
from backups.removal import TOO_MANY, Judge, balance
from backups.retention import may_go_since
from backups.rows import Row

SNAPSHOTS = "snapshots"


@transaction.atomic
def remove(repository: Repository, names: Sequence[Named], life: timedelta) -> dict[Named, str]:
    """For each name a refusal or nothing; what is not there is removed already."""
    held = Repository.objects.select_for_update(no_key=True).get(pk=repository.pk)
    now = timezone.now()
    known = rows.found(held.pk, names)
    here = [
        known[name]
        for name in dict.fromkeys(names)
        if name in known and known[name].state in ("signed", "stored")
    ]
    verdicts = _judge(held, here, now).look(here)
    going = [name for name, why in verdicts.items() if not why]
    if going:
        rows.trash(held.pk, going, life)
        points_gone(held.pk, [one.name for one in going if one.kind == SNAPSHOTS], now)
        _note(held, going)
    if TOO_MANY in verdicts.values():
        _refused(held, [known[name] for name, why in verdicts.items() if why == TOO_MANY])
    return verdicts


def _judge(repository: Repository, here: Sequence[Row], now: datetime) -> Judge:
    until = repository.removals_allowed_until
    weighs = any(row.kind in ("data", "index") for row in here)
    return Judge(
        balance(rows.sums(repository.pk) if weighs else ()),
        free_since(repository, now) if any(row.kind == SNAPSHOTS for row in here) else {},
        now,
        allowed=until is not None and until > now,
    )


def free_since(repository: Repository, now: datetime) -> dict[str, datetime | None]:
    """For each stored snapshot since when it may go, the oldest first; None where it may not."""
    stored = Stored.objects.filter(home=repository.pk, kind=SNAPSHOTS, state="stored")
    dated = stored.order_by("stored_at", "id").values_list("name", "stored_at")
    found = [(name, made) for name, made in dated if made]
    newer = [made for _, made in found[1:]] + [None]
    terms = repository.terms()
    return {
        name: may_go_since(made, after, terms, now) for (name, made), after in zip(found, newer, strict=True)
    }


def points_gone(home: UUID, snapshots: Sequence[str], now: datetime) -> None:
    """What stood for these can no longer be restored."""
    if snapshots:
        gone = Point.objects.filter(repository_id=home, snapshot__in=snapshots, gone_at=None)
        gone.update(gone_at=now)


def _note(repository: Repository, going: Sequence[Named]) -> None:
    """A host that forgets by itself does what it should."""
    if repository.not_forgotten_since and any(one.kind in ("data", SNAPSHOTS) for one in going):
        Repository.objects.filter(pk=repository.pk).update(not_forgotten_since=None)
        alarms.close("not_forgotten", repository.pk)


def _refused(repository: Repository, refused: Sequence[Row]) -> None:
    """Told once, however often it is tried."""
    size = sum(row.bytes for row in refused)
    new = alarms.open_once(
        "removals",
        repository.pk,
        f"The host wanted to remove more than half of its backups in a day; {len(refused)} objects ({size} bytes) were refused.",
        "Was much mail deleted there a while ago? Then allow it on the repository's page. If not, its credentials may be stolen.",
    )
    if new:
        record(
            "backup.removals_refused", by=f"agent:{repository.pk}", account=repository.account_id,
            subject=repository.server, objects=len(refused), bytes=size,
        )  # fmt: skip
