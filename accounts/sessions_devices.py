"""What a browser is called in words; it may say of itself what it likes, so this is a help to people and proves nothing."""

from dataclasses import dataclass

from django.http import HttpRequest
from django.utils.translation import gettext as _

# Newer browsers name the older ones that they want to be taken for, so the most particular stands first
# (https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/User-Agent).
BROWSERS = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Vivaldi/", "Vivaldi"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("HeadlessChrome/", "Chrome"),
    ("Chromium/", "Chromium"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
]
SYSTEMS = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
]
LONGEST = 1000  # characters of the header that are looked at


@dataclass(frozen=True)
class Device:
    """Empty where it is not known."""

    browser: str
    system: str

    def __str__(self) -> str:
        if self.browser and self.system:
            return _("%(browser)s on %(system)s") % {"browser": self.browser, "system": self.system}
        return self.browser or self.system or _("A browser that does not say which")


def device_of(request: HttpRequest) -> Device:
    """By what the browser says of itself."""
    says = request.headers.get("User-Agent", "")[:LONGEST]
    return Device(_first(BROWSERS, says), _first(SYSTEMS, says))


def _first(names: list[tuple[str, str]], says: str) -> str:
    return next((name for mark, name in names if mark in says), "")
