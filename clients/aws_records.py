"""What Amazon says, as plain data."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

UNLIMITED = -1.0


@dataclass(frozen=True)
class Identity:
    """Who a key belongs to."""

    account: str
    arn: str

    @property
    def kind(self) -> str:
        """user, root, or temporary for everything that ends by itself."""
        what = self.arn.split(":", 5)[-1]
        return "root" if what == "root" else "user" if what.startswith("user/") else "temporary"


@dataclass(frozen=True)
class Standing:
    """What the account may do in one region; `enforcement` is HEALTHY, PROBATION (under review) or SHUTDOWN (paused).

    `max24` counts recipients in 24 hours and is None where there is no limit, `rate` recipients a second. `review` is empty,
    PENDING, FAILED, GRANTED or DENIED. Source: https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_GetAccount.html.
    """

    production: bool
    sending_enabled: bool
    enforcement: str
    max24: float | None
    rate: float
    sent24: float
    review: str = ""
    case: str = ""
    mail_type: str = ""
    suppresses: tuple[str, ...] = ()

    @property
    def left24(self) -> float | None:
        """How many recipients are left of this day, or None where there is no limit."""
        return None if self.max24 is None else max(0.0, self.max24 - self.sent24)

    @classmethod
    def read(cls, answer: dict[str, Any]) -> "Standing":
        quota, details = answer.get("SendQuota", {}), answer.get("Details", {})
        review = details.get("ReviewDetails", {})
        most = float(quota.get("Max24HourSend", 0))
        return cls(
            production=bool(answer.get("ProductionAccessEnabled")),
            sending_enabled=bool(answer.get("SendingEnabled")),
            enforcement=str(answer.get("EnforcementStatus", "")),
            max24=None if most == UNLIMITED else most,
            rate=float(quota.get("MaxSendRate", 0)),
            sent24=float(quota.get("SentLast24Hours", 0)),
            review=str(review.get("Status", "")),
            case=str(review.get("CaseId", "")),
            mail_type=str(details.get("MailType", "")),
            suppresses=tuple(answer.get("SuppressionAttributes", {}).get("SuppressedReasons", ())),
        )


@dataclass(frozen=True)
class EmailIdentity:
    """A domain or an address as SES knows it; a status is PENDING, SUCCESS, FAILED, TEMPORARY_FAILURE or NOT_STARTED.

    `tokens` and `zone` make the CNAMEs; `why` is what the last look at the DNS found wrong, such as HOST_NOT_FOUND.
    Source: https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_GetEmailIdentity.html.
    """

    name: str
    kind: str
    verified: bool
    status: str = ""
    dkim_status: str = ""
    dkim_on: bool = False
    tokens: tuple[str, ...] = ()
    zone: str = ""
    mail_from: str = ""
    mail_from_status: str = ""
    configuration_set: str = ""
    why: str = ""
    checked_at: datetime | None = None

    @property
    def cnames(self) -> dict[str, str]:
        """The records of Easy DKIM: what stands at which name."""
        return {f"{token}._domainkey.{self.name}": f"{token}.{self.zone}" for token in self.tokens}

    @classmethod
    def read(cls, name: str, answer: dict[str, Any]) -> "EmailIdentity":
        dkim, mail_from = answer.get("DkimAttributes", {}), answer.get("MailFromAttributes", {})
        info = answer.get("VerificationInfo", {})
        return cls(
            name=name,
            kind=str(answer.get("IdentityType", "")),
            verified=bool(answer.get("VerifiedForSendingStatus")),
            status=str(answer.get("VerificationStatus", dkim.get("Status", ""))),
            dkim_status=str(dkim.get("Status", "")),
            dkim_on=bool(dkim.get("SigningEnabled")),
            tokens=tuple(dkim.get("Tokens", ())),
            zone=str(dkim.get("SigningHostedZone", "")),
            mail_from=str(mail_from.get("MailFromDomain", "")),
            mail_from_status=str(mail_from.get("MailFromDomainStatus", "")),
            configuration_set=str(answer.get("ConfigurationSetName", "")),
            why=str(info.get("ErrorType", "")),
            checked_at=info.get("LastCheckedTimestamp"),
        )


@dataclass(frozen=True)
class Listed:
    """An identity in a list."""

    name: str
    kind: str
    status: str
    sending_enabled: bool


@dataclass(frozen=True)
class Destination:
    """Where the events of a configuration set go."""

    name: str
    topic: str
    types: tuple[str, ...]
    enabled: bool


@dataclass(frozen=True)
class Suppressed:
    """An address to which SES sends nothing, because of a BOUNCE or a COMPLAINT."""

    address: str
    reason: str
    since: datetime


@dataclass(frozen=True)
class Subscription:
    """Who gets a topic's messages; `arn` is PendingConfirmation until the endpoint has agreed."""

    arn: str
    protocol: str
    endpoint: str

    @property
    def confirmed(self) -> bool:
        return self.arn.startswith("arn:")
