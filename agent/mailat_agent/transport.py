"""One JSON request, one JSON answer, or an error that says which of the two was not to be had."""

import json
import signal
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException, HTTPResponse
from types import FrameType
from urllib.error import URLError
from urllib.request import HTTPHandler, HTTPSHandler, OpenerDirector, Request

from . import __version__

QUIET_SECONDS = 20.0  # no single wait for the network is longer
WHOLE_SECONDS = 60.0  # nor is a whole exchange, however it drips
MAX_ANSWER = 3 * 1024 * 1024  # bytes: the longest order, escaped as a text in JSON, and more


class Unheard(Exception):
    """No usable answer; `why` may be logged, `retry_after` is what the other side asked for, in seconds."""

    def __init__(self, why: str, retry_after: float = 0.0) -> None:
        super().__init__(why)
        self.why = why
        self.retry_after = retry_after


class Unreadable(Unheard):
    """An answer of 200 that is no JSON object or is too long."""


class Answered(Unheard):
    """An answer with another status than 200."""

    def __init__(self, status: int, retry_after: float = 0.0) -> None:
        super().__init__(f"the answer was HTTP {status}", retry_after)
        self.status = status


class Gone(Exception):
    """410: the control plane has deleted this server."""


class Transport:
    """Speaks to one control plane over the scheme its address names, and to nobody else."""

    def __init__(self, control: str) -> None:
        self.control = control

    def post(self, path: str, body: dict[str, object], bearer: str = "") -> dict[str, object]:
        """Send a JSON object and return the JSON object answered; raises Unheard or Gone."""
        status, retry_after, raw = self._exchange(self._request(path, body, bearer))
        if status == 410:
            raise Gone
        if status != 200:
            raise Answered(status, retry_after)
        return _object(raw)

    def _request(self, path: str, body: dict[str, object], bearer: str) -> Request:
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "User-Agent": f"mailat-agent/{__version__}",
        }
        if bearer:
            headers["Authorization"] = f"Bearer {bearer}"
        data = json.dumps(body, allow_nan=False).encode()
        return Request(self.control + path, data, headers, method="POST")  # noqa: S310 - config allows http(s) only

    def _exchange(self, request: Request) -> tuple[int, float, bytes]:
        try:
            with (
                _deadline(WHOLE_SECONDS),
                _opener(request.full_url).open(request, timeout=QUIET_SECONDS) as response,
            ):
                raw = response.read(MAX_ANSWER + 1) if response.status == 200 else b""
                return response.status, _retry_after(response), raw
        except (OSError, HTTPException, ValueError) as error:
            raise Unheard(_why(error)) from None


@contextmanager
def _deadline(seconds: float) -> Iterator[None]:
    def ring(_number: int, _frame: FrameType | None) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _opener(url: str) -> OpenerDirector:
    # Only the scheme's own handler: no proxy of the environment, no redirect, no other scheme. Made for
    # each call, so that renewed root certificates count without a restart.
    opener = OpenerDirector()
    if url.startswith("https:"):
        opener.add_handler(HTTPSHandler(context=ssl.create_default_context()))
    else:
        opener.add_handler(HTTPHandler())
    return opener


def _retry_after(response: HTTPResponse) -> float:
    value = response.headers.get("Retry-After", "")
    return float(value) if value.isascii() and value.isdigit() and len(value) < 9 else 0.0


def _why(error: Exception) -> str:
    # Only kinds and the system's own words: what else an exception says may repeat a header.
    cause = error.reason if isinstance(error, URLError) and isinstance(error.reason, Exception) else error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"the certificate was not accepted: {cause.verify_message}"
    if isinstance(cause, TimeoutError):
        return "no answer in time"
    if isinstance(cause, OSError) and cause.strerror:
        return f"no connection: {cause.strerror}"
    return f"no connection: {type(cause).__name__}"


def _object(raw: bytes) -> dict[str, object]:
    if len(raw) > MAX_ANSWER:
        raise Unreadable("the answer was too long")
    try:
        answer = json.loads(raw)
    except (ValueError, RecursionError):
        raise Unreadable("the answer was not JSON") from None
    if not isinstance(answer, dict):
        raise Unreadable("the answer was not a JSON object")
    return answer
