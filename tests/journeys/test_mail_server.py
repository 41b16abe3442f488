"""The whole life of a mail server on a real Debian host: bought, set up on the dashboard, and used as people use mail."""

import imaplib
import re
from collections.abc import Iterator
from email import message_from_string
from email.headerregistry import Address
from email.policy import default
from pathlib import Path

import pytest
from playwright.sync_api import Playwright, expect, sync_playwright

from tests.agent.mail.mail_host import GTUBE
from tests.browser.conftest import ARGUMENTS
from tests.journeys import mail_strangers as strangers
from tests.journeys import mail_webmail as webmail
from tests.journeys.conftest import town
from tests.journeys.mail_firm import SOON, Firm, picture
from tests.journeys.mail_life import CHARLIE, arrange, bought, give_way_out, is_signed, set_up
from tests.journeys.mail_program import idling
from tests.journeys.mail_sync import Laptop
from tests.journeys.test_first_life import ALICE, no_hosts, no_trouble

pytestmark = [pytest.mark.browser, pytest.mark.root]

JANE = "jane@outside.test"
STRANGER, SYNCED, GUESSERS = 8, 9, (5, 7)  # addresses in the hosts' network
THOUSANDS = 2000
FIVE_MEGABYTES = f"{'x' * 69}\n" * 75_000
RULE = """require ["fileinto", "mailbox"];
if header :contains "Subject" "Invoice" { fileinto :create "Bills"; }
"""


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        expect.set_options(timeout=120_000)
        yield playwright


@pytest.fixture(scope="module")
def firm(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firm]:
    """Alice bought a server: it is ready, knows her domain, and the owners of two mailboxes chose their passwords.

    Two strangers guess Alice's from then on, beside all else.
    """
    home = tmp_path_factory.mktemp("journey") / "var"
    if obstacle := no_hosts(home):
        pytest.skip(f"skipped: needs root on Linux ({obstacle})")
    with town(home, "debian") as here:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        firm = bought(here, browser)
        set_up(firm)
        firm.guessers = strangers.begin_to_guess(*(firm.program("alice", place=one) for one in GUESSERS))
        yield firm
        browser.close()


def test_it_was_called_ready_because_a_mail_went_out_and_came_back(firm: Firm) -> None:
    firm.page.goto(firm.server)

    expect(firm.page.locator("#mail + .verdict")).to_have_text(
        re.compile(r"^A test mail went out .* and came back in [\d.]+ s\.$")
    )
    expect(firm.page.get_by_text("the test mail that goes out and comes back")).to_have_count(0)
    assert firm.here.letters(ALICE)
    picture(firm.page, "20-server")


def test_a_change_is_seen_on_its_way(firm: Firm) -> None:
    page = firm.open_mailbox("bob")
    with firm.change():
        page.get_by_label("Name", exact=True).fill("Bob Baker")
        with page.expect_response(lambda one: one.request.is_navigation_request() and one.ok) as shown:
            page.get_by_role("button", name="Save the settings").click()
        assert "Applying since" in shown.value.text()  # as it came: a moment later it may be over


def test_a_mail_from_outside_is_in_the_inbox(firm: Firm) -> None:
    assert firm.internet.write(CHARLIE, firm.at("alice"), "Hello Alice")[0] == 250

    mail = firm.program("alice").read("Hello Alice")
    assert "dkim=pass" in mail["Authentication-Results"]
    assert "using TLSv1.3" in "".join(mail.get_all("Received", []))


def test_what_spam_filters_are_tested_with_goes_to_junk(firm: Firm) -> None:
    assert firm.internet.write(CHARLIE, firm.at("alice"), "Buy this", GTUBE)[0] == 250

    firm.program("alice").read("Buy this", "Junk")
    assert not firm.program("alice").has("Buy this")


@pytest.fixture(scope="module")
def sending(firm: Firm) -> Firm:
    """With a way out; a mail that Alice wrote before waited for it."""
    give_way_out(firm)
    return firm


def test_mail_waits_until_there_is_a_way_out_and_leaves_signed(sending: Firm) -> None:
    assert is_signed(sending, sending.internet.arrived(CHARLIE, "Patience"))

    assert sending.program("alice").submit(CHARLIE, "At once") == (250, "")
    assert is_signed(sending, sending.internet.arrived(CHARLIE, "At once"))


@pytest.fixture(scope="module")
def arranged(sending: Firm) -> Firm:
    """With a catch-all, an alias, and a mailbox whose owner is away and has mail sent on."""
    arrange(sending)
    return sending


def test_mail_to_an_address_that_nobody_has_is_caught(arranged: Firm) -> None:
    assert arranged.internet.write(CHARLIE, arranged.at("whoever"), "For whoever")[0] == 250

    arranged.program("bob").read("For whoever")


def test_mail_to_an_alias_reaches_all_behind_it_here_and_elsewhere(arranged: Firm) -> None:
    assert arranged.internet.write(JANE, arranged.at("sales"), "An offer")[0] == 250

    arranged.program("alice").read("An offer")
    assert is_signed(arranged, arranged.internet.arrived(CHARLIE, "An offer"))


def test_mail_to_somebody_away_is_sent_on_and_answered(arranged: Firm) -> None:
    assert arranged.internet.write(JANE, arranged.at("away"), "Are you there")[0] == 250

    letter = message_from_string(arranged.internet.arrived(CHARLIE, "Are you there")["raw"])
    assert letter["From"] == f'"jane at outside.test via {arranged.domain}" <{arranged.at("away")}>'
    assert letter["Reply-To"] == JANE
    answer = message_from_string(arranged.internet.arrived(JANE, "Away")["raw"])
    assert (answer["From"], "Monday" in str(answer.get_payload())) == (arranged.at("away"), True)


def test_a_full_mailbox_says_so_to_whoever_writes(firm: Firm) -> None:
    secret = firm.make_app_password("small", "Telephone")
    firm.secrets.append(secret)
    firm.applied()
    for number in range(2):
        assert firm.internet.write(CHARLIE, firm.at("small"), f"Large {number}", FIVE_MEGABYTES)[0] == 250
        firm.program("small", secret).read(f"Large {number}")  # what still queues fills nothing

    refused = (552, f"5.2.2 <{firm.at('small')}>: Recipient address rejected: This mailbox is full.")
    assert firm.internet.write(CHARLIE, firm.at("small"), "Too much", FIVE_MEGABYTES) == refused
    assert firm.program("bob").submit(firm.at("small"), "Too much", FIVE_MEGABYTES) == refused


def test_a_rule_made_by_managesieve_sorts(firm: Firm) -> None:
    alice = firm.program("alice")
    alice.sort(RULE)
    assert firm.internet.write(CHARLIE, firm.at("alice"), "Invoice 17")[0] == 250

    alice.read("Invoice 17", "Bills")
    assert not alice.has("Invoice 17")


def test_an_app_password_is_shown_once_and_opens_nothing_once_revoked(firm: Firm) -> None:
    secret = firm.make_app_password("alice", "Telephone")
    firm.secrets.append(secret)
    firm.applied()
    assert firm.page.get_by_text(secret).count() == 0
    telephone = firm.program("alice", secret, STRANGER)
    assert (telephone.refused_to_read(), telephone.refused_to_send()) == ("", "")

    with telephone.imap() as door:
        door.select()
        with firm.change():
            firm.page.get_by_role("button", name="Revoke “Telephone”").click()
        with pytest.raises(imaplib.IMAP4.abort):
            door.noop()
    assert "Authentication failed" in telephone.refused_to_read()
    assert "authentication failed" in telephone.refused_to_send()
    assert firm.program("alice").refused_to_read() == ""


def test_a_suspended_mailbox_lets_nobody_in_and_still_receives(firm: Firm) -> None:
    page = firm.open_mailbox("bob")
    with firm.change():
        page.get_by_text("Suspend it for a while").click()
        page.get_by_role("button", name="Suspend bob@").click()
    picture(page, "30-mailbox-suspended")
    assert "suspended" in firm.program("bob", place=STRANGER).refused_to_read()
    assert firm.internet.write(CHARLIE, firm.at("bob"), "While suspended")[0] == 250

    with firm.change():
        page.get_by_role("button", name="Let bob@firm.test be used again").click()
    firm.program("bob").read("While suspended")


def test_a_mail_program_keeps_thousands_of_mails_in_step_both_ways(firm: Firm, tmp_path: Path) -> None:
    first, second = (
        Laptop(tmp_path / name, firm.program("bob", place=SYNCED), firm.here.ca) for name in "ab"
    )
    folders = ["INBOX", "Projects", "Projects/2026"]
    for number in range(THOUSANDS):
        first.write(folders[number % 3], number, ["", "S", "FS", "RS"][number % 4])
    first.sync()
    second.sync()
    assert len(first.kept()) >= THOUSANDS
    assert second.kept() == first.kept()

    ids = [f"<{number}@laptop.sandbox.test>" for number in range(100)]
    for each in ids[:50]:
        first.mark(each, "FRS")
    for each in ids[50:]:
        second.files()[each].unlink()
    for laptop in (first, second, first):
        laptop.sync()
    assert second.kept() == first.kept()
    assert {first.kept()[each][1] for each in ids[:50]} == {"FRS"}
    assert not set(ids[50:]) & set(first.kept())


def test_a_program_that_idles_is_told_of_a_new_mail(firm: Firm) -> None:
    with firm.program("bob").imap() as door, idling(door) as told_of_another:
        assert firm.internet.write(CHARLIE, firm.at("bob"), "Ring")[0] == 250
        assert told_of_another() > 0
    firm.program("bob").read("Ring")


def test_nobody_outside_can_send_to_others_through_it(arranged: Firm) -> None:
    assert strangers.relayed(arranged.program("alice", place=STRANGER)) == {}


def test_webmail_signs_in_reads_and_sends(sending: Firm, playwright: Playwright, tmp_path: Path) -> None:
    page = sending.open_domain()
    expect(page.get_by_text("with a valid certificate")).to_be_visible(timeout=SOON)
    assert sending.internet.write(CHARLIE, sending.at("alice"), "Read me", "In a browser")[0] == 250
    sending.program("alice").read("Read me")

    with webmail.browser(playwright, sending.here, tmp_path) as page:
        webmail.sign_in(page, f"webmail.{sending.domain}", sending.at("alice"), sending.passwords["alice"])
        picture(page, "40-webmail")
        assert "In a browser" in webmail.read(page, "Read me")
        picture(page, "41-webmail-mail")
        webmail.write(page, CHARLIE, "Written in a browser", "From Alice")
        picture(page, "42-webmail-compose")
        webmail.send(page)
    letter = sending.internet.arrived(CHARLIE, "Written in a browser")
    author = message_from_string(letter["raw"], policy=default)["From"].addresses
    assert author == (Address("Alice Müller", addr_spec=sending.at("alice")),)
    assert is_signed(sending, letter)


def test_who_guesses_passwords_is_kept_out_and_that_stands_on_the_page(firm: Firm) -> None:
    assert all(guesser.result() < strangers.MOST for guesser in firm.guessers)

    for place in GUESSERS:
        firm.see(firm.page, firm.server, firm.internet.machine(place))
    picture(firm.page, "33-server-bans")
    assert firm.program("alice").refused_to_read() == ""


def test_nothing_waits_in_the_end_and_no_secret_was_written_down(sending: Firm) -> None:
    sending.see(sending.page, f"{sending.here.site}/mail", "Your mail works")
    picture(sending.page, "34-mail")
    sending.see(sending.page, f"{sending.here.site}/mail/sending", "Nothing. All mail has left.")
    no_trouble(sending.here)
    logs = "".join(path.read_text(errors="replace") for path in (sending.here.home / "logs").glob("*.log"))
    assert not [one for one in [*sending.secrets, *sending.passwords.values()] if one in logs]
