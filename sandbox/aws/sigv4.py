"""Whether a request was signed with the secret of the key that it names: the signature is computed again by botocore.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html.
"""

from __future__ import annotations

import dataclasses
import datetime
import hmac
import re

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from werkzeug.datastructures import Headers

from sandbox.aws.errors import AwsError
from sandbox.aws.iam import Iam, Key

FORM = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>\w{16,128})/(?P<date>\d{8})/(?P<region>[a-z0-9-]+)/(?P<service>[a-z0-9-]+)/aws4_request,"
    r" ?SignedHeaders=(?P<signed>[a-z0-9;-]+), ?Signature=(?P<signature>[0-9a-f]{64})"
)
MOMENT = "%Y%m%dT%H%M%SZ"
SKEW = datetime.timedelta(minutes=5)
# The same refusals have other names in SES than in the older services.
WORDS = {
    "missing": ("MissingAuthenticationTokenException", "MissingAuthenticationToken", "Missing Authentication Token"),
    "unknown": (
        "UnrecognizedClientException", "InvalidClientTokenId", "The security token included in the request is invalid.",
    ),
    "signature": (
        "InvalidSignatureException", "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and"
        " signing method. Consult the service documentation for details.",
    ),
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Asked:
    """A request as it came in."""

    method: str
    url: str
    headers: Headers
    body: bytes


@dataclasses.dataclass(frozen=True)
class Signed:
    """What the request says of itself."""

    key: str
    date: str
    region: str
    service: str
    names: tuple[str, ...]
    signature: str

    @property
    def newer(self) -> bool:
        """Whether the service is one of those with the newer words."""
        return self.service == "ses"


def read(asked: Asked) -> Signed:
    """Raises AwsError where there is no signature."""
    found = FORM.fullmatch(asked.headers.get("Authorization", ""))
    if not found:
        raise AwsError(WORDS["missing"][0], WORDS["missing"][2], 403)
    names = tuple(found["signed"].split(";"))
    return Signed(found["key"], found["date"], found["region"], found["service"], names, found["signature"])


def authenticate(iam: Iam, asked: Asked, signed: Signed, clock: float) -> Key:
    """Whose request it is; `clock` is how many seconds the vendor's clock is ahead of the machine's. Raises AwsError."""
    key = iam.key(signed.key)
    token = asked.headers.get("X-Amz-Security-Token", "")
    if key is None or not key.active or not hmac.compare_digest(token.encode(), key.token.encode()):
        raise _refusal("unknown", signed)
    if not {"host", "x-amz-date"} <= set(signed.names):
        raise _refusal("signature", signed)
    if not hmac.compare_digest(_recomputed(key, asked, signed), signed.signature):
        raise _refusal("signature", signed)
    _check_age(asked, signed, clock)
    return key


def _refusal(kind: str, signed: Signed) -> AwsError:
    newer, older, says = WORDS[kind]
    return AwsError(newer if signed.newer else older, says, 403)


def _recomputed(key: Key, asked: Asked, signed: Signed) -> str:
    headers = {name: asked.headers.get(name, "") for name in signed.names}
    request = AWSRequest(method=asked.method, url=asked.url, headers=headers, data=asked.body)
    request.context["timestamp"] = asked.headers.get("X-Amz-Date", "")
    auth = SigV4Auth(Credentials(key.access_key, key.secret), signed.service, signed.region)
    text = auth.string_to_sign(request, auth.canonical_request(request))
    return str(auth.signature(text, request))


def _check_age(asked: Asked, signed: Signed, clock: float) -> None:
    stamp = asked.headers.get("X-Amz-Date", "")
    now = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=clock)
    try:
        at = datetime.datetime.strptime(stamp, MOMENT).replace(tzinfo=datetime.UTC)
    except ValueError:
        raise _refusal("signature", signed) from None
    code = WORDS["signature"][0 if signed.newer else 1]
    here, minutes = now.strftime(MOMENT), int(SKEW.total_seconds() / 60)
    if at < now - SKEW:
        edge = (now - SKEW).strftime(MOMENT)
        raise AwsError(
            code, f"Signature expired: {stamp} is now earlier than {edge} ({here} - {minutes} min.)", 403
        )
    if at > now + SKEW:
        edge = (now + SKEW).strftime(MOMENT)
        says = f"Signature not yet current: {stamp} is still later than {edge} ({here} + {minutes} min.)"
        raise AwsError(code, says, 403)
