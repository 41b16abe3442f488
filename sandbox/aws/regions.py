"""What an account may do in a region: the states that somebody trying the product chooses, and the quota."""

from __future__ import annotations

import dataclasses
import json
import time
from typing import Any

from sandbox.aws.errors import AwsError, bad
from sandbox.aws.store import Store
from sandbox.internet.addresses import REGIONS as WITH_SMTP

DAY = 86400.0  # seconds
STATES = {
    "sandbox": "Sandbox: only verified recipients, 200 a day, one a second",
    "pending": "Sandbox, and production was asked for: somebody is looking at it",
    "denied": "Sandbox, and production was denied",
    "production": "Production: everybody may be written to",
    "under_review": "Production, under review because of bounces or complaints",
    "paused": "Paused by Amazon because of bounces or complaints",
    "switched_off": "Production, sending switched off by the account itself",
    "throttled": "Production, and every call comes too fast",
    "full": "Production, and as many domains, sets and topics as an account may have",
    "not_signed_up": "The account is not finished: a payment method or a confirmation is missing",
    "region_off": "The region is not enabled in the account",
}
IN_SANDBOX = ("sandbox", "pending", "denied")
CLOSED = ("region_off", "not_signed_up")
NO_SENDING = ("paused", "switched_off")
# Regions that an account has to enable first. Source: docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html.
OPT_IN = (
    "af-south-1", "ap-south-2", "ap-southeast-3", "ap-southeast-5", "ca-west-1", "eu-central-2", "eu-south-1", "il-central-1",
    "me-central-1", "me-south-1",
)  # fmt: skip
REGIONS = sorted({*WITH_SMTP, *OPT_IN})  # where the API answers
REVIEWS = {"pending": "PENDING", "denied": "DENIED"}
SANDBOX_DAY, SANDBOX_RATE, PRODUCTION_DAY, PRODUCTION_RATE = 200.0, 1.0, 50_000.0, 14.0


@dataclasses.dataclass(frozen=True)
class Region:
    """The state there, with what was chosen besides."""

    account: str
    name: str
    state: str
    max24: float
    rate: float
    sent_before: float
    details: dict[str, Any]
    suppresses: list[str]

    @property
    def production(self) -> bool:
        return self.state not in IN_SANDBOX

    @property
    def enforcement(self) -> str:
        return {"under_review": "PROBATION", "paused": "SHUTDOWN"}.get(self.state, "HEALTHY")


class Regions:
    """A region of an account that nobody has touched is as the vendor gives it: in the sandbox, or off."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, account: str, name: str) -> Region:
        row = self._store.one("select * from aws_regions where account = ? and region = ?", account, name)
        row = row or {"state": "region_off" if name in OPT_IN else "sandbox"}
        limited = row["state"] in IN_SANDBOX
        return Region(
            account,
            name,
            row["state"],
            _or(row.get("max24"), SANDBOX_DAY if limited else PRODUCTION_DAY),
            _or(row.get("rate"), SANDBOX_RATE if limited else PRODUCTION_RATE),
            row.get("sent_before", 0.0),
            json.loads(row.get("details", "{}")),
            json.loads(row.get("suppresses", '["BOUNCE", "COMPLAINT"]')),
        )

    def known(self, account: str) -> list[Region]:
        """Those in which there is something."""
        rows = self._store.all(
            "select region from aws_regions where account = ? union select region from aws_identities where account = ?"
            " order by region",
            account, account,
        )  # fmt: skip
        return [self.get(account, row["region"]) for row in rows]

    def choose(self, account: str, name: str, state: str) -> None:
        """From now on this is the state there; a quota of one's own stays. Raises AwsError for what there is not."""
        if state not in STATES or name not in REGIONS:
            raise bad(f"the state must be one of {', '.join(STATES)}, and the region one of the vendor's")
        self._put(account, name, "state", state)

    def limit(
        self, account: str, name: str, *, max24: float | None, rate: float | None, sent_before: float | None
    ) -> None:
        """A quota of one's own, or a day that is partly used; None leaves it as it is, and -1 means no limit a day."""
        for column, value in (("max24", max24), ("rate", rate), ("sent_before", sent_before)):
            if value is not None:
                self._put(account, name, column, value)

    def suppress(self, account: str, name: str, reasons: list[str]) -> None:
        self._put(account, name, "suppresses", json.dumps(reasons))

    def ask(self, account: str, name: str, details: dict[str, Any]) -> None:
        """Production is wished for. Raises AwsError while that is being looked at."""
        if self.get(account, name).state == "pending":
            raise AwsError(
                "ConflictException", "There is an ongoing account details update under review.", 409
            )
        self._put(account, name, "details", json.dumps(details))
        if details.get("ProductionAccessEnabled") and not self.get(account, name).production:
            self._put(account, name, "state", "pending")

    def _put(self, account: str, name: str, column: str, value: object) -> None:
        with self._store.open() as db:
            state = self.get(account, name).state
            db.execute(
                "insert or ignore into aws_regions (account, region, state) values (?, ?, ?)",
                [account, name, state],
            )
            db.execute(
                f"update aws_regions set {column} = ? where account = ? and region = ?",
                [value, account, name],
            )

    def sent(self, account: str, name: str, seconds: float) -> float:
        """How many recipients were written to within so many seconds."""
        row = self._store.one(
            "select coalesce(sum(recipients), 0) as sent from aws_letters where account = ? and region = ? and at > ?",
            account, name, time.time() - seconds,
        )  # fmt: skip
        return float(row["sent"]) if row else 0.0

    def sent24(self, region: Region) -> float:
        return region.sent_before + self.sent(region.account, region.name, DAY)


def _or(value: float | None, other: float) -> float:
    return other if value is None else float(value)
