"""Alice's server with backups: what is asked of it by rows as pages ask, and what the storage then has."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F

from backups.actions import want_job
from backups.escrow import hand_over
from backups.models import Job, Point, Repository, Retention, Stored
from clients.hetzner_cloud import HetznerCloud
from domains.models import Mailbox
from engine import actions as engine
from engine.models import Run
from sandbox.storage import BUCKET
from servers.models import Agent, Server
from servers.programs.provision import Provision
from tests.agent.mail.mail_host import MailHost
from tests.integration.backup_mail import Seen, fill, seen
from tests.integration.mail_faults import have_faketime, later_for
from tests.integration.mail_product import Product
from tests.integration.mail_town import ALICE, BIRTH, SOON, SoldHost, Town, eventually

LONG = 600.0  # seconds for a whole backup or restore, on a busy machine
QUOTA = 2**31  # bytes; years of mail
Fields = dict[str, Any]


class BackupTown(Town):
    """Her first restore point comes by itself, as soon as the server is there."""

    def __init__(self, product: Product) -> None:
        super().__init__(product)
        points = eventually(lambda: self.page() and self.points(), "a restore point", LONG, self.told)
        self.first = points[0]

    def _open_shop(self) -> None:
        """No way out: what is sealed to an agent is another test's."""
        with self.change(), transaction.atomic():
            self.take_people_in()
            Mailbox.objects.filter(domain=self.domain).update(quota=QUOTA)

    @property
    def id(self) -> UUID:
        return UUID(str(self.server.pk))

    @property
    def repository(self) -> Repository:
        return Repository.objects.get(pk=self.id)

    def points(self) -> list[Point]:
        """The newest last."""
        return list(Point.objects.filter(repository_id=self.id, gone_at=None).order_by("stored_at", "pk"))

    def told(self) -> Fields:
        """What the server last said of its backups."""
        return dict(self.report.get("backup") or {})

    # --- what is asked of it ---------------------------------------------------------------------------------------

    def ask(self, do: str, **args: Any) -> Job:
        """A job that is not done yet."""
        return want_job(home=self.id, do=do, args=args, by=f"user:{self.alice.pk}")

    def ended(self, job: Job, within: float = LONG) -> Job:
        """The job, once it is done or has failed."""

        def look() -> Job | None:
            self.page()
            job.refresh_from_db()
            return job if job.state != Job.State.WANTED else None

        return eventually(look, f"an end of {job}", within, lambda: (self.told(), self.agent_log()))

    def done(self, do: str, **args: Any) -> Fields:
        """What a job found out that was done."""
        job = self.ended(self.ask(do, **args))
        assert job.state == Job.State.DONE, (job.why, self.told())
        return dict(job.result)

    def failed(self, do: str, **args: Any) -> Job:
        """A job that could not be done."""
        job = self.ended(self.ask(do, **args))
        assert job.state == Job.State.FAILED, job.result
        return job

    def back_up(self) -> Point:
        """A new restore point."""
        self.done("backup")
        return self.points()[-1]

    def doing(self, phase: str, within: float = SOON) -> Fields:
        """What the server says that it is doing, once it is in this phase."""

        def look() -> Fields | None:
            self.page()
            running = dict(self.told().get("running") or {})
            return running if running.get("phase") == phase else None

        return eventually(look, f"the phase {phase}", within, self.told)

    def agent_log(self) -> str:
        return self.host.run("journalctl", "-u", "mailat-agent.service", "-n", "15", "-o", "cat", check=False)

    # --- the host --------------------------------------------------------------------------------------------------

    def box(self, address: str = ALICE) -> Mailbox:
        return Mailbox.objects.get(domain=self.domain, local=address.partition("@")[0])

    def place(self, address: str = ALICE) -> str:
        """The home of a mailbox on the host."""
        (home,) = self.host.run("sh", "-c", f"ls -d /srv/mail/*/*/{self.box(address).pk}").split()
        return home

    def fill(self, address: str, messages: int, **how: Any) -> int:
        """Years of mail; Dovecot knows of all of it afterwards."""
        self.seen(address)
        size = fill(self.host, self.place(address), messages, **how)
        self.host.run("doveadm", "index", "-u", address, "*")
        return size

    def seen(self, address: str = ALICE) -> Seen:
        """As a mail program sees it."""
        return seen(self.mail, address)

    def secrets_of_mail(self) -> Fields:
        """What the world knows of the server's mail, and must find the same on other hardware: by file its content."""
        found = self.host.run(
            "sh", "-c", "cd /var/lib/mailat/mail && sha256sum dkim/*.key srs* roundcube/des_key"
        )
        return dict(reversed(line.split(maxsplit=1)) for line in found.splitlines())  # type: ignore[misc]

    # --- other hardware --------------------------------------------------------------------------------------------

    def lose_the_host(self) -> None:
        """Its machine is gone with all that is on it, as if Hetzner had lost it."""
        cloud, lost = self._cloud(), self.server.machine_id
        cloud.delete(lost)
        eventually(lambda: lost not in {one.id for one in cloud.machines()}, "the end of the machine")

    def on_new_hardware(self, point: Point) -> Fields:
        """The server is another machine, and has what this restore point has; what the restore found out."""
        Agent.objects.filter(server=self.server).delete()
        Run.objects.filter(subject=self.server.subject, finished_at=None).delete()
        bare = {"machine_id": None, "ipv4": None, "ipv6": None, "enrolment_hash": "", "ready_at": None}
        Server.objects.filter(pk=self.server.pk).update(**bare)
        engine.start(Provision, subject=self.server.subject)
        agent = eventually(lambda: Agent.objects.filter(server=self.server).first(), "another agent", BIRTH)
        hand_over(home=self.id, seal_key=agent.seal_key, by="test", why="other hardware")
        job = self.ask("restore", point=point.snapshot)
        eventually(lambda: self.page() and self._ready(), "the server on other hardware", BIRTH, self.page)
        self.host = SoldHost(self.product, self.server)
        self.mail = MailHost(self.host)
        self.ended(job, BIRTH)
        assert job.state == Job.State.DONE, job.why
        return dict(job.result)

    def _cloud(self) -> HetznerCloud:
        env = self.product.env
        return HetznerCloud(token=env["HETZNER_TOKEN"], url=env["HETZNER_API_URL"])

    @contextmanager
    def days_later(self, days: int) -> Iterator[None]:
        """What is stored was stored so long ago, for the control plane and for the agent."""
        by = timedelta(days=days)
        Stored.objects.filter(home=self.id).update(stored_at=F("stored_at") - by)
        Point.objects.filter(repository_id=self.id).update(stored_at=F("stored_at") - by)
        Retention.objects.filter(repository_id=self.id).update(since=F("since") - by)
        have_faketime(self.host)
        with later_for(self.host, "mailat-agent.service", f"+{days}d"):
            yield

    # --- the storage -----------------------------------------------------------------------------------------------

    def locks(self) -> list[str]:
        """Those that hold anybody up: whose killed run never came to send one has only a name, until the name's time is over."""
        lying = {one["key"].rpartition("/")[2] for one in self.objects("locks")}
        rows = Stored.objects.filter(home=self.id, kind="locks", state__in=("signed", "stored"))
        return [name for name in rows.values_list("name", flat=True) if name in lying]

    def objects(self, kind: str, of: str = "") -> list[Fields]:
        """What lies in the bucket of a kind, the largest first."""
        prefix = f"{of or self.id}/{kind}/"
        found = self.sandbox.get(f"/storage/api/objects?bucket={BUCKET}&prefix={prefix}")["objects"]
        return sorted(found, key=lambda one: -one["bytes"])

    def spoil(self, how: str, key: str, **more: Any) -> None:
        """Something happens to an object behind the storage's back."""
        self.sandbox.post(f"/storage/api/objects/{how}", bucket=BUCKET, key=key, **more)

    @contextmanager
    def storage_fault(
        self, kind: str, operation: str = "*", times: int | None = None, **more: Any
    ) -> Iterator[None]:
        """The storage is away, or slow, as long as the block."""
        self.sandbox.post(
            "/storage/api/faults", kind=kind, operation=operation, times=times or "always", **more
        )
        try:
            yield
        finally:
            self.sandbox.delete("/storage/api/faults")
