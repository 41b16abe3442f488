"""mbsync, a mail program that keeps folders on a laptop and on the server in step (Debian package isync)."""

import subprocess
import sys
from pathlib import Path

from devtools.paths import ROOT
from tests.journeys.mail_program import Program

PATIENCE = 600.0  # seconds
Kept = dict[str, tuple[str, str]]  # by Message-ID: the folder, and the flags as Maildirs write them

CONFIGURATION = """
IMAPAccount firm
Host {host}
User {user}
PassCmd "cat {password}"
SSLType IMAPS
SystemCertificates no
CertificateFile {ca}
Timeout 120

IMAPStore server
Account firm

MaildirStore laptop
Path {home}/mail/
Inbox {home}/mail/INBOX
SubFolders Verbatim

Channel all
Far :server:
Near :laptop:
Patterns *
Create Both
Remove Both
Expunge Both
SyncState *
"""


class Laptop:
    """A laptop with a copy of somebody's mail."""

    def __init__(self, home: Path, program: Program, ca: str) -> None:
        self.home, self.program = home, program
        (home / "mail").mkdir(parents=True)
        password = home / "password"
        password.touch(mode=0o600)
        password.write_text(program.password)
        said = {"host": program.host, "user": program.user, "password": password, "ca": ca, "home": home}
        (home / "mbsyncrc").write_text(CONFIGURATION.format(**said))

    def sync(self) -> None:
        """Both sides have afterwards what either had new."""
        place = ["--home", str(self.program.sandbox), "--address", f".{self.program.place}"]
        outside = [sys.executable, "-m", "sandbox.internet.outside", *place, "--"]
        command = [*outside, "mbsync", "--config", str(self.home / "mbsyncrc"), "--all"]
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        assert done.returncode == 0, done.stderr[-2000:]

    def write(self, folder: str, number: int, flags: str) -> None:
        """A mail as another program left it in a folder."""
        text = (
            f"Message-ID: <{number}@laptop.sandbox.test>\nFrom: carol@outside.test\nTo: {self.program.user}\n"
            f"Subject: Number {number}\nDate: Mon, 5 Jan 2026 10:00:00 +0000\n\nThis is mail {number}.\n"
        )
        place = self.home / "mail" / folder
        for each in ("cur", "new", "tmp"):
            (place / each).mkdir(parents=True, exist_ok=True)
        (place / "cur" / f"{1767600000 + number}.{number}.laptop:2,{flags}").write_text(text)

    def files(self) -> dict[str, Path]:
        """Each mail by its Message-ID."""
        return {_id(file): file for file in (self.home / "mail").glob("**/cur/*")} | {
            _id(file): file for file in (self.home / "mail").glob("**/new/*")
        }

    def kept(self) -> Kept:
        """What lies where, with which flags."""
        return {
            each: (
                str(file.parent.parent.relative_to(self.home / "mail")),
                file.name.partition(":2,")[2],
            )
            for each, file in self.files().items()
        }

    def mark(self, each: str, flags: str) -> None:
        """Changes the flags of a mail, as a program does: by its file's name."""
        file = self.files()[each]
        name = file.name.partition(":2,")[0]
        file.rename(file.parent.parent / "cur" / f"{name}:2,{flags}")


def _id(file: Path) -> str:
    for line in file.read_bytes().splitlines():
        if line.lower().startswith(b"message-id:"):
            return line.partition(b":")[2].strip().decode()
    raise AssertionError(f"{file} has no Message-ID")
