"""Checking the chains, row by row and without trusting what Postgres computed when it wrote them.

Whoever can rewrite every row from the broken one to the end, and the end's note in `audit_head`, can forge a chain
that holds; so the command prints where each chain ends, to be kept elsewhere and compared.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import groupby
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection, transaction

HOUSE = UUID(int=0)
AT_ONCE = 2000  # rows fetched together

ROWS = """
SELECT coalesce(account_id, %(house)s), seq, id, (extract(epoch FROM at) * 1000000)::bigint, account_id::text, by,
       action, subject, facts::text, reference, prev_hash, hash
  FROM audit_event {where} ORDER BY account_id NULLS LAST, seq NULLS FIRST, id"""
HEADS = """
SELECT chain, seq, hash, anchor_seq, anchor_hash
  FROM audit_head {where} ORDER BY nullif(chain, %(house)s) NULLS LAST"""


class Row(NamedTuple):
    """An event as it is hashed; `at` in microseconds since 1970, facts as Postgres writes them."""

    chain: UUID
    seq: int | None
    id: int
    at: int
    account: str | None
    by: str
    action: str
    subject: str
    facts: str
    reference: str
    prev_hash: bytes | None
    hash: bytes | None


class End(NamedTuple):
    """Where a chain ends, and the last event that left with its month."""

    chain: UUID
    seq: int
    hash: bytes
    anchor_seq: int
    anchor_hash: bytes


@dataclass(frozen=True)
class Verdict:
    """`broken` names the first broken row and what is wrong with it; empty if the chain holds."""

    chain: UUID
    events: int
    end: str
    broken: str = ""

    def __str__(self) -> str:
        name = "the house" if self.chain == HOUSE else f"account {self.chain}"
        return f"{name}: {self.broken or f'{self.events} events hold, up to {self.end}'}"


def digest(row: Row, *, seq: int | None, prev: bytes) -> bytes:
    """The hash that the row has as number `seq` after an event with the hash `prev`."""
    fields = (seq, row.id, row.at, row.account, row.by, row.action, row.subject, row.facts, row.reference)
    return sha256(prev + b"".join(_field(value) for value in fields)).digest()


def _field(value: object) -> bytes:
    text = b"" if value is None else str(value).encode()
    return b"%d:%s," % (len(text), text)


def verify(account: UUID | None = None) -> Iterator[Verdict]:
    """One verdict for each chain, or for this account's alone (the nil UUID: the house's).

    Reads in one snapshot and keeps two thousand rows in memory, however many there are.
    """
    with transaction.atomic():
        _one_snapshot()
        with _cursor("audit_rows") as rows, _cursor("audit_heads") as heads:
            yield from _side_by_side(_rows(rows, account), _heads(heads, account))


def _one_snapshot() -> None:
    """Events written meanwhile must not look inserted; a caller's own transaction is left as it is."""
    if len(connection.savepoint_ids) == 0:
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


def _cursor(name: str) -> Any:
    """A cursor of the server's, so that the rows never are in memory together."""
    cursor = connection.connection.cursor(name=name)
    cursor.itersize = AT_ONCE
    return cursor


def _rows(cursor: Any, account: UUID | None) -> Iterator[Row]:
    where = ""
    if account is not None:
        where = "WHERE account_id IS NULL" if account == HOUSE else "WHERE account_id = %(account)s"
    cursor.execute(ROWS.format(where=where), {"account": account, "house": HOUSE})
    return (Row(*row) for row in cursor)


def _heads(cursor: Any, account: UUID | None) -> Iterator[End]:
    where = "" if account is None else "WHERE chain = %(account)s"
    cursor.execute(HEADS.format(where=where), {"account": account, "house": HOUSE})
    return (End(*row) for row in cursor)


def _side_by_side(rows: Iterable[Row], heads: Iterator[End]) -> Iterator[Verdict]:
    """Both come in the order of their chains; either may lack one that the other has."""
    head = next(heads, None)
    for chain, group in groupby(rows, key=lambda row: row.chain):
        while head and _order(head.chain) < _order(chain):
            yield _judge(head, iter(()))
            head = next(heads, None)
        known = head if head and head.chain == chain else None
        yield _judge(known or End(chain, 0, b"", 0, b""), group)
        head = next(heads, None) if known else head
    while head:
        yield _judge(head, iter(()))
        head = next(heads, None)


def _order(chain: UUID) -> tuple[bool, int]:
    return chain == HOUSE, chain.int


def _judge(end: End, rows: Iterator[Row]) -> Verdict:
    seq, prev, events = end.anchor_seq, end.anchor_hash, 0
    for row in rows:
        wrong = _wrong(row, seq + 1, prev, end)
        if wrong:
            return Verdict(end.chain, events, "", f"event {row.id} {wrong}")
        seq, prev, events = seq + 1, bytes(row.hash or b""), events + 1
    if (seq, prev) != (end.seq, bytes(end.hash)):
        return Verdict(end.chain, events, "", f"events {seq + 1} to {end.seq} are missing from its end")
    return Verdict(end.chain, events, f"{seq} {prev.hex()}")


def _wrong(row: Row, expected: int, prev: bytes, end: End) -> str:
    """What is wrong with the row at this place; empty if nothing is."""
    if row.seq is None or row.hash is None:
        return "was inserted: it has no place in the chain"
    if row.seq > end.seq:
        return f"was inserted: the chain ends at {end.seq}"
    if row.seq < expected:
        return f"shares the number {row.seq} with another event: one of the two was inserted"
    stored_prev = bytes(row.prev_hash or b"")
    if bytes(row.hash) != digest(row, seq=row.seq, prev=stored_prev):
        return _not_itself(row, stored_prev, end)
    if row.seq > expected:
        return f"is number {row.seq}, and {expected}{f' to {row.seq - 1}' if row.seq - 1 > expected else ''} before it is missing"
    if stored_prev != prev:
        return f"does not follow number {expected - 1}: one of the two was inserted, or written anew"
    return ""


def _not_itself(row: Row, stored_prev: bytes, end: End) -> str:
    """Altered, or the same event at another place: its old number is found by the event that it followed."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT seq + 1 FROM audit_event WHERE coalesce(account_id, %s) = %s AND hash = %s",
            [HOUSE, end.chain, stored_prev],
        )
        places = [place for (place,) in cursor.fetchall()] + [end.anchor_seq + 1]
    for near in (*places, *(place + step for place in places for step in (-1, 1))):
        if digest(row, seq=near, prev=stored_prev) == bytes(row.hash or b""):
            return f"was moved: it is number {near} and stands as {row.seq}"
    return "was altered"
