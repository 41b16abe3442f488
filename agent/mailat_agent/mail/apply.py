"""The field `mail` of an order, carried out on this host."""

import json
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from ..log import place
from . import canary, letters, look, probes, sealed, store, usage
from .change import Change, NotDone
from .chore import Situation
from .commands import Failed, run
from .generations import Rendered, Store
from .owners import Owners, closed
from .part import Host, Part
from .parts import PARTS
from .state import Mail

# What they report is other after an order, and somebody may be looking.
AFTER = (letters.CHORE, look.CHORE, usage.CHORE, store.CHORE)
T = TypeVar("T")


@dataclass(frozen=True, repr=False)
class Key:
    """Who this host is to those who seal secrets to it."""

    server: str
    private: X25519PrivateKey


class MailSystem:
    """What the agent's loop and its chores share of the mail system; `situation` is None until an order had one."""

    def __init__(
        self,
        key: Key,
        changed: Callable[[], None] = lambda: None,
        store: Store | None = None,
        parts: Sequence[Part] = PARTS,
    ) -> None:
        self.key, self.changed, self.parts = key, changed, parts
        self.store = store or Store()
        self.change = Change(parts, self._probe, self.store)
        self.situation: Situation | None = None
        self.busy = threading.Lock()

    def bring_about(self, mail: Mail, hostname: str) -> None:
        """Put in force what is wanted; raises NotDone with all that could not be done, in a line."""
        self.store.ready()
        mail, password, trouble = self._with_way_out(mail)
        host = Host(hostname, addresses(), self.store.home, password, canary.password(self.store.home))
        self.situation = Situation(mail, host, self.changed, self.busy)
        troubles = [trouble] if trouble else []
        with self.busy:
            try:
                self._bring(mail, host)
            except (NotDone, Failed) as failure:
                troubles.insert(0, str(failure))
                troubles += self._withdrawn(mail)
        for chore in AFTER:
            chore.knock()
        if troubles:
            raise NotDone("; ".join(troubles))

    def _bring(self, mail: Mail, host: Host) -> None:
        """Where an address passes to somebody else, first nobody can sign in, then the last owner's is set aside."""
        owners = Owners(self.store.home, self.store.current)
        failure = None
        if leaving := owners.leaving(mail):
            try:
                self.change.bring(_rendered(self.parts, closed(mail, leaving), host))
            except (NotDone, Failed) as trouble:
                failure = trouble
        if owners.hand_over(mail):
            raise failure or NotDone("an address is still its last owner's")
        self.change.bring(_rendered(self.parts, mail, host))

    def _withdrawn(self, mail: Mail) -> list[str]:
        """Credentials that are wanted no more do not wait for an order that works; returns what went wrong."""
        try:
            if mail.relay is None:
                self.change.withdraw()
        except (NotDone, Failed, OSError) as failure:
            return [f"the way out could not be taken away: {failure}"]
        return []

    def report(self) -> dict[str, Any] | None:
        """What is in force, for the report's field `mail`; None until an order had one."""
        if self.situation is None:
            return None
        return {"generation": self.store.in_force(), "taken_back": self.change.taken_back()}

    def _with_way_out(self, mail: Mail) -> tuple[Mail, str, str]:
        # Credentials that do not open are as none: mail waits in the queue until others come.
        if mail.relay is None:
            return mail, "", ""
        try:
            return mail, sealed.relay_password(self.key.private, self.key.server, mail.relay.sealed), ""
        except sealed.CannotOpen:
            return replace(mail, relay=None), "", "relay: the credentials were sealed to another key"

    def _probe(self, names: Iterable[str] | None) -> dict[str, str]:
        probes.forget()
        return probes.look(self.situation.host, names) if self.situation else {}


def addresses() -> tuple[str, ...]:
    """The host's own addresses that others may know, those of the Internet's fourth version first; raises Failed."""
    interfaces = json.loads(run(["ip", "-json", "address", "show", "scope", "global"]))
    found = [each for interface in interfaces for each in interface.get("addr_info", [])]
    known = [each for each in found if each.get("local")]
    lasting = [each for each in known if not each.get("temporary") and not each.get("deprecated")]
    return tuple(each["local"] for each in sorted(lasting, key=lambda each: (each["family"], each["local"])))


def _rendered(parts: Sequence[Part], mail: Mail, host: Host) -> Rendered:
    """All parts or none; what one prepares is there before the files of any."""
    for part in parts:
        if part.ready:
            _named(part, lambda ready=part.ready: ready(mail, host))  # type: ignore[misc]
    return {part.name: _named(part, lambda part=part: part.files(mail, host)) for part in parts}  # type: ignore[misc]


def _named(part: Part, work: Callable[[], T]) -> T:
    try:
        return work()
    except Exception as trouble:
        raise NotDone(f"{part.name}: {_why(trouble)}") from None


def _why(trouble: Exception) -> str:
    if isinstance(trouble, Failed):
        return str(trouble)
    if isinstance(trouble, OSError) and trouble.strerror:
        return f"refused by the system: {trouble.strerror}"
    return f"unexpected {type(trouble).__name__} {place(trouble)}"
