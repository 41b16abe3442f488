"""What a storage that speaks S3 refuses, as our three kinds; no text of ours repeats a key, a secret or a signed URL.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html; Ceph answers in the same words.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.parsers import ResponseParserError

from clients.errors import Gone, Refused, TryLater

GONE = {"NoSuchKey", "NoSuchBucket", "NotFound", "404", "NoSuchUpload"}
LATER = {
    "SlowDown": 20, "ServiceUnavailable": 20, "InternalError": 15, "RequestTimeout": 5, "RequestTimeTooSkewed": 60,
    "OperationAborted": 5, "Throttling": 20, "ThrottlingException": 20, "RequestLimitExceeded": 20,
}  # fmt: skip
DEEPEST = 4  # kinds of causes that are told
WRONG_KEY = {"InvalidAccessKeyId", "SignatureDoesNotMatch", "AuthorizationHeaderMalformed", "InvalidToken"}


class WrongKey(Refused):
    """The storage does not know our key, or not with this secret."""


class Taken(Refused):
    """The name of the bucket belongs to somebody else: all customers of the vendor share one space of names."""


@contextmanager
def sorted_errors(action: str) -> Iterator[None]:
    """Turns what the library raises into our kinds; the library's own texts hold addresses and are left out."""
    try:
        yield
    except ClientError as error:
        raise sorted_answer(error.response, action) from None
    except (BotoCoreError, HTTPClientError, ResponseParserError, OSError, ValueError) as error:
        raise _unsent(error, action) from None


def sorted_answer(answer: dict[str, Any], action: str) -> Exception:
    """The reason in an error that was answered; `action` is what was tried."""
    error = answer.get("Error", {})
    code = str(error.get("Code", ""))[:60]
    status = int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    says = f"the storage answers {status} {code} to {action}"
    if code in GONE or status == 404:
        return Gone(says, code=code)
    if code in LATER or status in (408, 429) or (status >= 500 and status != 501):
        return TryLater(says, code=code, retry_after=LATER.get(code, 15))
    if code in WRONG_KEY:
        return WrongKey(f"the storage does not accept our key ({code}, {action})", code=code)
    if code == "BucketAlreadyExists":
        return Taken("a bucket of this name belongs to somebody else", code=code)
    return Refused(says, code=code)


def strange(what: str) -> TryLater:
    """Not what a storage answers: a proxy's page, or a change that somebody has to look at."""
    return TryLater(f"the storage's answer is strange: {what}", code="strange", retry_after=60)


def _unsent(error: Exception, action: str) -> Exception:
    """What could not be sent, or what came back was no answer of a storage."""
    name = type(error).__name__
    if name in ("ParamValidationError", "InvalidRegionError", "InvalidEndpointError"):
        return Refused(f"{action} cannot be asked like this ({name})", code=name)
    if "Timeout" in name:
        return TryLater(f"the storage did not answer {action} in time", code="timeout", retry_after=15)
    why = " of ".join([name, *_causes(error)])
    return TryLater(f"the storage could not be reached for {action} ({why})", code="network", retry_after=15)


def _causes(error: Exception) -> list[str]:
    """The kinds of what lies below, which tell a refused connection from one that broke; their texts hold addresses."""
    found: list[str] = []
    below = error.__cause__ or error.__context__
    while below and len(found) < DEEPEST:
        found.append(type(below).__name__)
        below = below.__cause__ or below.__context__
    return found
