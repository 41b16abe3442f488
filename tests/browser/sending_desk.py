"""Somebody at the assistant's page, who types, presses and looks; a worker does the rest when it is told to."""

import os
import re
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

from domains.models import Domain, Letter
from sending import actions
from servers.models import Agent, Server
from tests.browser.conftest import NARROW, WIDE, Window
from tests.dashboard import sending_world
from tests.domains.conftest import seal_pair
from tests.sandbox.aws.place import REGION, Place
from tests.sending.conftest import BY, due_now, work

FACT = re.compile(r"%\(\w+\)s")
OPEN = "one => { const folded = one.closest('details'); if (folded) folded.open = true; }"
# A browser sends only what a list has; somebody who wants to, sends anything.
SEND = """(one, value) => {
  if (one.tagName === "SELECT" && ![...one.options].some((each) => each.value === value)) one.add(new Option(value, value));
  one.value = value;
}"""


class Desk:
    """One window, one server; `afresh` ends whatever was set up."""

    def __init__(self, window: Window, server: Server, place: Place, settings: Any) -> None:
        self.window, self.server, self.place, self.settings = window, server, place, settings
        self.home = server.pk
        self.seal_key(seal_pair()[0])
        self.reload()

    @property
    def page(self) -> Page:
        return self.window.page

    def reload(self) -> None:
        self.window.open(f"/mail/sending/{self.home}")

    def afresh(self) -> None:
        actions.remove(home=self.home, by=BY)
        Letter.objects.filter(home=self.home).delete()
        due_now()
        self.seal_key(seal_pair()[0])
        self.reload()

    def seal_key(self, key: str) -> None:
        Agent.objects.filter(server=self.server).update(seal_key=key)

    def letters(self, count: int) -> None:
        """So many test mails were asked for lately."""
        for _each in range(count):
            sending_world.letter(Domain.objects.filter(home=self.home)[0])

    def paste(self, key: dict[str, Any], sender: str = "") -> None:
        """Enters a key, and a worker does what it can."""
        self.reload()
        self.fill(key["access_key"], key["secret"])
        if sender:
            self.page.locator("#sender_domain").select_option(label=sender)
        self.press("set")
        expect(self.page.get_by_text("The key is sealed, and is being tried.")).to_be_visible()
        work()

    def fill(self, access_key: str, secret: str) -> None:
        form = self.page.locator("#access_key")
        form.evaluate(OPEN)
        self.page.locator("#region").select_option(REGION)
        form.fill(access_key)
        self.page.locator("#secret").fill(secret)

    def choose(self, form: str, field: str, value: str) -> None:
        """Makes the field of one of the forms send this."""
        one = self.page.locator(f"#{field}" if form == "set" else f"#{form}-{field}")
        one.evaluate(OPEN)
        one.evaluate(SEND, value)

    def press(self, do: str) -> None:
        self.page.locator(f'button[name="do"][value="{do}"]').click()

    def notice(self, *sentences: object) -> Locator:
        """The notice in which all of them stand, whatever facts they were filled with."""
        found = self.page.locator(".notice")
        for piece in (piece.strip() for one in sentences for piece in FACT.split(str(one))):
            found = found.filter(has_text=piece) if re.search(r"\w", piece) else found
        return found

    def beside(self, field: str, says: str) -> None:
        told = self.page.locator(f"#{field}_error")
        expect(told).to_contain_text(says)
        expect(told).to_be_visible()

    def above(self, says: str) -> None:
        told = self.page.locator("#errors")
        expect(told).to_contain_text(says)
        expect(told).to_be_visible()

    def keep_picture(self, name: str) -> None:
        folder = os.environ.get("SCREENSHOTS")
        if not folder:
            return
        Path(folder).mkdir(parents=True, exist_ok=True)
        for theme in ("dark", "light"):
            for shape, (width, height) in (("narrow", NARROW), ("wide", WIDE)):
                self.page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
                self.page.set_viewport_size({"width": width, "height": height})
                self.page.screenshot(path=f"{folder}/{name}-{theme}-{shape}.png", full_page=True)
