"""Presigned URLs: one request each, for one object, until a moment; the secret stays here.

Sources: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html for the form. botocore signs such a URL as if
its body were unknown. Ours is known: the hash stands in the canonical request and in the signed header x-amz-content-sha256,
which is how Ceph reads it (get_v4_exp_payload_hash and AWSv4ComplSingle in src/rgw/rgw_auth_s3.cc): a header that is there is the
payload's hash, also with a signature in the URL, and the body is checked against it before the object is changed.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote, urlencode

from botocore.auth import SIGV4_TIMESTAMP, UNSIGNED_PAYLOAD, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from clients.errors import Refused

SECONDS = 15 * 60  # that a URL is good for
MOST_SECONDS = 7 * 24 * 3600
MOST_BYTES = (
    5 * 1024**3
)  # of one PUT: https://docs.aws.amazon.com/AmazonS3/latest/userguide/upload-objects.html
HASH_HEADER = "x-amz-content-sha256"
HASH = re.compile(r"[0-9a-f]{64}")
KEY = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")
LONGEST_KEY = 1024


@dataclass(frozen=True)
class Signed:
    """Whoever has the URL may send this one request, with exactly these headers, before `until` (Unix seconds)."""

    url: str = field(repr=False)
    headers: dict[str, str] = field(default_factory=dict)
    until: int = 0


class Signer:
    """Signs for one key pair and one region; `url` is the storage as those who use the URLs reach it."""

    def __init__(self, url: str, region: str, access_key: str, secret_key: str) -> None:
        self._url, self._region = url.rstrip("/"), region
        self._credentials = Credentials(access_key, secret_key)

    def write(self, path: str, *, bytes: int, sha256: str, seconds: int = SECONDS) -> Signed:
        """A PUT of exactly this content: its length and its hash are signed headers."""
        if not HASH.fullmatch(sha256):
            raise Refused("this is no SHA-256 in small hexadecimal digits", code="sha256")
        if not 0 <= bytes <= MOST_BYTES:
            raise Refused("an object of this size cannot be written at once", code="bytes")
        return self._signed("PUT", path, {"content-length": str(bytes), HASH_HEADER: sha256}, seconds)

    def read(self, path: str, *, seconds: int = SECONDS) -> Signed:
        """A GET of the object as it is then, of all of it or of a range."""
        return self._signed("GET", path, {}, seconds)

    def part(self, path: str, upload: str, number: int, *, bytes: int, sha256: str, seconds: int) -> Signed:
        """A PUT of one part of an upload, with this length and this hash."""
        if not HASH.fullmatch(sha256):
            raise Refused("this is no SHA-256 in small hexadecimal digits", code="sha256")
        headers = {"content-length": str(bytes), HASH_HEADER: sha256}
        return self._signed("PUT", path, headers, seconds, {"partNumber": str(number), "uploadId": upload})

    def download(self, path: str, query: dict[str, str], *, seconds: int) -> Signed:
        """A GET whose answer has the headers that `query` asks for, as a browser needs them to keep a file."""
        return self._signed("GET", path, {}, seconds, query)

    def _signed(
        self,
        method: str,
        path: str,
        headers: dict[str, str],
        seconds: int,
        query: dict[str, str] | None = None,
    ) -> Signed:
        if not 1 <= seconds <= MOST_SECONDS:
            raise Refused("a signature is good for one second to seven days", code="seconds")
        more = f"?{urlencode(query, quote_via=quote)}" if query else ""
        url = f"{self._url}/{quote(path)}{more}"
        request = AWSRequest(method=method, url=url, headers=dict(headers))
        _KnownPayload(self._credentials, "s3", self._region, expires=seconds).add_auth(request)
        stamp = datetime.strptime(request.context["timestamp"], SIGV4_TIMESTAMP).replace(tzinfo=UTC)
        return Signed(str(request.url), headers, int(stamp.timestamp()) + seconds)


class _KnownPayload(S3SigV4QueryAuth):
    """The payload's hash where there is one, and the word for an unknown one where not."""

    def payload(self, request: AWSRequest) -> str:
        return str(request.headers.get(HASH_HEADER, UNSIGNED_PAYLOAD))


def checked(key: str) -> str:
    """The key, if no program between here and the storage could read it as another one; else raises Refused."""
    if len(key) > LONGEST_KEY or not KEY.fullmatch(key):
        raise Refused("this is no key of an object of ours", code="key")
    return key
