"""Reading what a report says of the mail system: every field may be missing or of another kind."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from dashboard.figures import finite
from servers.models import Agent, Server

LATEST = 4_102_444_800  # 2100, in Unix time


@dataclass(frozen=True)
class Verdict:
    """The answer to a question; `word` is good, warn, bad or unknown, and gives the line its mark and colour."""

    word: str
    says: str


def mail_of(server: Server) -> Mapping[str, Any] | None:
    """The report's object about mail; None while there is none."""
    agent: Agent | None = getattr(server, "agent", None)
    told = agent.report.get("mail") if agent and isinstance(agent.report, dict) else None
    return told if isinstance(told, dict) else None


def part(told: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = told.get(name)
    return value if isinstance(value, dict) else {}


def rows(told: Mapping[str, Any], name: str, most: int = 50) -> list[Mapping[str, Any]]:
    value = told.get(name)
    return [one for one in value[:most] if isinstance(one, dict)] if isinstance(value, list) else []


def text(told: Mapping[str, Any], name: str, most: int = 300) -> str:
    value = told.get(name)
    return value[:most] if isinstance(value, str) else ""


def whole(told: Mapping[str, Any], name: str) -> int:
    value = finite(told.get(name))
    return int(value) if value is not None and 0 <= value < 1e15 else 0


def moment(told: Mapping[str, Any], name: str) -> datetime | None:
    """A point in Unix time; None for none, and for what no clock says."""
    value = finite(told.get(name))
    return datetime.fromtimestamp(value, UTC) if value and 0 < value < LATEST else None
