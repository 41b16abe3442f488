"""What leaves the bucket for good: first marked, then deleted there, then out of the inventory; killed anywhere, it goes on.

A name is free again only after its object is gone, so a new object of the same name is never hit by an older deletion: one that a
killed worker sent is over before another worker repeats it.
"""

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from backups import bucket
from backups.models_stored import key_of
from backups.retention import URL_LIFE
from engine import prepared

log = logging.getLogger("backups")

AT_ONCE = 1000  # objects, as many as one deletion may name
REPEATED_AFTER = timedelta(minutes=5)  # longer than any call to the storage lasts
UNSEEN_AFTER = URL_LIFE + timedelta(minutes=1)
LOST_AFTER = timedelta(hours=2)  # a write may begin in the address' last second and be slow

# An object that may still arrive by an address given before waits for the address' end.
MARK = """
UPDATE backups_stored SET state = 'leaving', leaves_at = statement_timestamp()
 WHERE id IN (SELECT id FROM backups_stored
               WHERE state IN ('trashed', 'leaving')
                 AND leaves_at <= statement_timestamp() - CASE state WHEN 'leaving' THEN %b::interval ELSE '0' END
                 AND (stored_at IS NOT NULL OR signed_at < statement_timestamp() - %b::interval)
               ORDER BY leaves_at LIMIT %b FOR UPDATE SKIP LOCKED)
RETURNING id, home, kind, name"""
FORGET = "DELETE FROM backups_stored WHERE id = ANY(%b) AND state = 'leaving'"
UNSEEN = """
SELECT id, home, kind, name, bytes, signed_at, signed_at < statement_timestamp() - %b::interval FROM backups_stored
 WHERE state = 'signed' AND signed_at < statement_timestamp() - %b::interval AND id > %b ORDER BY id LIMIT %b"""
SEEN = """
UPDATE backups_stored SET state = 'stored', stored_at = statement_timestamp()
 WHERE id = ANY(%b) AND state = 'signed'"""
SPOILED = """
UPDATE backups_stored SET state = 'trashed', trashed_at = statement_timestamp(), leaves_at = statement_timestamp()
 WHERE id = ANY(%b) AND state = 'signed'"""
LOST = "DELETE FROM backups_stored WHERE id = ANY(%b) AND state = 'signed' AND signed_at < statement_timestamp() - %b::interval"


def empty(rounds: int = 20) -> int:
    """Removes what has been in the trash for its time; returns how many objects. Raises TryLater or Refused."""
    removed = 0
    for _ in range(rounds):
        marked = prepared.run(MARK, [REPEATED_AFTER, LOST_AFTER, AT_ONCE])
        if not marked:
            break
        bucket.storage().delete_many([_key(row) for row in marked])
        removed += prepared.changed(FORGET, [[row[0] for row in marked]])
    return removed


def _key(row: Sequence[Any]) -> str:
    return key_of(str(row[1]), row[2], row[3])


def settle(rounds: int = 20) -> tuple[int, int]:
    """Objects whose addresses are spent and of which nobody told: those that lie there are stored, others are forgotten.

    Returns how many of each. Raises TryLater or Refused.
    """
    stored = forgotten = after = 0
    for _ in range(rounds):
        rows = prepared.run(UNSEEN, [LOST_AFTER, UNSEEN_AFTER, after, AT_ONCE])
        if not rows:
            break
        after = rows[-1][0]
        whole, spoiled, lost = _sorted(rows)
        with transaction.atomic():
            stored += prepared.changed(SEEN, [whole])
            prepared.changed(SPOILED, [spoiled])
            forgotten += prepared.changed(LOST, [lost, LOST_AFTER])
    return stored, forgotten


def _sorted(rows: Sequence[Sequence[Any]]) -> tuple[list[int], list[int], list[int]]:
    """Ids of those that lie there whole, of those that lie there with another length, and of those that never came."""
    lying = bucket.heads(_key(row) for row in rows)
    sizes = {row[0]: lying[_key(row)].bytes for row in rows if _key(row) in lying}
    whole = [row[0] for row in rows if sizes.get(row[0]) == row[4]]
    spoiled = [row[0] for row in rows if row[0] in sizes and sizes[row[0]] != row[4]]
    return whole, spoiled, [row[0] for row in rows if row[0] not in sizes and row[6]]


def of_home(home: UUID) -> str:
    """What all keys of a repository begin with."""
    return f"{home}/"
