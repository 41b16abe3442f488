"""The first half of a move: the old machine is backed up, turned off and put aside, with its addresses kept."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext_noop

from backups import actions as backups
from backups import moving
from clients.errors import Gone
from engine import actions as engine
from engine.alarms import close_alarm, open_alarm
from engine.program import Next, hop, nap
from servers import desired, hetzner, replacements
from servers.models import Agent, Replacement, Server
from servers.programs.keep import Keep
from servers.programs.provision import Provision

BACK_WITHIN = timedelta(hours=3)
LISTENS = timedelta(minutes=5)  # an agent that was heard of so lately is asked for a last backup
BACKED_UP_WITHIN = timedelta(minutes=30)
POINT_WITHIN = timedelta(minutes=2)  # after its backup a point's row comes with the next report
OFF_WITHIN = timedelta(seconds=90)  # then its power is cut
MOVES = "the server moves to another machine"


class LeaveOld(Provision, abstract=True):
    """Steps about the machine that is left; each may be repeated, and none deletes anything."""

    first = "begin"

    @property
    def replacement(self) -> Replacement:
        return Replacement.objects.get(server=self.server, finished_at=None)

    @property
    def _home(self) -> UUID:
        return cast(UUID, self.server.pk)

    def _note(self, **changes: Any) -> None:
        Replacement.objects.filter(server=self.server, finished_at=None).update(**changes)

    def begin(self) -> Next:
        """Nobody else orders anything of it meanwhile. What an earlier try has put aside is not put aside again."""
        if self.replacement.served_at:
            return self._serve()
        self.expect(self.announce, within=BACK_WITHIN)
        engine.stop(Keep, subject=self.server.subject)
        return hop(self.make_firewall) if self.replacement.retired_at else hop(self.look_for_old)

    def look_for_old(self) -> Next:
        """One that Hetzner lost a moment ago was heard of a moment ago, and is not waited for."""
        old = self.replacement.old_machine
        try:
            if old:
                hetzner.cloud().get(old)
        except Gone:
            self._lose_old()
        return hop(self.close_mail)

    def close_mail(self) -> Next:
        """A last backup, with mail closed, so that nothing arrives after it: senders keep it and try again."""
        agent = self.agent
        if self.replacement.old_machine is None or agent is None or not self._listens(agent):
            return hop(self.choose_point)
        moving.drop_jobs(self._home, MOVES)
        job = backups.want_job(
            home=self._home, do="backup", args={"closing": True}, by=f"program:{type(self).__name__}"
        )
        self._note(last_backup=job.pk)
        self.record("server.mail_closed", job=str(job.pk), version=desired.order(agent))
        return hop(self.wait_closed)

    def wait_closed(self) -> Next:
        """However it ends: a server that cannot be backed up any more may be the reason for all this."""
        said, agent = moving.outcome(self.replacement.last_backup), self.agent
        if said is None or said.state != "wanted" or self.waited() > BACKED_UP_WITHIN:
            return hop(self.choose_point)
        return nap(15) if agent and self._listens(agent) else hop(self.choose_point)

    def _listens(self, agent: Agent) -> bool:
        return agent.reported_at is not None and agent.reported_at > timezone.now() - LISTENS

    def choose_point(self) -> Next:
        """From here on it is certain what comes back, and what does not."""
        row = self.replacement
        said = moving.outcome(row.last_backup)
        point = moving.newest_point(self._home, row.wish)
        is_last = bool(said and said.state == "done" and point and point.stored_at >= row.asked_at)
        if said and said.state == "done" and not is_last and not row.wish and self.waited() < POINT_WITHIN:
            return nap(5)
        if point is None:
            return self._without_points(row)
        close_alarm(replacements.no_points(self.server))
        self._note(
            point=point.snapshot,
            point_at=point.at,
            messages=point.messages,
            lost_since=None if is_last else point.at,
            queued=replacements.queued(said.result if said else {}),
            why=said.why if said and said.state == "failed" else "",
        )
        self.record("server.restore_chosen", point=point.snapshot, last_backup=is_last, **_said(said))
        return hop(self.turn_off)

    def _without_points(self, row: Replacement) -> Next:
        if row.old_machine:
            return self._back(gettext_noop("There is no restore point to bring back."))
        open_alarm(
            key=replacements.no_points(self.server),
            subject=self.server.subject,
            says=f"{self.server.name} is to be brought back, and has no restore point.",
            advice="Look at its repository: is something in the trash? Nothing is ordered before there is one.",
        )
        return nap(300)

    def turn_off(self) -> Next:
        row = self.replacement
        if row.old_machine is None:
            return hop(self.retire)
        try:
            if hetzner.cloud().get(row.old_machine).status != "off":
                hetzner.cloud().shut_down(row.old_machine)
        except Gone:
            return self._old_is_gone()
        return hop(self.wait_off)

    def _old_is_gone(self) -> Next:
        """Nothing is left to go back to, nor addresses to keep."""
        self._lose_old()
        return hop(self.retire)

    def _lose_old(self) -> None:
        self.record("server.old_machine_gone", machine=self.replacement.old_machine)
        self._note(old_machine=None)

    def wait_off(self) -> Next:
        """One that does not turn itself off loses its power; its disk is a journal's, and its mail is closed."""
        old = self.replacement.old_machine or 0
        try:
            if hetzner.cloud().get(old).status == "off":
                return hop(self.find_addresses)
            if self.waited() > OFF_WITHIN:
                hetzner.cloud().power_off(old)
        except Gone:
            return self._old_is_gone()
        return nap(3)

    def find_addresses(self) -> Next:
        """Written down before anything is done with them."""
        try:
            found = hetzner.cloud().addresses_of(self.replacement.old_machine or 0)
        except Gone:
            return self._old_is_gone()
        known = self.replacement.addresses
        self._note(addresses={**known, **{one.kind: one.id for one in found}})
        return hop(self.keep_addresses)

    def keep_addresses(self) -> Next:
        """Each is told to stay and then taken from the old machine, one call a step."""
        row = self.replacement
        for kind, number in row.addresses.items():
            try:
                if replacements.set_aside(number, row):
                    return nap(0)
            except Gone:
                return self._forget_address(kind)
        return hop(self.rename_old)

    def _forget_address(self, kind: str) -> Next:
        """One that is gone is replaced by a new one, and the page says so."""
        self._note(addresses={name: one for name, one in self.replacement.addresses.items() if name != kind})
        return nap(0)

    def rename_old(self) -> Next:
        """A project has each name once, and ours is for the new machine."""
        row = self.replacement
        try:
            hetzner.cloud().rename(row.old_machine or 0, row.old_name)
        except Gone:
            return self._old_is_gone()
        return hop(self.retire)

    def retire(self) -> Next:
        """The old agent's secret counts no more; what was known of it is kept, in case we go back."""
        agent = Agent.objects.filter(server=self.server).first()
        if self.replacement.retired_at is None:
            self._note(retired_at=timezone.now(), old_agent=replacements.columns(agent))
            Agent.objects.filter(server=self.server).delete()
            Server.objects.filter(pk=self.server.pk).update(
                machine_id=None, ipv4=None, ipv6=None, enrolment_hash=""
            )
            self.record("server.machine_retired", machine=self.replacement.old_machine)
        self.forget("enrolled")
        return hop(self.make_firewall)

    def _serve(self) -> Next:
        raise NotImplementedError

    def _back(self, why: str) -> Next:
        raise NotImplementedError


def _said(outcome: moving.Outcome | None) -> dict[str, Any]:
    return {"backup": asdict(outcome)["state"]} if outcome else {}
