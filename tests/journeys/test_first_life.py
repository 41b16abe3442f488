"""From the landing page to the verified receipt, in a real browser, with bin/dev as a newcomer starts it."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from devtools.paths import ROOT
from sandbox import hosts
from tests.journeys.conftest import PATIENCE, Town, eventually, town
from tests.virtual_key import plug_in

pytestmark = pytest.mark.browser

ALICE, STELLA = "alice@example.test", "stella@example.test"
UP = 400_000  # milliseconds: where no image is at hand, a real host installs everything, and two cores may be busy


def look(page: Page, name: str) -> None:
    """A picture for the README and for whoever looks at the product, where SCREENSHOTS names a directory."""
    if folder := os.environ.get("SCREENSHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


@pytest.mark.parametrize("kind", ["process", pytest.param("debian", marks=pytest.mark.root)])
def test_a_whole_life(kind: str, page: Page, tmp_path: Path):
    if kind == "debian" and (obstacle := no_hosts(tmp_path)):
        pytest.skip(f"real Debian hosts cannot run here: {obstacle}")
    with town(tmp_path / "var", kind) as here:
        buy(page, here)
        come_in(page, here)
        address = choose(page)
        watch_it_come_up(page, kind, here)
        charts_fill(page)
        end(page, here, address)
        come_back(page, here, address)
        end(page, here, address)
        let_seven_days_pass(page, here)
        receipt(page, here, address, tmp_path)
        staff(page, here)
        no_trouble(here)


def no_hosts(home: Path) -> str | None:
    from sandbox.hosts.debian.possible import why_not

    assert "debian" in hosts.KINDS
    return why_not(home)


def buy(page: Page, here: Town) -> None:
    page.goto(here.site)
    look(page, "1-landing")
    page.get_by_role("link", name="Plans").first.click()
    look(page, "2-plans")
    page.get_by_role("link", name="Buy Plus").first.click()
    expect(page.get_by_role("radio", name="Plus")).to_be_checked()
    page.get_by_label("E-mail address", exact=True).fill(ALICE)
    page.get_by_label("Name", exact=True).fill("Alice")
    look(page, "3-gumroad")
    page.get_by_role("button", name="Pay").click()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()


def come_in(page: Page, here: Town) -> None:
    here.letter(ALICE, "")
    page.get_by_role("link", name="Open the mailbox").click()
    page.get_by_role("list").get_by_role("link").first.click()
    look(page, "4-mail")
    page.locator("pre.letter a").first.click()
    page.get_by_role("button", name=f"Sign in as {ALICE}").click()
    expect(page.get_by_role("heading", name="Choose a name and a data centre")).to_be_visible()


def choose(page: Page) -> str:
    page.get_by_label("Name of the server").fill("admin")
    page.get_by_label("Nuremberg").check()
    page.get_by_role("button", name="Make this server").click()
    expect(page.get_by_role("alert")).to_contain_text("kept for other uses")
    expect(page.get_by_label("Nuremberg")).to_be_checked()
    page.get_by_label("Name of the server").fill("bakery")
    look(page, "5-choose")
    with page.expect_response(lambda one: one.request.is_navigation_request() and one.ok) as shown:
        page.get_by_role("button", name="Make this server").click()
    page.wait_for_url(re.compile(r"/servers/[0-9a-f-]{36}$"))
    assert "Get a machine in Nuremberg" in shown.value.text()  # as it came: a fast machine is soon there
    return page.url


def watch_it_come_up(page: Page, kind: str, here: Town) -> None:
    """Without a reload: the page asks by itself."""
    look(page, "6-being-made")
    expect(page.get_by_role("heading", name="bakery.")).to_be_visible()
    expect(page.locator(".answer .state.working")).to_be_visible(timeout=UP)
    here.letter(ALICE, "ready")
    look(page, "7-working")
    assert machines(here)["kind"] == kind


def machines(here: Town) -> dict[str, Any]:
    import json
    import urllib.request

    with urllib.request.urlopen(f"{here.sandbox}/hetzner/sandbox/machines", timeout=PATIENCE) as answer:  # noqa: S310
        return dict(json.loads(answer.read()))


def charts_fill(page: Page) -> None:
    """Somebody looks, so reports come every five seconds."""
    expect(page.locator(".marks g").first).to_be_attached()
    look(page, "8-charts")
    expect(page.get_by_text("does not run")).to_have_count(0)
    expect(page.locator(".answer .state.working")).to_be_visible()


def end(page: Page, here: Town, address: str) -> None:
    page.goto(f"{here.sandbox}/gumroad/seller")
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_role("button", name="Let the period end now").click()
    open_when(page, address, "ending")
    expect(page.get_by_text(re.compile(r"(6 days|7 days|a week).* left"))).to_be_visible()
    look(page, "9-countdown")


def come_back(page: Page, here: Town, address: str) -> None:
    page.get_by_role("link", name="Keep bakery").click()
    page.get_by_role("button", name="Resubscribe").click()
    open_when(page, address, "working")
    here.letter(ALICE, "stays")


def open_when(page: Page, address: str, word: str) -> None:
    """Opens the page again until the server is in this state; a resting page would ask only every half a minute."""

    def there() -> bool:
        page.goto(address)
        return page.locator(f".answer .state.{word}").is_visible()

    eventually(there, f"the state “{word}”", UP / 1000)


def let_seven_days_pass(page: Page, here: Town) -> None:
    page.goto(f"{here.sandbox}/clock")
    look(page, "10-clock")
    page.get_by_role("button", name="Seven days").click()
    expect(page.get_by_text("168 hours have passed")).to_be_visible()


def receipt(page: Page, here: Town, address: str, folder: Path) -> None:
    open_when(page, address, "gone")
    look(page, "11-gone")
    letter = here.letter(ALICE, "deleted")
    assert "/receipts/" in " ".join(letter["links"])
    page.get_by_role("link", name="See the receipt").click()
    look(page, "12-receipt")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the signed file").click()
    file = folder / "receipt.json"
    download.value.save_as(file)
    assert verify(file, here).returncode == 0
    file.write_text(file.read_text().replace("nbg1", "fsn1"))
    assert verify(file, here).returncode == 1
    assert machines(here)["machines"] == []


def verify(file: Path, here: Town) -> subprocess.CompletedProcess[str]:
    """With the public keys of the site and nothing else of it."""
    command = [sys.executable, str(ROOT / "bin/verify-receipt"), str(file)]
    command += ["--keys", f"{here.site}/.well-known/mailat-signing-keys"]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=file.parent, env={})


def staff(page: Page, here: Town) -> None:
    page.goto(f"{here.site}/account")
    page.get_by_role("button", name="Sign out").first.click()
    page.wait_for_url(f"{here.site}/")
    page.goto(f"{here.site}/admin/")
    page.get_by_label("E-mail").fill(STELLA)
    page.get_by_role("button").filter(has_text=re.compile("link|Sign in|Send", re.I)).first.click()
    link = next(one for one in here.letter(STELLA, "sign")["links"] if "/sign-in/link/" in one)
    page.goto(link)
    page.get_by_role("button", name=f"Sign in as {STELLA}").click()
    page.wait_for_url(f"{here.site}/account/security")
    come_in_by_passkey(page, here)
    look(page, "13-staff")
    for path, words in STAFF_PAGES.items():
        page.goto(f"{here.site}/admin/{path}")
        expect(page.locator("body")).to_contain_text(words, ignore_case=True)
        look(page, f"14-staff-{path.split('/')[1]}")


def come_in_by_passkey(page: Page, here: Town) -> None:
    """Without a second factor the staff's site stays shut; with one she comes in by that alone."""
    plug_in(page)
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Name").fill("key of the office")
    page.get_by_role("button", name="Make the passkey").click()
    page.get_by_role("heading", name="Your recovery codes").wait_for()
    page.context.clear_cookies()
    page.goto(f"{here.site}/sign-in?next=/admin/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url(f"{here.site}/admin/")


STAFF_PAGES = {
    "accounts/account/": "Alice",
    "billing/subscription/": "Plus",
    "billing/ping/": "applied",
    "servers/server/?state=all": "bakery",
    "engine/run/?state=all": "Provision",
    "engine/alarm/": "alarm",
    "audit/event/": "destruction.finished",
}


def no_trouble(here: Town) -> None:
    """No process was restarted, and no secret was written into a log."""
    logs = {path.name: path.read_text(errors="replace") for path in (here.home / "logs").glob("*.log")}
    assert logs
    secrets = [path.read_text().strip() for path in (here.home / "secrets").rglob("*") if path.is_file()]
    for name, text in logs.items():
        assert "Traceback" not in text, f"{name}:\n{text[-3000:]}"
        assert not any(secret in text for secret in secrets if len(secret) > 15), name
        assert "/sign-in/link/" not in text or "<" in text, name
