"""A server becomes one of another plan: in its window its own machine grows, or it moves to a smaller one."""

from datetime import timedelta

from django.utils import timezone

from backups import actions as backups
from backups import moving
from engine import actions as engine
from engine.alarms import close_alarm, open_alarm
from engine.program import Next, done, hop, nap
from servers import plan_changes, rebuilding, replacements
from servers.models import Destruction, PlanChange, Replacement, Server
from servers.plans import PLANS
from servers.programs.change_machine import ChangeMachine
from servers.programs.keep import Keep

LONGEST_NAP = 3600.0  # seconds
BACKED_UP_WITHIN = timedelta(minutes=45)
BACK_WITHIN = timedelta(hours=1)
LISTENS = timedelta(minutes=5)
ALARM_AFTER = 3  # windows in which it could not be done
FULL_FOR = timedelta(days=14)  # then staff hear of a server that is too full for what is paid
WENT_BACK_FOR = timedelta(days=3)  # somebody may have had a reason
State = PlanChange.State


class Resize(ChangeMachine):
    """Until the machine is touched all of it can be withdrawn; afterwards it runs again, whatever its type."""

    first = "wait_window"

    def wait_window(self) -> Next:
        """A window that was missed, because no worker was up or the server was not fit for it, is not stretched."""
        row = plan_changes.living(self.server)
        if row is None:
            return done("withdrawn")
        if row.state == State.UNDER_WAY:
            return nap(60) if replacements.living(self.server) else hop(self.turn_off)
        now = timezone.now()
        if now < row.at:
            return nap(min((row.at - now).total_seconds(), LONGEST_NAP))
        if now > row.at + timedelta(hours=self.server.reboot_hours):
            return self._another_time(row.why)
        if why := self._obstacle():
            self._note(why=why)
            return nap(60)
        return hop(self.look_at_room) if plan_changes.is_smaller(row) else hop(self.back_up)

    def _obstacle(self) -> str:
        """What must be over first."""
        if Destruction.objects.filter(server=self.server).exists():
            return "ending"
        if self.server.ready_at is None or self.server.machine_id is None:
            return "being_made"
        if replacements.living(self.server):
            return "moves"
        agent = self.agent
        heard = agent.reported_at if agent else None
        return "" if heard and heard > timezone.now() - LISTENS else "silent"

    def _another_time(self, why: str, after: timedelta = timedelta()) -> Next:
        at = plan_changes.next_window(self.server, timezone.now() + max(after, plan_changes.NOTICE))
        self._note(at=at, why=why, chosen=False)
        return hop(self.wait_window)

    def look_at_room(self) -> Next:
        """Nothing is moved that does not fit; its owner is told once what to delete, and it is looked at again each day."""
        row = self.change
        fit = plan_changes.fit(self.server, row.after)
        if fit.fits:
            close_alarm(self._full)
            return hop(self.settle) if self.server.machine_type in self._types else hop(self.move)
        if timezone.now() - row.wanted_at > FULL_FOR:
            self._alarm_of_room()
        plan_changes.tell(self.server, "plan_no_room", str(row.pk), plan=PLANS[row.after].name)
        return self._another_time("no_room", timedelta(hours=20))

    @property
    def _full(self) -> str:
        return f"{self.server.subject}:too_full_for_its_plan"

    def _alarm_of_room(self) -> None:
        open_alarm(
            key=self._full,
            subject=self.server.subject,
            says=f"{self.server.name} has been too full for the plan that is paid for more than 14 days.",
            advice="Its page says by how much. Write to its owner; nothing is moved or deleted before it fits.",
        )

    def move(self) -> Next:
        """From here on it is a move like any other, with the old machine as the way back."""
        row = self.change
        try:
            moved = rebuilding.want_rebuild(server=self.server, by="program:Resize", plan=row.after)
        except rebuilding.CannotMove:
            return self._another_time("no_point")
        if moved.plan != row.after:
            return self._another_time("moves")
        self._note(state=State.UNDER_WAY, begun_at=timezone.now(), old_type=self.server.machine_type, why="")
        self.args["replacement"] = moved.pk
        return hop(self.wait_moved)

    def wait_moved(self) -> Next:
        moved = Replacement.objects.get(pk=self.args["replacement"])
        if moved.finished_at is None:
            return nap(60)
        if moved.state == Replacement.State.DONE:
            return hop(self.settle)
        return self._not_now("went_back", WENT_BACK_FOR)

    def back_up(self) -> Next:
        """While mail flows; the machine's own disk comes along, so this is for the worst."""
        if self.server.machine_type in self._types:
            return hop(self.settle)
        if backups.wanted(self.server.pk) is None:
            return hop(self.begin)
        job = backups.want_job(home=self.server.pk, do="backup", args={}, by="program:Resize")
        self._note(backup=job.pk)
        return hop(self.wait_backup)

    def wait_backup(self) -> Next:
        """A move that begins meanwhile drops the job, and goes first."""
        if replacements.living(self.server):
            return hop(self.wait_window)
        said = moving.outcome(self.change.backup)
        if said and said.state == "done":
            return hop(self.begin)
        failed = said is None or said.state == "failed" or self.waited() > BACKED_UP_WITHIN
        return self._not_now("backup") if failed else nap(15)

    def begin(self) -> Next:
        """The point from which it is not withdrawn any more; a move that was asked for meanwhile goes first."""
        server = Server.objects.select_for_update().get(pk=self.server.pk)
        now = timezone.now()
        waiting = PlanChange.objects.filter(server=server, state=State.WAITING, at__lte=now)
        if self._obstacle() or not waiting.exists():
            return hop(self.wait_window)
        waiting.update(state=State.UNDER_WAY, begun_at=now, old_type=server.machine_type, why="")
        Server.objects.filter(pk=server.pk).update(rebuilding_since=now)
        for name in ("choice", "action", "kept_as_it_was", "disk_gb", "disk_total", "off_at"):
            self.args.pop(name, None)
        self.expect(self.settle, within=BACK_WITHIN)
        self.record("server.plan_change_begun", before=self.change.before, after=self.change.after)
        return hop(self.turn_off)

    def settle(self) -> Next:
        """It serves again: as one of the new plan, or as it was."""
        Server.objects.filter(pk=self.server.pk).update(rebuilding_since=None)
        engine.start(Keep, subject=self.server.subject)
        if why := self.args.pop("kept_as_it_was", ""):
            return self._not_now(why)
        return self._done()

    def _done(self) -> Next:
        row = self.change
        Server.objects.filter(pk=self.server.pk).update(plan=row.after)
        self._note(state=State.DONE, finished_at=timezone.now(), why="")
        close_alarm(self._failing)
        self.record("server.plan_changed", before=row.before, after=row.after)
        plan_changes.tell(
            self.server,
            "plan_changed",
            str(row.pk),
            before=PLANS[row.before].name,
            after=PLANS[row.after].name,
        )
        return self._follow(row) or done("changed")

    def _follow(self, row: PlanChange) -> Next | None:
        """What was paid for while this was under way is a change of its own, unless it is the plan that it is of."""
        server = Server.objects.select_for_update().select_related("account").get(pk=self.server.pk)
        self._note(state=State.WITHDRAWN, finished_at=timezone.now())
        if row.following in ("", server.plan):
            return None
        plan_changes.plan(server, row.following, "program:Resize")
        return hop(self.wait_window)

    def _not_now(self, why: str, after: timedelta = timedelta()) -> Next:
        """It serves as it was, and the next window is another try."""
        row = self.change
        failures = row.failures + 1
        self.record("server.plan_change_failed", why=why, failures=failures)
        if row.following:
            return self._follow(row) or done("withdrawn")
        self._note(state=State.WAITING, failures=failures)
        plan_changes.tell(self.server, "plan_waits", f"{row.pk}:{why}", plan=PLANS[row.after].name, why=why)
        if failures >= ALARM_AFTER:
            open_alarm(
                key=self._failing,
                subject=self.server.subject,
                says=f"{self.server.name} could not be made one of its plan, {failures} times: {why}.",
                advice="Are these machine types sold at its place? Are its backups in order? It is tried in each window.",
            )
        return self._another_time(why, after)

    @property
    def _failing(self) -> str:
        return f"{self.server.subject}:plan_change_fails"

    def give_up(self) -> Next:
        """Hetzner does not know the machine: what brings a lost server back is for others, and goes first."""
        self.run.deadline_step, self.run.deadline_at = "", None
        Server.objects.filter(pk=self.server.pk).update(rebuilding_since=None)
        engine.start(Keep, subject=self.server.subject)
        return self._not_now("machine_gone")
