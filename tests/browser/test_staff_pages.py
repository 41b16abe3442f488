"""The pages that staff work with, light and dark, wide and narrow, and a whole piece of work by keyboard and without scripts."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Browser
from pytest_django.live_server_helper import LiveServer

from accounts.models import Letter, User
from audit.models import Deed, Event
from engine.models import Run
from tests.admin.conftest import World, make_one
from tests.browser.conftest import NARROW, WIDE, Window
from tests.browser.test_every_page import SHAPES, _keep_picture, _sticks_out

pytestmark = pytest.mark.browser


@pytest.fixture
def world(stella: User) -> World:
    one = make_one()
    Letter.objects.update(sent_at=timezone.now())
    return one


def of_server(world: World) -> str:
    return f"/admin/servers/server/{world['servers/server'].pk}/change/"


PAGES: dict[str, Callable[[World], str]] = {
    "first": lambda w: "/admin/",
    "found": lambda w: f"/admin/find/?q={w['engine/run'].pk}",
    "not-found": lambda w: "/admin/find/?q=nobody@nowhere.test",
    "story": lambda w: f"/admin/accounts/account/{w['accounts/account'].pk}/story/",
    "server": of_server,
    "run": lambda w: f"/admin/engine/run/{w['engine/run'].pk}/change/",
    "deed": lambda w: f"/admin/audit/deed/{w['audit/deed'].pk}/change/",
    "fault": lambda w: f"/admin/audit/fault/{w['audit/fault'].pk}/change/",
}


def look(window: Window, name: str) -> None:
    """Of what is ours: Unfold's frame around it has faults of its own."""
    _keep_picture(window, f"staff-{name}")
    found = Axe().run(window.page, context="#content").response["violations"]
    assert [f"{one['id']}: {node['html'][:200]}" for one in found for node in one["nodes"]] == []
    assert _sticks_out(window) == []
    assert window.elsewhere == []
    assert window.complaints == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page(name: str, chromium: Browser, live_server: LiveServer, stella: User, world: World) -> None:
    for theme, shape in SHAPES:
        window = Window(chromium, live_server.url, theme, WIDE if shape == "wide" else NARROW).sign_in(stella)
        window.open(PAGES[name](world))
        look(window, f"{name}-{theme}-{shape}")
        window.context.close()


@pytest.mark.parametrize("act", ["Put the deletion off", "Suspend sending", "Wake"])
def test_an_act(act: str, chromium: Browser, live_server: LiveServer, stella: User, world: World) -> None:
    for theme, shape in SHAPES:
        window = Window(chromium, live_server.url, theme, WIDE if shape == "wide" else NARROW).sign_in(stella)
        page = window.open(of_server(world))
        page.get_by_role("button", name=act).click()
        page.get_by_label("Why").wait_for()
        look(window, f"act-{act.split()[0].lower()}-{theme}-{shape}")
        page.get_by_role("button", name=act).click()
        page.get_by_role("alert").first.wait_for()
        _keep_picture(window, f"staff-act-{act.split()[0].lower()}-refused-{theme}-{shape}")
        window.context.close()
    assert not Deed.objects.filter(by=f"staff:{stella.pk}").exists()


def test_from_what_the_customer_says_to_the_deed_without_a_script(
    chromium: Browser, live_server: LiveServer, stella: User, world: World
) -> None:
    window = Window(chromium, live_server.url, "light", WIDE, scripts=False).sign_in(stella)
    page = window.open("/admin/")
    page.get_by_label("What the customer says").fill(world["accounts/user"].email)
    page.keyboard.press("Enter")
    page.wait_for_url("**/story/")
    page.get_by_role("link", name="Provision").first.click()
    page.get_by_role("button", name="Retry now").click()
    page.get_by_label("Why").fill("the customer wrote to us")
    page.get_by_role("button", name="Retry now").click()
    page.wait_for_url(f"**/engine/run/{world['engine/run'].pk}/change/")
    assert Run.objects.get(pk=world["engine/run"].pk).due_at <= timezone.now()
    assert Event.objects.get(action="run.retried").facts["reason"] == "the customer wrote to us"
    window.context.close()
