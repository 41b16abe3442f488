"""Alice's firm on the dashboard: what its owner does there with domains, mailboxes and sending, in a real browser."""

import os
import re
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from sandbox.internet import addresses
from tests.journeys.conftest import Town, eventually
from tests.journeys.mail_internet import Internet
from tests.journeys.mail_program import Program

SOON = 300_000  # milliseconds within which the server has done what was wanted, on a busy machine
SHAPES = {
    f"{theme}-{width}": (theme, size)
    for theme in ("light", "dark")
    for width, size in (("wide", (1280, 900)), ("narrow", (360, 780)))
}
STICKS_OUT = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


def picture(page: Page, name: str) -> None:
    """Light and dark, wide and narrow, where SCREENSHOTS names a directory; nothing may stick out of the window."""
    folder = os.environ.get("SCREENSHOTS")
    if not folder:
        return
    Path(folder).mkdir(parents=True, exist_ok=True)
    for shape, (theme, (width, height)) in SHAPES.items():
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")  # type: ignore[arg-type]
        page.set_viewport_size({"width": width, "height": height})
        page.screenshot(path=f"{folder}/{name}-{shape}.png", full_page=True)
        assert page.evaluate(STICKS_OUT) <= 0, f"{name} sticks out of a {shape} window"
    page.emulate_media(color_scheme="light", reduced_motion="no-preference")
    page.set_viewport_size({"width": 1280, "height": 900})


def window(browser: Browser) -> Page:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(120_000)
    return context.new_page()


class Firm:
    """One server with its domain, and the page of its owner, who is signed in."""

    domain = "firm.test"

    def __init__(self, here: Town, browser: Browser, page: Page, server: str) -> None:
        self.here, self.browser, self.page, self.server = here, browser, page, server
        self.internet = Internet(here.sandbox)
        page.goto(server)
        self.host = page.get_by_role("heading", level=1).inner_text()
        self.address = self.internet.address(self.host)
        self.passwords: dict[str, str] = {}
        self.secrets: list[str] = []
        self.guessers: list[Future[int]] = []

    def program(self, local: str, password: str = "", place: int = addresses.LAPTOP) -> Program:
        """A mail program of this mailbox' owner."""
        user = self.at(local)
        known = password or self.passwords[local]
        sandbox = self.here.home / "sandbox"
        return Program(sandbox, self.host, self.address, self.here.ca, user, known, place)

    def at(self, local: str) -> str:
        return f"{local}@{self.domain}"

    def open_mail(self) -> Page:
        self.page.goto(f"{self.here.site}/mail")
        return self.page

    def open_domain(self) -> Page:
        self.open_mail().get_by_role("heading", level=2).get_by_role("link", name=self.domain).click()
        return self.page

    def open_mailbox(self, local: str) -> Page:
        self.open_mail().get_by_role("link", name=self.at(local), exact=True).click()
        return self.page

    def open_sending(self) -> Page:
        self.page.goto(f"{self.here.site}/mail/sending")
        return self.page

    @contextmanager
    def change(self) -> Iterator[Page]:
        """What the block changes is said to be applied when it ends, without a reload."""
        yield self.page
        began = time.monotonic()
        self.applied()
        print(f"    applied after {time.monotonic() - began:.1f} s")

    def applied(self) -> None:
        expect(self.page.locator(".applied")).to_contain_text("Applied: the server does all", timeout=SOON)

    def add_domain(self) -> None:
        self.open_mail().get_by_role("link", name="Add a domain").first.click()
        picture(self.page, "21-domain-new")
        self.page.get_by_label("Domain").fill(self.domain)
        self.page.get_by_role("button", name="Add this domain").click()
        expect(self.page.get_by_role("heading", level=1)).to_have_text(self.domain)

    def records(self) -> list[tuple[str, str, str]]:
        """Type, name and value of each record that the domain's page shows."""
        rows = self.page.locator("table.records tbody tr").all()
        return [
            (
                row.locator("td").first.inner_text().strip(),
                row.locator("th code").inner_text().strip(),
                row.locator("td.value code").inner_text().strip(),
            )
            for row in rows
        ]

    def make_mailbox(self, local: str, size: str = "1", invite: str = "", name: str = "") -> None:
        self.page.goto(f"{self.here.site}/mail/mailboxes/new")
        self.page.get_by_label("Address", exact=True).fill(local)
        self.page.get_by_label("Name", exact=True).fill(name)
        self.page.get_by_label("Size in GB").fill(size)
        self.page.get_by_label("Invite its owner").fill(invite)
        self.page.get_by_role("button", name="Make this mailbox").click()
        expect(self.page.get_by_role("heading", level=1)).to_have_text(self.at(local))

    def choose_password(self, local: str, invited: str) -> None:
        """Its owner follows the invitation, in a browser that knows nothing of Alice's."""
        self.passwords[local] = f"four words of {local} in a row"
        letter = self.here.letter(invited, self.at(local))
        page = window(self.browser)
        page.goto(next(link for link in letter["links"] if "/mailbox/" in link))
        picture(page, "24-invitation")
        page.get_by_label("New password").fill(self.passwords[local])
        page.get_by_role("button", name="Use this password").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Your mailbox is ready")
        picture(page, "25-invitation-used")
        page.context.close()

    def make_app_password(self, local: str, label: str) -> str:
        """What the page shows this once."""
        page = self.open_mailbox(local)
        page.get_by_label("For which device or program?").fill(label)
        page.get_by_role("button", name="Make an app password").click()
        secret = page.locator("#secret").inner_text().strip()
        picture(page, "31-app-password")
        page.get_by_role("link", name="I have it").click()
        return secret

    def set_up_sending(self, region: str, access_key: str, secret: str) -> None:
        page = self.open_sending()
        page.get_by_label("AWS region").select_option(region)
        page.get_by_label("Access key ID").fill(access_key)
        page.get_by_label("Secret access key").fill(secret)
        page.get_by_role("button", name="Set up sending").click()

    def may_not_yet(self) -> None:
        """A user who may only send is not enough, and the page says what is missing."""
        expect(self.page.get_by_role("heading", level=1)).to_have_text(
            "Your key cannot be used yet", timeout=SOON
        )
        expect(self.page.get_by_text("ses:GetAccount", exact=True)).to_be_visible()
        picture(self.page, "27-sending-permissions-missing")

    def policy(self, region: str) -> str:
        """As the page gives it for Amazon."""
        return self.page.request.get(f"{self.page.url.partition('#')[0]}/policy.json?region={region}").text()

    def check_again(self) -> None:
        """The key is tried once more, and in use when the server has sent a letter by it."""
        self.page.get_by_role("button", name="Check again").click()
        expect(self.page.get_by_role("heading", level=1)).to_have_text(
            "Mail leaves through Amazon SES", timeout=SOON
        )

    def see(self, page: Page, address: str, words: str | re.Pattern[str], within: float = 300) -> None:
        """Opens a page again until it has these words; one at rest would ask only every half a minute."""

        def there() -> bool:
            page.goto(address)
            return page.get_by_text(words).first.is_visible()

        eventually(there, f"“{words}” on {address}", within)
