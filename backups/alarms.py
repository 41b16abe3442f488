"""Alarms about backups: their keys, and whether one is new."""

from uuid import UUID

from engine import alarms
from engine.models import Alarm


def key(kind: str, home: UUID) -> str:
    return f"backups:{home}:{kind}"


def open_once(kind: str, home: UUID, says: str, advice: str) -> bool:
    """True if it was not open before."""
    new = not Alarm.objects.filter(key=key(kind, home), closed_at=None).exists()
    if new:
        alarms.open_alarm(key=key(kind, home), subject=f"server:{home}", says=says, advice=advice)
    return new


def close(kind: str, home: UUID) -> None:
    alarms.close_alarm(key(kind, home))
