"""What stands beside the mail in an export: its owner's settings and filters, and how to use the files without us."""

import json
import time
from collections.abc import Iterator
from typing import Any

from ..mail.state import Mail, Mailbox
from .export_mail import Box

FILES = {
    "mbox": (
        "mail/ has a file for each folder, in the form called mboxrd. Thunderbird opens them with its import tool;\n"
        "Apple Mail by File > Import Mailboxes; mutt, Evolution, Claws and KMail read them as they are.\n"
        "In the headers, Status (R: read, O: seen by a program), X-Status (A: answered, F: flagged, T: draft,\n"
        "D: marked as deleted) and X-Keywords have what the mail was marked with. A line of a message that begins\n"
        "with From has a > before it, as the form asks; readers take it away again."
    ),
    "maildir": (
        "Maildir/ is a Maildir++ as Dovecot keeps it: put it into a mailbox' home on another server, give it to the user\n"
        "there, and all folders, marks and dates are there. mutt and many others read it, too. The letters behind :2,\n"
        "in a name are its marks (S: read, R: answered, F: flagged, D: draft, T: deleted, P: forwarded, a to z:\n"
        "the words in dovecot-keywords). Unpack it on Linux, macOS or BSD: Windows takes no : in names."
    ),
    "eml": (
        "mail/ has a directory for each folder, and a file for each message, byte by byte as it arrived. A double click\n"
        "opens one in Thunderbird, Outlook, Apple Mail or Windows Mail; many programs take all of them at once when they\n"
        "are dragged into a folder. A file's date is when the message arrived. mail/messages.csv says of each how it was\n"
        "marked."
    ),
}
README = """This is the mailbox {address}, as it was on {date}.

{files}

sieve/        filters, in the language Sieve (RFC 5228), which most mail servers read{active}
settings.txt  the mailbox' settings, to read; settings.json has the same for programs
SHA256SUMS    the SHA-256 of each file; `sha256sum -c SHA256SUMS` (Linux) or `shasum -a 256 -c SHA256SUMS`
              (macOS) says whether all came out as they went in

Not in here: passwords, which nobody can read, and the address book of webmail, which webmail itself exports.
This file is not encrypted: keep it as you would keep your letters.
"""


def readme(box: Box, mailbox: Mailbox, format: str, now: float) -> str:
    """For whoever unpacks it, perhaps in ten years."""
    active = box.active_script()
    return README.format(
        address=mailbox.address,
        date=time.strftime("%Y-%m-%d at %H:%M UTC", time.gmtime(now)),
        files=FILES[format],
        active=f"; in use is {active}" if active.isprintable() and active else "",
    )


def settings(box: Box, mailbox: Mailbox, mail: Mail) -> dict[str, Any]:
    """What this host knows of a mailbox; no password, and no hash of one."""
    away = mailbox.vacation
    return {
        "address": mailbox.address,
        "name": mailbox.name,
        "aliases": sorted(alias.address for alias in mail.aliases if mailbox.address in alias.targets),
        "catch_all_of": sorted(domain.name for domain in mail.domains if domain.catch_all == mailbox.address),
        "forwards_to": list(mailbox.forward),
        "keeps_a_copy": mailbox.keep_copy,
        "out_of_office": vars(away).copy() if away else None,
        "quota_bytes": mailbox.quota,
        "recipients_an_hour": mailbox.per_hour,
        "recipients_a_day": mailbox.per_day,
        "suspended": mailbox.suspended,
        "app_passwords": len(mailbox.app_passwords),
        "active_filter": box.active_script() or None,
    }


def as_json(said: dict[str, Any]) -> str:
    return json.dumps(said, indent=2, ensure_ascii=False) + "\n"


def as_text(said: dict[str, Any]) -> str:
    """The same for people: a line for each."""
    return "".join(_lines(said, ""))


def _lines(said: dict[str, Any], before: str) -> Iterator[str]:
    for name, value in said.items():
        words = before + name.replace("_", " ").capitalize()
        if isinstance(value, dict):
            yield f"{words}:\n"
            yield from _lines(value, before + "  ")
        else:
            yield f"{words}: {_shown(value, before)}\n"


def _shown(value: object, before: str) -> str:
    match value:
        case None | "" | []:
            return "none"
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(map(str, value))
    return str(value).replace("\n", f"\n{before}  ")
