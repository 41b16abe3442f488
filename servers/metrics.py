"""What the agents measured: kept raw for a day, then as means of ten minutes for a month."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

from django.conf import settings
from django.db import connection
from django.utils import timezone

from servers.models import Server, ThinMetric

Span = Literal["hour", "day", "month"]
FIGURES = ("cpu", "memory", "disk", "load", "received", "sent", "canary")
SPANS: dict[Span, tuple[timedelta, timedelta]] = {
    "hour": (timedelta(hours=1), timedelta(seconds=60)),
    "day": (timedelta(days=1), timedelta(minutes=10)),
    "month": (timedelta(days=30), timedelta(hours=4)),
}

SERIES = """
SELECT date_bin(%(bin)s, at, 'epoch'), avg(cpu), avg(memory), avg(disk), avg(load), avg(received), avg(sent),
       avg(canary) FROM (
  SELECT at, cpu, memory, disk, load, received, sent, canary FROM servers_metric WHERE server_id = %(server)s AND at >= %(since)s
  UNION ALL
  SELECT at, cpu, memory, disk, load, received, sent, canary FROM servers_thinmetric
   WHERE server_id = %(server)s AND at >= %(since)s AND at < %(raw_from)s) AS both_kinds
GROUP BY 1 ORDER BY 1"""

THIN = """
INSERT INTO servers_thinmetric (server_id, at, cpu, memory, disk, load, received, sent, canary)
SELECT server_id, date_bin('10 minutes', at, 'epoch'), avg(cpu), avg(memory), avg(disk), avg(load), avg(received), avg(sent),
       avg(canary)
  FROM servers_metric WHERE at >= %s AND at < %s AND server_id IN (SELECT id FROM servers_server WHERE gone_at IS NULL)
 GROUP BY 1, 2
ON CONFLICT (server_id, at) DO UPDATE SET cpu = excluded.cpu, memory = excluded.memory, disk = excluded.disk,
  load = excluded.load, received = excluded.received, sent = excluded.sent, canary = excluded.canary"""


@dataclass(frozen=True)
class Point:
    """A mean around `at`; cpu, memory and disk in percent, received and sent in bytes a second, canary in seconds."""

    at: datetime
    cpu: float | None
    memory: float | None
    disk: float | None
    load: float | None
    received: float | None
    sent: float | None
    canary: float | None


def series(server: Server, span: Span) -> list[Point]:
    """The points of the last hour, day or month, oldest first; where nothing was reported there is no point."""
    length, width = SPANS[span]
    now = timezone.now()
    what: dict[str, Any] = {
        "bin": width,
        "server": server.pk,
        "since": now - length,
        "raw_from": _first_raw_day(now),
    }
    with connection.cursor() as cursor:
        cursor.execute(SERIES, what)
        return [Point(*row) for row in cursor.fetchall()]


def _first_raw_day(now: datetime) -> datetime:
    """Days before this one are kept only thinned."""
    return _midnight((now - settings.METRICS_KEPT_RAW).date())


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def keep_partitions() -> None:
    """Thins what is old enough, drops the raw days that were thinned, and makes the coming days' tables."""
    today = timezone.now().astimezone(UTC).date()
    first = _first_raw_day(timezone.now())
    with connection.cursor() as cursor:
        cursor.execute(THIN, [first - timedelta(days=3), first])
        for name in _partitions_before(first):
            cursor.execute(f"DROP TABLE {name}")
        cursor.execute("DELETE FROM servers_metric_rest WHERE at < %s", [first])
        for day in (today + timedelta(days=n) for n in (1, 2, 3)):
            _make_partition(day)
    ThinMetric.objects.filter(at__lt=timezone.now() - settings.METRICS_KEPT_THINNED).delete()


def _partitions_before(first: datetime) -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'servers_metric'::regclass ORDER BY 1"
        )
        names = [row[0] for row in cursor.fetchall()]
    for name in names:
        day = name.removeprefix("servers_metric_")
        if day.isdigit() and datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC) < first:
            yield name


def _make_partition(day: date) -> None:
    """Days to come have no rows yet, so that nothing has to be moved out of the default partition."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TABLE IF NOT EXISTS servers_metric_{day:%Y%m%d} PARTITION OF servers_metric "
            f"FOR VALUES FROM ('{day}T00:00:00Z') TO ('{day + timedelta(days=1)}T00:00:00Z')"
        )
