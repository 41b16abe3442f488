"""What the pages do in a browser: they keep up by themselves, rest when nobody looks, and need no mouse."""

import re
from contextlib import suppress
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from playwright.sync_api import Browser, Route, expect
from playwright.sync_api import Error as PlaywrightError
from pytest_django.live_server_helper import LiveServer

from accounts.models import Account, User
from engine.models import Run
from servers.models import Agent, Server
from tests.browser.conftest import NARROW, Window
from tests.dashboard import world

pytestmark = pytest.mark.browser


@pytest.fixture
def alices(window: Window, alice: User) -> Window:
    return window.sign_in(alice)


def asked_for(window: Window, part: str) -> int:
    return sum(part in url for url in window.asked)


def test_steps_go_on_by_themselves_until_the_server_is_there(alices: Window, account: Account) -> None:
    made = world.being_made(account, step="wait_agent")
    page = alices.open(f"/servers/{made.pk}")
    expect(page.locator(".step.now")).to_contain_text("Let it start")
    Run.objects.filter(subject=made.subject).update(step="wait_set_up")
    expect(page.locator(".step.now")).to_contain_text("Set it up")
    expect(page.locator("#spoken")).to_contain_text("Set it up")
    with transaction.atomic():  # the page asks meanwhile
        Server.objects.filter(pk=made.pk).update(ready_at=timezone.now())
        Agent.objects.create(
            server=made, key_hash="", seal_key="", reported_at=timezone.now(), report=world.REPORT
        )
    expect(page.locator(".state")).to_contain_text("Working")
    expect(page.locator("#charts")).to_be_visible()
    assert alices.complaints == []


def test_what_did_not_change_is_neither_sent_nor_said(alices: Window, account: Account) -> None:
    made = world.being_made(account, step="prove", args={"waits_for": "its next report"})
    Run.objects.filter(subject=made.subject).update(step_since=timezone.now() - timedelta(hours=30))
    page = alices.open(f"/servers/{made.pk}")
    with page.expect_response(lambda answer: "/live" in answer.url) as first:
        pass
    assert first.value.status == 304
    assert page.locator("#spoken").text_content() == ""


HIDE = """(hidden) => {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


def test_nothing_is_asked_while_the_tab_is_hidden(alices: Window, account: Account) -> None:
    alices.page.clock.install()
    page = alices.open(f"/servers/{world.being_made(account).pk}")
    with page.expect_response(lambda answer: "/live" in answer.url):
        page.clock.run_for(3_000)
    page.evaluate(HIDE, True)
    before = asked_for(alices, "/live")
    page.clock.run_for(120_000)
    assert asked_for(alices, "/live") == before
    with page.expect_response(lambda answer: "/live" in answer.url):
        page.evaluate(HIDE, False)


def test_an_open_table_stays_open_when_the_charts_come_anew(alices: Window, account: Account) -> None:
    one = world.running(account)
    world.measured(one, 20)
    page = alices.open(f"/servers/{one.pk}")
    page.get_by_text("The same figures as a table").click()
    page.get_by_role("link", name="Day").click()
    expect(page.get_by_role("heading", name="The last day")).to_be_visible()
    expect(page.locator("#figures")).to_have_attribute("open", "")
    expect(page.get_by_role("link", name="Day")).to_be_focused()


def test_another_span_is_shown_though_the_charts_are_just_asked_for_anew(
    alices: Window, account: Account
) -> None:
    one = world.running(account)
    world.measured(one, 20)
    page = alices.open(f"/servers/{one.pk}")
    held: list[Route] = []
    over: list[str] = []
    page.route("**/charts?span=*", lambda route: held.append(route))
    page.on("requestfinished", lambda request: over.append(request.url))
    page.on("requestfailed", lambda request: over.append(request.url))
    with page.expect_request("**/charts?span=hour"):
        page.locator("#charts").dispatch_event("look")
    with page.expect_request("**/charts?span=day"):
        page.get_by_role("link", name="Day").click()
    hour, day = held
    with suppress(PlaywrightError):  # given up already
        hour.continue_()
    while hour.request.url not in over:
        page.wait_for_timeout(20)
    day.continue_()
    expect(page.get_by_role("heading", name="The last day")).to_be_visible()


def test_a_chart_is_read_with_the_arrow_keys(alices: Window, account: Account) -> None:
    one = world.running(account)
    world.measured(one, 20)
    page = alices.open(f"/servers/{one.pk}")
    page.locator("#chart-cpu .plot").focus()
    reading = page.locator("#chart-cpu .reading")
    expect(reading).to_have_text(re.compile(r"^\d\d:\d\d: \d+ %$"))
    newest = reading.text_content()
    page.keyboard.press("ArrowLeft")
    expect(reading).not_to_have_text(newest or "")
    page.keyboard.press("End")
    expect(reading).to_have_text(newest or "")


def test_a_chart_is_read_with_the_pointer(alices: Window, account: Account) -> None:
    one = world.running(account)
    world.measured(one, 20)
    page = alices.open(f"/servers/{one.pk}")
    page.locator("#chart-memory .marks rect").nth(-2).hover()  # the last may be too thin for a pointer
    expect(page.locator("#chart-memory .reading")).to_have_text(re.compile(r"^\d\d:\d\d: \d+ %$"))


def test_a_server_is_made_with_the_keyboard_alone(alices: Window, account: Account) -> None:
    world.subscription(account)
    page = alices.open("/servers/new")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Name of the server")).to_be_focused()
    page.keyboard.type("post")
    expect(page.locator("#name-verdict")).to_contain_text("post.mailat.test is free")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("Nuremberg")).to_be_checked()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Make this server")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("post.mailat.test")
    assert Server.objects.get().place == "nbg1"
    assert alices.complaints == []


def test_dark_is_chosen_and_kept(window: Window) -> None:
    page = window.open("/")
    light = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    page.get_by_role("button", name="Dark").click()
    dark = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert dark != light
    page.goto("/plans")
    assert page.locator("html").get_attribute("data-theme") == "dark"
    page.get_by_role("button", name="System").click()
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == light


def test_without_scripts_everything_is_there(
    chromium: Browser, live_server: LiveServer, alice: User, account: Account
) -> None:
    window = Window(chromium, live_server.url, "light", NARROW, scripts=False).sign_in(alice)
    made = world.being_made(account)
    world.measured(world.running(account), 10)
    page = window.open(f"/servers/{made.pk}")
    expect(page.locator(".step.now")).to_contain_text("Let it start")
    Run.objects.filter(subject=made.subject).update(step="prove")
    page.reload()
    expect(page.locator(".step.now")).to_contain_text("Send a mail out and back")
    world.subscription(account)
    page.goto("/servers/new")
    page.get_by_label("Name of the server").fill("-bad")
    page.get_by_role("button", name="Make this server").click()
    expect(page.get_by_role("alert")).to_contain_text("single dashes")
    assert not page.locator(".appearance").is_visible()
    window.context.close()


def test_times_are_in_the_browsers_zone_from_the_second_page_on(
    window: Window, alice: User, account: Account
) -> None:
    world.running(account)
    window.open("/")
    page = window.sign_in(alice, zone="").open("/overview")
    expect(page.get_by_text("Times are those of Europe/Berlin.")).to_be_visible()


def test_when_we_cannot_be_reached_the_page_says_so(alices: Window, account: Account) -> None:
    page = alices.open(f"/servers/{world.being_made(account).pk}")
    page.route("**/live*", lambda route: route.abort())
    expect(page.locator("#stale")).to_be_visible()
    page.unroute("**/live*")
    expect(page.locator("#stale")).to_be_hidden()


def test_a_receipt_prints_without_the_frame(alices: Window, account: Account) -> None:
    page = alices.open(f"/servers/{world.gone(account).pk}")
    page.get_by_role("link", name="See the receipt").click()
    expect(page.get_by_role("heading", name="Receipt of a deletion")).to_be_visible()
    page.emulate_media(media="print")
    expect(page.locator(".top")).to_be_hidden()
    expect(page.locator(".foot")).to_be_hidden()
    expect(page.get_by_role("heading", name="Receipt of a deletion")).to_be_visible()
