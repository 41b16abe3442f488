"""What every call to the API goes through: the log, the limit, the token, and the faults that were set."""

from __future__ import annotations

import hmac
import socket
import threading
import time
import uuid
from collections.abc import Iterator

import flask

from sandbox.hetzner.errors import ApiError
from sandbox.hetzner.faults import Fault, Faults
from sandbox.hetzner.store import Store, now

CALLS_AN_HOUR = 3600
CODES = {500: "server_error", 502: "bad_gateway", 503: "unavailable", 504: "timeout"}
CONNECTIONS = ("werkzeug.socket", "gunicorn.socket")


class Allowance:
    """The project's calls: so many an hour, given back evenly, all of them at once allowed."""

    def __init__(self, store: Store) -> None:
        self._store, self._guard = store, threading.Lock()
        self._used, self._at = 0.0, time.monotonic()

    def take(self) -> bool:
        limit = self.limit
        with self._guard:
            self._recover(limit)
            if self._used + 1 > limit:
                return False
            self._used += 1
            return True

    @property
    def limit(self) -> int:
        return self._store.setting("calls_an_hour", CALLS_AN_HOUR)

    def _recover(self, limit: int) -> None:
        passed, self._at = time.monotonic() - self._at, time.monotonic()
        self._used = max(0.0, self._used - passed * limit / 3600)

    def headers(self) -> dict[str, str]:
        limit = self.limit
        whole = int(time.time() + self._used * 3600 / limit) if limit else int(time.time())
        return {
            "RateLimit-Limit": str(limit),
            "RateLimit-Remaining": str(max(0, int(limit - self._used))),
            "RateLimit-Reset": str(whole),
        }


class Traffic:
    """Hooks around the doors of the API."""

    def __init__(self, token: str, store: Store, faults: Faults) -> None:
        self._token, self._store, self._faults = token, store, faults
        self._allowance = Allowance(store)

    def before(self) -> flask.Response | None:
        if not self._allowance.take():
            raise ApiError(
                "rate_limit_exceeded", f"limit of {self._allowance.limit} requests per hour reached"
            )
        self._check_token()
        operation = self.operation()
        if self._faults.take("rate_limited", operation):
            raise ApiError("rate_limit_exceeded", "limit of requests per hour reached")
        if self._faults.take("locked", operation):
            raise ApiError("locked", "item is locked: another action is running")
        flask.g.error = self._faults.take("server_error", operation)
        flask.g.loss = self._faults.take("lose_answer", operation)
        return self._fail_without_effect()

    def _check_token(self) -> None:
        kind, _, token = flask.request.headers.get("Authorization", "").partition(" ")
        if kind != "Bearer" or not hmac.compare_digest(token.encode(), self._token.encode()):
            raise ApiError("unauthorized", "unable to authenticate")

    def operation(self) -> str:
        return (flask.request.endpoint or "").rpartition(".")[2]

    def _fail_without_effect(self) -> flask.Response | None:
        if flask.g.loss and not flask.g.loss.effect:
            return flask.Response(status=500)
        if flask.g.error and not flask.g.error.effect:
            return _vendor_error(flask.g.error)
        return None

    def after(self, answer: flask.Response) -> flask.Response:
        error, loss = flask.g.get("error"), flask.g.get("loss")
        if error and error.effect:
            answer = _vendor_error(error)
        answer.headers.update(self._allowance.headers())
        answer.headers["X-Correlation-Id"] = uuid.uuid4().hex[:16]
        self._log(answer.status_code, bool(loss))
        if slow := self._faults.take("slow", self.operation()):
            time.sleep(slow.seconds)
        return _drop(answer) if loss else answer

    def _log(self, status: int, lost: bool) -> None:
        rule = flask.request.url_rule
        template = "/v1" + rule.rule.partition("/v1")[2] if rule else flask.request.path
        with self._store.writing() as db:
            db.execute(
                "insert into calls (at, method, template, operation, status, lost) values (?, ?, ?, ?, ?, ?)",
                [now(), flask.request.method, template, self.operation(), status, lost],
            )


def refuse(error: ApiError) -> tuple[flask.Response, int]:
    return flask.jsonify(error.body()), error.status


def _vendor_error(fault: Fault) -> flask.Response:
    answer = flask.jsonify(ApiError(CODES[fault.status], "an error happened on the vendor's side").body())
    answer.status_code = fault.status
    return answer


def _drop(answer: flask.Response) -> flask.Response:
    """Ends the connection instead of answering; where the server hides its socket, breaks off in the first byte."""
    for name in CONNECTIONS:
        if connection := flask.request.environ.get(name):
            connection.shutdown(socket.SHUT_RDWR)
            return answer
    length = max(2, answer.content_length or 2)
    return flask.Response(_broken_off(), headers={"Content-Length": str(length)})


def _broken_off() -> Iterator[bytes]:
    yield b"{"
    raise ConnectionAbortedError("the answer was to be lost")
