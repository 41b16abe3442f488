"""Whatever is posted to the webhook of a real web process: no answer of 5xx, no effect, and no memory that grows with it."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from accounts.models import Account
from billing.models import Ping, Subscription
from billing.pings import MOST_BYTES
from tests.billing.conftest import work_on
from tests.billing.shop import Shop, encode

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]
ROOT = Path(__file__).resolve().parents[2]
SECRET = "webhook-secret-for-tests"
MEGABYTE = 1024 * 1024
HUGE, MOST_GROWTH = 48 * MEGABYTE, 24 * MEGABYTE
FORGED = encode(
    {"sale_id": "forged==", "email": "mallory@example.test", "resource_name": "sale", "refunded": True}
)
STRANGE = [
    FORGED,
    b"",
    b"\x00\xff\xfe" * 999,
    "sale_id=\ud800".encode("utf-8", "surrogatepass"),
    "resource_name=sale&sale_id=é".encode("utf-16"),
    b"a[" * 5000 + b"=1",
    b"&".join(b"k%d=v" % n for n in range(20_000)),
    b"[" * 100_000,
    b'{"sale_id":' * 20_000,
    b"resource_name=subscription_ended&subscription_id=../../user",
    b"%%%=%ZZ&=&=&",
]


class Web:
    """One web process with one worker, spoken to by plain sockets."""

    def __init__(self, port: int, parent: int) -> None:
        self.port, self.parent = port, parent

    def says(self, head: bytes, body: Iterator[bytes] | list[bytes], *, secret: str = SECRET) -> int:
        """The status, or 0 if the connection was closed without one."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as wire:
            first = (
                f"POST /hooks/gumroad/{secret} HTTP/1.1\r\nHost: testserver\r\nConnection: close\r\n".encode()
            )
            try:
                wire.sendall(first + head + b"\r\n\r\n")
                for part in body:
                    wire.sendall(part)
                wire.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # it has answered and closed before all was sent
            return _status(wire)

    def posts(self, body: bytes, content_type: bytes = b"application/x-www-form-urlencoded") -> int:
        return self.says(b"Content-Type: %s\r\nContent-Length: %d" % (content_type, len(body)), [body])

    def peak(self) -> int:
        """Bytes that the workers have held at most."""
        children = Path(f"/proc/{self.parent}/task/{self.parent}/children").read_text().split()
        lines = [line for pid in children for line in Path(f"/proc/{pid}/status").read_text().splitlines()]
        return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def _status(wire: socket.socket) -> int:
    answer = b""
    try:
        while b"\r\n" not in answer and (part := wire.recv(4096)):
            answer += part
    except OSError:
        pass
    return int(answer.split()[1]) if answer.startswith(b"HTTP/1.1 ") else 0


@pytest.fixture
def web(transactional_db: None) -> Iterator[Web]:
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listening:  # nobody else can take its port
        number, port = listening.fileno(), listening.getsockname()[1]
        private = ("SIGNING_KEY_FILE", "VAULT_PRIVATE_KEYS_FILE")
        env = {name: value for name, value in os.environ.items() if name not in private}
        env |= {"BIND": f"fd://{number}", "WEB_PROCESSES": "1", "WEB_THREADS": "4", "PYTHONPATH": str(ROOT)}
        env |= {"DATABASE_URL": _database(), "DJANGO_SETTINGS_MODULE": "mailat.settings"}
        command = [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py"]
        running = subprocess.Popen(command, env=env, cwd=ROOT, pass_fds=[number])
    try:
        web = Web(port, running.pid)
        _wait(web, running)
        yield web
    finally:
        running.terminate()
        running.wait()


def _database() -> str:
    at = connection.get_connection_params()
    host, port = at.get("host", ""), at.get("port", "")
    password = f":{at['password']}" if at.get("password") else ""
    if str(host).startswith("/"):
        return f"postgres://{at['user']}{password}@/{at['dbname']}?host={host}"
    return f"postgres://{at['user']}{password}@{host}:{port}/{at['dbname']}"


def _wait(web: Web, running: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        assert running.poll() is None, "the web process has ended"
        try:
            if web.says(b"Content-Length: 0", [], secret="nobody") == 404:
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise AssertionError("the web process does not answer")


def test_nothing_that_is_posted_breaks_it_or_has_an_effect(web: Web, shop: Shop) -> None:
    for body in STRANGE:
        for content_type in (
            b"application/x-www-form-urlencoded",
            b"application/json",
            b"\xe9/;;=",
            b"multipart/form-data",
        ):
            assert web.posts(body, content_type) in (200, 400), body[:40]
    assert all(web.posts(FORGED) == 200 for _ in range(20))
    for ping in Ping.objects.order_by("pk"):
        work_on(ping, steps=3)
    assert not Subscription.objects.exists()
    assert not Account.objects.exists()
    assert {path.split("?")[0] for path in shop.asked} <= {"/v2/sales/forged%3D%3D"}


def test_what_breaks_off_is_not_kept(web: Web) -> None:
    for told in (len(FORGED) + 1, 10 * MEGABYTE):
        assert web.says(b"Content-Length: %d" % told, [FORGED]) in (0, 503)
    assert not Ping.objects.exists()


def test_what_is_huge_takes_no_memory(web: Web) -> None:
    web.posts(FORGED)
    before = web.peak()
    part = b"x=" + b"y" * (MEGABYTE - 3) + b"&"
    parts = HUGE // MEGABYTE
    for secret, good in ((SECRET, {200, 0}), ("guess", {404, 0, 429})):
        told = web.says(b"Content-Length: %d" % HUGE, (part for _ in range(parts)), secret=secret)
        assert told in good
        chunks = (b"%x\r\n" % len(part) + part + b"\r\n" for _ in range(parts))
        told = web.says(b"Transfer-Encoding: chunked", chunks, secret=secret)
        assert told in good
    grown = web.peak() - before
    print(f"the peak grew by {grown / MEGABYTE:.1f} MiB for {4 * parts} MiB posted")
    assert grown < MOST_GROWTH
    assert all(len(ping.body) <= MOST_BYTES for ping in Ping.objects.all())
