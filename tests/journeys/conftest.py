"""bin/dev as a newcomer starts it, and a browser in front of it."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from devtools import postgres_place
from devtools.paths import ROOT
from tests.browser.conftest import ARGUMENTS

# Seconds; the end of them only ends a failing test.
UP_WITHIN = 900.0  # the first time, an image of Debian is made
DOWN_WITHIN = 300.0  # machines are ended, and then Postgres
PATIENCE = 120.0
NOT_A_NEWCOMERS = (
    "DATABASE_URL",
    "BROKER_URL",
    "BASE_URL",
    "DJANGO_SETTINGS_MODULE",
    "SECRET_KEY",
    "STATIC_ROOT",
)


class Town:
    """A running bin/dev: where its site and its outside world are."""

    def __init__(self, home: Path, log: Path) -> None:
        self.home, self.log = home, log
        where = json.loads((home / "running.json").read_text())
        self.site, self.store, self.mail = where["site"], where["store"], where["mail"]
        self.ca, self.socks = where.get("ca", ""), where.get("socks", "")
        self.sandbox = self.mail.removesuffix("/mail/")

    def letters(self, to: str) -> list[dict[str, Any]]:
        with urllib.request.urlopen(f"{self.mail}api/messages?to={to}", timeout=PATIENCE) as answer:  # noqa: S310
            return list(json.loads(answer.read())["messages"])

    def letter(self, to: str, subject: str, within: float = PATIENCE) -> dict[str, Any]:
        """The newest letter whose subject has these words, as soon as it is there."""
        found: list[dict[str, Any]] = []

        def there() -> bool:
            found[:] = [one for one in self.letters(to) if subject.lower() in one["subject"].lower()]
            return bool(found)

        eventually(there, f"a letter “{subject}” to {to}", within)
        return found[0]


def eventually(there: Callable[[], bool], what: str, within: float = PATIENCE) -> None:
    until = time.monotonic() + within
    while not there():
        assert time.monotonic() < until, f"{what} did not come within {within:.0f} s"
        time.sleep(0.1)


@contextmanager
def town(home: Path, hosts: str) -> Iterator[Town]:
    """bin/dev with its own state, ended as by Ctrl-C; it must end by itself."""
    env = {name: value for name, value in os.environ.items() if name not in NOT_A_NEWCOMERS}
    log = home.parent / "dev.log"
    with log.open("w") as out:
        command = [sys.executable, str(ROOT / "bin/dev"), "--hosts", hosts]
        env |= {"MAILAT_HOME": str(home), "STEP_UP_FRESH": "86400"}  # real machines take their time
        process = subprocess.Popen(command, env=env, cwd=ROOT, stdout=out, stderr=out, start_new_session=True)
    try:
        up = home / "running.json"
        eventually(lambda: up.exists() or process.poll() is not None, "bin/dev", UP_WITHIN)
        assert process.poll() is None, log.read_text()[-3000:]
        yield Town(home, log)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=DOWN_WITHIN)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        postgres_place.remove(home)  # as root it lies elsewhere, and a later home of this name would find it


@pytest.fixture
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser: Browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        context = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
        context.set_default_timeout(PATIENCE * 1000)
        expect.set_options(timeout=PATIENCE * 1000)  # a resting page asks again every half a minute
        yield context.new_page()
        browser.close()
