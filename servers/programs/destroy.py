"""The end of a server: nothing before its day, everything after it, and a receipt."""

import contextlib
from collections.abc import Callable
from datetime import timedelta
from math import ceil
from typing import Any, cast
from uuid import UUID

from django.db.models.functions import Now
from django.utils import timezone

from accounts import letters
from audit import receipts
from backups import actions as backups
from clients.errors import Gone
from domains.actions import forget_home
from engine import actions as engine
from engine.clock import database_now
from engine.program import Next, done, hop, nap
from servers import desired, hetzner, replacements
from servers.models import Agent, Destruction, Metric, PlanChange, Replacement, Server, ThinMetric
from servers.programs.base import ServerProgram
from servers.programs.go_back import AFTER_STOPPING, GoBack
from servers.programs.keep import Keep
from servers.programs.provision import Provision
from servers.programs.rebuild import Rebuild
from servers.programs.resize import Resize
from vault import signing

LONGEST_NAP = 3600.0  # seconds
FINISHED_WITHIN = timedelta(hours=1)
DELETED_WITHIN = timedelta(minutes=2)
REMIND_DAYS = (3, 1)  # before the day; the first letter goes out at once
NOT_TWICE_WITHIN = timedelta(hours=12)
DOUBTED_AT_MOST = timedelta(days=3)  # after the day
LOOK_AGAIN = 60.0  # seconds

Doubt = Callable[[Server], bool]
doubts: list[Doubt] = []  # of rooms above, who may have heard what they do not understand yet


class Destroy(ServerProgram):
    """Waits for the day, removes the machine and what we hold of it, and writes the signed receipt."""

    first = "wait_grace"

    def wait_grace(self) -> Next:
        """Whoever comes back removes the row, and then nothing happens. The day comes by the database's clock alone."""
        destruction = self.destruction
        if destruction is None:
            return done("kept")
        left = (destruction.due_at - database_now()).total_seconds()
        if left <= 0:
            return nap(LOOK_AGAIN) if self._is_doubted(destruction) else hop(self.begin)
        self._remind(destruction)
        return nap(min(left, LONGEST_NAP))

    def _is_doubted(self, destruction: Destruction) -> bool:
        """Whoever may have come back is not deleted over a question that has no answer yet; but not kept for ever."""
        until = destruction.due_at + DOUBTED_AT_MOST
        return database_now() < until and any(doubt(self.server) for doubt in doubts)

    @property
    def destruction(self) -> Destruction | None:
        """Held until the step has ended, so that no letter is written for somebody who has come back."""
        return Destruction.objects.select_for_update().filter(server=self.server).first()

    def _remind(self, destruction: Destruction) -> None:
        """The letter that is due, once for each day of deletion; none where an earlier one has just said the same."""
        now, due = timezone.now(), destruction.due_at
        near = [days for days in REMIND_DAYS if due - now <= timedelta(days=days)]
        if not near or due - timedelta(days=min(near)) < destruction.said_at + NOT_TWICE_WITHIN:
            return
        if destruction.warned_days == min(near):
            return
        destruction.warned_days = min(near)
        destruction.save(update_fields=["warned_days"])
        letters.to_owners(
            self.server.account,
            "destruction_near",
            key=f"destruction_near:{self.server.pk}:{due:%Y%m%dT%H%M%S%f}:{min(near)}",
            server=desired.host_name(self.server),
            due=due.isoformat(timespec="seconds"),
            days=ceil((due - now) / timedelta(days=1)),
            url=f"/servers/{self.server.pk}",
        )

    def begin(self) -> Next:
        """The point of no return is one conditional UPDATE; coming back is a conditional DELETE of the same row."""
        begun = Destruction.objects.filter(server=self.server, due_at__lte=Now(), begun_at=None).update(
            begun_at=Now()
        )
        if not begun:
            return hop(self.wait_grace)
        self.expect(self.tell, within=FINISHED_WITHIN)
        self.record("destruction.begun")
        return hop(self.stop_others)

    def stop_others(self) -> Next:
        engine.stop(Keep, subject=self.server.subject)
        others = (Provision, Rebuild, GoBack, Resize)
        stopped = [engine.stop(one, subject=self.server.subject) for one in others]
        PlanChange.objects.filter(server=self.server, finished_at=None).update(
            state=PlanChange.State.ENDED, finished_at=timezone.now()
        )
        return hop(self.wait_for_others) if any(stopped) else hop(self.delete_machine)

    def wait_for_others(self) -> Next:
        """A machine may have been ordered a moment ago; its answer must not come after our look."""
        left = AFTER_STOPPING - self.waited().total_seconds()
        return nap(left) if left > 0 else hop(self.delete_machine)

    def delete_machine(self) -> Next:
        """By id, or by name where the id was never heard; a machine that is gone already counts as deleted."""
        cloud = hetzner.cloud()
        machine = self.server.machine_id
        if machine is None:
            found = cloud.find(self.server.machine_name)
            machine = found.id if found else None
        self._note("the machine and its disk", **self._delete(machine))
        return hop(self.check_gone)

    def _delete(self, machine: int | None) -> dict[str, Any]:
        if machine is None:
            return {"machine": None, "answer": "there was no machine of this name"}
        try:
            answer = hetzner.cloud().delete(machine)
        except Gone:
            return {"machine": machine, "answer": "already gone"}
        return {
            "machine": machine,
            "answer": answer.status,
            "action": answer.action,
            "command": answer.command,
        }

    def check_gone(self) -> Next:
        """Asked once more by name: only a machine that Hetzner no longer knows is gone.

        Hetzner may take an order to delete and fail to carry it out, so it is given again.
        """
        if hetzner.cloud().find(self.server.machine_name):
            return hop(self.delete_machine) if self.waited() > DELETED_WITHIN else nap(5)
        self._note("looked for it once more", provider="Hetzner Cloud", answer="no machine of this name")
        return hop(self.delete_before)

    def delete_before(self) -> Next:
        """The machine that was left, where one is kept, and the addresses that were to stay."""
        row = replacements.living(self.server)
        if row and row.old_machine:
            self._note("the machine before it and its disk", **self._delete(row.old_machine))
        return hop(self.check_before_gone)

    def check_before_gone(self) -> Next:
        """An address can be given back only when no machine has it; one that went with its machine is gone."""
        row = replacements.living(self.server)
        if row is None:
            return hop(self.end_backups)
        with contextlib.suppress(Gone):
            hetzner.cloud().get(row.old_machine or 0)
            return hop(self.delete_before) if self.waited() > DELETED_WITHIN else nap(5)
        for number in row.addresses.values():
            with contextlib.suppress(Gone):
                hetzner.cloud().delete_address(number)
                self._note("an address that was kept", answer="deleted", address=number)
        Replacement.objects.filter(pk=row.pk).update(
            state=Replacement.State.ENDED, finished_at=timezone.now(), old_agent=None
        )
        return hop(self.end_backups)

    def end_backups(self) -> Next:
        """Their password is shredded first, so that what is left is noise before it is deleted."""
        had = backups.forget_home(home=cast(UUID, self.server.pk), by="program:Destroy")
        return hop(self.wait_backups_gone) if had else hop(self.remove_traces)

    def wait_backups_gone(self) -> Next:
        """Till the bucket names nothing of it any more."""
        removed = backups.is_forgotten(cast(UUID, self.server.pk))
        if removed is None:
            return nap(10)
        self._note("its backups", provider="Object Storage", answer="none of its objects is left", **removed)
        return hop(self.remove_traces)

    def remove_traces(self) -> Next:
        """The agent's keys, its way in, the measurements and what its mail was to be go; events stay for their year."""
        Server.objects.filter(pk=self.server.pk).update(enrolment_hash="")
        Agent.objects.filter(server=self.server).delete()
        raw, _ = Metric.objects.filter(server_id=self.server.pk).delete()
        thin, _ = ThinMetric.objects.filter(server=self.server).delete()
        of_mail = forget_home(cast(UUID, self.server.pk))
        self._note(
            "the agent's keys and our measurements of it",
            provider="Mailat",
            rows=raw + thin,
            answer="deleted",
        )
        if of_mail:
            self._note("its domains and mailboxes", provider="Mailat", rows=of_mail, answer="deleted")
        return hop(self.write_receipt)

    def _note(self, what: str, *, provider: str = "Hetzner Cloud", **answer: Any) -> None:
        """Adds to what the receipt will say; the event says it too."""
        destruction = Destruction.objects.select_for_update().get(server=self.server)
        line = {
            "what": what,
            "provider": provider,
            "at": timezone.now().isoformat(timespec="seconds"),
            **answer,
        }
        destruction.answers = [*destruction.answers, line]
        destruction.save(update_fields=["answers"])
        self.record("destruction.removed", what=what, provider=provider, **answer)

    def write_receipt(self) -> Next:
        receipt = receipts.issue(
            account=cast(UUID, self.server.account_id),
            subject=self.server.subject,
            facts=self._facts(),
            sign=signing.sign,
        )
        Server.objects.filter(pk=self.server.pk).update(
            gone_at=timezone.now(), machine_id=None, ipv4=None, ipv6=None
        )
        self.args["receipt"] = str(receipt.pk)
        self.record("destruction.finished", receipt=str(receipt.pk))
        return hop(self.tell)

    def _facts(self) -> dict[str, Any]:
        server, destruction = self.server, Destruction.objects.get(server=self.server)
        return {
            "server": {
                "id": str(server.pk),
                "name": desired.host_name(server),
                "place": server.place,
                "machine_type": server.machine_type,
                "addresses": [address for address in (server.ipv4, server.ipv6) if address],
                "wanted_at": server.wanted_at.isoformat(timespec="seconds"),
            },
            "reason": destruction.reason,
            "said_at": destruction.said_at.isoformat(timespec="seconds"),
            "said_by": destruction.by,
            "due_at": destruction.due_at.isoformat(timespec="seconds"),
            "begun_at": destruction.begun_at.isoformat(timespec="seconds") if destruction.begun_at else None,
            "removed": destruction.answers,
        }

    def tell(self) -> Next:
        letters.to_owners(
            self.server.account,
            "destroyed",
            key=f"destroyed:{self.server.pk}",
            server=desired.host_name(self.server),
            url=f"/receipts/{self.args['receipt']}",
        )
        return done("destroyed")
