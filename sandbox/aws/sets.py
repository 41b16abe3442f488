"""Configuration sets, where their events go, and the list of addresses to which nothing is sent."""

from __future__ import annotations

import datetime
import json
import time
from typing import Any

from sandbox.aws.errors import bad, exists, gone
from sandbox.aws.store import Store
from sandbox.aws.topics import Topics

MOST_DESTINATIONS = 10
REASONS = ("BOUNCE", "COMPLAINT")


class Sets:
    """Of all accounts."""

    def __init__(self, store: Store, topics: Topics) -> None:
        self._store, self._topics = store, topics

    def make(self, account: str, region: str, name: str) -> None:
        """Raises AwsError where it is there already."""
        row = (account, region, name)
        if not self._store.do(
            "insert or ignore into aws_sets (account, region, name) values (?, ?, ?)", *row
        ):
            raise exists(f"Configuration set <{name}> already exists.")

    def has(self, account: str, region: str, name: str) -> bool:
        statement = "select 1 from aws_sets where account = ? and region = ? and name = ?"
        return self._store.one(statement, account, region, name) is not None

    def need(self, account: str, region: str, name: str) -> None:
        """Raises AwsError where it is not there."""
        if not self.has(account, region, name):
            raise gone(f"Configuration set <{name}> does not exist.")

    def all(self, account: str, region: str) -> list[str]:
        statement = "select name from aws_sets where account = ? and region = ? order by name"
        return [row["name"] for row in self._store.all(statement, account, region)]

    def delete(self, account: str, region: str, name: str) -> None:
        self.need(account, region, name)
        with self._store.open() as db:
            db.execute(
                "delete from aws_sets where account = ? and region = ? and name = ?", [account, region, name]
            )
            db.execute(
                "delete from aws_destinations where account = ? and region = ? and configuration_set = ?",
                [account, region, name],
            )

    def destinations(self, account: str, region: str, name: str) -> list[dict[str, Any]]:
        """As the vendor writes them. Raises AwsError where there is no such set."""
        self.need(account, region, name)
        rows = self._store.all(
            "select name, content from aws_destinations where account = ? and region = ? and configuration_set = ?"
            " order by name",
            account, region, name,
        )  # fmt: skip
        return [{"Name": row["name"], **json.loads(row["content"])} for row in rows]

    def put_destination(
        self, account: str, region: str, name: str, destination: str, content: dict[str, Any], anew: bool
    ) -> None:
        """Raises AwsError where it is there already, or is not there, or where the service may not publish to the topic."""
        there = [each["Name"] for each in self.destinations(account, region, name)]
        if anew and destination in there:
            raise exists(f"An event destination with name <{destination}> already exists.")
        if not anew and destination not in there:
            raise gone(f"Event destination <{destination}> does not exist.")
        self._check(account, region, name, content)
        self._store.do(
            "insert or replace into aws_destinations (account, region, configuration_set, name, content)"
            " values (?, ?, ?, ?, ?)",
            account, region, name, destination, json.dumps(content),
        )  # fmt: skip

    def _check(self, account: str, region: str, name: str, content: dict[str, Any]) -> None:
        topic = content.get("SnsDestination", {}).get("TopicArn", "")
        if not topic:
            raise bad("This stand-in only knows destinations of the kind SnsDestination.")
        if not content.get("MatchingEventTypes"):
            raise bad("An event destination must have at least one event type.")
        if not self._topics.lets_ses(
            topic, account, f"arn:aws:ses:{region}:{account}:configuration-set/{name}"
        ):
            raise bad(
                f"Could not publish to SNS topic <{topic}>: it does not exist, or its policy does not allow it."
            )

    def suppress(self, account: str, region: str, address: str, reason: str) -> None:
        self._store.do(
            "insert or replace into aws_suppressed (account, region, address, reason, at) values (?, ?, ?, ?, ?)",
            account, region, address.lower(), reason, time.time(),
        )  # fmt: skip

    def suppressed(self, account: str, region: str) -> list[dict[str, Any]]:
        """As the vendor writes them."""
        rows = self._store.all(
            "select * from aws_suppressed where account = ? and region = ? order by at, address",
            account,
            region,
        )
        return [
            {
                "EmailAddress": row["address"],
                "Reason": row["reason"],
                "LastUpdateTime": datetime.datetime.fromtimestamp(row["at"], datetime.UTC),
            }
            for row in rows
        ]

    def is_suppressed(self, account: str, region: str, address: str) -> bool:
        statement = "select 1 from aws_suppressed where account = ? and region = ? and address = ?"
        return self._store.one(statement, account, region, address.lower()) is not None

    def allow(self, account: str, region: str, address: str) -> bool:
        """Whether it was on the list."""
        statement = "delete from aws_suppressed where account = ? and region = ? and address = ?"
        return self._store.do(statement, account, region, address.lower()) > 0
