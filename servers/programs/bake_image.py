"""From a new release, or after a week, to an image of the whole mail system that new servers begin with."""

import contextlib
from datetime import timedelta
from uuid import uuid4

from django.conf import settings

from audit.actions import record
from clients.errors import Gone
from clients.hetzner_cloud import Machine, NameTaken, Order, Snapshot, SoldOut
from engine.alarms import close_alarm, open_alarm
from engine.program import Next, Program, done, hop, nap
from servers import hetzner, images
from servers.userdata import baking_data

# All have the smallest disk there is: an image fits no disk that is smaller than the one it was made on.
CHOICES = (
    ("cx23", "fsn1"), ("cx23", "nbg1"), ("cx23", "hel1"), ("cpx12", "fsn1"), ("cpx12", "nbg1"), ("cpx11", "ash")
)  # fmt: skip
SOLD_OUT_NAP = 600  # seconds until the first choice is tried again
LOOK_EVERY = 10  # seconds
STARTED = timedelta(seconds=45)  # a machine that was only just made may be off because it has not started yet
OFF_WITHIN = timedelta(minutes=20)
PAUSE = timedelta(hours=1)  # before the next attempt
ALARM = "image:fails"
ADVICE = (
    "New servers are made from the plain image meanwhile, which takes them some minutes longer. It is tried again every "
    "hour; if it goes on, order a machine by hand with the same user data and read /var/log/cloud-init-output.log."
)


class BakeImage(Program):
    """Lets a machine install the mail system and turn itself off, keeps its disk as an image, and removes the machine."""

    first = "begin"

    @classmethod
    def failed(cls, error: Exception) -> None:
        hetzner.note_failure(error)

    def begin(self) -> Next:
        """Each attempt has a name of its own before anything bears it."""
        self.args["bake"] = uuid4().hex[:12]
        return hop(self.make_firewall)

    @property
    def _version(self) -> str:
        """What this run makes, even where a step is taken by a worker of the next release."""
        return self.run.subject.removeprefix("image:")

    @property
    def _name(self) -> str:
        return images.machine_name(self.args["bake"])

    def make_firewall(self) -> Next:
        """The one of the mail servers: what comes in finds no daemon, and the door for ssh is shut."""
        cloud = hetzner.cloud()
        self.args["firewall"] = cloud.ensure_firewall(
            hetzner.FIREWALL, tcp_ports=hetzner.PORTS, labels=hetzner.LABELS
        )
        return hop(self.order_machine)

    def order_machine(self) -> Next:
        """Tries the machine types in turn; only the release whose installer it is can make an image of a version."""
        if self._version != images.version():
            return done("another version is wanted")
        choice = self.args.get("choice", 0)
        if choice >= len(CHOICES):
            self.args["choice"] = 0
            return nap(SOLD_OUT_NAP)
        try:
            machine = self._create(*CHOICES[choice])
        except SoldOut:
            self.args["choice"] = choice + 1
            return nap(0)
        self.args["machine"] = machine.id
        self._record("image.machine_ordered", machine=machine.id, type=machine.machine_type)
        return hop(self.wait_off)

    def _create(self, machine_type: str, place: str) -> Machine:
        cloud = hetzner.cloud()
        order = Order(
            name=self._name,
            machine_type=machine_type,
            place=place,
            image=settings.HETZNER_IMAGE,
            user_data=baking_data(),
            firewall_id=self.args["firewall"],
            labels=images.labels(self._version),
        )
        try:
            return cloud.create(order)
        except NameTaken:
            found = cloud.find(order.name)
            if found is None:
                raise
            return found

    def wait_off(self) -> Next:
        """The machine turns itself off when everything is installed and cleaned, and only then."""
        try:
            machine = hetzner.cloud().get(self.args["machine"])
        except Gone:
            return self._give_up("vanished while it was being installed")
        if machine.status == "off" and self.waited() > STARTED:
            return hop(self.snapshot)
        if self.waited() > OFF_WITHIN:
            return self._give_up("did not turn itself off in twenty minutes: its installation failed")
        return nap(LOOK_EVERY)

    def _give_up(self, why: str) -> Next:
        says = f"No new image of the mail system: the machine that was to become one {why}."
        open_alarm(key=ALARM, subject=self.run.subject, says=says, advice=ADVICE)
        return hop(self.drop_machine)

    def snapshot(self) -> Next:
        """The description has the attempt's name, so that one whose answer was lost is found again."""
        cloud = hetzner.cloud()
        found = self._found()
        try:
            made = found or cloud.snapshot(
                self.args["machine"], description=self._name, labels=images.labels(self._version)
            )
        except Gone:
            return self._give_up("vanished before its disk was copied")
        self.args["image"] = made.id
        return hop(self.wait_snapshot)

    def _found(self) -> Snapshot | None:
        all_of_ours = hetzner.cloud().snapshots(images.SELECTOR)
        return next((one for one in all_of_ours if one.description == self._name), None)

    def wait_snapshot(self) -> Next:
        try:
            made = hetzner.cloud().image(self.args["image"])
        except Gone:
            return self._give_up("could not be copied")
        if made.status != "available":
            return nap(LOOK_EVERY)
        images.note(made)
        self._record("image.made", image=made.id)
        close_alarm(ALARM)
        return hop(self.remove_machine)

    def remove_machine(self) -> Next:
        """Orders the removal, and looks until Hetzner no longer knows the machine; an order may fail, so it is repeated."""
        cloud = hetzner.cloud()
        found = cloud.find(self._name)
        if found is None:
            return hop(self.choose_old)
        with contextlib.suppress(Gone):
            cloud.delete(found.id)
        return nap(LOOK_EVERY)

    def choose_old(self) -> Next:
        """Written down before any of them goes, so that each is told of, even if we are killed in between."""
        self.args["old"] = images.expired()
        return hop(self.remove_old)

    def remove_old(self) -> Next:
        """Images cost money by the gigabyte, and nobody should begin with yesterday's faults."""
        for image in self.args["old"]:
            images.delete(image)
            self._record("image.removed", image=image)
        return done("made")

    def drop_machine(self) -> Next:
        """The machine of an attempt that failed costs money until it is gone."""
        cloud = hetzner.cloud()
        found = cloud.find(self._name)
        if found is None:
            self._record("image.machine_dropped", machine=self.args["machine"])
            return hop(self.wait_before_another)
        with contextlib.suppress(Gone):
            cloud.delete(found.id)
        return nap(LOOK_EVERY)

    def wait_before_another(self) -> Next:
        left = (PAUSE - self.waited()).total_seconds()
        return nap(left) if left > 0 else hop(self.begin)

    def _record(self, action: str, /, **facts: object) -> None:
        """An event of the house, of no customer."""
        subject, version = self.run.subject, self._version
        record(action, by="program:BakeImage", account=None, subject=subject, version=version, **facts)
