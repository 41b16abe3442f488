"""Doors for people and tests: accounts, users and keys, states, feedback. Nothing of them exists at the vendor."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import flask

from sandbox.aws import feedback
from sandbox.aws.errors import AwsError
from sandbox.aws.iam import EVERYTHING, KINDS, Key
from sandbox.aws.passwords import smtp_password
from sandbox.aws.policies import PolicyError
from sandbox.internet.addresses import REGIONS
from sandbox.internet.doors import WishError, by_form, text, wish

if TYPE_CHECKING:
    from sandbox.aws.office import Aws

Answer = flask.typing.ResponseReturnValue
WRONG = (WishError, AwsError, PolicyError, ValueError)


class Doors:
    """Below /aws/api; each answers a program with JSON and a browser with the page."""

    def __init__(self, aws: Aws) -> None:
        self._aws, self._cloud = aws, aws.cloud

    def register(self, doors: flask.Blueprint) -> None:
        for path, work, methods in (
            ("/api/accounts", self.accounts, "GET"),
            ("/api/accounts", self.make_account, "POST"),
            ("/api/keys", self.make_key, "POST"),
            ("/api/keys/<access_key>", self.switch_key, "PUT"),
            ("/api/keys/<access_key>", self.remove_key, "DELETE"),
            ("/api/keys/switch", self.switch_key, "POST"),
            ("/api/keys/remove", self.remove_key, "POST"),
            ("/api/users", self.put_user, "PUT POST"),
            ("/api/regions", self.choose, "PUT POST"),
            ("/api/identities", self.verify, "POST"),
            ("/api/identities/age", self.age, "POST"),
            ("/api/feedback", self.feedback, "POST"),
            ("/api/messages", self.messages, "GET"),
            ("/api/messages/again", self.again, "POST"),
            ("/api/clock", self.set_clock, "POST"),
        ):
            self._open(doors, path, work, methods.split())

    def _open(self, doors: flask.Blueprint, path: str, work: Any, methods: list[str]) -> None:
        def door(**parts: str) -> Answer:
            try:
                return self._told(work({**wish(), **parts}))
            except WRONG as problem:
                if by_form():
                    return self._aws.page(error=str(problem)), 400
                return flask.jsonify({"error": str(problem)}), 400

        doors.add_url_rule(path, "-".join([*methods, path]).replace(".", "_"), door, methods=methods)

    def _told(self, answer: dict[str, Any]) -> Answer:
        if not by_form():
            return flask.jsonify(answer), 201 if flask.request.method == "POST" else 200
        if "shown" in answer:  # what is told once is not lost by a redirect
            return self._aws.page(told=answer["shown"])
        return flask.redirect(flask.url_for("aws.page"), 303)

    def accounts(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"accounts": self._aws.accounts()}

    def make_account(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"account": self._cloud.iam.make_account(text(asked, "name", "Alice's"))}

    def make_key(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Of a user with this policy, of a role, or of the owner; in a new account unless one is named.

        A user that is there already keeps its policy where none is given: so keys are rotated.
        """
        kind, name = text(asked, "kind", "user"), text(asked, "user", "mailat-sending")
        if kind not in KINDS:
            raise WishError(f"kind must be one of {', '.join(KINDS)}")
        given = asked.get("policy", "")
        policy, account = _policy(given), self._account(asked)
        there = [user["name"] for user in self._cloud.iam.users(account)]
        if kind != "root" and (given or name not in there):
            self._cloud.iam.put_user(account, name, policy)
        return told(self._cloud.iam.make_key(account, "" if kind == "root" else name, kind))

    def _account(self, asked: dict[str, Any]) -> str:
        account = text(asked, "account", "")
        if account and not self._cloud.iam.has(account):
            raise WishError("there is no such account")
        return account or self._cloud.iam.make_account(text(asked, "account_name", "Alice's"))

    def put_user(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Replaces the policy of a user."""
        self._cloud.iam.put_user(self._known(asked), text(asked, "user"), _policy(asked.get("policy", "")))
        return {}

    def _known(self, asked: dict[str, Any]) -> str:
        account = text(asked, "account")
        if not self._cloud.iam.has(account):
            raise WishError("there is no such account")
        return account

    def switch_key(self, asked: dict[str, Any]) -> dict[str, Any]:
        active = asked.get("active") in (True, "true", "on")
        if not self._cloud.iam.switch(text(asked, "access_key"), active):
            raise WishError("there is no such key")
        return {"active": active}

    def remove_key(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"removed": self._cloud.iam.remove(text(asked, "access_key"))}

    def choose(self, asked: dict[str, Any]) -> dict[str, Any]:
        """A state of an account in a region, and a quota of its own where one is given."""
        account, region = self._known(asked), text(asked, "region")
        if asked.get("state"):
            self._cloud.regions.choose(account, region, text(asked, "state"))
        limits = {name: _number(asked.get(name)) for name in ("max24", "rate", "sent_before")}
        self._cloud.regions.limit(account, region, **limits)
        return {"state": self._cloud.regions.get(account, region).state}

    def verify(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Verifies an identity without a look at the DNS, as when somebody clicks the link in the vendor's letter."""
        account, region, name = self._known(asked), text(asked, "region"), text(asked, "name")
        found = self._cloud.identities.find(account, region, name)
        found = found or self._cloud.identities.make(account, region, name)
        self._cloud.identities.change(found, forced=True)
        return {"name": found.name}

    def age(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Makes an identity older by so many hours: the vendor looks for records for 72 of them."""
        found = self._cloud.identities.get(self._known(asked), text(asked, "region"), text(asked, "name"))
        self._cloud.identities.change(found, made=found.made - 3600 * float(asked.get("hours", 0)))
        return {"name": found.name}

    def feedback(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Bounces, complaints or deliveries, of a letter that was sent or of none."""
        return feedback.make(self._cloud, asked)

    def messages(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"messages": self._cloud.topics.messages()}

    def again(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Brings a message a second time, as the vendor does when an answer was lost, and as somebody does who recorded it."""
        return {"again": self._cloud.topics.repeat(int(asked.get("id", 0)))}

    def set_clock(self, asked: dict[str, Any]) -> dict[str, Any]:
        """How many seconds the vendor's clock is ahead."""
        self._cloud.store.set("clock", str(_number(asked.get("seconds")) or 0.0))
        return {"seconds": float(self._cloud.store.setting("clock"))}


def told(key: Key) -> dict[str, Any]:
    """Everything about a key, at the only time at which its secret is told."""
    passwords = (
        {} if key.kind == "temporary" else {region: smtp_password(key.secret, region) for region in REGIONS}
    )
    shown = f"Account {key.account}, access key {key.access_key}, secret {key.secret}: shown only now."
    return {
        "account": key.account, "access_key": key.access_key, "secret": key.secret, "kind": key.kind, "arn": key.arn,
        "token": key.token, "smtp_passwords": passwords, "shown": shown,
    }  # fmt: skip


def _policy(given: object) -> dict[str, Any]:
    """As an object or as its text; nothing stands for everything."""
    if isinstance(given, dict):
        return given
    if not isinstance(given, str):
        raise WishError("policy must be an object or its text")
    try:
        found = json.loads(given) if given.strip() else EVERYTHING
    except ValueError:
        raise WishError("the policy is not JSON") from None
    if not isinstance(found, dict):
        raise WishError("the policy is not an object")
    return found


def _number(given: object) -> float | None:
    if given in (None, ""):
        return None
    try:
        return float(str(given))
    except ValueError:
        raise WishError("a number is needed") from None
