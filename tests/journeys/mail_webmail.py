"""Webmail in a real browser that reaches the hosts' network and trusts who issues certificates there, and nobody's word."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, Playwright

from tests.browser.conftest import ARGUMENTS
from tests.journeys.conftest import Town

END = "-----END CERTIFICATE-----\n"


@contextmanager
def browser(playwright: Playwright, here: Town, home: Path) -> Iterator[Page]:
    """Its own home directory, in whose store of certificates (libnss3-tools) are those of the sandbox's internet."""
    trust(home, Path(here.ca))
    chromium = playwright.chromium.launch(
        executable_path="/usr/bin/chromium",
        args=ARGUMENTS,
        env={"HOME": str(home)},
        proxy={"server": f"socks5://{here.socks}"},
    )
    try:
        context = chromium.new_context(viewport={"width": 1280, "height": 900})
        context.set_default_timeout(120_000)
        yield context.new_page()
    finally:
        chromium.close()


def trust(home: Path, bundle: Path) -> None:
    store = home / ".pki" / "nssdb"
    store.mkdir(parents=True)
    database = f"sql:{store}"
    _certutil("-N", "-d", database, "--empty-password")
    for number, part in enumerate(bundle.read_text().split(END)[:-1]):
        file = home / f"{number}.pem"
        file.write_text(part + END)
        _certutil("-A", "-d", database, "-n", f"root {number}", "-t", "C,,", "-i", str(file))


def _certutil(*words: str) -> None:
    subprocess.run(["certutil", *words], check=True, capture_output=True, timeout=60)


def sign_in(page: Page, name: str, user: str, password: str) -> None:
    page.goto(f"https://{name}/")
    page.locator("#rcmloginuser").fill(user)
    page.locator("#rcmloginpwd").fill(password)
    page.get_by_role("button", name="Login").click()
    page.locator("#messagelist").wait_for()


def read(page: Page, subject: str) -> str:
    """What a mail of the inbox says."""
    page.locator("#messagelist").get_by_text(subject).first.click()
    shown = page.frame_locator("#messagecontframe")
    shown.get_by_role("heading", name=subject).wait_for()
    return shown.locator("#messagebody").inner_text()


def write(page: Page, to: str, subject: str, text: str) -> None:
    page.get_by_role("button", name="Compose").click()
    page.locator("#compose_to .recipient-input input").fill(f"{to},")
    page.locator("#compose-subject").fill(subject)
    page.locator("#composebody").fill(text)


def send(page: Page) -> None:
    """Sends it, and is back at the inbox when the server has taken it."""
    page.locator("button.send").click()
    page.wait_for_url(re.compile("_mbox=INBOX"))
