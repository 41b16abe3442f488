"""What the pages of backups do in a browser: answers come by themselves, and mail comes back without a mouse or a script."""

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import Account, User
from backups.models import Job, Point
from domains.models import Domain
from servers.models import Server
from tests.browser.conftest import NARROW, WIDE, Window
from tests.browser.test_every_page import SHAPES, _barriers, _keep_picture, _sticks_out
from tests.dashboard import backups_world

pytestmark = pytest.mark.browser


@pytest.fixture
def firm(account: Account) -> Domain:
    return backups_world.firm(account)


@pytest.fixture
def alices(window: Window, alice: User) -> Window:
    return window.sign_in(alice)


def answered(do: str, **result: object) -> Job:
    """The host did what was asked of it."""
    job = Job.objects.get(do=do, state="wanted")
    Job.objects.filter(pk=job.pk).update(state="done", result=result, done_at=timezone.now())
    return job


def test_mail_comes_back_with_the_keyboard_alone(alices: Window, firm: Domain) -> None:
    anna = firm.mailboxes.get(local="anna")
    page = alices.open(f"/servers/{firm.home}/backups")
    page.get_by_role("link", name="Look and restore").first.focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Look into it").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="The server is looking")).to_be_visible()
    answered("look", mailboxes=[backups_world.row(anna)], more=False)
    page.get_by_role("link", name="anna@firm.example").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Show its folders").press("Enter")
    expect(page.get_by_role("heading", name="The server is looking")).to_be_visible()
    answered(
        "look",
        address=anna.address,
        folders=[{"folder": ".Sent", "messages": 213, "bytes": 9_000_000, "newest": 0}],
    )
    page.get_by_role("button", name="Restore… Sent").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Restore the folder Sent of anna@firm.example?")
    page.get_by_role("button", name="Restore Sent").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Mail is being brought back")
    answered("restore", folder="Restored 2026-11-20 1400", folders=1, messages=213, bytes=9_000_000)
    expect(page.get_by_role("heading", level=1)).to_contain_text("213 messages are in the folder")
    page.get_by_role("button", name="Undo: delete").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("The restore is being undone")
    answered("restore", folders=1)
    expect(page.get_by_role("heading", level=1)).to_have_text("The restore was undone")
    assert alices.complaints == []
    assert alices.elsewhere == []


def test_progress_moves_and_is_spoken(alices: Window, firm: Domain) -> None:
    server = Server.objects.get(pk=firm.home)
    backups_world.runs(server, done=1e9)
    page = alices.open(f"/servers/{firm.home}/backups")
    bar = page.get_by_role("progressbar", name="How far it is")
    expect(bar).to_have_attribute("value", "25")
    backups_world.runs(server, phase="prune", done=3e9)
    expect(bar).to_have_attribute("value", "75")
    expect(page.locator("#spoken")).to_contain_text("tidies up")


def test_a_day_that_was_opened_stays_open_when_the_page_keeps_up(alices: Window, firm: Domain) -> None:
    server = Server.objects.get(pk=firm.home)
    backups_world.runs(server, done=1e9)
    page = alices.open(f"/servers/{firm.home}/backups")
    days = page.locator(".days > details")
    days.nth(1).locator("summary").click()
    expect(days.nth(1)).to_have_attribute("open", "")
    backups_world.runs(server, done=2e9)
    expect(page.get_by_role("progressbar")).to_have_attribute("value", "50")
    expect(days.nth(1)).to_have_attribute("open", "")


def test_a_backup_is_asked_for_once_however_often_the_button_is_pressed(alices: Window, firm: Domain) -> None:
    page = alices.open(f"/servers/{firm.home}/backups")
    page.get_by_role("button", name="Back up now").click()
    expect(page.get_by_role("button", name="A backup was asked for")).to_be_disabled()
    expect(page.get_by_role("heading", name="What it does now")).to_be_visible()
    assert Job.objects.filter(do="backup").count() == 1


def test_limits_that_make_no_sense_are_told_beside_their_field(alices: Window, firm: Domain) -> None:
    page = alices.open(f"/servers/{firm.home}/backups")
    page.get_by_text("Change it").click()
    page.get_by_label("Begin from").select_option("3")
    page.get_by_role("button", name="Save these limits").click()
    expect(page.get_by_role("alert").first).to_contain_text("Choose both hours, or neither.")
    expect(page.get_by_label("until")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Begin from")).to_have_value("3")


def test_without_scripts_it_works_as_well(
    chromium: Browser, live_server: LiveServer, alice: User, firm: Domain
) -> None:
    window = Window(chromium, live_server.url, "dark", NARROW, scripts=False).sign_in(alice)
    point = Point.objects.filter(repository=firm.home).latest("stored_at")
    anna = firm.mailboxes.get(local="anna")
    page = window.open(f"/servers/{firm.home}/backups/points/{point.pk}/mailboxes/{anna.pk}")
    page.get_by_label("Subject has").fill("Rent")
    page.get_by_label("First day").fill("2026-11-02")
    page.get_by_role("button", name="Restore these messages…").click()
    expect(page.get_by_text("2026-11-02")).to_be_visible()
    page.get_by_role("button", name="Restore these messages").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Mail is being brought back")
    assert Job.objects.get(do="restore").args["chosen"]["subject"] == "Rent"
    answered("restore", folder="Restored 2026-11-20 1400", folders=1, messages=2, bytes=9_000)
    page.reload()
    page.get_by_role("button", name="Undo: delete").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The restore is being undone")
    window.context.close()


def test_what_will_happen_and_what_was_refused_are_well_seen(
    chromium: Browser, live_server: LiveServer, alice: User, firm: Domain
) -> None:
    point = Point.objects.filter(repository=firm.home).latest("stored_at")
    box = backups_world.gone_box()
    backups_world.looked_into(point, box, "dora@firm.example", {"": 40_000, ".Sent": 3})
    for theme, shape in SHAPES:
        window = Window(chromium, live_server.url, theme, WIDE if shape == "wide" else NARROW).sign_in(alice)
        page = window.open(f"/servers/{firm.home}/backups/points/{point.pk}/mailboxes/{box}")
        page.get_by_role("button", name="Restore these messages…").click()
        expect(page.get_by_role("alert").first).to_contain_text("Say at least one thing of the messages")
        looked_at(window, f"backup-refused-{theme}-{shape}")
        page.locator("#all-into").select_option(label="anna@firm.example")
        page.get_by_role("button", name="Restore all of it…").click()
        expect(page.get_by_text("would be too full")).to_be_visible()
        looked_at(window, f"backup-review-{theme}-{shape}")
        window.context.close()


def looked_at(window: Window, name: str) -> None:
    _keep_picture(window, name)
    assert _barriers(window) == []
    assert _sticks_out(window) == []
