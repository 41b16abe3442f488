"""What mail gateways do with a letter: open every link in it, at once, from elsewhere, by HEAD, by GET and by a whole browser."""

import html
import http.client
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

from django.core.mail import EmailMultiAlternatives
from playwright.sync_api import Browser

FROM = ("127.0.0.3", 0)  # where the scanner lives; the person is at 127.0.0.1
LINKS = re.compile(r"https?://[^\s\"<>]+")


def links_of(letter: EmailMultiAlternatives) -> list[str]:
    """The paths of all that could be opened, in the text and in the HTML."""
    both = str(letter.body) + html.unescape(str(letter.alternatives[0][0]))
    found = {urlsplit(one.rstrip(".,;")) for one in LINKS.findall(both)}
    return sorted({(one.path or "/") + (f"?{one.query}" if one.query else "") for one in found})


def fetch(base: str, method: str, path: str) -> int:
    """Follows nothing and sends no cookie."""
    where = urlsplit(base)
    line = http.client.HTTPConnection(
        where.hostname or "", where.port or 80, timeout=120, source_address=FROM
    )
    try:
        line.request(method, path)
        answer = line.getresponse()
        answer.read()
        return answer.status
    finally:
        line.close()


@contextmanager
def from_elsewhere(base: str) -> Iterator[str]:
    """A door to the site at which everybody comes from FROM."""
    where = urlsplit(base)
    with socket.create_server(("127.0.0.1", 0)) as door:
        threading.Thread(target=_let_in, args=(door, where.hostname, where.port), daemon=True).start()
        yield f"http://{where.hostname}:{door.getsockname()[1]}"


def _let_in(door: socket.socket, host: str, port: int) -> None:
    with suppress(OSError):
        while True:
            guest, _address = door.accept()
            site = socket.create_connection((host, port), source_address=FROM)
            for one, other in ((guest, site), (site, guest)):
                threading.Thread(target=_pass_on, args=(one, other), daemon=True).start()


def _pass_on(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
        other.shutdown(socket.SHUT_WR)


def scan(chromium: Browser, base: str, letter: EmailMultiAlternatives) -> list[str]:
    """Opens everything twice and looks at it with a whole browser; returns the cookies that this left in it."""
    paths = links_of(letter)
    for path in paths * 2:
        for method in ("HEAD", "GET"):
            assert fetch(base, method, path) == 200
    with from_elsewhere(base) as door:
        context = chromium.new_context(base_url=door)
        page = context.new_page()
        for path in paths:
            answer = page.goto(path, wait_until="load")
            assert answer and answer.status == 200  # noqa: PT018
            _behaves_as_a_person(page)
        kept = [str(one["name"]) for one in context.cookies()]
        page.goto("/account")
        assert "/sign-in" in page.url, "the scanner is signed in"
        context.close()
    return kept


def _behaves_as_a_person(page: object) -> None:
    """Moves the pointer, scrolls and waits, for scripts that wait for that; a scanner fills in and sends nothing."""
    page.mouse.move(40, 60)  # type: ignore[attr-defined]
    page.mouse.wheel(0, 900)  # type: ignore[attr-defined]
    page.keyboard.press("Tab")  # type: ignore[attr-defined]
    page.wait_for_load_state("networkidle")  # type: ignore[attr-defined]
