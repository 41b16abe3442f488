"""The machine of a server becomes one of another type: turned off, changed, turned on, whatever happens in between."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from clients.errors import Gone, Refused, TryLater
from clients.hetzner_cloud import SoldOut
from engine.alarms import close_alarm, open_alarm
from engine.program import Next, hop, nap
from servers import hetzner, plan_changes, plans, proof
from servers.models import PlanChange, Server
from servers.programs.base import ServerProgram

OFF_WITHIN = timedelta(seconds=90)  # then its power is cut
CHANGED_WITHIN = timedelta(minutes=10)  # to be taken on by Hetzner; else it serves as it was
LOOK_AFTER = timedelta(minutes=3)
GROWN_WITHIN = timedelta(minutes=5)
LEAST_SHARE = 0.8  # of a disk, that its file system has for files
NOT_OFF = "server_not_stopped"


class ChangeMachine(ServerProgram, abstract=True):
    """Steps of Resize while the machine is touched; each may be repeated, and each way on ends with it running."""

    @property
    def change(self) -> PlanChange:
        return PlanChange.objects.get(server=self.server, finished_at=None)

    @property
    def _machine(self) -> int:
        return self.server.machine_id or 0

    def _note(self, **changes: Any) -> None:
        PlanChange.objects.filter(server=self.server, finished_at=None).update(**changes)

    @property
    def _types(self) -> tuple[str, ...]:
        return plans.machine_types(self.change.after, self.server.place)

    def turn_off(self) -> Next:
        """It stops its services by itself, so that nothing is half written."""
        try:
            there = hetzner.cloud().get(self._machine)
            self.args.setdefault("disk_gb", there.disk_gb)
            self.args.setdefault("disk_total", self._disk_total)
            if there.status != "off":
                hetzner.cloud().shut_down(self._machine)
        except Gone:
            return hop(self.give_up)
        return hop(self.wait_off)

    def wait_off(self) -> Next:
        try:
            if hetzner.cloud().get(self._machine).status == "off":
                self.args["off_at"] = timezone.now().timestamp()
                return hop(self.change_type)
            if self.waited() > OFF_WITHIN:
                hetzner.cloud().power_off(self._machine)
        except Gone:
            return hop(self.give_up)
        return nap(3)

    def change_type(self) -> Next:
        """The first type of the plan that Hetzner gives; without one, or without an answer for long, it serves as it was."""
        choice = self.args.get("choice", 0)
        try:
            if hetzner.cloud().get(self._machine).machine_type in self._types:
                return hop(self.power_on)
            if choice >= len(self._types):
                return self._unchanged("sold_out")
            answer = hetzner.cloud().change_type(self._machine, self._types[choice])
        except Gone:
            return hop(self.give_up)
        except (SoldOut, Refused) as error:
            self.record("server.type_refused", type=self._types[choice], code=error.code)
            self.args["choice"] = choice + 1
            return nap(0)
        except TryLater as error:
            return self._later(error)
        self.args["action"] = answer.action
        return hop(self.wait_changed)

    def _later(self, error: TryLater) -> Next:
        if error.code == NOT_OFF:
            return hop(self.turn_off)
        if self.waited() > CHANGED_WITHIN:
            return self._unchanged("provider")
        raise error

    def _unchanged(self, why: str) -> Next:
        self.args["kept_as_it_was"] = why
        return hop(self.power_on)

    def wait_changed(self) -> Next:
        """An order that was taken on may still fail; then the next type is tried."""
        try:
            status = hetzner.cloud().answer(self.args["action"]).status
        except Gone:
            return hop(self.change_type)
        if status == "running":
            return nap(5)
        if status == "error":
            self.record("server.type_refused", type=self._types[self.args.get("choice", 0)], code="action")
            self.args["choice"] = self.args.get("choice", 0) + 1
        return hop(self.change_type)

    def power_on(self) -> Next:
        """Hetzner starts it by itself after a change, and says so late or never."""
        try:
            there = hetzner.cloud().get(self._machine)
            Server.objects.filter(pk=self.server.pk).update(machine_type=there.machine_type)
            self.args["disk_gb_now"] = there.disk_gb
            if there.status == "off":
                hetzner.cloud().power_on(self._machine)
        except Gone:
            return hop(self.give_up)
        return hop(self.wait_heard)

    def wait_heard(self) -> Next:
        """A report that came after it was off."""
        agent = self.agent
        if agent and agent.reported_at and agent.reported_at.timestamp() > self.args["off_at"]:
            return hop(self.prove)
        return hop(self.power_on) if self.waited() > LOOK_AFTER else nap(5)

    def prove(self) -> Next:
        """As after any start: its settings are in force, its services answer, and a mail goes out and comes back."""
        agent = self.agent
        self.args["lacks"] = proof.lacks(agent, agent.applied_version if agent else 0)
        if self.args["lacks"]:
            return nap(5)
        self.record("server.proven")
        return hop(self.wait_grown)

    def wait_grown(self) -> Next:
        """The system stretches over the larger disk when it starts; where it did not, the plan counts and staff hear of it."""
        if self._has_grown():
            close_alarm(self._small)
            return hop(self.settle)
        if self.waited() < GROWN_WITHIN:
            return nap(15)
        open_alarm(
            key=self._small,
            subject=self.server.subject,
            says=f"{self.server.name} has a larger disk, and its file system did not grow.",
            advice="Restart the machine in Hetzner's panel: it grows at a start. Look at its console if it does not.",
        )
        return hop(self.settle)

    def _has_grown(self) -> bool:
        """Where the disk is another one, at least half of what it gained is there.

        A host that told of another size than the provider before is one whose figures say nothing about its disk.
        """
        before, now = self.args.get("disk_gb") or 0, self.args.get("disk_gb_now") or 0
        told = (self.args.get("disk_total") or 0) / plan_changes.GB
        is_told = LEAST_SHARE * before <= told <= before
        return now <= before or not is_told or self._disk_total / plan_changes.GB >= (before + now) / 2

    @property
    def _disk_total(self) -> float:
        agent = self.agent
        return float((agent.report.get("disk_total") if agent else None) or 0)

    @property
    def _small(self) -> str:
        return f"{self.server.subject}:disk_not_grown"

    def settle(self) -> Next:
        raise NotImplementedError

    def give_up(self) -> Next:
        raise NotImplementedError
