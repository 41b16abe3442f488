"""Who has an address: when it passes to another person, all that was kept under it is set aside before they come in."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from ..files import read_object, write_whole
from . import traces
from .part import CURRENT
from .state import Mail

FILE = (
    "owners.json"  # in Host.home: `now` has the owner of each address, `last` who had it before; both by id
)
USERS = "dovecot/users"  # of a generation

ByAddress = dict[str, str]


@dataclass(frozen=True)
class Owners:
    """What is remembered in `home`, and what the generation says to which `current` points."""

    home: Path
    current: Path = Path(CURRENT)

    def leaving(self, mail: Mail) -> ByAddress:
        """The addresses, with their owners, that somebody else gets or nobody has any more."""
        wanted = {box.address: box.id for box in mail.mailboxes}
        return {address: owner for address, owner in self._now().items() if wanted.get(address) != owner}

    def hand_over(self, mail: Mail) -> list[str]:
        """Set aside what belongs to those who leave, and bring back what belongs to those who come.

        Returns the addresses whose owners before can still sign in: nothing of theirs is touched.
        """
        now, last, serving = self._now(), self._last(), self.in_force()
        staying = []
        for address, owner in self.leaving(mail).items():
            if serving.get(address) == owner:
                staying.append(address)
                continue
            traces.rename(self.home, address, owner)
            last[address] = now.pop(address)
        for box in mail.mailboxes:
            if box.address not in now:
                self._welcome(box.address, box.id, last.get(box.address, box.id))
                now[box.address] = box.id
        self._keep(now, last)
        return staying

    def _welcome(self, address: str, owner: str, before: str) -> None:
        if before != owner:
            traces.clear_queue(address)
        traces.rename(self.home, owner, address)

    def known(self, owner: str) -> bool:
        """Whether an address is still theirs, by what is remembered or by what is in force."""
        return owner in self._now().values() or owner in self.in_force().values()

    def forget(self, owner: str) -> None:
        """Nobody had an address before who is erased."""
        last = self._last()
        self._keep(self._now(), {address: one for address, one in last.items() if one != owner})

    def in_force(self) -> ByAddress:
        """The owners of the addresses to which mail is delivered now."""
        return served(self.current)

    def _now(self) -> ByAddress:
        # If the disk lost it: nobody else can have had the addresses that are in force.
        kept = read_object(self.home / FILE).get("now")
        return dict(kept) if isinstance(kept, dict) else self.in_force()

    def _last(self) -> ByAddress:
        kept = read_object(self.home / FILE).get("last")
        return dict(kept) if isinstance(kept, dict) else {}

    def _keep(self, now: ByAddress, last: ByAddress) -> None:
        text = json.dumps({"now": now, "last": last}, sort_keys=True) + "\n"
        if not (self.home / FILE).exists() or (self.home / FILE).read_text(encoding="utf-8") != text:
            write_whole(self.home / FILE, text)


def served(generation: Path) -> ByAddress:
    """By address the last part of each user's home in a generation, which is their id where they are a person."""
    return {address: home.rpartition("/")[2] for address, home in homes(generation).items()}


def homes(generation: Path) -> ByAddress:
    """The home of each user to whom a generation delivers."""
    try:
        lines = (generation / USERS).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    fields = (line.split(":") for line in lines)
    return {each[0]: each[5] for each in fields if len(each) > 5}


def closed(mail: Mail, addresses: Iterable[str]) -> Mail:
    """The same, but nobody can sign in to these."""
    shut = set(addresses)
    boxes = (
        replace(box, password=None, app_passwords=()) if box.address in shut else box
        for box in mail.mailboxes
    )
    return replace(mail, mailboxes=tuple(boxes))
