"""What keeps a key from use, as codes with facts; the words for people stand where they are shown."""

from dataclasses import asdict, dataclass, field
from typing import Any

from clients import aws_errors


@dataclass(frozen=True)
class Obstacle:
    """One thing that a person can mend; `facts` holds no secret."""

    code: str
    facts: dict[str, str] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        return asdict(self)


CODES: dict[type[Exception], str] = {
    aws_errors.WrongKey: "wrong_key",
    aws_errors.WrongSecret: "wrong_secret",
    aws_errors.TemporaryKey: "temporary_key",
    aws_errors.RootKey: "root_key",
    aws_errors.RegionNotEnabled: "region_off",
    aws_errors.NotSignedUp: "not_signed_up",
    aws_errors.AccountSuspended: "suspended",
    aws_errors.SendingPaused: "paused",
    aws_errors.LimitReached: "limit",
}


def obstacle(error: Exception) -> Obstacle:
    """What a refusal of Amazon's means to the person who gave the key."""
    if isinstance(error, aws_errors.MissingPermission):
        return Obstacle("permission", {"action": error.action, "resource": error.resource})
    code = CODES.get(type(error))
    return Obstacle(code) if code else Obstacle("refused", {"says": str(error)})


def of_answer(words: str) -> Obstacle:
    """What it means that SES let a server sign in, or not, and refused its letter with these words."""
    action, resource = aws_errors.ACTION.search(words), aws_errors.RESOURCE.search(words)
    if action is None:
        return Obstacle("smtp", {"says": words})
    return Obstacle("permission", {"action": action[1], "resource": resource[1] if resource else ""})
