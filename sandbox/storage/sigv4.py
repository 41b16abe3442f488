"""Whether a request was signed with the secret of the key that it names, in a header or in its URL, as Ceph's gateway sees it.

Sources: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html, sigv4-query-string-auth.html, and Ceph's
src/rgw/rgw_auth_s3.cc: the payload's hash is what the header x-amz-content-sha256 says, and unknown where there is none; a header
x-amz-… that is not signed is refused (since CVE-2026-54330; before, whoever had a URL could add what they liked).
"""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote, unquote

from sandbox.storage.errors import S3Error

ALGORITHM = "AWS4-HMAC-SHA256"
HASH_HEADER = "x-amz-content-sha256"
UNSIGNED = "UNSIGNED-PAYLOAD"
MOMENT = "%Y%m%dT%H%M%SZ"
SKEW = 15 * 60  # seconds
WEEK = 7 * 24 * 3600  # the longest that a URL may be good for
FORM = re.compile(
    rf"{ALGORITHM} Credential=(?P<credential>[^,\s]+), ?SignedHeaders=(?P<names>[a-z0-9;-]+), ?Signature=(?P<signature>[0-9a-f]{{64}})"
)
Query = list[tuple[str, str]]


@dataclasses.dataclass(frozen=True)
class Asked:
    """A request line and its headers, their names small."""

    method: str
    path: str
    query: Query
    headers: Mapping[str, str]

    @property
    def payload(self) -> str:
        """What the request says of its body."""
        return self.headers.get(HASH_HEADER, UNSIGNED)

    def first(self, name: str) -> str:
        """A field of the query, whatever the case of its name."""
        return next((value for key, value in self.query if key.lower() == name.lower()), "")


@dataclasses.dataclass(frozen=True)
class Claim:
    """What a signature says of itself; `expires` is none for one in a header."""

    credential: str
    names: tuple[str, ...]
    signature: str
    stamp: str
    expires: int | None = None

    @property
    def key(self) -> str:
        return self.credential.partition("/")[0]

    @property
    def scope(self) -> str:
        return self.credential.partition("/")[2]


def parse_query(text: str) -> Query:
    """Names and values as they were meant; a plus is a plus, as in S3."""
    parts = [part.partition("=") for part in text.split("&") if part]
    return [(unquote(name), unquote(value)) for name, _, value in parts]


def read(asked: Asked) -> Claim:
    """Raises S3Error where there is no signature, or none that can be read."""
    if asked.first("X-Amz-Signature"):
        return _of_query(asked)
    found = FORM.fullmatch(asked.headers.get("authorization", ""))
    if not found:
        raise S3Error("AccessDenied", "Access Denied", 403)
    stamp = asked.headers.get("x-amz-date", "")
    return Claim(found["credential"], tuple(found["names"].split(";")), found["signature"], stamp)


def _of_query(asked: Asked) -> Claim:
    expires, names = asked.first("X-Amz-Expires"), asked.first("X-Amz-SignedHeaders")
    if asked.first("X-Amz-Algorithm") != ALGORITHM or not expires.isdecimal() or not names:
        raise S3Error("AuthorizationQueryParametersError", "Query-string authentication is incomplete", 400)
    if not 1 <= int(expires) <= WEEK:
        raise S3Error(
            "AuthorizationQueryParametersError", "X-Amz-Expires must be between 1 and 604800 seconds", 400
        )
    credential, stamp = asked.first("X-Amz-Credential"), asked.first("X-Amz-Date")
    return Claim(
        credential, tuple(names.split(";")), asked.first("X-Amz-Signature").lower(), stamp, int(expires)
    )


def check(asked: Asked, secrets: Mapping[str, str], now: datetime.datetime, *, all_signed: bool) -> Claim:
    """Raises S3Error unless one of these keys signed it; `all_signed`: no x-amz- header beside the signed ones."""
    claim = read(asked)
    if claim.key not in secrets:
        raise S3Error("InvalidAccessKeyId", "The access key does not exist in our records.", 403)
    if "host" not in claim.names or claim.scope.count("/") != 3 or not claim.scope.endswith("/aws4_request"):
        raise S3Error("AccessDenied", "Access Denied", 403)
    if all_signed and (extra := _unsigned(asked, claim)):
        raise S3Error("AccessDenied", f"There were headers present which were not signed: {extra}", 403)
    _check_time(claim, now)
    made = signature(asked, secrets[claim.key], claim)
    if not hmac.compare_digest(made, claim.signature):
        says = "The request signature we calculated does not match the signature you provided."
        raise S3Error("SignatureDoesNotMatch", says, 403)
    return claim


def _unsigned(asked: Asked, claim: Claim) -> str:
    """The hash is signed in any case, as part of the canonical request."""
    known = {*claim.names, HASH_HEADER}
    return next((name for name in asked.headers if name.startswith("x-amz-") and name not in known), "")


def _check_time(claim: Claim, now: datetime.datetime) -> None:
    try:
        at = datetime.datetime.strptime(claim.stamp, MOMENT).replace(tzinfo=datetime.UTC)
    except ValueError:
        raise S3Error("AccessDenied", "The date of the signature cannot be read", 403) from None
    age = (now - at).total_seconds()
    if claim.expires is not None and age >= claim.expires:
        raise S3Error("AccessDenied", "Request has expired", 403)
    if age < -SKEW or (claim.expires is None and age > SKEW):
        says = "The difference between the request time and the current time is too large."
        raise S3Error("RequestTimeTooSkewed", says, 403)


def signature(asked: Asked, secret: str, claim: Claim) -> str:
    key = f"AWS4{secret}".encode()
    for word in claim.scope.split("/"):
        key = hmac.new(key, word.encode(), hashlib.sha256).digest()
    hashed = hashlib.sha256(_canonical(asked, claim.names).encode()).hexdigest()
    text = f"{ALGORITHM}\n{claim.stamp}\n{claim.scope}\n{hashed}"
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def _canonical(asked: Asked, names: Iterable[str]) -> str:
    query = [(name, value) for name, value in asked.query if name.lower() != "x-amz-signature"]
    headers = [f"{name}:{' '.join(asked.headers.get(name, '').split())}\n" for name in sorted(names)]
    return "\n".join(
        [
            asked.method,
            asked.path,
            canonical_query(query),
            "".join(headers),
            ";".join(sorted(names)),
            asked.payload,
        ]
    )


def canonical_query(query: Query) -> str:
    pairs = sorted((quote(name, safe="~"), quote(value, safe="~")) for name, value in query)
    return "&".join(f"{name}={value}" for name, value in pairs)


def sign(asked: Asked, key: str, secret: str, now: datetime.datetime) -> dict[str, str]:
    """Headers to add so that another storage takes the request for one of this key's; all that are there are signed."""
    stamp = now.strftime(MOMENT)
    headers = {**asked.headers, "x-amz-date": stamp}
    names = tuple(sorted(name for name in headers if name == "host" or name.startswith("x-amz-")))
    claim = Claim(f"{key}/{stamp[:8]}/us-east-1/s3/aws4_request", names, "", stamp)
    made = signature(dataclasses.replace(asked, headers=headers), secret, claim)
    form = f"{ALGORITHM} Credential={claim.credential}, SignedHeaders={';'.join(names)}, Signature={made}"
    return {"x-amz-date": stamp, "authorization": form}
