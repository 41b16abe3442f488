"""Where things lie on a host."""

from dataclasses import dataclass
from pathlib import Path

from ..mail.part import STORE


@dataclass(frozen=True)
class Places:
    """`mail` has the homes, `state` is the agent's directory; `stage` must be of the same file system as `mail`."""

    mail: Path = Path(STORE)
    state: Path = Path("/var/lib/mailat")
    stage: Path = Path("/srv/.mailat-backup")
    cache: Path = Path("/var/cache/mailat")

    @property
    def home(self) -> Path:
        """What the mail system keeps beside its generations."""
        return self.state / "mail"

    @property
    def own(self) -> Path:
        """What backups keep: the password, and what is known of earlier runs."""
        return self.state / "backup"

    @property
    def tree(self) -> Path:
        """What the next restore point will have, kept from one to the next."""
        return self.stage / "tree"

    @property
    def scratch(self) -> Path:
        """What is restored, until it is in its place; anything in it may be removed at any time nobody restores."""
        return self.stage / "scratch"

    def ready(self) -> None:
        """Make them, for root's eyes alone."""
        for place in (self.own, self.stage, self.tree, self.scratch, self.cache / "tmp"):
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
