"""In a browser: a larger plan comes, its time is chosen, it happens, and all of it is told without a reload."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import Account, User
from engine.models import Run
from servers.models import PlanChange, Server
from tests.browser import plan_site
from tests.browser.conftest import NARROW, WIDE, Window

pytestmark = pytest.mark.browser
State = PlanChange.State


@pytest.mark.parametrize("scripts", [True, False])
def test_a_time_is_chosen_with_and_without_scripts(
    chromium: Browser, live_server: LiveServer, alice: User, account: Account, scripts: bool
) -> None:
    path = plan_site.waits(account, alice)
    window = Window(chromium, live_server.url, "light", NARROW, scripts=scripts).sign_in(alice)
    page = window.open(path)
    day = (timezone.localtime(timezone.now()) + timedelta(days=9)).date().isoformat()
    page.get_by_label("Day", exact=True).select_option(day)
    page.get_by_label("From", exact=True).select_option("4")
    page.get_by_role("button", name="Save this time").click()
    expect(page.locator("body")).to_contain_text("The time was saved.")
    expect(page.get_by_label("Day", exact=True)).to_have_value(day)
    assert PlanChange.objects.get().chosen
    page.get_by_role("button", name="Do it now").click()
    expect(page.locator("body")).to_contain_text("It begins now, with a backup.")
    assert PlanChange.objects.get().at <= timezone.now()
    window.context.close()


def test_its_progress_is_told_by_itself_to_its_end(
    chromium: Browser, live_server: LiveServer, alice: User, account: Account
) -> None:
    path = plan_site.grows(account, alice)
    window = Window(chromium, live_server.url, "light", WIDE).sign_in(alice)
    page = window.open(path)
    expect(page.locator(".step.now")).to_contain_text("Give it a larger machine")
    Run.objects.filter(program="Resize").update(step="prove")
    expect(page.locator(".step.now")).to_contain_text("Send a mail out and back")
    with transaction.atomic():  # the page asks meanwhile
        Server.objects.update(rebuilding_since=None, plan="plus")
        PlanChange.objects.update(state=State.DONE, finished_at=timezone.now())
    expect(page.locator("h1")).to_contain_text("is Plus")
    expect(page.locator("#outcome")).to_contain_text("It is Plus since")
    assert window.complaints == []
    window.context.close()


def test_what_happens_if_i_stop_is_opened_by_the_keyboard(
    chromium: Browser, live_server: LiveServer, alice: User, account: Account
) -> None:
    plan_site.rests(account, alice)
    window = Window(chromium, live_server.url, "light", NARROW).sign_in(alice)
    page = window.open("/billing")
    page.get_by_text("What happens if I stop?").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Export mail")).to_be_visible()
    expect(page.get_by_text("If you change your mind")).to_be_visible()
    window.context.close()
