"""A server that is to be one of another plan, its machine, and what its agent reports meanwhile."""

from datetime import timedelta
from typing import Any

from accounts.models import Letter
from domains.models import Domain, Mailbox
from sandbox.hetzner import catalog
from servers import resizing
from servers.models import PlanChange, Server
from tests.servers.moving import Move, done

State = PlanChange.State


class Growing(Move):
    """Its agent says how large the disk is, and makes restore points when asked, with mail open or closed."""

    stored = 0  # bytes in its mailboxes

    def back_up(self, job: dict[str, Any]) -> dict[str, Any]:
        self.last = self.point()
        return done(at=1.0, seconds=1, added=1, files=1, why="", queued=0)

    def act(self) -> None:
        self.server.refresh_from_db()
        if self.old_talks and self.is_on(self.first[0]):
            self.old.report(**self._says())
        if self.new_talks and self.server.machine_id not in (None, self.first[0]):
            self._enrolled(self.new)

    def _says(self) -> dict[str, Any]:
        from servers import desired
        from tests.servers import reports

        mailboxes = {"anna@example.org": [self.stored, 3, 0]}
        mail = reports.healthy(desired.host_name(self.server), mailboxes=mailboxes)
        return {"disk_total": self.disk_gb * 10**9 * 0.95, "mail": mail}

    @property
    def disk_gb(self) -> int:
        machine = next(one for one in self.vendor.machines() if one["id"] == self.first[0])
        return catalog.machine_type(machine["server_type"]).disk

    @property
    def change(self) -> PlanChange:
        return PlanChange.objects.filter(server=self.server).latest("pk")

    def want(self, plan: str, *, now: bool = True) -> None:
        """It is paid for, and its time has come."""
        self.act()
        resizing.want_plan(server=self.server, plan=plan, by="gumroad")
        if now:
            self.now()

    def now(self) -> None:
        resizing.set_time(server=self.server, at=None, by="user:1")

    def ends(self, state: str = State.DONE) -> None:
        self.run(lambda: self.change.state == state)

    def tries(self) -> None:
        """Once, and it waits for the next window."""
        failures = self.change.failures
        self.run(lambda: self.change.failures > failures and self.change.state == State.WAITING)

    def waits(self, why: str) -> None:
        self.run(lambda: self.change.why == why)

    def at_resize(self, step: str) -> None:
        """Works one step after the other until this one is next."""
        from engine.models import Run

        for _ in range(300):
            run = self._live("Resize")
            if run is None:
                break
            if run.step == step:
                self.server.refresh_from_db()
                return
            self.take(run, 41, steps=1)
            Run.objects.filter(pk=run.pk, held=True).update(held=False)
            for other in self.runs():
                if other.program != "Resize":
                    self.take(other, 41)
            self.act()
        raise AssertionError(f"{step} was not reached: {[(one.program, one.step) for one in self.runs()]}")

    def letters(self, kind: str) -> int:
        return Letter.objects.filter(kind=kind).count()

    def commands(self) -> list[str]:
        """What was asked of the provider about machines, without looking."""
        calls = [one.rpartition("/")[2] for one in self.vendor.calls() if one.startswith("POST")]
        return [one for one in calls if one in ("shutdown", "poweroff", "poweron", "change_type")]

    def machine(self) -> tuple[str, str]:
        """Its type and state, as the provider says."""
        (one,) = self.vendor.machines()
        return one["server_type"], one["state"]


def fill(server: Server, number: int, quota: int) -> None:
    """So many mailboxes, each with so many bytes promised."""
    domain, _new = Domain.objects.get_or_create(
        home=server.pk, name="example.org", defaults={"account_id": server.account_id}
    )
    rows = [Mailbox(domain=domain, local=f"box-{one}", quota=quota) for one in range(number)]
    Mailbox.objects.bulk_create(rows)


DAY = timedelta(days=1)
