"""Chromium's own authenticator in place of a key (https://chromedevtools.github.io/devtools-protocol/tot/WebAuthn/)."""

from playwright.sync_api import CDPSession, Page

KEY = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def plug_in(page: Page) -> tuple[CDPSession, str]:
    """The wire to the browser, and the key's name on it."""
    wire = page.context.new_cdp_session(page)
    wire.send("WebAuthn.enable")
    return wire, str(wire.send("WebAuthn.addVirtualAuthenticator", {"options": KEY})["authenticatorId"])
