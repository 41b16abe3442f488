"""The end of a server: nothing before its day, everything after it, and a receipt."""

from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from django.utils import timezone

from accounts import letters
from audit import receipts
from clients.errors import Gone
from engine import actions as engine
from engine.program import Next, done, hop, nap
from servers import desired, hetzner
from servers.models import Agent, Destruction, Metric, Server, ThinMetric
from servers.programs.base import ServerProgram
from servers.programs.keep import Keep
from servers.programs.provision import Provision
from vault import signing

LONGEST_NAP = 3600.0  # seconds
FINISHED_WITHIN = timedelta(hours=1)
DELETED_WITHIN = timedelta(minutes=2)
AFTER_STOPPING = 40  # seconds: an order to Hetzner that was under way has been answered by then


class Destroy(ServerProgram):
    """Waits for the day, removes the machine and what we hold of it, and writes the signed receipt."""

    first = "wait_grace"

    def wait_grace(self) -> Next:
        """Whoever comes back removes the row, and then nothing happens."""
        destruction = self.destruction
        if destruction is None:
            return done("kept")
        left = (destruction.due_at - timezone.now()).total_seconds()
        return nap(min(left, LONGEST_NAP)) if left > 0 else hop(self.begin)

    @property
    def destruction(self) -> Destruction | None:
        return Destruction.objects.filter(server=self.server).first()

    def begin(self) -> Next:
        """The point of no return is one conditional UPDATE; coming back is a conditional DELETE of the same row."""
        now = timezone.now()
        begun = Destruction.objects.filter(server=self.server, due_at__lte=now, begun_at=None).update(
            begun_at=now
        )
        if not begun:
            return hop(self.wait_grace)
        self.expect(self.tell, within=FINISHED_WITHIN)
        self.record("destruction.begun")
        return hop(self.stop_others)

    def stop_others(self) -> Next:
        engine.stop(Keep, subject=self.server.subject)
        stopped = engine.stop(Provision, subject=self.server.subject)
        return hop(self.wait_for_others) if stopped else hop(self.delete_machine)

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
        return hop(self.remove_traces)

    def remove_traces(self) -> Next:
        """The agent's keys, its way in and the measurements go; events stay for their year."""
        Server.objects.filter(pk=self.server.pk).update(enrolment_hash="")
        Agent.objects.filter(server=self.server).delete()
        raw, _ = Metric.objects.filter(server_id=self.server.pk).delete()
        thin, _ = ThinMetric.objects.filter(server=self.server).delete()
        self._note(
            "the agent's keys and our measurements of it",
            provider="Mailat",
            rows=raw + thin,
            answer="deleted",
        )
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
