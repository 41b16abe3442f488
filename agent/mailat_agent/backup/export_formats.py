"""A mailbox' messages as other programs read them: mbox, Maildir, or a file for each."""

import re
import time
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256

from .export_mail import Box, Message
from .export_names import Names, shown
from .export_zip import Zip
from .maildir import MAILDIR

Seen = Callable[[int], None]  # told of each message, with its bytes
Write = Callable[[Box, Zip, Seen], int]  # how many messages could not be read
MOST_HEAD = 256 * 1024  # bytes of a header that is looked into
HELD = 64 * 1024  # bytes of a line that is looked at as a whole
FROM = re.compile(rb"(?m)^(>*From )")
SENDER = re.compile(rb"(?im)^return-path:[ \t]*<([!-;=?-~]{1,320})>")
# What an mbox says of a message itself; a message that came with such lines keeps them under another name.
OWN = re.compile(rb"(?im)^(status|x-status|x-keywords|content-length|x-imap|x-imapbase|x-uid)(?=[ \t]*:)")
STATUS, X_STATUS = (
    (("S", "R"),),
    (("R", "A"), ("F", "F"), ("D", "T"), ("T", "D")),
)  # flags of Maildir and of mbox
FORWARDED = "$Forwarded"
ODD = re.compile(r"[\\/\x00-\x1f\x7f\ud800-\udfff]")


def write_mbox(box: Box, to: Zip, seen: Seen) -> int:
    """A file for each folder, in the form called mboxrd: https://www.loc.gov/preservation/digital/formats/fdd/fdd000385.shtml"""
    names, skipped = Names(), [0]
    for folder in box.folders():
        name = names.take(["mail", *shown(folder)], ".mbox")
        to.add(name, _mbox(box, folder, seen, skipped), time.time())
    return skipped[0]


def _mbox(box: Box, folder: str, seen: Seen, skipped: list[int]) -> Iterator[bytes]:
    keywords = box.keywords(folder)
    for message in box.messages(folder):
        try:
            yield from _entry(box.pieces(folder, message), message, words_of(message, keywords))
        except FileNotFoundError:
            skipped[0] += 1
        seen(message.size)


def _entry(pieces: Iterator[bytes], message: Message, words: list[str]) -> Iterator[bytes]:
    """The message between its first line, which the format puts there, and the empty line that ends it."""
    head, rest = _head(pieces)
    found = SENDER.search(head)
    sender = found[1].decode() if found else "MAILER-DAEMON"
    end = b"\r\n" if b"\r\n" in head[:1000] else b"\n"
    yield f"From {sender} {_asctime(message.at)}\n".encode()
    yield b"".join(line.encode("utf-8") + end for line in _lines(message, words))
    last = b"\n"
    for piece in quoted(_chained(OWN.sub(rb"X-Original-\1", head), rest)):
        yield piece
        last = piece[-1:]
    yield b"\n" if last == b"\n" else b"\n\n"


def _lines(message: Message, words: list[str]) -> list[str]:
    status = "".join(word for flag, word in STATUS if flag in message.flags)
    status += "" if message.is_recent else "O"
    more = "".join(word for flag, word in X_STATUS if flag in message.flags)
    lines = [f"Status: {status}"] if status else []
    lines += [f"X-Status: {more}"] if more else []
    return lines + ([f"X-Keywords: {' '.join(words)}"] if words else [])


def words_of(message: Message, keywords: dict[str, str]) -> list[str]:
    """What its owner has marked it with, in words."""
    words = [keywords[letter] for letter in message.flags if letter in keywords]
    return words + ([FORWARDED] if "P" in message.flags and FORWARDED not in words else [])


def _head(pieces: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """The header and all behind it; of one that is too long no line is renamed."""
    held = b""
    for piece in pieces:
        held += piece
        found = re.search(rb"\r?\n\r?\n|\A\r?\n", held)
        if found:
            return held[: found.end()], _chained(held[found.end() :], pieces)
        if len(held) > MOST_HEAD:
            return b"", _chained(held, pieces)
    return held, iter(())


def _chained(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    if first:
        yield first
    yield from rest


def quoted(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same, with a > before each line that would be taken for the beginning of another message."""
    held, begins = b"", True
    for piece in pieces:
        held += piece
        cut = held.rfind(b"\n") + 1
        if not cut and len(held) < HELD:
            continue
        whole, held = (held[:cut], held[cut:]) if cut else (held, b"")
        yield _quoted(whole, begins)
        begins = whole.endswith(b"\n")
    if held:
        yield _quoted(held, begins)


def _quoted(text: bytes, begins: bool) -> bytes:
    """`begins` says whether its first line is a whole one."""
    if begins:
        return FROM.sub(rb">\1", text)
    first, end, rest = text.partition(b"\n")
    return first + end + FROM.sub(rb">\1", rest)


def _asctime(at: float) -> str:
    return time.asctime(time.gmtime(min(max(at, 0), 2**33)))


def write_maildir(box: Box, to: Zip, seen: Seen) -> int:
    """As Dovecot and others keep it: https://doc.dovecot.org/latest/core/config/mailbox/formats/maildir.html"""
    skipped = 0
    if subscribed := box.small(MAILDIR, "subscriptions"):
        to.add("Maildir/subscriptions", [subscribed], time.time())
    for folder in box.folders():
        root = f"Maildir/{_plain(folder)}".rstrip("/")
        for half in ("cur", "new", "tmp"):
            to.folder(f"{root}/{half}", time.time())
        for name in ("maildirfolder", *(("dovecot-keywords",) if box.keywords(folder) else ())):
            if folder or name != "maildirfolder":
                to.add(f"{root}/{name}", [_small(box, folder, name)], time.time())
        for message in box.messages(folder):
            skipped += _add(box, folder, message, to, f"{root}/{message.half}/{_plain(message.name)}")
            seen(message.size)
    return skipped


def _small(box: Box, folder: str, name: str) -> bytes:
    if name == "maildirfolder":
        return b""
    return "".join(f"{ord(letter) - 97} {word}\n" for letter, word in box.keywords(folder).items()).encode()


def _plain(name: str) -> str:
    """A name as it is, unless it could leave its directory on other systems or break a line: then one like it."""
    plain = ODD.sub("_", name)
    if plain == name:
        return name
    mark = sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:12]
    first, flag, rest = plain.partition(":2,")
    return f"{first}.{mark}{flag}{rest}"


def write_eml(box: Box, to: Zip, seen: Seen) -> int:
    """A file for each message, in directories; what a file cannot say of itself stands in a list beside them."""
    skipped, names = 0, Names()
    marks = to.later("mail/messages.csv")
    marks("file,date,flags\r\n")
    for folder in box.folders():
        place, keywords = names.take(["mail", *shown(folder)]), box.keywords(folder)
        to.folder(place, time.time())
        for number, message in enumerate(box.messages(folder), 1):
            date = time.gmtime(min(max(message.at, 0), 2**33))
            name = f"{place}/{time.strftime('%Y-%m-%d %H%M%S', date)} {number:06}.eml"
            skipped += _add(box, folder, message, to, name)
            marks(
                f'"{name}",{time.strftime("%Y-%m-%dT%H:%M:%SZ", date)},{" ".join(_marks(message, keywords))}\r\n'
            )
            seen(message.size)
    return skipped


def _marks(message: Message, keywords: dict[str, str]) -> list[str]:
    """Its flags as IMAP calls them (RFC 9051, 2.3.2)."""
    known = {"S": "\\Seen", "R": "\\Answered", "F": "\\Flagged", "T": "\\Deleted", "D": "\\Draft"}
    return [known[flag] for flag in message.flags if flag in known] + words_of(message, keywords)


def _add(box: Box, folder: str, message: Message, to: Zip, name: str) -> int:
    """1 where the message is not there any more."""
    try:
        with box.reading(folder, message):
            to.add(name, box.pieces(folder, message), message.at, message.size)
    except FileNotFoundError:
        return 1
    return 0


FORMATS: dict[str, Write] = {"mbox": write_mbox, "maildir": write_maildir, "eml": write_eml}
