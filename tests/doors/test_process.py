"""The web process as it runs behind its proxy: what is written to its port byte by byte."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from devtools.paths import ROOT
from mailat.guesses import MOST

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]
HOST = b"mailat.example"
PATIENCE = 120.0  # seconds; their end only ends a failing test
HIDDEN = b"GET /hidden-request HTTP/1.1\r\nHost: mailat.example\r\n\r\n"
AMBIGUOUS = {
    "two lengths": b"Content-Length: 0\r\nContent-Length: %d\r\n\r\n" % len(HIDDEN),
    "a length and pieces": b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "pieces of another name": b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "pieces in odd letters": b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n",
    "pieces twice": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: cow\r\n\r\n0\r\n\r\n",
    "a space before the colon": b"Content-Length : 5\r\n\r\n",
    "a length with a sign": b"Content-Length: +5\r\n\r\n",
    "a length of letters": b"Content-Length: many\r\n\r\n",
    "a length below nothing": b"Content-Length: -5\r\n\r\n",
    "a line that goes on": b"X-One: a\r\n Content-Length: 5\r\n\r\n",
    "a line that ends oddly": b"X-One: a\rContent-Length: 5\r\n\r\n",
    "a NUL": b"X-One: a\x00b\r\n\r\n",
    "a piece of no length": b"Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
}


@pytest.fixture
def port(transactional_db: None, tmp_path: Path) -> Iterator[int]:
    """As in docker-compose.yml, but for TLS, which is the proxy's."""
    private = ("SIGNING_KEY_FILE", "VAULT_PRIVATE_KEYS_FILE")
    env = {name: value for name, value in os.environ.items() if name not in private}
    env |= {"WEB_PROCESSES": "1", "WEB_THREADS": "4", "PYTHONPATH": str(ROOT)}
    env |= {"BASE_URL": f"http://{HOST.decode()}", "TRUSTED_PROXIES": "1", "DATABASE_URL": _database()}
    env |= {"DJANGO_SETTINGS_MODULE": "mailat.settings", "STATIC_ROOT": str(tmp_path)}
    collect = [sys.executable, "manage.py", "collectstatic", "--no-input", "-v0"]
    subprocess.run(collect, env=env, cwd=ROOT, check=True)
    with socket.create_server(("127.0.0.1", 0)) as door:  # given to it open: nobody else can take the port
        port, env["BIND"] = int(door.getsockname()[1]), f"fd://{door.fileno()}"
        command = [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py"]
        running = subprocess.Popen(command, env=env, cwd=ROOT, pass_fds=[door.fileno()])
    try:
        _wait(port, running)
        yield port
        assert statuses(port, b"GET /healthz HTTP/1.1\r\nHost: mailat.example\r\n\r\n") == [200]
    finally:
        running.terminate()
        running.wait()


def _database() -> str:
    at = connection.get_connection_params()
    password = f":{at['password']}" if at.get("password") else ""
    if str(at.get("host", "")).startswith("/"):
        return f"postgres://{at['user']}{password}@/{at['dbname']}?host={at['host']}"
    return f"postgres://{at['user']}{password}@{at['host']}:{at['port']}/{at['dbname']}"


def _wait(port: int, running: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        assert running.poll() is None, "the web process has ended"
        if statuses(port, b"GET /healthz HTTP/1.1\r\nHost: mailat.example\r\n\r\n") == [200]:
            return
        time.sleep(0.1)
    raise AssertionError("the web process does not answer")


def answer(port: int, sent: bytes) -> bytes:
    """All that comes back until it closes, which it does once it has answered: it is told that nothing more will come."""
    told = b""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as wire:
        with suppress(OSError):  # refused before all was sent
            wire.sendall(sent)
            wire.shutdown(socket.SHUT_WR)
        with suppress(ConnectionError):  # what was not read of a refused request is thrown back
            while part := wire.recv(65536):
                told += part
    return told


def statuses(port: int, sent: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"^HTTP/1\.1 (\d+)", answer(port, sent), re.MULTILINE)]


def get(path: bytes, headers: bytes = b"", host: bytes = HOST) -> bytes:
    return b"GET " + path + b" HTTP/1.1\r\nHost: " + host + b"\r\nConnection: close\r\n" + headers + b"\r\n"


def test_a_request_is_never_hidden_in_another(port: int) -> None:
    """What proxy and process could read differently is refused, or is the one request that it seems to be, or nothing at all."""
    for says, headers in AMBIGUOUS.items():
        head = b"POST /hooks/gumroad/x HTTP/1.1\r\nHost: mailat.example\r\n"
        told = answer(port, head + headers + HIDDEN)
        found = [int(status) for status in re.findall(rb"^HTTP/1\.1 (\d+)", told, re.MULTILINE)]
        assert all(status < 500 or status == 501 for status in found), says
        assert found[1:] in ([], [400]), (says, told[:300])


def test_headers_without_end_are_refused(port: int) -> None:
    for headers in (
        b"X-Long: " + b"a" * 20_000 + b"\r\n",
        b"".join(b"X-%d: a\r\n" % n for n in range(500)),
        b"Cookie: a=" + b"b" * 9_000 + b"\r\n",
    ):
        assert statuses(port, get(b"/", headers)) in ([400], [431])
    assert statuses(port, get(b"/" + b"a" * 20_000)) in ([400], [414])


def test_only_our_own_name_is_answered(port: int) -> None:
    assert statuses(port, get(b"/plans")) == [200]
    for host in (
        b"evil.example",
        b"mailat.example.evil.example",
        b"mailat.example@evil.example",
        b"",
        b"127.0.0.1",
    ):
        assert statuses(port, get(b"/plans", host=host)) == [400]
    assert statuses(port, get(b"/plans", b"Host: evil.example\r\n")) in ([400], [200])
    assert b"evil" not in answer(port, get(b"/overview", b"X-Forwarded-Host: evil.example\r\n"))
    assert statuses(port, get(b"http://evil.example/plans", host=b"evil.example")) == [400]


def test_a_guesser_who_forges_an_address_for_each_guess_is_one_guesser(port: int) -> None:
    """What the client wrote stands left of the proxy's entry, or under names that are none."""
    seen = []
    for n in range(MOST + 5):
        forged = (
            b"X-Forwarded-For: 198.51.100.%d, 203.0.113.9\r\nX_Forwarded_For: 192.0.2.%d\r\nX-Real-IP: 192.0.2.%d\r\n"
            % (n, n, n)
        )
        forged += b"CF-Connecting-IP: 192.0.2.%d\r\nForwarded: for=192.0.2.%d\r\n" % (n, n)
        seen += statuses(port, get(b"/hooks/gumroad/guess", forged))
    assert seen == [404] * MOST + [429] * 5
    other = b"X-Forwarded-For: 203.0.113.10\r\n"
    assert statuses(port, get(b"/hooks/gumroad/guess", other)) == [404]
    right = settings.GUMROAD_WEBHOOK_SECRET.encode()
    body = b"Content-Length: 5\r\nX-Forwarded-For: 203.0.113.9\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\na=b&c"
    post = (
        b"POST /hooks/gumroad/" + right + b" HTTP/1.1\r\nHost: mailat.example\r\nConnection: close\r\n" + body
    )
    assert statuses(port, post) == [200]
