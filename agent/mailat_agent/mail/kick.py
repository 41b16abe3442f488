"""Ends the sessions of users of whom a password was taken back; run after Dovecot took a new configuration."""

import hashlib
import json
import subprocess
from pathlib import Path

from ..files import write_whole
from .part import CURRENT, HOME

SEEN = "passwords-seen.json"  # in Host.home: digests of each user's password entries
PATIENCE = 60.0  # seconds


def kick(home: Path = HOME, current: Path = Path(CURRENT)) -> list[str]:
    """Returns who was thrown out: whoever could sign in before by what opens nothing now."""
    now = _entries(current / "dovecot")
    before = _seen(home / SEEN)
    gone = [user for user, entries in before.items() if set(entries) - set(now.get(user, []))]
    for user in gone:
        subprocess.run(["doveadm", "kick", user], capture_output=True, timeout=PATIENCE)
    write_whole(home / SEEN, json.dumps(now, sort_keys=True))
    return gone


def _entries(folder: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path in (folder / "passwords", *sorted(folder.glob("app-*"))):
        for line in path.read_text(encoding="utf-8").splitlines():
            user, _, entry = line.partition(":")
            found.setdefault(user, []).append(hashlib.sha256(entry.encode()).hexdigest())
    return found


def _seen(path: Path) -> dict[str, list[str]]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


if __name__ == "__main__":
    kick()
