"""From a wish to a server that works."""

import contextlib
from datetime import timedelta
from hashlib import sha256

from django.conf import settings
from django.utils import timezone

from accounts import letters
from clients.errors import Gone, Refused
from clients.hetzner_cloud import Machine, NameTaken, Order, SoldOut
from engine import actions as engine
from engine.program import Next, done, hop, nap
from servers import desired, hetzner, images, plans, proof
from servers.models import Agent, Firewall, Server
from servers.programs.base import ServerProgram
from servers.programs.keep import Keep
from servers.userdata import enrolment_token, user_data

READY_WITHIN = timedelta(minutes=15)
LOOK_AFTER = timedelta(
    minutes=3
)  # a machine usually calls within one; only then is Hetzner asked what became of it
GIVE_UP_AFTER = timedelta(minutes=12)
SOLD_OUT_NAP = 120  # seconds until the first type is tried again
MOST_MACHINES = 4
NOT_THERE = {"invalid_input", "not_found"}


class Provision(ServerProgram):
    """Orders a machine, waits until its agent calls, sets it up, and proves that it works."""

    first = "make_firewall"

    def make_firewall(self) -> Next:
        """One firewall serves all machines, so this asks Hetzner only once in a project's life."""
        self._promise()
        if not Firewall.objects.filter(name=hetzner.FIREWALL).exists():
            number = hetzner.cloud().ensure_firewall(
                hetzner.FIREWALL, tcp_ports=hetzner.PORTS, labels=hetzner.LABELS
            )
            Firewall.objects.get_or_create(name=hetzner.FIREWALL, defaults={"firewall_id": number})
        return hop(self.order_machine)

    def _promise(self) -> None:
        self.expect(self.announce, within=READY_WITHIN)

    def order_machine(self) -> Next:
        """Tries the plan's machine types in turn; the name is ours, so a create whose answer was lost is found again."""
        choices = plans.machine_types(self._plan, self.server.place)
        choice = self.args.get("choice", 0)
        if choice >= len(choices):
            self.args["choice"] = 0
            self.args["sold_out"] = True
            return nap(SOLD_OUT_NAP)
        try:
            machine = self._create(choices[choice])
        except SoldOut:
            self.args["choice"] = choice + 1
            return nap(0)
        except Refused as error:
            return self._without_snapshot(error) or self._without_firewall(error)
        return self._ordered(machine)

    @property
    def _plan(self) -> str:
        """The machine is to be one of this."""
        return self.server.plan

    def _image(self) -> str | int:
        """Our newest image; the plain one where there is none, or where it was in question for this server."""
        image = None if self.args.get("plain") else images.newest()
        return image.image_id if image else settings.HETZNER_IMAGE

    def _without_snapshot(self, error: Refused) -> Next | None:
        """An image may be gone, or made for a bigger disk: the server is made without it, and the next one too."""
        image = images.newest()
        if error.code not in NOT_THERE or self.args.get("plain") or image is None:
            return None
        images.doubt(image)
        self.args["plain"] = True
        return nap(0)

    def _without_firewall(self, error: Refused) -> Next:
        """Somebody may have deleted the firewall that our row names: it is made once more, and then the error is real."""
        if error.code not in NOT_THERE or self.args.get("firewall_doubted"):
            raise error
        Firewall.objects.filter(name=hetzner.FIREWALL).delete()
        self.args["firewall_doubted"] = True
        return hop(self.make_firewall)

    def _create(self, machine_type: str) -> Machine:
        cloud = hetzner.cloud()
        try:
            return cloud.create(self._order(machine_type))
        except NameTaken:
            found = cloud.find(self.server.machine_name)
            if found is None:
                raise
            return found

    def _order(self, machine_type: str) -> Order:
        return Order(
            name=self.server.machine_name,
            machine_type=machine_type,
            place=self.server.place,
            image=self._image(),
            user_data=user_data(self.server, self._token),
            firewall_id=Firewall.objects.get(name=hetzner.FIREWALL).firewall_id,
            labels={**hetzner.LABELS, "server": str(self.server.pk)},
        )

    def _ordered(self, machine: Machine) -> Next:
        token = enrolment_token(self.server, self._token)
        Server.objects.filter(pk=self.server.pk).update(
            machine_id=machine.id,
            machine_type=machine.machine_type,
            ipv4=machine.ipv4,
            ipv6=machine.ipv6,
            enrolment_hash=sha256(token.encode()).hexdigest(),
        )
        self.args["ordered_at"] = timezone.now().timestamp()
        self.args.pop("sold_out", None)
        self.record(
            "server.machine_ordered",
            machine=machine.id,
            type=machine.machine_type,
            place=machine.place,
            image=machine.image,
        )
        return hop(self.name_ipv4)

    @property
    def _attempt(self) -> int:
        return int(self.args.get("attempt", 1))

    @property
    def _token(self) -> str:
        """What makes this machine's token another one than that of each before it."""
        return str(self._attempt)

    def name_ipv4(self) -> Next:
        """Other mail servers ask whether the address has our name."""
        return self._name(self.server.ipv4) or hop(self.name_ipv6)

    def name_ipv6(self) -> Next:
        return self._name(self.server.ipv6) or hop(self.wait_agent)

    def _name(self, address: str | None) -> Next | None:
        """Sets the name; something to do instead only if the machine is gone."""
        if address and self.server.machine_id:
            try:
                hetzner.cloud().name_address(
                    self.server.machine_id, address=address, name=desired.host_name(self.server)
                )
            except Gone:
                return hop(self.drop_machine)
        return None

    def wait_agent(self) -> Next:
        """The agent calls us; Hetzner is asked only when it is late."""
        if self.signalled("enrolled"):
            return hop(self.set_up)
        if self.waited() > LOOK_AFTER:
            return hop(self.look_at_machine)
        return nap(max(5.0, (LOOK_AFTER - self.waited()).total_seconds()))

    def look_at_machine(self) -> Next:
        """A machine whose creation failed afterwards is gone; one that never calls is replaced."""
        since = timezone.now().timestamp() - self.args.get("ordered_at", 0)
        try:
            hetzner.cloud().get(self.server.machine_id or 0)
        except Gone:
            return hop(self.drop_machine)
        return hop(self.drop_machine) if since > GIVE_UP_AFTER.total_seconds() else hop(self.wait_agent)

    def drop_machine(self) -> Next:
        """Removes a machine that will not do; the next one gets another token."""
        if self.server.machine_id:
            with contextlib.suppress(Gone):
                hetzner.cloud().delete(self.server.machine_id)
        self.record("server.machine_dropped", machine=self.server.machine_id)
        Agent.objects.filter(server=self.server).delete()
        Server.objects.filter(pk=self.server.pk).update(
            machine_id=None, ipv4=None, ipv6=None, enrolment_hash=""
        )
        self.forget("enrolled")
        self.args["plain"] = True  # if it was the image's fault, another machine made of it would not help
        self.args["attempt"] = self._attempt + 1
        return hop(self.wait_before_another)

    def wait_before_another(self) -> Next:
        """The name is free again only when Hetzner has removed the old machine; and not for ever at full speed."""
        pause = 5 if self._attempt <= MOST_MACHINES else 600
        if self.waited().total_seconds() < pause:
            return nap(pause - self.waited().total_seconds())
        types = plans.machine_types(self._plan, self.server.place)
        self.args["choice"] = (self.args.get("choice", 0) + 1) % len(types)
        return hop(self.order_machine)

    def set_up(self) -> Next:
        """Writes down, signed, what the server should be; the agent fetches it."""
        agent = self.agent
        if agent is None:
            return hop(self.wait_agent)
        self.args["version"] = desired.order(agent)
        self.record("server.ordered_to_be", version=self.args["version"])
        return hop(self.wait_set_up)

    def wait_set_up(self) -> Next:
        agent = self.agent
        if agent and agent.applied_version >= self.args["version"]:
            return hop(self.prove)
        return nap(15)

    def prove(self) -> Next:
        """A report that came after the set-up must show that a mail went out and came back, and nothing amiss."""
        self.args["lacks"] = proof.lacks(self.agent, self.args["version"])
        if self.args["lacks"]:
            return nap(5)
        self.record("server.proven")
        return hop(self.announce)

    def announce(self) -> Next:
        """From here on it is the customer's."""
        Server.objects.filter(pk=self.server.pk, ready_at=None).update(ready_at=timezone.now())
        self.record("server.ready")
        letters.to_owners(
            self.server.account,
            "server_ready",
            key=f"server_ready:{self.server.pk}",
            server=desired.host_name(self.server),
            url=f"/servers/{self.server.pk}",
        )
        engine.start(Keep, subject=self.server.subject)
        return done("ready")
