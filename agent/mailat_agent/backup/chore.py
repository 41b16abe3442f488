"""Backups come round by themselves, and jobs are done once; what is known of both outlives the agent."""

import copy
import json
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from ..log import place, say
from ..mail import addresses
from ..mail.chore import Situation
from ..mail.part import STORE
from . import closing, drill, look, points, run, scratch, staging
from .export import Export
from .gate import Closed, Later
from .restic import LOCKED, Failed
from .restore import Restore
from .run import Host, Repository, Trouble
from .state import State
from .wanted import Job, Wanted
from .whole import Whole

TICK = 1.0  # seconds
SOON, LATEST = 300.0, 6 * 3600.0  # seconds until what failed is tried again; doubled each time
TRIES = 3  # of a job that is cut off each time
SHORT = 0.1  # of the disk: with less free, no message is held that its owner has deleted
ERASED = 30.0  # seconds between looks at what is staged of mailboxes that are erased
NEWEST = 30  # points in a report
LONGEST = 11 * 1024  # bytes of the report's field `backup`


class Backups:
    """One host's backups, in a thread beside the agent's loop; `situation` is None until the mail system is known."""

    def __init__(self, host: Host, situation: Callable[[], Situation | None]) -> None:
        self.host, self.situation = host, situation
        self.wanted: Wanted | None = None
        self.state = State.read(host.places.own)
        self.running: dict[str, Any] | None = None
        self._job = ""
        self._lock: IO[bytes] | None = None
        self._look_for_erased = self._tidy_again = 0.0

    def want(self, wanted: Wanted | None) -> None:
        """What the order in force says; None ends backups and touches nothing that is stored."""
        self.wanted = wanted

    def start(self) -> None:
        """Begin; the thread ends with the process."""
        threading.Thread(target=self._live, daemon=True).start()

    def report(self) -> dict[str, Any] | None:
        """The report's field `backup`; None while none are wanted."""
        if self.wanted is None:
            return None
        state = self.state
        return fitted(
            {
                "escrowed": bool(state.escrowed),
                "running": self.running,
                "points": [points.told(one) for one in state.points[-NEWEST:]],
                "last": state.last,
                "next": round(state.next),
                "jobs": [{"id": job, **said} for job, said in state.jobs.items()],
                "error": state.error,
            }
        )

    def turn(self, now: float | None = None) -> None:
        """Do what is due, one thing."""
        wanted, now = self.wanted, time.time() if now is None else now
        if wanted is None:
            return
        self._settle(wanted)
        job = next((job for job in wanted.jobs if job.id not in self.state.jobs), None)
        work = "" if wanted.hold else self._due(wanted, now)
        work = "job" if job else work
        if not work:
            return
        with run.alone(self.host.places) as lock:
            if lock is None:
                return
            scratch.clear(self.host.places.scratch)
            self._job, self._lock = job.id if job else "", lock
            try:
                self._do(job, wanted, lock) if job else self._come_round(work, wanted, lock)
            finally:
                self.running = self._lock = None
                self._job = ""

    def _live(self) -> None:
        while True:
            try:
                self.turn()
            except Exception as bug:
                say(f"backup: unexpected {type(bug).__name__} {place(bug)}")
                self.state.error = f"unexpected {type(bug).__name__} {place(bug)}"
                time.sleep(60)
            time.sleep(TICK)

    def _settle(self, wanted: Wanted) -> None:
        """Answers that no order asks for any more are forgotten."""
        names = {job.id for job in wanted.jobs}
        if gone := (self.state.jobs.keys() | self.state.tries.keys()) - names:
            jobs = {job: said for job, said in self.state.jobs.items() if job not in gone}
            tries = {job: tries for job, tries in self.state.tries.items() if job not in gone}
            self.state.set(jobs=jobs, tries=tries)
        if time.monotonic() >= self._look_for_erased:
            self._look_for_erased = time.monotonic() + ERASED
            self._forget_erased()

    def _forget_erased(self) -> None:
        """What is deleted for good is not held by the tree of the last restore point either."""
        situation = self.situation()
        erased = set(situation.mail.erase) if situation else set()
        if erased:
            lying = {
                home[2] for home in staging.homes(self.host.places.mail.parent, self.host.places.mail.name)
            }
            staging.forget(self.host.places, erased - lying)

    def _due(self, wanted: Wanted, now: float) -> str:
        if self.state.next > now + max(wanted.every, LATEST):
            self.state.set(next=now)  # the clock was ahead when it was written
        if self.state.next <= now and is_open(wanted.hours, now):
            return "backup"
        known = points.remembered(self.state.points, [one["id"] for one in self.state.points]) or []
        is_overdue = points.are_overdue(known, wanted.keep, wanted.every, now)
        return "tidy" if is_overdue and time.monotonic() >= self._tidy_again else ""

    def _come_round(self, work: str, wanted: Wanted, lock: IO[bytes]) -> None:
        """A backup, and what is over goes; or only the second."""
        now, self._tidy_again = time.time(), time.monotonic() + points.GRACE
        cut_off, failures = self.state.began > 0, self.state.failures
        retry = now + min(LATEST, SOON * 2 ** min(failures, 10))
        self.state.set(
            began=now, next=min(retry, now + wanted.every) if work == "backup" else self.state.next
        )
        try:
            with self._opened(wanted, lock) as repository:
                repository.ensure()
                if cut_off or failures:
                    repository.unlock()
                if work == "backup":
                    self.state.set(last=repository.backup(), next=now + wanted.every)
                    self._release_if_short()
                kept = repository.tidy(time.time())
            self.state.set(points=[point.kept() for point in kept], failures=0, error="", began=0.0)
        except Exception as trouble:
            self.state.set(failures=failures + 1, error=why(trouble))
            say(f"backup: {self.state.error}")

    def _do(self, job: Job, wanted: Wanted, lock: IO[bytes]) -> None:
        """A job, once; what it found out, or why it could not, is told until the order no longer names it."""
        tries = self.state.tries.get(job.id, 0) + 1
        if tries > TRIES:
            return self._answer(job, "failed", "it was cut off each time", {})
        self.state.set(tries={**self.state.tries, job.id: tries})
        try:
            with self._opened(wanted, lock, cached=job.do != "drill") as repository:
                repository.ensure()
                if tries > 1:
                    repository.unlock()
                if self.state.failures:  # what kept a backup from being made is over: the next need not wait
                    self.state.set(next=min(self.state.next, time.time()))
                result = self._result(job, repository)
            self._answer(job, "done", "", result)
        except Exception as trouble:
            found = trouble.result if isinstance(trouble, drill.Differs) else {}
            self._answer(job, "failed", why(trouble), found)
        return None

    def _result(self, job: Job, repository: Repository) -> dict[str, Any]:
        match job.do:
            case "backup":
                said = closing.last(repository) if job.closing else repository.backup()
                kept = repository.points() if job.closing else repository.tidy(time.time())
                after = time.time() + repository.wanted.every
                self.state.set(
                    last=said, points=[point.kept() for point in kept], next=after, error="", failures=0
                )
                return said
            case "look":
                return look.look(repository, job)
            case "drill":
                return drill.drill(repository, job.id, job.point)
            case "export":
                return Export(repository, self.situation, self.home_of, self._meanwhile).run(job)
            case "prune":
                return {"points": len(repository.tidy(time.time()))}
            case "restore" if job.mailbox or job.undo:
                return Restore(repository, self.home_of).run(job)
            case "restore":
                return Whole(repository, self.home_of, self._changed).run(job)
        raise Trouble("this agent does not know how")

    def _meanwhile(self) -> None:
        """A long job ends when nobody asks for it any more, and no backup waits for it. Raises Trouble."""
        wanted = self.wanted
        if wanted is None or all(job.id != self._job for job in wanted.jobs):
            raise Trouble("it is not asked for any more")
        self._settle(wanted)
        if self._lock and not wanted.hold and self._due(wanted, time.time()) == "backup":
            self._come_round("backup", wanted, self._lock)

    def _answer(self, job: Job, state: str, why: str, result: dict[str, Any]) -> None:
        self.state.set(jobs={**self.state.jobs, job.id: {"state": state, "why": why, "result": result}})

    def _opened(self, wanted: Wanted, lock: IO[bytes], cached: bool = True) -> Any:
        return run.opened(self.host, wanted, self.state, lock, self._phase, cached=cached)

    def _phase(self, phase: str, said: dict[str, Any]) -> None:
        """What is going on, for whoever looks at the dashboard."""
        done = said.get("bytes_done", said.get("bytes_restored", 0))
        total, left = said.get("total_bytes", 0), said.get("seconds_remaining", 0)
        self.running = {"job": self._job, "phase": phase, "done": done, "total": total, "left": left}

    def _release_if_short(self) -> None:
        if not scratch.has_room(self.host.places.stage, 0) or _free(self.host.places.stage) < SHORT:
            staging.clear(self.host.places)

    def _changed(self) -> None:
        if situation := self.situation():
            situation.changed()

    def home_of(self, mailbox: str) -> Path | None:
        """Where a mailbox that the order in force serves has its home."""
        situation = self.situation()
        boxes = situation.mail.mailboxes if situation else ()
        homes = [addresses.home(box.address, box.id) for box in boxes if box.id == mailbox]
        return self.host.places.mail / Path(homes[0]).relative_to(STORE) if homes else None


def is_open(hours: tuple[int, int] | None, now: float) -> bool:
    """Whether backups may begin at this hour, UTC; from 22 to 6 is over midnight, and equal hours are all."""
    if hours is None or hours[0] % 24 == hours[1] % 24:
        return True
    first, last, hour = hours[0] % 24, hours[1] % 24, int(now // 3600) % 24
    return first <= hour < last if first < last else hour >= first or hour < last


def why(trouble: Exception) -> str:
    """A line for the report; of what nobody foresaw only where it was."""
    if isinstance(trouble, Failed) and trouble.code == LOCKED:
        return "another run holds the repository's lock"
    if isinstance(trouble, Failed | Trouble | Later | Closed):
        return str(trouble)[:300]
    if isinstance(trouble, OSError) and trouble.strerror:
        return f"refused by the system: {trouble.strerror}"
    return f"unexpected {type(trouble).__name__} {place(trouble)}"


def fitted(said: dict[str, Any], most: int = LONGEST) -> dict[str, Any]:
    """The same with older points left out, then answers waiting for a later report, until it fits in one."""
    said = copy.copy(said)
    while len(json.dumps(said)) > most and (len(said["points"]) > 1 or len(said["jobs"]) > 1):
        name = "points" if len(said["points"]) > 1 else "jobs"
        said[name] = said[name][len(said[name]) // 2 :] if name == "points" else said[name][:-1]
    return said


def _free(path: Path) -> float:
    usage = shutil.disk_usage(path)
    return usage.free / usage.total
