"""What the Content-Security-Policy forbids, no page of ours tries; and what it forbids does not happen."""

from typing import Any

import pytest
from playwright.sync_api import Browser
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from tests.admin.conftest import World, make_one
from tests.browser.conftest import WIDE, Window

pytestmark = pytest.mark.browser
# Runs before any script of the page, and hears of everything that the browser refused.
LISTEN = """
window.refused = [];
document.addEventListener("securitypolicyviolation", (one) =>
  window.refused.push(`${one.violatedDirective} ${one.blockedURI} ${one.sourceFile}:${one.lineNumber} ${one.sample}`));
"""
INJECT = """() => {
  const script = document.createElement("script");
  script.textContent = "window.taken = true";
  document.body.append(script);
  const box = document.createElement("div");
  box.innerHTML = '<img src="/nowhere.png" onerror="window.taken = true"><a href="javascript:window.taken = true">x</a>';
  document.body.append(box);
  box.querySelector("a").click();
}"""


@pytest.fixture
def world(db: None, live_server: LiveServer) -> World:
    return make_one()


def listening(chromium: Browser, live_server: LiveServer, user: User | None = None) -> Window:
    window = Window(chromium, live_server.url, "light", WIDE)
    window.context.add_init_script(LISTEN)
    return window.sign_in(user) if user else window


def refused(window: Window) -> list[Any]:
    return list(window.page.evaluate("window.refused"))


def test_no_page_of_the_staff_is_refused_anything(
    chromium: Browser, live_server: LiveServer, stella: User, world: World
) -> None:
    window, seen = listening(chromium, live_server, stella), {}
    rows = {name: row for name, row in world.items() if name != "audit/event"}
    changes = [f"/admin/{name}/{row.pk}/change/" for name, row in rows.items()]
    story = f"/admin/accounts/account/{world['accounts/account'].pk}/story/"
    for path in ("/admin/", "/admin/find/?q=x", story, *(f"/admin/{name}/" for name in world), *changes):
        window.open(path)
        if refused(window) or window.elsewhere or window.complaints:
            seen[path] = (refused(window), list(window.elsewhere), list(window.complaints))
            window.complaints.clear()
    assert seen == {}
    window.context.close()


def test_the_staffs_site_works_under_its_policy(
    chromium: Browser, live_server: LiveServer, stella: User, world: World
) -> None:
    """Its menus are drawn by scripts, so a policy that is too strict would leave it dead and silent."""
    window = listening(chromium, live_server, stella)
    page = window.open(f"/admin/engine/run/{world['engine/run'].pk}/change/")
    assert page.evaluate("Boolean(window.Alpine && window.Alpine.version)")
    page.get_by_role("button", name="Retry now").click()
    page.get_by_label("Why").wait_for()
    assert refused(window) == []
    window.context.close()


@pytest.mark.parametrize("path", ["/", "/sign-in", "/overview", "/admin/"])
def test_an_injected_script_does_not_run(
    chromium: Browser, live_server: LiveServer, stella: User, alice: User, path: str
) -> None:
    window = listening(chromium, live_server, stella if path == "/admin/" else alice)
    page = window.open(path)
    page.evaluate(INJECT)
    page.wait_for_function("window.refused.length >= 3")
    assert page.evaluate("window.taken") is None
    window.context.close()
