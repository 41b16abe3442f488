"""As whom a server runs: Postgres refuses root, so root hands it to a user without rights."""

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Runner:
    """A user, and whether becoming them is a change."""

    name: str
    uid: int
    gid: int
    dropped: bool

    def popen(self) -> dict[str, Any]:
        """Arguments for Popen that become this user."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.dropped else {}

    def own(self, path: Path) -> None:
        if self.dropped:
            os.chown(path, self.uid, self.gid)


def runner() -> Runner:
    """Ourselves, or, for root, postgres or nobody."""
    if os.geteuid() != 0:
        return Runner(str(os.geteuid()), os.geteuid(), os.getegid(), dropped=False)
    for name in ("postgres", "nobody"):
        try:
            person = pwd.getpwnam(name)
        except KeyError:
            continue
        return Runner(name, person.pw_uid, person.pw_gid, dropped=True)
    return Runner("65534", 65534, 65534, dropped=True)


def reachable(path: Path, who: Runner) -> bool:
    """Whether this user may pass through every directory above the path."""
    if not who.dropped:
        return True
    return all(_may_pass(parent.stat(), who) for parent in path.absolute().parents if parent.exists())


def _may_pass(folder: os.stat_result, who: Runner) -> bool:
    if folder.st_uid == who.uid:
        return bool(folder.st_mode & stat.S_IXUSR)
    if folder.st_gid == who.gid:
        return bool(folder.st_mode & stat.S_IXGRP)
    return bool(folder.st_mode & stat.S_IXOTH)
