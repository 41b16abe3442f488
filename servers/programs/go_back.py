"""Back to the old machine: the new one goes, and the old one serves again as it was."""

import contextlib
from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_noop

from accounts import letters
from clients.errors import Gone
from clients.hetzner_cloud import Machine
from engine import actions as engine
from engine.alarms import close_alarm
from engine.program import Next, Program, done, hop, nap
from servers import desired, hetzner, replacements
from servers.models import Agent, Replacement, Server
from servers.programs.base import ServerProgram
from servers.programs.keep import Keep

BACK_WITHIN = timedelta(minutes=30)
AFTER_STOPPING = 40  # seconds: an order to Hetzner that was under way has been answered by then
OFF_WITHIN = timedelta(seconds=90)
DELETED_WITHIN = timedelta(minutes=2)
HEARD_WITHIN = timedelta(minutes=15)  # an agent that was silent before may stay so
State = Replacement.State


class GoBack(ServerProgram):
    """Undoes a move that has not ended; until the old machine serves, each step may be repeated."""

    first = "begin"

    @property
    def replacement(self) -> Replacement:
        return Replacement.objects.get(server=self.server, finished_at=None)

    def _note(self, **changes: Any) -> None:
        Replacement.objects.filter(server=self.server, finished_at=None).update(**changes)

    def begin(self) -> Next:
        """The move is stopped, and whatever it asked of Hetzner a moment ago is answered first."""
        self.expect(self.finish, within=BACK_WITHIN)
        engine.stop(Keep, subject=self.server.subject)
        engine.stop(Program.known["Rebuild"], subject=self.server.subject)
        return hop(self.wait_for_others)

    def wait_for_others(self) -> Next:
        left = AFTER_STOPPING - self.waited().total_seconds()
        return nap(left) if left > 0 else hop(self.look_at_old)

    def look_at_old(self) -> Next:
        """Nothing of the new machine is touched before the old one was seen; it is off before it gets anything."""
        try:
            old = hetzner.cloud().get(self.replacement.old_machine or 0)
        except Gone:
            return self._nowhere_to_go()
        if old.status == "off":
            return hop(self.delete_new)
        if self.waited() > OFF_WITHIN:
            hetzner.cloud().power_off(old.id)
            return nap(3)
        hetzner.cloud().shut_down(old.id)  # it may have closed its mail, which a start opens again
        return nap(10)

    def _nowhere_to_go(self) -> Next:
        """The old machine is gone at Hetzner: then the move goes on."""
        self.record("server.old_machine_gone", machine=self.replacement.old_machine)
        self._note(
            state=State.UNDER_WAY,
            old_machine=None,
            why=gettext_noop("The old machine is gone at the provider."),
        )
        engine.start(Program.known["Rebuild"], subject=self.server.subject)
        return done("the old machine is gone")

    def delete_new(self) -> Next:
        """By its name, for its id may never have been heard; the kept addresses do not go with it."""
        new = self._new()
        if new is None:
            return hop(self.return_addresses)
        for number in self.replacement.addresses.values():
            with contextlib.suppress(Gone):
                if self._stays(number):
                    return nap(0)
        with contextlib.suppress(Gone):
            hetzner.cloud().delete(new.id)
        return hop(self.check_new_gone)

    def _new(self) -> Machine | None:
        """The machine of our name, if it is not the old one, which may not have been renamed yet."""
        found = hetzner.cloud().find(self.server.machine_name)
        return found if found and found.id != self.replacement.old_machine else None

    def _stays(self, number: int) -> bool:
        if not hetzner.cloud().address(number).leaves:
            return False
        hetzner.cloud().keep_address(number, leaves=False, labels=replacements.labels(self.replacement))
        return True

    def check_new_gone(self) -> Next:
        if self._new():
            return hop(self.delete_new) if self.waited() > DELETED_WITHIN else nap(5)
        return hop(self.return_addresses)

    def return_addresses(self) -> Next:
        """Each is given to the old machine and goes with it from then on, one call a step."""
        row = self.replacement
        for kind, number in row.addresses.items():
            try:
                if self._returned(number, row.old_machine or 0):
                    return nap(0)
            except Gone:
                self._note(addresses={name: one for name, one in row.addresses.items() if name != kind})
                return nap(0)
        return hop(self.rename_back)

    def _returned(self, number: int, old: int) -> bool:
        if hetzner.cloud().address(number).machine is None:
            hetzner.cloud().give_address(number, old)
            return True
        return replacements.let_leave(number)

    def rename_back(self) -> Next:
        hetzner.cloud().rename(self.replacement.old_machine or 0, self.server.machine_name)
        return hop(self.bring_agent_back)

    def bring_agent_back(self) -> Next:
        """Before the machine starts, so that its first report is heard."""
        row = self.replacement
        if row.retired_at and row.old_agent:
            replacements.bring_agent_back(self.server, row.old_agent)
        elif row.retired_at:
            Agent.objects.filter(server=self.server).delete()
        if row.retired_at:
            Server.objects.filter(pk=self.server.pk).update(
                machine_id=row.old_machine, machine_type=row.old_type, enrolment_hash=""
            )
        self.args["since"] = timezone.now().timestamp()
        return hop(self.power_on)

    def power_on(self) -> Next:
        """Its addresses are as Hetzner says; where one was lost on the way, what it has counts."""
        old = self.replacement.old_machine or 0
        there = hetzner.cloud().get(old)
        Server.objects.filter(pk=self.server.pk).update(ipv4=there.ipv4, ipv6=there.ipv6)
        hetzner.cloud().power_on(old)
        return hop(self.wait_heard)

    def wait_heard(self) -> Next:
        agent = self.agent
        heard = agent and agent.reported_at and agent.reported_at.timestamp() > self.args["since"]
        was_there = bool(agent) and self.waited() < HEARD_WITHIN
        return nap(15) if was_there and not heard else hop(self.finish)

    def finish(self) -> Next:
        """It is as before the move; what arrived on the new machine went with it."""
        row = self.replacement
        self._note(state=State.BACK, finished_at=timezone.now(), old_agent=None)
        Server.objects.filter(pk=self.server.pk).update(
            rebuilding_since=None, plan=row.old_plan or self.server.plan
        )
        close_alarm(f"{self.server.subject}:restore_fails")
        self.record("server.back_on_old_machine", machine=row.old_machine, why=row.why)
        letters.to_owners(
            self.server.account,
            "server_back",
            key=f"server_back:{row.pk}",
            server=desired.host_name(self.server),
            why=row.why,
            url=f"/servers/{self.server.pk}/rebuild",
        )
        engine.wake(
            subject=f"sending:{self.server.pk}"
        )  # its password for SES is sealed to the old key again
        engine.start(Keep, subject=self.server.subject)
        return done("back")
