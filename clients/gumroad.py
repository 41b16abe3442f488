"""Gumroad's API v2: plain data in and out, and every failure sorted.

Sources: https://gumroad.com/api and the open server https://github.com/antiwork/gumroad (app/controllers/api/v2). Two of its
habits shape this file: "not found" comes as HTTP 200 with `success: false`, and a key whose value is nil is left out.
"""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import quote

import requests
from requests.auth import AuthBase

from clients.errors import Gone, Refused, TryLater
from clients.gumroad_records import Listener, Sale, Strange, StrangeSale, Subscriber

__all__ = ["Gumroad", "Listener", "Sale", "SalesPage", "Subscriber"]

MOST_BYTES = 4 * 1024 * 1024
TIMEOUT = (3.0, 20.0)  # connect and read, in seconds; Gumroad gives a query up after fifteen and says so
MOST_SECONDS = 25.0  # for one answer; the read time-out only bounds a single wait
MOST_PAGES = 10_000
LISTENERS = "/resource_subscriptions"
TOKEN = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True)
class SalesPage:
    """Ten sales or fewer; `strange` are those that cannot be read, and the last page has no `key`."""

    sales: tuple[Sale, ...]
    strange: tuple[StrangeSale, ...] = ()
    key: str = ""


class Gumroad:
    """One seller at Gumroad. Every call raises TryLater, Refused or Gone; `timeout` is connect and read, in seconds."""

    def __init__(self, token: str, api_url: str, timeout: tuple[float, float] = TIMEOUT) -> None:
        self._url = api_url.rstrip("/")
        self._timeout = timeout
        self._session = requests.Session()
        self._session.auth = _Bearer(token)  # given so, no netrc file can put another one in its place

    def __enter__(self) -> "Gumroad":
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def sale(self, sale_id: str) -> Sale:
        """The sale as it is now; raises Gone if this seller has none of this id."""
        return _sale(self._get(f"/sales/{_path(sale_id)}").get("sale"))

    def subscriber(self, subscription_id: str) -> Subscriber:
        """The subscription as it is now; raises Gone if this seller has none of this id."""
        answer = self._get(f"/subscribers/{_path(subscription_id)}")
        return _subscriber(answer.get("subscriber") or answer.get("subscribers"))

    def sales_page(self, *, after: date | None = None, key: str = "") -> SalesPage:
        """One page of the successful sales, the newest first, from the day `after` on; `key` is of the page before it."""
        days = {"after": after.isoformat()} if after else {}
        page = self._get("/sales", {**days, "page_key": key} if key else days)
        following = page.get("next_page_key") or ""
        if not isinstance(following, str) or (following and following == key):
            raise _strange("the list has no end")
        return _page(_rows(page, "sales"), following)

    def sales(self, *, after: date | None = None, before: date | None = None) -> Iterator[Sale]:
        """Successful sales, the newest first, from the day `after` on until before the day `before`."""
        days = {"after": after, "before": before}
        given = {name: day.isoformat() for name, day in days.items() if day}
        for page in self._pages("/sales", given):
            yield from (_sale(row) for row in _rows(page, "sales"))

    def subscribers(self, product_id: str) -> Iterator[Subscriber]:
        """The subscriptions of a product that still give access; those that ended are not listed."""
        for page in self._pages(f"/products/{_path(product_id)}/subscribers", {"paginated": "true"}):
            yield from (_subscriber(row) for row in _rows(page, "subscribers"))

    def listeners(self, kind: str) -> list[Listener]:
        """Who is told of this kind of event because this token's application asked for it."""
        asked = {"resource_name": kind, "current_oauth_application_only": "true"}
        return [_listener(row) for row in _rows(self._get(LISTENERS, asked), "resource_subscriptions")]

    def listen(self, kind: str, url: str) -> None:
        """Has this kind of event told there; asked twice it is told twice. A refusal may repeat the address, so its words stay here."""
        try:
            self._call("PUT", LISTENERS, data={"resource_name": kind, "post_url": url})
        except (Refused, Gone) as error:
            raise Refused(
                f"Gumroad does not take our wish to be told of {kind} ({error.code})", code=error.code
            ) from None

    def stop_listening(self, listener_id: str) -> None:
        """Raises Gone if there is none of this id."""
        self._call("DELETE", f"{LISTENERS}/{_path(listener_id)}")

    def _pages(self, path: str, given: dict[str, str]) -> Iterator[dict[str, Any]]:
        key: str | None = None
        for _ in range(MOST_PAGES):
            page = self._get(path, {**given, "page_key": key} if key else given)
            yield page
            last, key = key, page.get("next_page_key")
            if not key:
                return
            if key == last:
                break
        raise _strange("the list has no end")

    def _get(self, path: str, params: dict[str, str] | None = None) -> dict[str, Any]:
        return self._call("GET", path, params=params)

    def _call(
        self,
        method: str,
        path: str,
        *,
        params: dict[str, str] | None = None,
        data: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        until = time.monotonic() + MOST_SECONDS
        try:
            with self._session.request(
                method,
                self._url + path,
                params=params,
                data=data,
                timeout=self._timeout,
                stream=True,
                allow_redirects=False,
            ) as response:
                return _sorted(response, _body(response, until))
        except requests.Timeout:
            raise TryLater("Gumroad did not answer in time", code="timeout", retry_after=15) from None
        except requests.RequestException as error:
            name = type(error).__name__
            raise TryLater(f"Gumroad could not be reached ({name})", code="network", retry_after=15) from None


class _Bearer(AuthBase):
    """Keeps the token out of every repr and out of the session's list of headers."""

    def __init__(self, token: str) -> None:
        self._token = token.strip()
        if not TOKEN.fullmatch(self._token):
            raise Refused("no usable token for Gumroad is set", code="token")

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _path(text: str) -> str:
    """Ids end in `==`; and dots alone would be another address, whatever their encoding."""
    if not text.strip("."):
        raise Gone("Gumroad has no ids like this", code="no_id")
    return quote(text, safe="")


def _body(response: requests.Response, until: float) -> bytes:
    parts: list[bytes] = []
    for part in response.iter_content(65536):
        parts.append(part)
        if sum(map(len, parts)) > MOST_BYTES:
            raise _strange("the answer is too long")
        if time.monotonic() > until:
            raise TryLater("Gumroad did not finish its answer in time", code="timeout", retry_after=15)
    return b"".join(parts)


def _sorted(response: requests.Response, body: bytes) -> dict[str, Any]:
    """The answer's object if it is a good one, else the failure that it tells of."""
    status, answer = response.status_code, _object(body)
    says = _words(answer)
    if status == 429 or status >= 500 or status == 408 or "timed out" in says:
        raise TryLater(f"Gumroad answers {status}", code=str(status), retry_after=_retry_after(response))
    if answer is not None and answer.get("success") is False and "not found" in says:
        raise Gone(f"Gumroad: {says}", code="not_found")
    if status != 200:
        raise Refused(f"Gumroad answers {status} {says}".strip(), code=str(status))
    if answer is None:
        raise _strange("the answer is not a JSON object")
    if answer.get("success") is not True:
        raise Refused(f"Gumroad: {says or 'no success, and no word why'}", code="no_success")
    return answer


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None


def _words(answer: dict[str, Any] | None) -> str:
    """What Gumroad says about a failure: under `message`, or under `error`, or as OAuth does."""
    for key in ("message", "error_description", "error"):
        if answer and isinstance(answer.get(key), str):
            return str(answer[key])[:200]
    return ""


def _retry_after(response: requests.Response) -> float:
    given = response.headers.get("Retry-After", "")
    seconds = float(given) if given.isascii() and given.isdigit() else 30.0
    return min(max(seconds, 1.0), 3600.0)


def _rows(page: dict[str, Any], key: str) -> list[Any]:
    rows = page.get(key)
    if not isinstance(rows, list):
        raise _strange(f"a page has no list of {key}")
    return rows


def _page(rows: list[Any], key: str) -> SalesPage:
    """One sale that cannot be read does not hide the others."""
    sales, strange = [], []
    for row in rows:
        try:
            sales.append(Sale.read(row))
        except Strange as error:
            strange.append(StrangeSale.of(row, error))
    return SalesPage(tuple(sales), tuple(strange), key)


def _sale(row: object) -> Sale:
    try:
        return Sale.read(row)
    except Strange as error:
        raise _strange(f"of a sale, {error}") from None


def _subscriber(row: object) -> Subscriber:
    try:
        return Subscriber.read(row)
    except Strange as error:
        raise _strange(f"of a subscriber, {error}") from None


def _listener(row: object) -> Listener:
    try:
        return Listener.read(row)
    except Strange as error:
        raise _strange(f"of who is told, {error}") from None


def _strange(what: str) -> TryLater:
    """Not what the API is known to answer: a proxy's page, or a change that somebody has to look at."""
    return TryLater(f"Gumroad's answer is strange: {what}", code="strange", retry_after=60)
