"""A whole server on another machine: what was backed up comes back, and the old machine goes when that is proven."""

import contextlib
from dataclasses import replace
from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext_noop

from accounts import letters
from backups import actions as backups
from backups import moving
from clients.errors import Gone, Refused
from clients.hetzner_cloud import AccountFull, Machine, Order
from engine import actions as engine
from engine.alarms import close_alarm, open_alarm
from engine.program import Next, done, hop, nap
from servers import desired, hetzner, replacements
from servers.models import Agent, Replacement, Server
from servers.programs.go_back import DELETED_WITHIN, GoBack
from servers.programs.keep import Keep
from servers.programs.leave_old import BACK_WITHIN, LeaveOld
from servers.programs.provision import MOST_MACHINES

KEPT_FOR = timedelta(days=3)  # an old machine that has what no restore point has
SOLD_OUT_FOR = timedelta(minutes=20)  # then the old machine is better than none
SILENT_FOR = timedelta(minutes=10)
RESTORES = 2  # tries on one machine
LONGEST_NAP = 3600.0  # seconds
WHY_HANDED = "the server is restored to another machine"
State = Replacement.State


class Rebuild(LeaveOld):
    """Orders, enrols, sets up and proves as for a new server; what is restored stands between."""

    def _promise(self) -> None:
        if not self.run.deadline_step:
            self.expect(self.announce, within=BACK_WITHIN)

    @property
    def _plan(self) -> str:
        return self.replacement.plan or self.server.plan

    @property
    def _token(self) -> str:
        return f"{self.replacement.pk}-{self.run.pk}-{self._attempt}"

    def order_machine(self) -> Next:
        """Where nothing can be had for long and the old machine is there, that one serves again."""
        try:
            then = super().order_machine()
        except AccountFull:
            if not self.replacement.old_machine:
                raise
            return self._back(gettext_noop("There was no room for another machine."))
        if not self.args.get("sold_out"):
            self.args.pop("sold_out_since", None)
            return then
        since = self.args.setdefault("sold_out_since", timezone.now().timestamp())
        too_long = timezone.now().timestamp() - since > SOLD_OUT_FOR.total_seconds()
        if too_long and self.replacement.old_machine:
            return self._back(gettext_noop("The data centre had no machine free."))
        return then

    def _order(self, machine_type: str) -> Order:
        kept = self.replacement.addresses
        return replace(super()._order(machine_type), ipv4=kept.get("ipv4"), ipv6=kept.get("ipv6"))

    def _create(self, machine_type: str) -> Machine:
        """After a lost answer the addresses are in use already: by the machine of our name."""
        try:
            return super()._create(machine_type)
        except Gone as error:
            raise Refused(str(error), code=error.code) from None
        except Refused as error:
            found = (
                hetzner.cloud().find(self.server.machine_name)
                if error.code.startswith("primary_ip")
                else None
            )
            if found is None:
                raise
            return found

    def _without_snapshot(self, error: Refused) -> Next | None:
        """It may also be a kept address that is gone, or that is elsewhere: then the machine gets a new one."""
        return self._without_addresses(error) or super()._without_snapshot(error)

    def _without_addresses(self, error: Refused) -> Next | None:
        if error.code == "primary_ip_datacenter_mismatch":
            self._note(addresses={})
            return nap(0)
        for kind, number in self.replacement.addresses.items():
            try:
                hetzner.cloud().address(number)
            except Gone:
                return self._forget_address(kind)
        return None

    def wait_before_another(self) -> Next:
        """No end of machines where the old one can serve."""
        if self._attempt > MOST_MACHINES and self.replacement.old_machine:
            return self._back(gettext_noop("No new machine could be made to work."))
        return super().wait_before_another()

    def wait_agent(self) -> Next:
        """An earlier run may have heard it enrol; the old one's row was put aside."""
        return hop(self.set_up) if self.agent else super().wait_agent()

    def set_up(self) -> Next:
        """The new agent is given the backups' password, sealed to its own key, and is asked to restore."""
        agent = self.agent
        if agent is None:
            return hop(self.wait_agent)
        backups.hand_over(
            home=self._home, seal_key=agent.seal_key, by=f"program:{type(self).__name__}", why=WHY_HANDED
        )
        self._ask_restore(agent)
        return hop(self.wait_set_up)

    def _ask_restore(self, agent: Agent) -> None:
        row = self.replacement
        moving.drop_jobs(self._home, "another machine is asked")
        job = backups.want_job(
            home=self._home, do="restore", args={"point": row.point}, by=f"program:{type(self).__name__}"
        )
        self._note(restore=job.pk)
        self.args["version"] = desired.order(agent)
        self.record("server.ordered_to_be", version=self.args["version"], restore=str(job.pk))

    def wait_set_up(self) -> Next:
        agent = self.agent
        if agent and agent.applied_version >= self.args["version"]:
            return hop(self.wait_restored)
        return hop(self.look_at_silent) if self._is_silent(agent) else nap(15)

    def _is_silent(self, agent: Agent | None) -> bool:
        heard = agent.reported_at or agent.enrolled_at if agent else self.run.step_since
        return timezone.now() - max(heard, self.run.step_since) > SILENT_FOR

    def look_at_silent(self) -> Next:
        """A machine that vanished is replaced; one that is off is turned on; else it may come back by itself."""
        try:
            if hetzner.cloud().get(self.server.machine_id or 0).status == "off":
                hetzner.cloud().power_on(self.server.machine_id or 0)
        except Gone:
            return hop(self.drop_machine)
        return hop(self.wait_set_up)

    def wait_restored(self) -> Next:
        """What is wanted meanwhile, such as another password, is ordered too."""
        agent, said = self.agent, moving.outcome(self.replacement.restore)
        if said is None or said.state == "failed":
            return self._restore_failed(said.why if said else "it was forgotten")
        if said.state == "wanted":
            return self._still_restoring(agent)
        lacking = self._lacking(said)
        if lacking:
            return self._restore_failed(lacking)
        self._note(restored=said.result["messages"])
        self.record("server.restored", messages=said.result["messages"], point=self.replacement.point)
        return hop(self.prove)

    def _still_restoring(self, agent: Agent | None) -> Next:
        if agent is None or self._is_silent(agent):
            return hop(self.look_at_silent)
        if not desired.is_current(agent):
            self.args["version"] = desired.order(agent)
        return nap(15)

    def _lacking(self, said: moving.Outcome) -> str:
        """As many messages as the point was said to have, but for mailboxes that nobody has any more."""
        restored, expected = said.result.get("messages"), self.replacement.messages
        if type(restored) is not int or restored < 0:
            return "it did not say how much was restored"
        fewer = restored < (expected or 0) and not said.result.get("not_served")
        return f"{restored} of {expected} messages were restored" if fewer else ""

    def _restore_failed(self, why: str) -> Next:
        """Once more; then the old machine serves again, or where it is gone, another new one is tried."""
        agent, tries = self.agent, self.args.get("restores", 0) + 1
        self.args["restores"] = tries
        self._note(why=why[:300])
        self.record("server.restore_failed", why=why[:300], tries=tries)
        if agent and tries < RESTORES:
            self._ask_restore(agent)
            return hop(self.wait_set_up)
        if self.replacement.old_machine:
            return self._back(why)
        self.args["restores"] = 0
        open_alarm(
            key=self._failing,
            subject=self.server.subject,
            says=f"{self.server.name} could not be restored: {why}",
            advice="Another machine is tried. Look at its restore points and at the storage; an older point may do.",
        )
        return hop(self.drop_machine)

    @property
    def _failing(self) -> str:
        return f"{self.server.subject}:restore_fails"

    def _back(self, why: str) -> Next:
        """Only where the customer has not asked for the same at this moment."""
        if replacements.turn_back(self.server, why):
            self.record("server.going_back", why=why)
            engine.start(GoBack, subject=self.server.subject)
        return done("going back")

    def announce(self) -> Next:
        """From here on it serves; the old machine stays as long as it has what is nowhere else."""
        row, now = self.replacement, timezone.now()
        has_more = row.old_machine and (row.queued or (row.lost_since and not row.wish))
        self._note(served_at=now, release_at=now + KEPT_FOR if has_more else None)
        for key in (self._failing, f"{self.server.subject}:lost"):
            close_alarm(key)
        self.record("server.rebuilt", machine=self.server.machine_id, old=row.old_machine)
        letters.to_owners(
            self.server.account,
            "server_rebuilt",
            key=f"server_rebuilt:{row.pk}",
            server=desired.host_name(self.server),
            lost_at=row.lost_since.isoformat(timespec="seconds") if row.lost_since else "",
            url=f"/servers/{self.server.pk}/rebuild",
        )
        return self._serve()

    def _serve(self) -> Next:
        Server.objects.filter(pk=self.server.pk).update(rebuilding_since=None, plan=self._plan)
        engine.start(Keep, subject=self.server.subject)
        return hop(self.wait_release)

    def wait_release(self) -> Next:
        """Until then its owner may go back."""
        until = self.replacement.release_at
        left = (until - timezone.now()).total_seconds() if until else 0
        return nap(min(left, LONGEST_NAP)) if left > 0 else hop(self.settle)

    def settle(self) -> Next:
        """The point of no return is one conditional UPDATE, as is going back."""
        row = self.replacement
        mine = Replacement.objects.filter(pk=row.pk, state__in=(State.UNDER_WAY, State.SETTLED))
        return hop(self.delete_old) if mine.update(state=State.SETTLED) else done("going back")

    def delete_old(self) -> Next:
        old = self.replacement.old_machine
        if old:
            with contextlib.suppress(Gone):
                hetzner.cloud().delete(old)
        return hop(self.check_old_gone)

    def check_old_gone(self) -> Next:
        """Asked by its number; an order to delete that was not carried out is given again."""
        row = self.replacement
        if row.old_machine:
            with contextlib.suppress(Gone):
                hetzner.cloud().get(row.old_machine)
                return hop(self.delete_old) if self.waited() > DELETED_WITHIN else nap(5)
            self.record("server.old_machine_deleted", machine=row.old_machine)
        return hop(self.let_addresses_leave)

    def let_addresses_leave(self) -> Next:
        """The kept addresses belong to the new machine like others: they go when it goes."""
        row = self.replacement
        for number in row.addresses.values():
            with contextlib.suppress(Gone):
                if replacements.let_leave(number):
                    return nap(0)
        self._note(state=State.DONE, finished_at=timezone.now(), old_agent=None)
        return done("rebuilt")
