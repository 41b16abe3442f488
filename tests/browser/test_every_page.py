"""Every page, light and dark, wide and narrow: no barrier, no stranger, no complaint, nothing that sticks out.

SCREENSHOTS=DIRECTORY keeps a picture of each.
"""

import os
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser
from pytest_django.live_server_helper import LiveServer

from accounts.models import Account, User
from tests.browser.conftest import NARROW, WIDE, Window
from tests.browser.site import SIGHTS, Sight
from tests.dashboard import world

pytestmark = pytest.mark.browser
SHAPES = [("light", "wide"), ("dark", "wide"), ("light", "narrow"), ("dark", "narrow")]
EXPECTED = ("status of 404", "status of 410")


@pytest.mark.parametrize("sight", SIGHTS, ids=lambda sight: sight.name)
def test_every_page(
    sight: Sight, chromium: Browser, live_server: LiveServer, alice: User, account: Account
) -> None:
    path = sight.make(account, alice)
    for theme, shape in SHAPES:
        window = Window(chromium, live_server.url, theme, WIDE if shape == "wide" else NARROW)
        if sight.signed_in:
            window.sign_in(alice)
        window.open(path)
        _keep_picture(window, f"{sight.name}-{theme}-{shape}")
        assert _barriers(window) == []
        assert window.elsewhere == []
        assert [told for told in window.complaints if not any(one in told for one in EXPECTED)] == []
        assert _sticks_out(window) == []
        window.context.close()


def test_a_form_with_errors(
    chromium: Browser, live_server: LiveServer, alice: User, account: Account
) -> None:
    world.subscription(account)
    for theme, shape in SHAPES:
        window = Window(chromium, live_server.url, theme, WIDE if shape == "wide" else NARROW).sign_in(alice)
        page = window.open("/servers/new")
        page.get_by_label("Name of the server").fill("-my post-")
        page.get_by_role("button", name="Make this server").click()
        page.get_by_role("heading", name="This needs another look").wait_for()
        _keep_picture(window, f"new-server-errors-{theme}-{shape}")
        assert _barriers(window) == []
        assert _sticks_out(window) == []
        window.context.close()


def _keep_picture(window: Window, name: str) -> None:
    folder = os.environ.get("SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        window.page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def _barriers(window: Window) -> list[str]:
    found = Axe().run(window.page).response["violations"]
    return [f"{one['id']}: {node['html'][:160]}" for one in found for node in one["nodes"]]


STICKS_OUT = """() => {
  const width = document.documentElement.clientWidth;
  const wide = document.documentElement.scrollWidth;
  if (wide <= width) return [];
  const found = [...document.querySelectorAll("body *")]
    .filter((one) => one.getBoundingClientRect().right > width + 1 && !one.closest(".scroll"))
    .map((one) => `${one.tagName}.${one.getAttribute("class") ?? ""} ${one.textContent.slice(0, 40)}`);
  return [`${wide} instead of ${width}`, ...found];
}"""


def _sticks_out(window: Window) -> list[str]:
    """What makes the page wider than the window."""
    return list(window.page.evaluate(STICKS_OUT))
