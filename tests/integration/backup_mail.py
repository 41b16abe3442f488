"""Mailboxes with years of mail in them, made on a host in seconds; and what a mail program sees of one."""

import hashlib
import imaplib
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from tests.agent.mail.mail_host import MailHost
from tests.agent.mail.whole_host import WholeHost

AT_ONCE = 400  # messages a FETCH
FOLDERS = {"": 40, ".Sent": 25, ".Archive": 20, ".Archive.2019": 10, ".Trash": 5}  # of a hundred
Message = tuple[str, tuple[str, ...], str]  # the bytes' SHA-256, its flags, INTERNALDATE
Seen = dict[str, list[Message]]
_ANSWER = re.compile(rb'FLAGS \(([^)]*)\).*?INTERNALDATE "([^"]+)"')
_LISTED = re.compile(rb'\((?P<flags>[^)]*)\) "(?P<mark>.)" "?(?P<name>[^"]*)"?$')

# Run on the host: HOME MESSAGES LEAST MOST SEED, then folders as directory=share. Sizes go from LEAST to MOST bytes, more of
# them small; a third of what is large is noise, as attachments are.
FILL = r"""
import base64, os, random, sys
home, count, least, most, seed = sys.argv[1], *map(int, sys.argv[2:6])
shares = dict(word.rsplit("=", 1) for word in sys.argv[6:])
dice, owner = random.Random(seed), os.stat(home)
words = ["".join(dice.choices("etaoinshrdlucmfwypvbg", k=dice.randint(2, 9))) for _ in range(4000)]
lines = [" ".join(dice.choices(words, k=11)) + "\n" for _ in range(60_000)]
def letter(number):
    size = int(least * (most / least) ** (dice.random() ** 1.5))
    head = f"From: carol@outside.test\nTo: alice@firm.test\nSubject: letter {seed} {number}\n"
    head += f"Message-ID: <{seed}.{number}.{dice.getrandbits(64)}@outside.test>\n\n{dice.getrandbits(128):x}\n"
    loud = size // 2 if size > 20_000 and dice.random() < 0.6 else 0
    said = "".join(dice.choices(lines, k=1 + (size - loud) // 70))
    return (head + said).encode() + base64.encodebytes(dice.randbytes(loud * 3 // 4))
def place(folder):
    root = os.path.join(home, "Maildir", folder)
    for name in ("", "cur", "new", "tmp"):
        path = os.path.join(root, name)
        if not os.path.isdir(path):
            os.makedirs(path, 0o700)
        os.chown(path, owner.st_uid, owner.st_gid)
    return root
total = 0
for folder, share in shares.items():
    root = place(folder)
    for number in range(count * int(share) // 100):
        mail, at = letter(number), 1_500_000_000 + dice.randrange(200_000_000)
        half = "new" if dice.random() < 0.05 else "cur"
        flags = "".join(flag for flag in "DFRST" if dice.random() < {"S": 0.8, "R": 0.2}.get(flag, 0.04))
        name = f"{at}.M{number}P{seed}.host,S={len(mail)}" + (f":2,{flags}" if half == "cur" else "")
        path = os.path.join(root, half, name)
        with open(path, "xb") as file:
            file.write(mail)
        os.chmod(path, 0o600)
        os.chown(path, owner.st_uid, owner.st_gid)
        os.utime(path, (at, at))
        total += len(mail)
print(total)
"""
FILLER = "/root/fill.py"


def fill(host: WholeHost, home: str, messages: int, *, seed: int, sizes: tuple[int, int] = (2_000, 60_000),
         folders: dict[str, int] | None = None) -> int:  # fmt: skip
    """So many messages in the Maildir of a home; how many bytes."""
    host.put(FILLER, FILL)
    shares = [f"{name}={share}" for name, share in (folders or FOLDERS).items()]
    least, most = sizes
    return int(host.run("python3", FILLER, home, str(messages), str(least), str(most), str(seed), *shares))


def seen(mail: MailHost, user: str) -> Seen:
    """By folder all messages that a mail program sees; sorted, for what is restored has other numbers."""
    return mail.imap(user, lambda door: {name: sorted(_messages(door, name)) for name in folders(door)})


def folders(door: imaplib.IMAP4_SSL) -> list[str]:
    """All that can be opened."""
    found = [match for line in door.list()[1] if (match := _LISTED.search(bytes(line or b"")))]  # type: ignore[arg-type]
    return sorted(match["name"].decode() for match in found if b"\\noselect" not in match["flags"].lower())


def _messages(door: imaplib.IMAP4_SSL, folder: str) -> Iterator[Message]:
    status, said = door.select(f'"{folder}"', readonly=True)
    assert status == "OK", said
    count = int(said[0] or 0)
    for first in range(1, count + 1, AT_ONCE):
        page = f"{first}:{min(count, first + AT_ONCE - 1)}"
        for answer in door.fetch(page, "(FLAGS INTERNALDATE BODY.PEEK[])")[1]:
            if isinstance(answer, tuple):
                yield _message(*answer)


def _message(head: bytes, body: bytes) -> Message:
    found = _ANSWER.search(head)
    assert found, head
    flags = sorted(flag.decode() for flag in found[1].split() if flag != b"\\Recent")
    return hashlib.sha256(body).hexdigest(), tuple(flags), found[2].decode()


def inside(found: Seen, root: str) -> Seen:
    """What lies in a folder, as if it were the whole mailbox: its own messages are those of the inbox."""
    below = {name: name.removeprefix(f"{root}/") for name in found if name.startswith(f"{root}/")}
    own = {"INBOX": found[root]} if found.get(root) else {}
    return own | {short: found[name] for name, short in below.items()}


def with_mail(found: Seen) -> Seen:
    """The folders that have messages."""
    return {name: messages for name, messages in found.items() if messages}


def subjects(door: imaplib.IMAP4_SSL, folder: str) -> Counter[str]:
    """Of a folder, each as often as it is there."""
    door.select(f'"{folder}"', readonly=True)
    answers: list[Any] = door.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]
    lines = [answer[1].decode() for answer in answers if isinstance(answer, tuple)]
    return Counter(line.partition(":")[2].strip() for line in lines)
