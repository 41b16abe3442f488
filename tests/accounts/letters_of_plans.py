"""Letters about the plan of a server, its end, and suspended sending, each with what it is written with."""

from datetime import UTC, datetime
from typing import Any

DUE = datetime(2026, 11, 28, 9, 30, tzinfo=UTC)
SERVER = {"server": "post.mailat.test", "url": "/servers/1"}
PLAN = {"server": "post.mailat.test", "url": "/servers/1/plan"}
PLANS: dict[str, dict[str, Any]] = {
    "plan_planned": {**PLAN, "before": "Basic", "after": "Plus", "smaller": False, "begins_at": DUE},
    "plan_stays": {**PLAN, "plan": "Basic"},
    "plan_changed": {**PLAN, "before": "Basic", "after": "Plus"},
    "plan_waits": {**PLAN, "plan": "Plus", "why": "sold_out"},
    "plan_no_room": {**PLAN, "plan": "Basic"},
    "destruction_near": {**SERVER, "due": DUE, "days": 3},
    "grace_extended": {**SERVER, "due": DUE},
    "sending_suspended": {**SERVER, "reason": "It sends <what> nobody & none asked for."},
    "sending_resumed": SERVER,
}
