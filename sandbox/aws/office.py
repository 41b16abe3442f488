"""The cloud as one part of the sandbox: its API, its page, its doors, and the thread that brings its messages."""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from typing import Any

import flask

from sandbox.aws import feedback, notices
from sandbox.aws.api import Api
from sandbox.aws.cloud import Cloud
from sandbox.aws.doors import Doors
from sandbox.aws.errors import AwsError
from sandbox.aws.iam import KINDS
from sandbox.aws.postman import Postman
from sandbox.aws.regions import REGIONS, STATES
from sandbox.internet.names import Names

Answer = flask.typing.ResponseReturnValue


class Aws:
    """`blueprint` is mounted at /aws, and that is the address that the product is told."""

    def __init__(self, home: pathlib.Path, names: Callable[[], Names]) -> None:
        self.cloud = Cloud(home, names)
        self._signer = notices.Signer(home)
        self._postman = Postman(self.cloud.store)
        self.blueprint = self._routes()

    def where(self, url: str) -> dict[str, str]:
        """What is where; remembered, because messages say where their certificate lies."""
        self.cloud.store.set("url", f"{url}/aws")
        return {"aws": f"{url}/aws"}

    def _routes(self) -> flask.Blueprint:
        doors, api = flask.Blueprint("aws", __name__, template_folder="templates"), Api(self.cloud)
        doors.add_url_rule("/", "page", self.front)
        for root in ("", "/"):  # botocore puts no slash after a path of the address that it is given
            doors.add_url_rule(root, f"query{root}", api.by_form, methods=["POST"])
        doors.add_url_rule("/v2/<path:path>", "ses", api.by_path, methods=["GET", "POST", "PUT", "DELETE"])
        doors.add_url_rule("/<name>.pem", "certificate", self.certificate)
        doors.add_url_rule("/verify", "verify", self.verify)
        Doors(self).register(doors)
        return doors

    def certificate(self, name: str) -> Answer:
        if f"{name}.pem" != self._signer.file:
            return "There is no such certificate", 404
        return flask.Response(self._signer.pem, mimetype="application/x-pem-file")

    def verify(self) -> Answer:
        """What the link in a letter to an address leads to; nobody signs in for it."""
        try:
            return self.cloud.testers.prove(flask.request.args.get("token", ""))
        except AwsError as error:
            return error.says, error.status

    def front(self) -> Answer:
        """The page; or what the links in messages of SNS lead to, for which nobody signs in."""
        asked, topics = flask.request.args, self.cloud.topics
        try:
            if asked.get("Action") == "ConfirmSubscription":
                return topics.confirm(asked.get("TopicArn", ""), asked.get("Token", ""), authenticated=False)
            if asked.get("Action") == "Unsubscribe":
                return self._end(asked.get("SubscriptionArn", ""))
        except AwsError as error:
            return error.says, error.status
        return self.page()

    def _end(self, arn: str) -> Answer:
        if self.cloud.topics.subscription(arn)["authenticated"]:
            return "This subscription can only be ended by who is signed in", 403
        self.cloud.topics.unsubscribe(arn)
        return "Unsubscribed"

    def accounts(self) -> list[dict[str, Any]]:
        """Everything but secrets, as programs and the page see it."""
        cloud, keys = self.cloud, self.cloud.iam.keys()
        return [
            {
                **account,
                "users": cloud.iam.users(account["id"]),
                "keys": [
                    {"access_key": key.access_key, "kind": key.kind, "arn": key.arn, "active": key.active}
                    for key in keys
                    if key.account == account["id"]
                ],
                "regions": [
                    self._region(account["id"], one.name) for one in cloud.regions.known(account["id"])
                ],
                "identities": [self._identity(one) for one in cloud.identities.all(account["id"])],
                "topics": [self._topic(one["arn"]) for one in cloud.topics.all(account["id"])],
            }
            for account in cloud.iam.accounts()
        ]

    def _region(self, account: str, name: str) -> dict[str, Any]:
        one = self.cloud.regions.get(account, name)
        suppressed = [str(row["EmailAddress"]) for row in self.cloud.sets.suppressed(account, name)]
        return {
            "region": name, "state": one.state, "max24": one.max24, "rate": one.rate,
            "sent24": self.cloud.regions.sent24(one), "details": one.details, "suppressed": suppressed,
            "configuration_sets": self.cloud.sets.all(account, name),
        }  # fmt: skip

    def _identity(self, one: Any) -> dict[str, Any]:
        seen = self.cloud.identities.look(one)
        names = [f"{token}._domainkey.{one.name}" for token in one.tokens]
        return {
            "region": one.region,
            "name": one.name,
            "status": seen.status,
            "why": seen.why,
            "records": names,
        }

    def _topic(self, arn: str) -> dict[str, Any]:
        subscriptions = [
            {"arn": one["arn"], "endpoint": one["endpoint"], "confirmed": bool(one["confirmed"])}
            for one in self.cloud.topics.subscriptions(arn)
        ]
        return {"arn": arn, "subscriptions": subscriptions}

    def page(self, **more: object) -> str:
        shown: dict[str, object] = {
            "accounts": self.accounts(),
            "regions": REGIONS,
            "states": STATES,
            "kinds": KINDS,
            "feedback_kinds": feedback.KINDS,
            "messages": self.cloud.topics.messages(50),
            "clock": float(self.cloud.store.setting("clock", "0")),
        }
        return flask.render_template("aws/page.html", **{**shown, **more})

    def close(self) -> None:
        self._postman.close()
