"""How Alice's firm comes to its mail: bought, set up, given a way out, and arranged, all on the dashboard's pages."""

from typing import Any

import dkim
from playwright.sync_api import Browser, expect

from tests.journeys.conftest import Town
from tests.journeys.mail_firm import SOON, Firm, picture, window
from tests.journeys.test_first_life import ALICE, buy, choose, come_in, watch_it_come_up

BOB, CHARLIE = "bob@example.test", "charlie@outside.test"
REGION = "eu-central-1"


def bought(here: Town, browser: Browser) -> Firm:
    """A server that is ready."""
    page = window(browser)
    buy(page, here)
    come_in(page, here)
    server = choose(page)
    watch_it_come_up(page, "debian", here)
    return Firm(here, browser, page, server)


def set_up(firm: Firm) -> None:
    with firm.change():
        firm.add_domain()
    enter_records(firm)
    firm.make_mailbox("alice", invite=ALICE, name="Alice Müller")
    firm.make_mailbox("bob", invite=BOB)
    firm.make_mailbox("away")
    firm.make_mailbox("small", size="0.011")
    picture(firm.open_mailbox("alice"), "24-mailbox-invited")
    firm.choose_password("alice", ALICE)
    firm.choose_password("bob", BOB)
    with firm.change():
        firm.open_mailbox("bob")
    picture(firm.page, "26-mailbox")
    assert firm.program("alice").submit(CHARLIE, "Patience") == (250, "")


def enter_records(firm: Firm) -> None:
    """As the page shows them; the key is among them as soon as the server made it."""
    key = f"mailat._domainkey.{firm.domain}"
    expect(firm.page.locator("table.records").get_by_text(key, exact=True)).to_be_visible(timeout=SOON)
    picture(firm.page, "22-records")
    for kind, name, value in firm.records():
        firm.internet.enter(name, kind, value)


def give_way_out(firm: Firm) -> None:
    """Through Amazon; the page says what waits for it, and what to do."""
    firm.see(firm.open_sending(), f"{firm.here.site}/mail/sending", "1 mail has not left yet.")
    picture(firm.page, "27-sending-not-set-up")
    key = firm.internet.ses_user(REGION, firm.domain)
    firm.secrets = [key["secret"], key["smtp_password"]]
    firm.set_up_sending(REGION, key["access_key"], key["secret"])
    firm.may_not_yet()
    firm.internet.permit(key["access_key"], firm.policy(REGION))
    assert not firm.internet.received(CHARLIE)
    with firm.change():
        firm.check_again()
    picture(firm.page, "28-sending-works")


def arrange(firm: Firm) -> None:
    """A catch-all, an alias, and somebody who is away and has mail sent on."""
    page = firm.open_domain()
    page.get_by_label("Mail to addresses that do not exist").select_option(f"goes to {firm.at('bob')}")
    page.get_by_role("button", name="Save who gets everything else").click()
    page.get_by_text("Add an alias").click()
    page.get_by_label("Address", exact=True).fill("sales")
    page.get_by_label("Its mail goes to").fill(f"{firm.at('alice')}\n{CHARLIE}")
    page.get_by_role("button", name="Add this alias").click()
    picture(page, "23-domain")
    page = firm.open_mailbox("away")
    page.get_by_label("Send a copy of every mail to").fill(CHARLIE)
    page.get_by_label("Keep the mail here as well").check()
    page.get_by_role("button", name="Save the forwarding").click()
    page.get_by_label("Answer while away").fill("I am back on Monday.")
    page.get_by_label("Subject of the answer").fill("Away")
    page.get_by_role("button", name="Save the answer").click()
    firm.applied()


def is_signed(firm: Firm, letter: dict[str, Any]) -> bool:
    """Whether it has a good signature of the domain, by the key that the dashboard shows."""
    raw = letter["raw"].encode("latin-1")
    firm.open_domain()
    shown = {name: value for kind, name, value in firm.records() if kind == "TXT"}

    def txt(name: bytes, timeout: int = 5) -> bytes:
        return shown.get(name.decode().rstrip("."), "").encode()

    signatures = [one for one in letter["dkim"] if one["domain"] == firm.domain]
    assert len(signatures) == 1
    return bool(dkim.DKIM(raw).verify(idx=letter["dkim"].index(signatures[0]), dnsfunc=txt))
