"""What the vault says to Postgres: statements for many rows at once, the same text each time, so that each is planned once."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from engine import prepared

# The lock meets that of `retire`: whoever comes after a key's retirement finds no key to seal to.
KEEP = """
WITH fit AS (SELECT id FROM vault_key WHERE id = %s AND retired_at IS NULL FOR KEY SHARE)
INSERT INTO vault_secret (id, account_id, purpose, subject, sealed, key_id, by, shredded_by)
SELECT one.*, fit.id, %s, '' FROM fit, unnest(%b::uuid[], %b::uuid[], %b::text[], %b::text[], %b::bytea[]) AS one
RETURNING id, kept_at, sealed_at"""
ADD_KEY = "INSERT INTO vault_key (id) VALUES (%s) ON CONFLICT DO NOTHING"
READ = """
SELECT one.id, account_id, purpose, subject, sealed, key_id, shredded_at IS NOT NULL, retired_at IS NOT NULL
  FROM vault_secret AS one JOIN vault_key ON vault_key.id = key_id WHERE one.id = ANY(%b::uuid[])"""
BATCH = """
SELECT id, account_id, purpose, subject, sealed FROM vault_secret
 WHERE key_id = %s AND shredded_at IS NULL AND id > %s ORDER BY id LIMIT %s FOR NO KEY UPDATE SKIP LOCKED"""
RESEALED = """
UPDATE vault_secret AS one SET sealed = fresh.sealed, key_id = %s, sealed_at = statement_timestamp()
  FROM unnest(%b::uuid[], %b::bytea[]) AS fresh (id, sealed) WHERE one.id = fresh.id AND shredded_at IS NULL"""
LEFT = "SELECT EXISTS (SELECT FROM vault_secret WHERE key_id = ANY(%s) AND shredded_at IS NULL)"
NEEDED = """
SELECT id FROM vault_key WHERE retired_at IS NULL
   AND EXISTS (SELECT FROM vault_secret WHERE key_id = vault_key.id AND shredded_at IS NULL)"""

Row = tuple[Any, ...]


def keep(key: str, by: str, columns: Sequence[Sequence[object]]) -> list[Row]:
    """Inserts secrets given as ids, accounts, purposes, subjects, ciphertexts; nothing if the key is unknown or retired."""
    return prepared.run(KEEP, [key, by, *columns])


def add_key(key: str) -> bool:
    """True if this is the first time that somebody seals to it."""
    return prepared.changed(ADD_KEY, [key]) == 1


def read(ids: Sequence[UUID]) -> list[Row]:
    return prepared.run(READ, [list(ids)])


def batch(key: str, after: UUID, most: int) -> list[Row]:
    """The next secrets that are sealed to the key, locked; those in somebody else's hands are left out."""
    return prepared.run(BATCH, [key, after, most])


def resealed(key: str, ids: Sequence[UUID], sealed: Sequence[bytes]) -> None:
    prepared.changed(RESEALED, [key, list(ids), list(sealed)])


def any_left(keys: Sequence[str]) -> bool:
    """Whether a secret is still sealed to one of these."""
    return bool(prepared.run(LEFT, [list(keys)])[0][0])


def needed() -> set[str]:
    """The keys without whose private half some secret does not open."""
    return {row[0] for row in prepared.run(NEEDED, [])}
