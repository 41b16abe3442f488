"""Topics and who gets their messages; what is published stands in rows until every endpoint has it or never will."""

from __future__ import annotations

import json
import secrets
import uuid
from typing import Any
from urllib.parse import urlsplit

from sandbox.aws import policies
from sandbox.aws.errors import AwsError
from sandbox.aws.store import Store
from sandbox.internet.store import now

PENDING = "PendingConfirmation"


def wrong(says: str) -> AwsError:
    return AwsError("InvalidParameter", f"Invalid parameter: {says}")


def no_topic() -> AwsError:
    return AwsError("NotFound", "Topic does not exist", 404)


class Topics:
    """Of all accounts."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def make(self, account: str, region: str, name: str) -> str:
        """Its ARN; one that is there already is given again."""
        if not name.replace("-", "").replace("_", "").isalnum() or len(name) > 256:
            raise wrong("Topic Name")
        arn = f"arn:aws:sns:{region}:{account}:{name}"
        policy = json.dumps({"Version": "2012-10-17", "Statement": []})
        self._store.do(
            "insert or ignore into aws_topics (arn, account, name, policy) values (?, ?, ?, ?)",
            arn,
            account,
            name,
            policy,
        )
        return arn

    def find(self, arn: str) -> dict[str, Any] | None:
        return self._store.one("select * from aws_topics where arn = ?", arn)

    def get(self, arn: str) -> dict[str, Any]:
        """Raises AwsError where it is not there."""
        found = self.find(arn)
        if found is None:
            raise no_topic()
        return found

    def all(self, account: str) -> list[dict[str, Any]]:
        return self._store.all("select * from aws_topics where account = ? order by arn", account)

    def set(self, arn: str, name: str, value: str) -> None:
        """Policy and SignatureVersion; raises AwsError for what is none."""
        self.get(arn)
        if name == "SignatureVersion" and value in ("1", "2"):
            self._store.do("update aws_topics set version = ? where arn = ?", value, arn)
        elif name == "Policy":
            self._store.do("update aws_topics set policy = ? where arn = ?", _checked(value), arn)
        elif name != "DisplayName":
            raise wrong(f"AttributeName {name}")

    def lets_ses(self, arn: str, account: str, source: str) -> bool:
        """Whether the topic's own policy lets the sending service publish for this configuration set."""
        topic = self.find(arn)
        context = {"service": "ses.amazonaws.com", "aws:SourceAccount": account, "aws:SourceArn": source}
        if topic is None:
            return False
        return policies.verdict(json.loads(topic["policy"]), "sns:Publish", arn, context) == policies.ALLOWED

    def delete(self, arn: str) -> None:
        with self._store.open() as db:
            db.execute("delete from aws_topics where arn = ?", [arn])
            db.execute("delete from aws_subscriptions where topic = ?", [arn])

    def subscribe(self, topic: str, protocol: str, endpoint: str) -> dict[str, Any]:
        """A subscription that waits for the endpoint to agree; one that is there already is given again."""
        self.get(topic)
        if (
            protocol not in ("http", "https")
            or urlsplit(endpoint).scheme != protocol
            or not urlsplit(endpoint).netloc
        ):
            raise wrong("Endpoint must match the specified protocol")
        found = self._store.one(
            "select * from aws_subscriptions where topic = ? and protocol = ? and endpoint = ?",
            topic,
            protocol,
            endpoint,
        )
        if found is None:
            self._store.do(
                "insert into aws_subscriptions (arn, topic, protocol, endpoint, token) values (?, ?, ?, ?, ?)",
                f"{topic}:{uuid.uuid4()}", topic, protocol, endpoint, secrets.token_hex(96),
            )  # fmt: skip
            return self.subscribe(topic, protocol, endpoint)
        return found

    def subscription(self, arn: str) -> dict[str, Any]:
        """Raises AwsError where it is not there."""
        found = self._store.one("select * from aws_subscriptions where arn = ?", arn)
        if found is None:
            raise AwsError("NotFound", "Subscription does not exist", 404)
        return found

    def subscriptions(self, topic: str) -> list[dict[str, Any]]:
        return self._store.all("select * from aws_subscriptions where topic = ? order by arn", topic)

    def confirm(self, topic: str, token: str, authenticated: bool) -> str:
        """The ARN of what was agreed to. Raises AwsError for a token that is none."""
        found = self._store.one(
            "select arn from aws_subscriptions where topic = ? and token = ?", topic, token
        )
        if found is None:
            raise wrong("Token")
        self._store.do(
            "update aws_subscriptions set confirmed = 1, authenticated = ? where arn = ?",
            authenticated,
            found["arn"],
        )
        return str(found["arn"])

    def unsubscribe(self, arn: str) -> None:
        self._store.do("delete from aws_subscriptions where arn = ?", arn)

    def keep(self, subscription: dict[str, Any], kind: str, number: str, body: str) -> None:
        """A signed message for one endpoint, to be brought there."""
        self._store.do(
            "insert into aws_messages (subscription, endpoint, kind, message_id, topic, body, at) values (?, ?, ?, ?, ?, ?, ?)",
            subscription["arn"], subscription["endpoint"], kind, number, subscription["topic"], body, now(),
        )  # fmt: skip

    def repeat(self, number: int) -> bool:
        """Whether there is such a message, which is now brought once more."""
        fields = "subscription, endpoint, kind, message_id, topic, body, at"
        statement = f"insert into aws_messages ({fields}) select {fields} from aws_messages where id = ?"
        return self._store.do(statement, number) > 0

    def messages(self, most: int = 100) -> list[dict[str, Any]]:
        """The newest first."""
        return self._store.all("select * from aws_messages order by id desc limit ?", most)


def _checked(policy: str) -> str:
    try:
        policies.check(json.loads(policy))
    except (ValueError, TypeError) as problem:
        raise wrong(f"Policy: {problem}") from None
    return policy
