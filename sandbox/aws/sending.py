"""What the SMTP endpoint asks the cloud: who signs in, whether a message may go, and in whose name it goes."""

from __future__ import annotations

import dataclasses
import hmac
import sqlite3
import time

from sandbox.aws import permissions, policies
from sandbox.aws.cloud import Cloud
from sandbox.aws.iam import Key
from sandbox.aws.identities import Identity
from sandbox.aws.passwords import smtp_password
from sandbox.aws.regions import CLOSED, DAY, IN_SANDBOX, NO_SENDING, Region
from sandbox.internet.addresses import REGIONS
from sandbox.internet.headers import Message

CONFIGURATION_SET = "X-SES-CONFIGURATION-SET"
SIMULATOR = "simulator.amazonses.com"
ACTION = "ses:SendRawEmail"
PAUSED = (
    "554 Message rejected: Sending paused for this account. For more information, please check the inbox of the email address"
    " associated with your AWS account."
)
TOO_FAST = "454 Throttling failure: Maximum sending rate exceeded."
NO_QUOTA = "454 Throttling failure: Daily message quota exceeded."


@dataclasses.dataclass(frozen=True)
class Way:
    """In whose name a message goes: kept with the letter."""

    account: str
    region: str
    identity: str
    source: str
    configuration_set: str
    returns_at: str
    token: str
    recipients: int

    def keep(self, db: sqlite3.Connection, letter: str) -> None:
        """In the transaction in which the letter is taken."""
        row = [
            letter, self.account, self.region, self.identity, self.source, self.configuration_set, self.returns_at,
            self.recipients, time.time(),
        ]  # fmt: skip
        db.execute(
            "insert into aws_letters (letter, account, region, identity, source, configuration_set, returns_at, recipients, at)"
            " values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            row,
        )


class Sending:
    """The rules of the vendor for one message after another."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud

    def authentic(self, access_key: str, password: str, region: str = "") -> str:
        """The region for which the password is right, and nothing where it is wrong; `region` is the one called, if told."""
        key = self.cloud.iam.key(access_key)
        if key is None or not key.active or key.kind == "temporary":
            return ""
        for each in [region] if region else REGIONS:
            if hmac.compare_digest(smtp_password(key.secret, each).encode(), password.encode()):
                return "" if self.cloud.regions.get(key.account, each).state in CLOSED else each
        return ""

    def key(self, access_key: str) -> Key | None:
        """The key, while it is good."""
        found = self.cloud.iam.key(access_key)
        return found if found and found.active else None

    def refusal(
        self, key: Key, region: str, speaking: list[str], recipients: list[str], message: Message
    ) -> str:
        """The answer to a whole message, or nothing if it is taken; `speaking` are the addresses in whose name it comes."""
        standing = self.cloud.regions.get(key.account, region)
        if standing.state in NO_SENDING:
            return PAUSED
        if standing.state == "throttled":
            return TOO_FAST
        return (
            self._unverified(key, region, speaking)
            or self._not_allowed(key, region, speaking, recipients, message)
            or self._in_sandbox(standing, recipients)
            or self._too_much(standing, len(recipients))
        )

    def _unverified(self, key: Key, region: str, addresses: list[str]) -> str:
        look = self.cloud.identities
        failed = [
            each
            for each in dict.fromkeys(addresses)
            if not look.may_speak(look.covering(key.account, region, each))
        ]
        return _not_verified(region, failed)

    def _not_allowed(
        self, key: Key, region: str, speaking: list[str], recipients: list[str], message: Message
    ) -> str:
        """In the sandbox a recipient is an identity of the account, too, and must be allowed like one."""
        limited = self.cloud.regions.get(key.account, region).state in IN_SANDBOX
        checked = speaking + (recipients if limited else [])
        resources = [
            one.arn for each in checked if (one := self.cloud.identities.covering(key.account, region, each))
        ]
        name = self.set_of(key, region, speaking[0], message)
        if name and not self.cloud.sets.has(key.account, region, name):
            return f"554 Message rejected: Configuration set <{name}> does not exist."
        resources += [f"arn:aws:ses:{region}:{key.account}:configuration-set/{name}"] if name else []
        for resource in dict.fromkeys(resources):
            if permissions.verdict(self.cloud.iam, key, ACTION, resource, region) != policies.ALLOWED:
                return f"554 Access denied: User `{key.arn}' is not authorized to perform `{ACTION}' on resource `{resource}'"
        return ""

    def _in_sandbox(self, standing: Region, recipients: list[str]) -> str:
        if standing.production:
            return ""
        look = self.cloud.identities
        unknown = [
            each
            for each in recipients
            if not each.lower().endswith(f"@{SIMULATOR}")
            and not look.may_speak(look.covering(standing.account, standing.name, each.lower()))
        ]
        return _not_verified(standing.name, unknown)

    def _too_much(self, standing: Region, recipients: int) -> str:
        if standing.max24 >= 0 and self.cloud.regions.sent24(standing) + recipients > standing.max24:
            return NO_QUOTA
        second = self.cloud.regions.sent(standing.account, standing.name, 1.0)
        return TOO_FAST if second and second + recipients > standing.rate else ""

    def set_of(self, key: Key, region: str, address: str, message: Message) -> str:
        """The configuration set that the message names, else its identity's."""
        named = message.named(CONFIGURATION_SET)
        one = self.cloud.identities.covering(key.account, region, address)
        return named[0] if named else one.configuration_set if one else ""

    def way(self, key: Key, region: str, address: str, recipients: list[str], message: Message) -> Way:
        """For a message that was not refused."""
        one = self.cloud.identities.covering(key.account, region, address)
        back = f"{region}.amazonses.com"
        if one and one.mail_from and self.cloud.identities.mail_from(one) == "SUCCESS":
            back = one.mail_from
        return Way(
            account=key.account,
            region=region,
            identity=one.name if one else "",
            source=address,
            configuration_set=self.set_of(key, region, address, message),
            returns_at=back,
            token=_signing(one),
            recipients=len(recipients),
        )


def _signing(one: Identity | None) -> str:
    """The selector by which the service signs as the identity's domain, where its records stand."""
    return one.tokens[0] if one and one.dkim_on and one.tokens and one.verified else ""


def _not_verified(region: str, failed: list[str]) -> str:
    if not failed:
        return ""
    return (
        "554 Message rejected: Email address is not verified."
        f" These are not verified in region {region.upper()}: {', '.join(failed)}"
    )


__all__ = ["CONFIGURATION_SET", "DAY", "SIMULATOR", "Sending", "Way"]
