"""Names of folders as people call them, and as every disk takes them."""

import base64
import binascii
import re

INBOX = "Inbox"
UTF7 = re.compile(r"&([A-Za-z0-9+,]*)-")
LONGEST = 80  # letters of a part
# What no disk of Windows takes in a name: https://learn.microsoft.com/windows/win32/fileio/naming-a-file
FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f-\x9f\ud800-\udfff\u200e\u200f\u202a-\u202e\u2066-\u2069]')
RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?$")


def shown(folder: str) -> list[str]:
    """A folder of Maildir++ by its parts, as a mail program shows them: ".Archive.2025" is Archive, 2025."""
    return [decoded(part) for part in folder.split(".") if part] or [INBOX]


def decoded(name: str) -> str:
    """IMAP's own way of writing letters (RFC 3501, 5.1.3); what is none of it stays as it is."""
    return UTF7.sub(_letters, name)


def _letters(found: re.Match[str]) -> str:
    if not found[1]:
        return "&"
    text = found[1].replace(",", "/")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True).decode("utf-16-be")
    except (binascii.Error, UnicodeDecodeError):
        return found[0]


def safe(part: str) -> str:
    """One part of a path, of which no disk makes anything else than a name."""
    plain = FORBIDDEN.sub("_", part).strip(" .")[:LONGEST].strip(" .") or "_"
    return f"_{plain}" if RESERVED.match(plain) else plain


class Names:
    """Paths of which no two are the same, also where capitals do not count."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, parts: list[str], end: str = "") -> str:
        """The path of these parts, with a number behind it where there is one already."""
        path = "/".join(safe(part) for part in parts)
        for number in range(1, len(self._taken) + 2):
            found = f"{path} ({number}){end}" if number > 1 else f"{path}{end}"
            if found.casefold() not in self._taken:
                break
        self._taken.add(found.casefold())
        return found
