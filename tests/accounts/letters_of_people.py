"""What the letters about people speak of; those that lead to something find it there."""

from datetime import UTC, datetime
from typing import Any

from accounts.models import User
from tests.dashboard import people_world

DUE = datetime(2026, 11, 28, 9, 30, tzinfo=UTC)
OLD, NEW = "alice@example.test", "alice@new.test"
MOVE = {"old": OLD, "new": NEW, "until_at": DUE}
LOST = {"of": OLD, "until_at": DUE, "second": "second@elsewhere.test", "vouchers": True}
PEOPLE: dict[str, dict[str, Any]] = {
    "new_sign_in": {"device": "Firefox on <Windows>", "place": "DE · 203.0.113.7", "came_at": DUE},
    "person_invited": {"by": "bob@example.test", "until_at": DUE},
    "person_joined": {"who": "bob@example.test", "role": "owner", "url": "/account/people"},
    "person_removed": {"of": "Alice & <Bob>"},
    "role_changed": {"of": "Alice & <Bob>", "role": "member", "url": "/account"},
    "address_confirm": {**MOVE, "end": "new"},
    "address_taken": {"old": OLD, "url": "/sign-in"},
    "address_notice": {**MOVE, "end": "stop", "days": 7},
    "address_changed": MOVE,
    "address_ended": {**MOVE, "how": "expired", "url": "/account/address"},
    "recovery_address_confirm": {"of": OLD, "until_at": DUE},
    "recovery_address_changed": {"of": OLD, "second": NEW, "what": "set", "url": "/account/recovery"},
    "recover_confirm": {**LOST, "end": "first"},
    "recover_help": {"why": "no way", "url": "/sign-in"},
    "recover_waits": {"of": OLD, "opens_at": DUE, "end": "stop"},
    "recover_ended": {"of": OLD, "how": "stopped", "url": "/account/recovery"},
    "recover_done": {"of": OLD, "url": "/sign-in?next=/account/security"},
    "vouch_wanted": {"who": OLD, "until_at": DUE, "url": "/account/people"},
}
ROWS = {
    "session": people_world.session,
    "change": people_world.change,
    "address": people_world.second,
    "recovery": people_world.lost,
}
LEAD_TO = {
    "new_sign_in": "session",
    "address_confirm": "change",
    "address_notice": "change",
    "recovery_address_confirm": "address",
    "recover_confirm": "recovery",
    "recover_waits": "recovery",
}


def with_rows(context: dict[str, Any]) -> dict[str, Any]:
    """The context with the id of what its letter leads to."""
    kind = next((one for one, known in PEOPLE.items() if known is context), "")
    alice = User.objects.get(email=OLD) if kind else None
    if kind == "person_invited":
        return context | {"invitation": people_world.invitation(alice.accounts.get()).pk}  # type: ignore[union-attr]
    name = LEAD_TO.get(kind)
    return context | {name: ROWS[name](alice).pk} if name and alice else context
