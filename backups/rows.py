"""What the gate says to Postgres: a statement for all objects of a call, the same text each time, so that each is planned once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from backups.asked import Named, Wish
from backups.models_stored import key_of
from engine import prepared

TABLE = "backups_stored"
# Bytes that a smaller object counts as: https://docs.hetzner.com/storage/object-storage/overview/#pricing
BILLED = 64 * 1024
FIELDS = "one.kind, one.name, one.bytes, one.sha256, one.state, one.signed_at, one.stored_at"


@dataclass(frozen=True)
class Row:
    """An object as the inventory knows it."""

    kind: str
    name: str
    bytes: int
    sha256: str
    state: str
    signed_at: datetime
    stored_at: datetime | None

    @property
    def named(self) -> Named:
        return Named(self.kind, self.name)

    def key(self, home: UUID) -> str:
        return key_of(str(home), self.kind, self.name)


@dataclass(frozen=True)
class Sum:
    """Objects of one state, `old` if they were stored more than a day ago; `billed` is the bytes that are paid for."""

    state: str
    old: bool
    bytes: int
    billed: int
    count: int


# New rows, what was in the trash back among the stored, and the rest as it was. A snapshot does not come back: its time is over.
WANTED = f"""
WITH given AS (SELECT * FROM unnest(%b::text[], %b::text[], %b::bigint[], %b::text[]) AS given (kind, name, bytes, sha256)),
back AS (
  UPDATE {TABLE} AS one SET state = CASE WHEN stored_at IS NULL THEN 'signed' ELSE 'stored' END, trashed_at = NULL, leaves_at = NULL
    FROM given WHERE one.home = %b AND one.kind = given.kind AND one.name = given.name
     AND state = 'trashed' AND one.kind <> 'snapshots' RETURNING {FIELDS}),
new AS (
  INSERT INTO {TABLE} (home, kind, name, bytes, sha256, state)
  SELECT %b, kind, name, bytes, CASE kind WHEN 'config' THEN sha256 ELSE '' END, 'signed' FROM given ON CONFLICT DO NOTHING
  RETURNING kind, name)
SELECT {FIELDS}, false FROM back AS one
UNION ALL
SELECT {FIELDS}, false FROM {TABLE} AS one JOIN given USING (kind, name)
 WHERE one.home = %b AND (one.kind, one.name) NOT IN (SELECT kind, name FROM back)
UNION ALL
SELECT kind, name, bytes, sha256, 'signed', statement_timestamp(), NULL, true FROM given JOIN new USING (kind, name)"""
FOUND = f"""
SELECT {FIELDS} FROM unnest(%b::text[], %b::text[]) AS given (kind, name)
  JOIN {TABLE} AS one ON one.home = %b AND one.kind = given.kind AND one.name = given.name"""
AGAIN = f"""
UPDATE {TABLE} AS one SET bytes = given.bytes, sha256 = CASE given.kind WHEN 'config' THEN given.sha256 ELSE '' END,
       signed_at = statement_timestamp()
  FROM unnest(%b::text[], %b::text[], %b::bigint[], %b::text[]) AS given (kind, name, bytes, sha256)
 WHERE one.home = %b AND one.kind = given.kind AND one.name = given.name AND state = 'signed'
   AND (signed_at < statement_timestamp() - %b::interval OR one.bytes = given.bytes AND (one.kind <> 'config' OR one.sha256 = given.sha256))
RETURNING one.kind, one.name"""
SEEN = f"""
UPDATE {TABLE} AS one SET state = 'stored', stored_at = statement_timestamp()
  FROM unnest(%b::text[], %b::text[]) AS given (kind, name)
 WHERE one.home = %b AND one.kind = given.kind AND one.name = given.name AND state = 'signed'"""
PAGE = f"""
SELECT {FIELDS} FROM {TABLE} AS one
 WHERE home = %b AND kind = %b AND name > %b AND state IN ('signed', 'stored') ORDER BY name LIMIT %b"""
SUMS = f"""
SELECT state, coalesce(stored_at < statement_timestamp() - interval '1 day', false), sum(bytes)::bigint,
       sum(greatest(bytes, {BILLED}))::bigint, count(*)
  FROM {TABLE} WHERE home = %b GROUP BY 1, 2"""
TRASH = f"""
UPDATE {TABLE} AS one SET state = 'trashed', trashed_at = statement_timestamp(),
       leaves_at = statement_timestamp() + CASE one.kind WHEN 'locks' THEN interval '0' ELSE %b::interval END
  FROM unnest(%b::text[], %b::text[]) AS given (kind, name)
 WHERE one.home = %b AND one.kind = given.kind AND one.name = given.name AND state IN ('signed', 'stored')"""


def wanted(home: UUID, wishes: Sequence[Wish]) -> list[tuple[Row, bool]]:
    """A row for each of them; the flag says that it is new."""
    rows = prepared.run(WANTED, [*_wished(wishes), home, home, home])
    return [(Row(*row[:-1]), row[-1]) for row in rows]


def again(home: UUID, wishes: Sequence[Wish], life: object) -> set[Named]:
    """Those that may be signed once more: the same content, or another one after the older addresses are spent."""
    return {Named(*row) for row in prepared.run(AGAIN, [*_wished(wishes), home, life])}


def found(home: UUID, names: Sequence[Named]) -> dict[Named, Row]:
    rows = (Row(*row) for row in prepared.run(FOUND, [*_named(names), home]))
    return {row.named: row for row in rows}


def seen(home: UUID, names: Sequence[Named]) -> None:
    """These are in the storage."""
    prepared.changed(SEEN, [*_named(names), home])


def page(home: UUID, kind: str, after: str, most: int) -> list[Row]:
    return [Row(*row) for row in prepared.run(PAGE, [home, kind, after, most])]


def sums(home: UUID) -> list[Sum]:
    """What there is by state, and by whether it was stored more than a day ago."""
    return [Sum(*row) for row in prepared.run(SUMS, [home])]


def trash(home: UUID, names: Sequence[Named], life: object) -> int:
    """Locks leave at the next round, all others after `life`."""
    return prepared.changed(TRASH, [life, *_named(names), home])


def _named(names: Sequence[Named]) -> list[Any]:
    return [[one.kind for one in names], [one.name for one in names]]


def _wished(wishes: Sequence[Wish]) -> list[Any]:
    return [*_named(wishes), [one.bytes for one in wishes], [one.sha256 for one in wishes]]
