"""Where a Postgres keeps its data: below the state's home, or elsewhere where that cannot be reached or named."""

import hashlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from devtools.people import Runner, reachable
from devtools.say import Failed

NOTE, SOCKET_NOTE = "postgres.place", "postgres.socket"
SOCKET_NAME = "/.s.PGSQL.5432"
LONGEST_SOCKET = 100  # sun_path holds 107 bytes on Linux and 103 on macOS


@dataclass(frozen=True)
class Place:
    """`shelf` is a directory others may pass through, `data` the database's own."""

    shelf: Path
    data: Path
    socket: Path


def find(home: Path, who: Runner) -> Place:
    """The noted place of an earlier run, else a fitting one, noted for the next run and for --reset."""
    home.mkdir(parents=True, exist_ok=True)
    shelf = noted(home) or _choose(home, who)
    (home / NOTE).write_text(f"{shelf}\n")
    shelf.mkdir(parents=True, exist_ok=True)
    shelf.chmod(0o711)
    if shelf.stat().st_uid != os.geteuid():
        raise Failed(
            f"{shelf} belongs to someone else; take it away, or set MAILAT_HOME to another directory."
        )
    data = shelf / "data"
    return Place(shelf, data, data if fits(data) else _short_socket(home, who))


def noted(home: Path) -> Path | None:
    """The shelf of an earlier run."""
    note = home / NOTE
    return Path(note.read_text().strip()) if note.exists() else None


def fits(folder: Path) -> bool:
    return len(os.fsencode(f"{folder}{SOCKET_NAME}")) <= LONGEST_SOCKET


def _choose(home: Path, who: Runner) -> Path:
    """Within the home if the server's user can get there; else beside the system's other states."""
    beneath = home / "postgres"
    if reachable(beneath / "data", who):
        return beneath
    mark = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
    for parent in (Path("/var/lib"), Path(tempfile.gettempdir())):
        if os.access(parent, os.W_OK) and reachable(parent / "x", who):
            return (
                parent / f"mailat-dev-{mark}"
                if parent == Path("/var/lib")
                else Path(tempfile.mkdtemp(dir=parent))
            )
    raise Failed(f"{who.name} can reach no directory to keep a database in.")


def _short_socket(home: Path, who: Runner) -> Path:
    """A private directory with a short name, for a data directory whose own name is too long for a socket."""
    note = home / SOCKET_NOTE
    if (
        note.exists()
        and (noted := Path(note.read_text().strip())).is_dir()
        and noted.stat().st_uid == who.uid
    ):
        return noted
    folder = Path(tempfile.mkdtemp(prefix="mailat-", dir="/tmp"))
    who.own(folder)
    note.write_text(f"{folder}\n")
    return folder


def remove(home: Path) -> None:
    """Takes away what `find` put outside the home."""
    for name in (NOTE, SOCKET_NOTE):
        note = home / name
        if note.exists():
            shutil.rmtree(Path(note.read_text().strip()), ignore_errors=True)
            note.unlink()
