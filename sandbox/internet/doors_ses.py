"""Doors to the sending service: its users, what it sent, and what shall go wrong there."""

from __future__ import annotations

from typing import Any

import flask

from sandbox.internet import addresses
from sandbox.internet.doors import Doors, WishError, several, text
from sandbox.internet.faults import KINDS, MOST_TIMES
from sandbox.internet.ses_users import User


class SesDoors(Doors):
    """Below /internet/api/ses; a secret is told once, when it is made."""

    def register(self, doors: flask.Blueprint) -> None:
        self.open(doors, "/api/ses/users", self.users, "GET")
        self.open(doors, "/api/ses/users", self.make_user, "POST")
        self.open(doors, "/api/ses/users/<access_key>", self.verify, "PUT")
        self.open(doors, "/api/ses/users/<access_key>", self.remove_user, "DELETE")
        self.open(doors, "/api/ses/sent", self.sent, "GET")
        self.open(doors, "/api/ses/faults", self.faults, "GET")
        self.open(doors, "/api/ses/faults", self.add_fault, "POST")
        self.open(doors, "/api/ses/faults", self.clear_faults, "DELETE")
        self.open(doors, "/api/ses/faults/clear", self.clear_faults, "POST")

    def users(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"users": [public(user) for user in self.internet.users.all()]}

    def make_user(self, asked: dict[str, Any]) -> dict[str, Any]:
        user = self.internet.users.make(text(asked, "region"), several(asked, "domains"))
        shown = f"Access key {user.access_key}, secret {user.secret}, SMTP password {user.smtp_password}: shown only now."
        return {**public(user), "secret": user.secret, "smtp_password": user.smtp_password, "shown": shown}

    def verify(self, asked: dict[str, Any], access_key: str) -> dict[str, Any]:
        """Replaces the domains that are verified for this user."""
        if not self.internet.users.verify(access_key, several(asked, "domains")):
            raise WishError("there is no such user")
        return {"domains": several(asked, "domains")}

    def remove_user(self, asked: dict[str, Any], access_key: str) -> dict[str, Any]:
        return {"removed": self.internet.users.remove(access_key)}

    def sent(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"sent": self.internet.queue.log()}

    def faults(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"faults": self.internet.faults.all(), "kinds": KINDS}

    def add_fault(self, asked: dict[str, Any]) -> dict[str, Any]:
        kind, times = text(asked, "kind"), asked.get("times", 1)
        times = int(times) if isinstance(times, str) and times.isdecimal() else times
        if kind not in KINDS:
            raise WishError(f"kind must be one of {', '.join(KINDS)}")
        if not isinstance(times, int) or not 0 < times <= MOST_TIMES:
            raise WishError(f"times must be a whole number from 1 to {MOST_TIMES}")
        self.internet.faults.add(kind, times)
        return {"faults": self.internet.faults.all()}

    def clear_faults(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.internet.faults.clear()
        return {"faults": {}}


def public(user: User) -> dict[str, Any]:
    """What may be told again."""
    server = addresses.ses_name(user.region)
    return {
        "access_key": user.access_key,
        "region": user.region,
        "domains": list(user.domains),
        "server": server,
    }
