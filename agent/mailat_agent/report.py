"""What the agent says of its host."""

import time

from . import __version__, metrics, services
from .apply import Undone
from .identity import Identity
from .orders import Order
from .transport import Transport

PATH = "/agent/v1/report"

Refused = dict[str, object]


def body(
    seq: int,
    order: Order | None,
    refused: Refused | None,
    undone: Undone,
    now: metrics.Sample,
    before: metrics.Sample,
    mail: dict[str, object] | None,
    canary_seconds: float | None,
    backup: dict[str, object] | None = None,
) -> dict[str, object]:
    """One report; `at` is the host's own clock, which may be wrong, `seq` is what tells the order."""
    return {
        "at": time.time(),
        "seq": seq,
        "agent": __version__,
        "applied": order.version if order else 0,
        "refused": refused,
        "undone": undone,
        **metrics.figures(now, before),
        "services": services.states(order.services if order else ()),
        "mail": mail,
        "canary_seconds": canary_seconds,
        "backup": backup,
    }


def send(
    report: dict[str, object], server: str, identity: Identity, transport: Transport
) -> dict[str, object]:
    """Hand a report in; the answer says when to come back and, perhaps, what is desired."""
    return transport.post(PATH, report, bearer=f"{server}.{identity.secret}")
