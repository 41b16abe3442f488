"""Sends the pings that are due, from one thread, and tries again as the vendor does.

Source: the worker that posts to an endpoint, in https://github.com/antiwork/gumroad: five seconds to connect and five to answer,
three more tries, and only after a few answers; everything else loses the ping.
"""

from __future__ import annotations

import itertools
import json
import logging
import sqlite3
import threading
from typing import Any
from urllib.parse import urljoin

import requests

from sandbox.gumroad.encoding import encode
from sandbox.gumroad.hiding import hide
from sandbox.gumroad.payloads import fields
from sandbox.gumroad.pings import API, SETTINGS_JSON
from sandbox.gumroad.product import Product
from sandbox.gumroad.shop import Shop
from sandbox.gumroad.store import chosen, now

log = logging.getLogger("sandbox.gumroad")
RETRY_AFTER = (60.0, 180.0, 600.0)
TRIED_AGAIN = {499, 500, 502, 503, 504}
REDIRECTS = {301, 302, 303, 307, 308}
MOST_REDIRECTS = 3
TIMEOUT = (5.0, 5.0)
LOOK_EVERY = 0.1
MOST_SHOWN = 200
NEXT = "select * from pings where state = 'waiting' and due <= ? order by due, id limit 1"
FORM, JSON = "application/x-www-form-urlencoded", "application/json"


class Delivery:
    """The thread; `close` waits for what it is sending."""

    def __init__(self, shop: Shop, product: Product, timeout: tuple[float, float] = TIMEOUT) -> None:
        self._shop, self._store, self._product, self._timeout = shop, shop.store, product, timeout
        self._closing = threading.Event()
        self._session = requests.Session()
        self._session.trust_env = False
        self._thread = threading.Thread(target=self._run, name="gumroad-pings", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                self._shop.run_due()
                busy = self._send_next()
            except (sqlite3.Error, LookupError, ValueError) as error:
                log.error("a ping could not be worked: %s", type(error).__name__)
                busy = False
            if not busy:
                self._closing.wait(LOOK_EVERY)

    def _send_next(self) -> bool:
        with self._store.reading() as db:
            ping = db.execute(NEXT, [now()]).fetchone()
            body = self._fields(db, ping) if ping else None
            is_silent = bool(ping and ping["channel"] == API and chosen(db, "revoked"))
        if ping is None:
            return False
        if is_silent:
            self._conclude(ping, None, "the token was revoked, so not sent", "dropped", body)
            return True
        if body is None:
            self._conclude(ping, None, "not true any more, so not sent", "dropped", None)
            return True
        status, answer = self._post(ping, body)
        self._conclude(ping, status, answer, self._verdict(ping, status), body)
        return True

    def _fields(self, db: sqlite3.Connection, ping: sqlite3.Row) -> dict[str, Any] | None:
        return json.loads(ping["fields"]) if ping["fields"] else fields(db, self._product, ping)

    def _post(self, ping: sqlite3.Row, body: dict[str, Any]) -> tuple[int | None, str]:
        """The status, or none where there was no answer; and what to show of it. The address is a secret and stays here."""
        told = body | ({"retry_count": ping["retries"]} if ping["retries"] else {})
        url, is_json = ping["url"], ping["channel"] == SETTINGS_JSON
        sent, kind = (json.dumps(told).encode(), JSON) if is_json else (encode(told), FORM)
        headers = {"Content-Type": kind}
        try:
            for _ in range(MOST_REDIRECTS + 1):
                with self._session.post(
                    url, sent, headers=headers, timeout=self._timeout, allow_redirects=False, stream=True
                ) as answer:
                    target = answer.headers.get("Location")
                    if answer.status_code not in REDIRECTS or not target:
                        return answer.status_code, hide(_start(answer), ping["url"])[:MOST_SHOWN]
                    url = urljoin(url, target)
            return answer.status_code, "too many redirects"
        except (requests.RequestException, ValueError) as error:  # an address that is none is a ValueError
            return None, type(error).__name__

    def _verdict(self, ping: sqlite3.Row, status: int | None) -> str:
        if status is not None and 200 <= status < 300:
            return "delivered"
        again = status is None or status in TRIED_AGAIN
        return "waiting" if again and ping["retries"] < len(RETRY_AFTER) else "lost"

    def _conclude(
        self, ping: sqlite3.Row, status: int | None, answer: str, state: str, body: dict[str, Any] | None
    ) -> None:
        retries = ping["retries"] + (state == "waiting")
        due = now() + RETRY_AFTER[ping["retries"]] if state == "waiting" else ping["due"]
        with self._store.writing() as db:
            db.execute(
                "insert into attempts (ping, at, status, answer) values (?, ?, ?, ?)",
                [ping["id"], now(), status, answer],
            )
            db.execute(
                "update pings set state = ?, retries = ?, due = ?, fields = ? where id = ?",
                [state, retries, due, json.dumps(body), ping["id"]],
            )

    def close(self) -> None:
        self._closing.set()
        self._thread.join(timeout=sum(self._timeout) + 1)
        self._session.close()


def _start(answer: requests.Response) -> str:
    """More than is shown, so that no part of a secret is left where it is cut."""
    return b"".join(itertools.islice(answer.iter_content(1024), 4)).decode("utf-8", "replace").strip()
