"""Tables as full as after years, made in a minute or two: months of events, finished runs, pings."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from uuid import UUID

import psycopg
from psycopg import sql

from bench.common import say

MONTHS = 12
SERVERS = 200_000
ACCOUNTS = 150_000
# The year's last event is a minute old; what is made of n is made of it alone, so that a search knows what to ask.
EVENTS = """
INSERT INTO {part} (id, at, account_id, by, action, subject, facts, reference, seq, prev_hash, hash)
SELECT n, {start} + ({end} - {start}) * ((n - {first})::float / {rows}),
  CASE WHEN n % 10 > 0 THEN md5('account' || n % {accounts})::uuid END,
  (ARRAY['user:12', 'gumroad', 'program:Provision', 'staff:3'])[1 + n % 4],
  (ARRAY['server.wanted', 'machine.ordered', 'person.signed_in', 'ping.applied', 'destruction.scheduled'])[1 + n % 5],
  'server:' || md5('server' || n % {servers})::uuid, '{{"place": "fsn1", "plan": "basic"}}',
  CASE WHEN n % 4 = 0 THEN 'request:' || n ELSE '' END, n, decode(md5('b' || n) || md5('c' || n), 'hex'),
  decode(md5('d' || n) || md5('e' || n), 'hex')
FROM generate_series({first}, {last}) AS n"""
RUNS = """
INSERT INTO engine_run (program, subject, step, args, due_at, began_at, step_since, lease, held, wakes, tries, error,
                        deadline_step, finished_at, outcome)
SELECT CASE WHEN live THEN 'Keep' ELSE 'SendLetter' END, 'server:' || md5('server' || n)::uuid, 'rest', '{{}}',
  CASE WHEN live THEN at + interval '1 hour' END, at, at, 3, false, 0, 0,
  CASE WHEN live AND n % 5000 = 0 THEN 'TryLater: nobody answers' ELSE '' END, '',
  CASE WHEN NOT live THEN at END, CASE WHEN live THEN '' ELSE 'done' END
FROM (SELECT n, n % 50 = 0 AND n < {rows} / 2 AS live, now() - ({rows} - n) * interval '30 seconds' AS at
  FROM generate_series(1, {rows}) AS n) AS made"""
PINGS = """
INSERT INTO billing_ping (body, content_type, received_at, kind, about, became, note, read_at)
SELECT convert_to(repeat('field=value&', 40), 'UTF8'), 'application/x-www-form-urlencoded', at, 'sale', 'sale' || n / 3,
  CASE WHEN n % 100000 = 7 THEN 'puzzling' WHEN n % 3 = 0 THEN 'ignored' ELSE 'applied' END, '', at
FROM (SELECT n, now() - ({rows} - n) * interval '1 minute' AS at FROM generate_series(1, {rows}) AS n) AS made"""


@dataclass(frozen=True)
class Part:
    """A month's table and the ids that it holds."""

    name: str
    start: datetime
    end: datetime
    until: datetime
    first: int
    last: int


def account(key: UUID) -> None:
    """One of those that events are of, with a row of its own and a server, so that it has a story."""
    from accounts.models import Account
    from servers.models import Server

    one = Account.objects.create(pk=key, name="Bakery")
    Server.objects.create(account=one, name="post", plan="basic", place="fsn1")


def events(rows: int) -> None:
    """Each month is filled and indexed by itself and then becomes a part, so no trigger sees its rows."""
    parts = list(_parts(rows))
    with _connect() as database:
        for part in parts:
            database.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier(part.name)))
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(_fill, parts))
    with _connect() as database:
        database.execute("SELECT setval('audit_event_id_seq', %s)", [rows])


def _parts(rows: int) -> list[Part]:
    now = datetime.now(UTC)
    starts = [_month(now, back) for back in range(MONTHS - 1, -2, -1)]
    each = rows // MONTHS
    parts = []
    for n, (start, end) in enumerate(pairwise(starts)):
        last = rows if n == MONTHS - 1 else (n + 1) * each
        name = f"audit_event_y{start:%Y}m{start:%m}"
        parts.append(Part(name, start, end, min(end, now), n * each + 1, last))
    return parts


def _month(now: datetime, back: int) -> datetime:
    years, month = divmod(now.year * 12 + now.month - 1 - back, 12)
    return datetime(years, month + 1, 1, tzinfo=UTC)


def _fill(part: Part) -> None:
    name = sql.Identifier(part.name)
    with _connect() as database:
        database.execute("SET maintenance_work_mem = '256MB'")
        database.execute(
            sql.SQL("CREATE UNLOGGED TABLE {} (LIKE audit_event INCLUDING ALL EXCLUDING INDEXES)").format(
                name
            )
        )
        database.execute(_events_of(part))
        attach = "ALTER TABLE audit_event ATTACH PARTITION {} FOR VALUES FROM ({}) TO ({})"
        database.execute(sql.SQL(attach).format(name, sql.Literal(part.start), sql.Literal(part.end)))
        database.execute(sql.SQL("VACUUM (FREEZE, ANALYZE) {}").format(name))
    say(f"  {part.last} events")


def _events_of(part: Part) -> sql.Composed:
    return sql.SQL(EVENTS).format(
        part=sql.Identifier(part.name),
        start=sql.Literal(part.start),
        end=sql.Literal(part.until),
        first=sql.Literal(part.first),
        last=sql.Literal(part.last),
        rows=sql.Literal(part.last - part.first + 1),
        accounts=sql.Literal(ACCOUNTS),
        servers=sql.Literal(SERVERS),
    )


def runs(rows: int) -> None:
    """One in a hundred still lives, and those are old: servers' programs among the letters of years."""
    _others(RUNS, "engine_run", rows)


def pings(rows: int) -> None:
    """Ten of a million wait for a person."""
    _others(PINGS, "billing_ping", rows)


def _others(statement: str, table: str, rows: int) -> None:
    with _connect() as database:
        database.execute(sql.SQL(statement).format(rows=sql.Literal(rows)))
        database.execute(sql.SQL("VACUUM (FREEZE, ANALYZE) {}").format(sql.Identifier(table)))
    say(f"  {rows} rows of {table}")


def _connect() -> psycopg.Connection:
    return psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)
