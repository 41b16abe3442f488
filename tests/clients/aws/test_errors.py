"""Amazon's refusals, sorted into reasons that a person can act on."""

import pytest

from clients import aws_errors as reasons
from clients.aws_errors import sorted_answer
from clients.errors import Gone, Refused, TryLater

DENIED = (
    "User: arn:aws:iam::123456789012:user/anna is not authorized to perform: {0} on resource:"
    " arn:aws:ses:eu-central-1:123456789012:identity/firm.test because no identity-based policy allows the {0} action"
)


def answer(code, says="", status=400):
    return {"Error": {"Code": code, "Message": says}, "ResponseMetadata": {"HTTPStatusCode": status}}


@pytest.mark.parametrize(
    ("code", "says", "status", "kind", "base"),
    [
        ("InvalidClientTokenId", "", 403, reasons.WrongKey, Refused),
        ("UnrecognizedClientException", "", 403, reasons.WrongKey, Refused),
        ("SignatureDoesNotMatch", "", 403, reasons.WrongSecret, Refused),
        ("InvalidSignatureException", "", 403, reasons.WrongSecret, Refused),
        ("SignatureDoesNotMatch", "Signature expired: 20260101T000000Z is now earlier than", 403, reasons.ClockSkew, TryLater),
        ("InvalidSignatureException", "Signature not yet current: x", 403, reasons.ClockSkew, TryLater),
        ("RequestTimeTooSkewed", "", 403, reasons.ClockSkew, TryLater),
        ("ExpiredToken", "", 400, reasons.TemporaryKey, Refused),
        ("OptInRequired", "", 403, reasons.NotSignedUp, Refused),
        ("AccountSuspendedException", "", 400, reasons.AccountSuspended, Refused),
        ("SendingPausedException", "", 400, reasons.SendingPaused, Refused),
        ("LimitExceededException", "", 400, reasons.LimitReached, Refused),
        ("ConflictException", "", 409, reasons.AlreadyAsked, Refused),
        ("AlreadyExistsException", "", 400, reasons.AlreadyThere, Refused),
        ("NotFoundException", "", 404, Gone, Gone),
        ("NotFound", "", 404, Gone, Gone),
        ("TooManyRequestsException", "", 429, reasons.Throttled, TryLater),
        ("Throttling", "", 400, reasons.Throttled, TryLater),
        ("Whatever", "", 429, reasons.Throttled, TryLater),
        ("ConcurrentModificationException", "", 500, TryLater, TryLater),
        ("Whatever", "", 503, TryLater, TryLater),
        ("BadRequestException", "this is wrong", 400, Refused, Refused),
        ("", "", 0, Refused, Refused),
    ],
)  # fmt: skip
def test_a_code_has_a_reason(code, says, status, kind, base):
    found = sorted_answer(answer(code, says, status), "ses:GetAccount")
    assert type(found) is kind
    assert isinstance(found, base)
    assert found.code == code
    assert "ses:GetAccount" in str(found)


@pytest.mark.parametrize(
    ("code", "named", "missing"),
    [
        ("AccessDeniedException", "ses:GetAccount", "ses:GetAccount"),
        ("AuthorizationError", "SNS:CreateTopic", "sns:CreateTopic"),
        ("AccessDenied", None, "ses:Asked"),
    ],
)
def test_what_is_missing_is_named(code, named, missing):
    found = sorted_answer(answer(code, DENIED.format(named) if named else "no", 403), "ses:Asked")
    assert isinstance(found, reasons.MissingPermission)
    assert found.action == missing
    assert found.resource == ("arn:aws:ses:eu-central-1:123456789012:identity/firm.test" if named else "")


def test_a_long_text_of_amazons_is_cut():
    assert len(str(sorted_answer(answer("BadRequestException", "x" * 5000), "ses:GetAccount"))) < 300
