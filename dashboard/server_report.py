"""What a server said last of itself, as far as it can be believed to be figures."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from dashboard import figures
from servers.models import Agent, Server

SERVICE_STATES = {"active": "working", "inactive": "gone", "failed": "down"}


@dataclass(frozen=True)
class Gauge:
    """A figure with its share of a whole in percent, where it has one; `fills` where a large share is trouble."""

    name: str
    value: str
    share: float | None = None
    note: str = ""
    fills: bool = False

    @property
    def full(self) -> bool:
        return self.fills and self.share is not None and self.share >= 90


@dataclass(frozen=True)
class Service:
    name: str
    state: str
    says: str


@dataclass(frozen=True)
class Report:
    at: datetime
    gauges: list[Gauge]
    services: list[Service]
    system: str
    running: timedelta | None


def report_of(server: Server) -> Report | None:
    """None while it has not reported."""
    agent: Agent | None = getattr(server, "agent", None)
    if agent is None or agent.reported_at is None:
        return None
    told = agent.report if isinstance(agent.report, dict) else {}
    uptime = figures.finite(told.get("uptime"))
    return Report(
        at=agent.reported_at,
        gauges=_gauges(told),
        services=_services(told.get("services")),
        system=_system(agent.facts if isinstance(agent.facts, dict) else {}),
        running=timedelta(seconds=uptime) if uptime is not None and 0 <= uptime < 1e10 else None,
    )


def _gauges(told: Mapping[str, Any]) -> list[Gauge]:
    cpu = figures.finite(told.get("cpu"))
    return [
        Gauge(_("Processor"), figures.percent(cpu), cpu),
        _of_whole(_("Memory"), told.get("mem_used"), told.get("mem_total")),
        _of_whole(_("Disk"), told.get("disk_used"), told.get("disk_total")),
        Gauge(
            _("Load"),
            figures.load(figures.finite(told.get("load1"))),
            note=_("tasks at once, on average"),
        ),
        Gauge(_("Network in"), figures.speed(figures.finite(told.get("net_rx")))),
        Gauge(_("Network out"), figures.speed(figures.finite(told.get("net_tx")))),
    ]


def _of_whole(name: str, used: object, total: object) -> Gauge:
    share = figures.share(used, total)
    if share is None:
        return Gauge(name, figures.percent(None))
    words = {"used": figures.size(figures.finite(used)), "total": figures.size(figures.finite(total))}
    return Gauge(name, figures.percent(share), share, _("%(used)s of %(total)s") % words, fills=True)


def _services(told: object) -> list[Service]:
    if not isinstance(told, dict):
        return []
    words = {"active": _("runs"), "inactive": _("does not run"), "failed": _("has failed")}
    return [
        Service(
            str(name).removesuffix(".service")[:60],
            SERVICE_STATES.get(str(state), "unknown"),
            words.get(str(state), _("not known")),
        )
        for name, state in sorted(told.items(), key=lambda pair: str(pair[0]))[:50]
    ]


def _system(facts: Mapping[str, Any]) -> str:
    """The operating system and its kernel, as the agent told them when it enrolled."""
    return ", ".join(str(facts[name])[:80] for name in ("os", "kernel") if facts.get(name))
