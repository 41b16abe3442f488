"""Amazon's refusals as the reasons that a person can act on; each is one of our three kinds.

Sources: https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html for what every service answers, and the lists of
errors below each operation of https://docs.aws.amazon.com/ses/latest/APIReference-V2/. No text of ours repeats a key or a secret.
"""

import re
from collections.abc import Callable
from typing import Any

from clients.errors import Gone, Refused, TryLater

MOST_WORDS = 200  # letters of what Amazon says
ACTION = re.compile(r"not authorized to perform:? ['`]?(\w+:\w+)")
RESOURCE = re.compile(r"on resource:? ['`]?(arn:[^\s'`]+|\*)")
SKEWED = re.compile(r"Signature (expired|not yet current)")


class WrongKey(Refused):
    """Nobody has this access key: it was mistyped, deleted or switched off."""


class WrongSecret(Refused):
    """The access key is known, and the secret is another's."""


class TemporaryKey(Refused):
    """A key that Amazon ends by itself after some hours, and that gives no SMTP password."""


class RootKey(Refused):
    """A key of the account's owner, which may do everything and which no policy limits."""


class MalformedKey(Refused):
    """This cannot be an access key or a secret; `code` says what it looks like."""


class ClockSkew(TryLater):
    """Amazon's clock and ours differ by minutes: ours must be set right."""


class MissingPermission(Refused):
    """The user's policy does not allow `action`, such as ses:GetAccount, on `resource` where Amazon names one."""

    def __init__(self, says: str, *, action: str, resource: str = "", code: str = "") -> None:
        super().__init__(says, code=code)
        self.action, self.resource = action, resource


class RegionNotEnabled(Refused):
    """The key is good, and the account has this region switched off."""


class NotSignedUp(Refused):
    """The account is not finished: Amazon waits for a payment method or a telephone call."""


class Throttled(TryLater):
    """Too many calls in a second."""


class AccountSuspended(Refused):
    """Amazon has paused sending by this account for good, or until it is persuaded."""


class SendingPaused(Refused):
    """Sending is switched off for the account or the configuration set."""


class LimitReached(Refused):
    """The account has as many of these as it may have."""


class AlreadyAsked(Refused):
    """A request of this kind is being looked at already."""


class AlreadyThere(Refused):
    """Something of this name exists."""


SAYS: dict[type[Exception], str] = {
    WrongKey: "Amazon does not know this access key",
    WrongSecret: "the secret does not belong to this access key",
    TemporaryKey: "the key is a temporary one",
    ClockSkew: "Amazon's clock and ours differ",
    NotSignedUp: "the account at Amazon is not finished",
    AccountSuspended: "Amazon has paused this account's sending",
    SendingPaused: "sending is switched off at Amazon",
    LimitReached: "the account has as many of these as it may have",
    AlreadyAsked: "a request like this is being looked at already",
    AlreadyThere: "something of this name exists already",
}
CODES: list[tuple[type[Exception], set[str]]] = [
    (WrongKey, {"InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId"}),
    (WrongSecret, {"SignatureDoesNotMatch", "InvalidSignatureException"}),
    (TemporaryKey, {"ExpiredToken", "ExpiredTokenException", "MissingAuthenticationToken"}),
    (ClockSkew, {"RequestExpired", "RequestTimeTooSkewed"}),
    (NotSignedUp, {"OptInRequired", "SubscriptionRequiredException"}),
    (AccountSuspended, {"AccountSuspendedException"}),
    (SendingPaused, {"SendingPausedException"}),
    (LimitReached, {"LimitExceededException", "TopicLimitExceeded", "SubscriptionLimitExceeded"}),
    (AlreadyAsked, {"ConflictException"}),
    (AlreadyThere, {"AlreadyExistsException"}),
    (Gone, {"NotFoundException", "NotFound"}),
]
DENIED = {"AccessDenied", "AccessDeniedException", "AuthorizationError"}
THROTTLED = {"Throttling", "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded"}
BUSY = {
    "ServiceUnavailable",
    "InternalError",
    "InternalFailure",
    "ConcurrentModificationException",
    "ConcurrentAccess",
}


def sorted_answer(answer: dict[str, Any], action: str) -> Exception:
    """The reason in an error that Amazon answered; `action` is what was tried, as IAM calls it."""
    error = answer.get("Error", {})
    code, words = str(error.get("Code", "")), str(error.get("Message", ""))
    status = int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code in DENIED:
        return _denied(code, words, action)
    if code in THROTTLED or status == 429:
        return Throttled(f"Amazon wants fewer calls ({action})", code=code, retry_after=5)
    if code in BUSY or status >= 500:
        return TryLater(f"Amazon answers {status} {code} to {action}", code=code, retry_after=15)
    return _of_code(code, words, action)


def _of_code(code: str, words: str, action: str) -> Exception:
    kind = next((kind for kind, codes in CODES if code in codes), None)
    if kind is WrongSecret and SKEWED.search(words):
        kind = ClockSkew
    if kind is None:
        return Refused(f"Amazon refuses {action}: {words[:MOST_WORDS]}", code=code)
    make: Callable[..., Exception] = kind
    return make(f"{SAYS.get(kind, 'there is no such thing at Amazon')} ({action})", code=code)


def _denied(code: str, words: str, action: str) -> MissingPermission:
    """Amazon names the action that it checked, which is not always the one that was called."""
    named, resource = ACTION.search(words), RESOURCE.search(words)
    service, _, name = (named[1] if named else action).partition(":")
    missing = f"{service.lower()}:{name}"
    where = resource[1].rstrip(".") if resource else ""
    return MissingPermission(f"the user may not do {missing}", action=missing, resource=where, code=code)
