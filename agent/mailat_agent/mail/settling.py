"""Links, units and daemons as the generation in force has them."""

import contextlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from ..files import read_object, write_whole
from . import links, units
from .commands import Failed, run
from .generations import Store
from .part import Part

GUARDS = ("firewall",)  # what must stand before any daemon opens a door
RUNNING = "running.json"  # by part, as a digest: what its daemon was last told to run on

SYSTEMD, UNIT_FILES = "systemd", "/etc/systemd/"
ANEW = (("systemctl", "restart"), ("systemctl", "reload-or-restart"))

Failures = dict[str, str]  # why, by part


@dataclass(frozen=True)
class Settling:
    """Tells daemons what changed for them, once; what was told outlives the process."""

    parts: Sequence[Part]
    store: Store

    def settle(self) -> Failures:
        """Bring everything to the generation in force; what fails keeps nothing else from being done."""
        number, running = self.store.in_force(), self._running()
        wanted = {part.name: self.store.fingerprint(number, part) for part in self.parts}
        stale = [part for part in self.parts if running.get(part.name) != wanted[part.name]]
        failures = self._lay_links(running)
        for wave in _waves(self.parts):
            begun = _start([part for part in wave if part.name not in failures], failures)
            for part in [part for part in wave if part in stale and part.name not in failures]:
                if _note(failures, part.name, lambda part=part, begun=begun: _tell(part, begun)):  # type: ignore[misc]
                    running[part.name] = wanted[part.name]
                    self._keep(running)
        return failures

    def ailing(self) -> set[str]:
        """Parts that are not as they should be, before anything is changed."""
        number, running = self.store.in_force(), self._running()
        behind = {p.name for p in self.parts if running.get(p.name) != self.store.fingerprint(number, p)}
        down: set[str] = set()
        with contextlib.suppress(Failed):
            down.update(units.down(unit for part in self.parts for unit in part.units))
        return behind | {part.name for part in self.parts if down.intersection(part.units)}

    def forget(self, names: Iterable[str]) -> None:
        """Tell these parts' daemons anew at the next time, whatever they were told."""
        gone = set(names)
        self._keep({name: on for name, on in self._running().items() if name not in gone})

    def _lay_links(self, running: dict[str, str]) -> Failures:
        failures: Failures = {}
        for part in self.parts:
            _note(failures, part.name, lambda part=part: links.ensure(part.links, self.store.current))  # type: ignore[misc]
        told = self._unit_files()
        if running.get(SYSTEMD, "") != told and _note(failures, SYSTEMD, units.read_anew):
            running[SYSTEMD] = told
            self._keep(running)
        return failures

    def _unit_files(self) -> str:
        paths = {path for part in self.parts for path in part.links if path.startswith(UNIT_FILES)}
        digest = sha256()
        for path in sorted(paths):
            with contextlib.suppress(OSError):
                digest.update(f"{path}\0{Path(path).read_text(encoding='utf-8')}\0".encode())
        return digest.hexdigest() if paths else ""

    def _running(self) -> dict[str, str]:
        return read_object(self.store.home / RUNNING)

    def _keep(self, running: dict[str, str]) -> None:
        write_whole(self.store.home / RUNNING, json.dumps(running, sort_keys=True) + "\n")


def _waves(parts: Sequence[Part]) -> tuple[list[Part], list[Part]]:
    """What guards is there and knows its rules before anything else begins."""
    return [p for p in parts if p.name in GUARDS], [p for p in parts if p.name not in GUARDS]


def _start(parts: Sequence[Part], failures: Failures) -> set[str]:
    """Start what is down, side by side; returns what was down."""
    idle: list[str] = []
    _note(failures, SYSTEMD, lambda: idle.extend(units.down(u for part in parts for u in part.units)))
    try:
        units.ensure(unit for part in parts for unit in part.units)
    except Failed:  # each for itself then, to say whose it was and to start the others
        for part in parts:
            _note(failures, part.name, lambda part=part: units.ensure(part.units))  # type: ignore[misc]
    return set(idle)


def _tell(part: Part, begun: set[str]) -> None:
    for command in part.reload:
        if not _is_done(command, begun):
            run(command)


def _is_done(command: Sequence[str], begun: set[str]) -> bool:
    """Whether all that the command would let read their files have just begun with these."""
    return tuple(command[:2]) in ANEW and begun.issuperset(command[2:])


def _note(failures: Failures, who: str, act: Callable[[], None]) -> bool:
    try:
        act()
    except (Failed, OSError) as failure:
        failures[who] = words(failure)
    return who not in failures


def words(failure: Failed | OSError) -> str:
    """What may be said of a failure."""
    return str(failure) if isinstance(failure, Failed) else f"refused by the system: {failure.strerror}"


def joined(failures: Failures) -> str:
    """All failures in a line."""
    return "; ".join(f"{who}: {why}" for who, why in failures.items())
