"""An app's key and recovery codes, as they are shown to whom they belong, with what breaks meanwhile."""

import re
from collections.abc import Callable

from tests.integration.planted_site import Browser, Site
from tests.keys import code_of

APP, CODES = "/account/security/app", "/account/security/codes"
KEY = re.compile(r'class="secret">([A-Z2-7 ]+)<')
CODE = re.compile(r"<li><code>([\d ]+)</code>")


def set_up_app(site: Site, browser: Browser, plant: Callable[[str, str], str]) -> None:
    """Staff must have one. The key is planted as it is kept by an app and as it is read by people."""
    shown = KEY.search(browser.get(APP, "app shown").text)
    assert shown
    key = plant("app: its key", shown[1].replace(" ", ""))
    plant("app: its key in groups", shown[1])
    wrong = browser.post(APP, "app refused", {"code": "12345"})
    assert wrong.status_code == 422
    with site.without("mfa_authenticator"):
        assert browser.post(APP, "app, broken", {"code": code_of(key)}).status_code == 500
    _plant_codes(browser.post(APP, "codes shown", {"code": code_of(key)}).text, plant)
    _plant_codes(browser.post(CODES, "codes shown", {}).text, plant)


def _plant_codes(page: str, plant: Callable[[str, str], str]) -> None:
    found = CODE.findall(page)
    assert len(found) == 10
    for code in found:
        plant("recovery code: in groups", code)
        plant("recovery code: typed", code.replace(" ", ""))
