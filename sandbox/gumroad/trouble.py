"""What goes wrong with the API when it is told to: nothing, late, half of it, or something else instead of an answer."""

from __future__ import annotations

import collections
import socket
import time
from collections.abc import Callable, Iterator

import flask

from sandbox.gumroad.faults import Faults

Answer = flask.typing.ResponseReturnValue
PAGE = "<!doctype html><title>One more step</title><h1>Checking your browser</h1>"
TIMED_OUT = "Query timed out. Try narrowing the date range."
BUSY = "Retry later\n"


class Trouble:
    """`before` answers in the API's place, `after` spoils what it said."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    def before(self) -> Answer | None:
        """What happens whoever asks."""
        if late := self._faults.take("slow"):
            time.sleep(late.seconds)
        if self._faults.take("drop_connection"):
            hang_up(flask.request.environ)
            return flask.Response(status=500)
        if self._faults.take("error_500"):
            return flask.Response("<h1>500 Internal Server Error</h1>", 500, mimetype="text/html")
        if busy := self._faults.take("rate_limit"):
            return too_many(busy.seconds)
        if self._faults.take("garbage"):
            return flask.Response(PAGE, 200, mimetype="text/html")
        return None

    def of_a_list(self) -> Answer | None:
        """The vendor's database gives a query up after fifteen seconds."""
        if self._faults.take("query_timeout"):
            return flask.jsonify({"status": 400, "error": TIMED_OUT}), 400
        return None

    def is_hidden(self) -> bool:
        """Whether what was written a moment ago cannot be read yet."""
        return self._faults.take("not_yet") is not None

    def after(self, response: flask.Response) -> flask.Response:
        if self._faults.take("half"):
            return _spoiled(response, _half)
        if slow := self._faults.take("trickle"):
            return _spoiled(response, lambda body: _trickle(body, slow.seconds))
        return response


def too_many(seconds: float) -> flask.Response:
    return flask.Response(BUSY, 429, mimetype="text/plain", headers={"Retry-After": f"{seconds:.0f}"})


def hang_up(environ: dict[str, object]) -> None:
    connection = environ.get("werkzeug.socket")
    if isinstance(connection, socket.socket):
        connection.shutdown(socket.SHUT_RDWR)


def _spoiled(response: flask.Response, how: Callable[[bytes], Iterator[bytes]]) -> flask.Response:
    """The length is told as if all were well."""
    body = response.get_data()
    headers = [(name, value) for name, value in response.headers if name != "Content-Length"]
    headers.append(("Content-Length", str(len(body))))
    return flask.Response(how(body), response.status_code, headers, direct_passthrough=True)


def _half(body: bytes) -> Iterator[bytes]:
    environ = flask.request.environ

    def parts() -> Iterator[bytes]:
        yield body[: len(body) // 2]
        hang_up(environ)

    return parts()


def _trickle(body: bytes, seconds: float) -> Iterator[bytes]:
    for byte in body:
        time.sleep(seconds / len(body))
        yield bytes([byte])


class DeepPages:
    """Ten questions a second and address beyond the tenth page, as config/initializers/rack_attack.rb has it."""

    MOST, SECONDS = 10, 1

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock, self._asked = clock, collections.Counter[tuple[str, int]]()

    def refuses(self, address: str, page: int) -> bool:
        if page <= 10:
            return False
        period = int(self._clock() // self.SECONDS)
        self._asked = collections.Counter(
            {key: count for key, count in self._asked.items() if key[1] == period}
        )
        self._asked[address, period] += 1
        return self._asked[address, period] > self.MOST
