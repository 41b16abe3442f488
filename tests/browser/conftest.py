"""A real Chromium that may reach only this site, and somebody who is signed in in it."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from tests.dashboard import backups_world

# Playwright's loop runs in the thread of the tests, where Django would take the database for misused.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDE, NARROW = (1280, 800), (360, 720)
PATIENCE = 120_000  # milliseconds; its end only ends a failing test


@pytest.fixture(autouse=True)
def _storage(settings: Any) -> None:
    """Servers have backups, as they have in production."""
    backups_world.is_set_up(settings)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        expect.set_options(timeout=PATIENCE)
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        yield browser
        browser.close()


class Window:
    """A browser window on the site, with what it asked for and what it complained of."""

    def __init__(
        self, browser: Browser, base: str, theme: str, size: tuple[int, int], *, scripts: bool = True
    ) -> None:
        self.base = base
        self.context: BrowserContext = browser.new_context(
            base_url=base,
            color_scheme="dark" if theme == "dark" else "light",
            viewport={"width": size[0], "height": size[1]},
            timezone_id="Europe/Berlin",
            reduced_motion="reduce",
            java_script_enabled=scripts,
        )
        self.context.set_default_timeout(PATIENCE)
        self.page: Page = self.context.new_page()
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda told: self._note(told.type, told.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _note(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.complaints.append(text)

    def sign_in(self, user: User, zone: str = "Europe%2FBerlin") -> "Window":
        """Gives the browser a session, as signing in by a link does."""
        client = Client()
        client.force_login(user)
        session = client.cookies["session"].value
        cookies = {"session": session, "zone": zone}
        self.context.add_cookies(
            [{"name": name, "value": value, "url": self.base} for name, value in cookies.items() if value]
        )
        return self

    def open(self, path: str) -> Page:
        self.page.goto(path, wait_until="load")
        return self.page

    @property
    def elsewhere(self) -> list[str]:
        """What was asked of another host."""
        return [url for url in self.asked if not url.startswith((self.base, "data:"))]


@pytest.fixture
def window(chromium: Browser, live_server: LiveServer) -> Iterator[Window]:
    """A wide, light window."""
    one = Window(chromium, live_server.url, "light", WIDE)
    yield one
    one.context.close()
