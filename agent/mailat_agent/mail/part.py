"""What a part of the mail system is: its files, where the system looks for them, and how a change reaches its daemon."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from .state import Mail

CURRENT = (
    "/etc/mailat/mail"  # a symlink to the generation in force; rendered files name each other by this path
)
HOME = Path("/var/lib/mailat/mail")  # what must outlive a generation: keys, counters, the mail's own state
STORE = "/srv/mail"  # homes: /srv/mail/<domain>/<local part>/<id of the mailbox>/


@dataclass(frozen=True)
class Host:
    """What files depend on besides the order: names, paths and secrets of this machine."""

    hostname: str
    addresses: tuple[str, ...]  # its own public addresses
    home: Path = HOME
    relay_password: str = field(default="", repr=False)  # opened from the order's sealed one
    canary_password: str = field(default="", repr=False)  # made on this host, known to nobody else

    @property
    def canary_address(self) -> str:
        """The hidden mailbox in which the canary arrives."""
        return f"canary@{self.hostname}"

    def certificate(self, name: str) -> tuple[Path, Path]:
        """Chain and key in force for a host name's certificate; always there, self-signed until a better one is."""
        folder = self.home / "tls" / name
        return folder / "fullchain.pem", folder / "privkey.pem"


@dataclass(frozen=True)
class File:
    """One rendered file; `path` is relative to the generation."""

    path: str
    text: str = field(repr=False)
    mode: int = 0o644
    owner: str = "root"
    group: str = "root"

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True)
class Part:
    """One daemon's share of a generation.

    `links` maps the system's path to a path of the generation, made once by `ensure_links`.
    `check` are commands run with the new generation in the place of CURRENT: one that fails refuses the generation.
    `reload` are commands run after the switch if a file of the part changed; `restart` where reload is not enough.
    `given` are paths of secrets that were handed to us: no generation but the one in force may keep what it does not have.
    `without` makes files that do without them of those in force, for when they are taken away and nothing newer works.
    `ready` prepares what is not configuration (users, directories, keys); idempotent, before the files are rendered.
    """

    name: str
    files: Callable[[Mail, Host], list[File]]
    links: dict[str, str] = field(default_factory=dict)
    check: tuple[tuple[str, ...], ...] = ()
    reload: tuple[tuple[str, ...], ...] = ()
    units: tuple[str, ...] = ()
    given: tuple[str, ...] = ()
    without: Callable[[list[File]], list[File]] | None = None
    ready: Callable[[Mail, Host], None] | None = None
