"""Some of a folder's messages: chosen by their date and by words of their headers, on the host, where alone they can be read."""

import binascii
import contextlib
import os
import re
import stat
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .maildir import HALVES, opened

LONGEST_HEAD = 64 * 1024  # bytes of a message in which its header has to be
LONGEST_VALUE = 16 * 1024  # characters of one field
FIELDS = {"from": ("from", "sender"), "subject": ("subject",), "to": ("to", "cc", "bcc")}
# RFC 2047, section 2: no space and no question mark within.
WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?\s]{0,2000})\?=")
BETWEEN = re.compile(r"(?<=\?=)\s+(?==\?)")


@dataclass(frozen=True)
class Chosen:
    """From `since` on and before `before`, in Unix time; the words of each text are all in the header, in any case and order.

    `to` is whoever it went to openly or by copy. What is empty or None chooses nothing out.
    """

    since: float | None = None
    before: float | None = None
    sender: str = ""
    subject: str = ""
    to: str = ""

    @property
    def words(self) -> dict[str, list[str]]:
        """What has to be found where."""
        asked = {"from": self.sender, "subject": self.subject, "to": self.to}
        return {name: folded(text).split() for name, text in asked.items() if text.strip()}

    def has(self, within: int, name: str, words: dict[str, list[str]]) -> bool:
        """Whether a message's file is one of them."""
        date = os.stat(name, dir_fd=within, follow_symlinks=False).st_mtime
        if self.since is not None and date < self.since:
            return False
        if self.before is not None and date >= self.before:
            return False
        return not words or _speaks(head(within, name), words)


def keep(chosen: Chosen, folder: Path) -> tuple[int, int]:
    """Of a folder's messages only these stay, and nothing that is no message; how many, and their bytes."""
    messages, size, words = 0, 0, chosen.words
    for half in HALVES:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError), opened(folder / half) as within:
            for name in os.listdir(within):
                about = os.stat(name, dir_fd=within, follow_symlinks=False)
                if stat.S_ISREG(about.st_mode) and chosen.has(within, name, words):
                    messages, size = messages + 1, size + about.st_size
                elif not stat.S_ISDIR(about.st_mode):
                    os.unlink(name, dir_fd=within)
    return messages, size


def _speaks(said: dict[str, str], words: dict[str, list[str]]) -> bool:
    for name, wanted in words.items():
        text = folded(" ".join(said[one] for one in FIELDS[name] if one in said))
        if not all(word in text for word in wanted):
            return False
    return True


def head(within: int, name: str) -> dict[str, str]:
    """The fields of a message's header that can be asked for, decoded; whoever sent it wrote it."""
    with open(os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=within), "rb") as file:
        raw = file.read(LONGEST_HEAD)
    found: dict[str, str] = {}
    known = {field for names in FIELDS.values() for field in names}
    for name_, value in _lines(raw):
        if name_ in known:
            found[name_] = f"{found.get(name_, '')} {decoded(value)}"[:LONGEST_VALUE]
    return found


def _lines(raw: bytes) -> Iterator[tuple[str, str]]:
    """Names in lower case with their values, unfolded, up to the empty line."""
    whole = re.split(rb"\r?\n\r?\n", raw, maxsplit=1)[0]
    for line in re.split(rb"\r?\n(?![ \t])", whole):
        name, _colon, value = line.partition(b":")
        yield name.strip().lower().decode("ascii", "replace"), _text(value)[:LONGEST_VALUE]


def _text(raw: bytes) -> str:
    """Bytes beyond ASCII are UTF-8 (RFC 6532), or what old programs wrote."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def decoded(value: str) -> str:
    """A field with its encoded words as what they stand for (RFC 2047); one that makes no sense stays as it is."""
    text, after = [], 0
    value = BETWEEN.sub("", value)
    held: tuple[str, bytes] = ("", b"")
    for word in WORD.finditer(value):
        apart, (charset, raw) = value[after : word.start()], (word[1].lower().partition("*")[0], _raw(word))
        if apart or charset != held[0]:
            text += [_read(*held), apart]
            held = (charset, b"")
        held, after = (charset, held[1] + raw), word.end()  # a letter may be divided between two words
    return "".join([*text, _read(*held), value[after:]])


def _raw(word: re.Match[str]) -> bytes:
    plain = word[3].encode("utf-8")
    with contextlib.suppress(binascii.Error, ValueError):
        if word[2] in "qQ":
            return binascii.a2b_qp(plain, header=True)
        return binascii.a2b_base64(plain + b"=" * (-len(plain) % 4))
    return plain


def _read(charset: str, raw: bytes) -> str:
    try:
        return raw.decode(charset or "ascii", "replace")
    except (LookupError, ValueError):
        return raw.decode("latin-1")


def folded(text: str) -> str:
    """So that letters which differ by case, width or composition are the same."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
