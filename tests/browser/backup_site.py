"""The pages of backups in each of their states, with what must be in the database for them."""

from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from accounts.models import Account, User
from backups.models import Job, Point, Repository
from domains.models import Domain
from servers.models import Agent, Server
from tests.browser.sight import Sight
from tests.dashboard import backups_world, mail_world


def _firm(account: Account, points: int = 60) -> tuple[Domain, Repository, Point]:
    domain = mail_world.firm(account)
    repository = backups_world.backed_up(domain, points)
    return domain, repository, repository.points.latest("stored_at")


def _anna(domain: Domain) -> UUID:
    return domain.mailboxes.get(local="anna").pk


def _page(domain: Domain) -> str:
    return f"/servers/{domain.home}/backups"


def works(account: Account, user: User) -> str:
    domain, _repository, point = _firm(account)
    me = f"user:{user.pk}"
    day = timedelta(days=1)
    backups_world.restore(point, _anna(domain), ago=day, by=me)
    backups_world.restore(point, _anna(domain), "failed", ago=2 * day, by=me, args={"folder": ".Work"}, why="the disk has not enough room for it")  # fmt: skip
    backups_world.looked_into(point, _anna(domain), "anna@firm.example")
    return _page(domain)


def running(account: Account, user: User) -> str:
    domain, repository, _point = _firm(account, 8)
    server = Server.objects.get(pk=domain.home)
    backups_world.runs(server, backups_world.job(repository, "backup", by=f"user:{user.pk}"))
    return _page(domain)


def begins(account: Account, user: User) -> str:
    server = mail_world.serving(account)
    Server.objects.filter(pk=server.pk).update(place="ash")
    backups_world.repository(server, timedelta(days=1), began_at=timezone.now())
    return f"/servers/{server.pk}/backups"


def troubled(account: Account, user: User) -> str:
    """Old, damaged, silent, and with limits."""
    domain, repository, _point = _firm(account, 3)
    server = Server.objects.get(pk=domain.home)
    Repository.objects.update(hours_from=21, hours_to=5, kib_s=2441)
    backups_world.reports(server, error="unexpected OSError gate.py:81")
    for kind in ("old", "drill", "growing"):
        backups_world.alarm(server, kind)
    differ = [
        {"address": "anna@firm.example", "folder": ".Work.2026", "why": "811 messages instead of 812"},
        {
            "address": f"{'a-very-long-name' * 3}@firm.example",
            "folder": "",
            "why": "other bytes, flags or dates",
        },
        {"file": "state/dkim/firm.example.key", "why": "missing"},
    ]
    why = "anna@firm.example, folder Work.2026: 811 messages instead of 812 (and 1 more mailboxes)"
    backups_world.drill(repository, "failed", timedelta(hours=2), why=why, result={"differ": differ})
    backups_world.drill(
        repository, "failed", timedelta(hours=5), why="it was cut off each time", result={"seconds": None}
    )
    Agent.objects.filter(server=server).update(reported_at=timezone.now() - timedelta(hours=3))
    return _page(domain)


def listed(account: Account, user: User) -> str:
    _firm(account, 3)
    other = mail_world.serving(account, "office", "office.example")
    backups_world.repository(other, began_at=timezone.now())
    return "/backups"


def point_unseen(account: Account, user: User) -> str:
    domain, _repository, point = _firm(account, 3)
    return f"{_page(domain)}/points/{point.pk}"


def point_asked(account: Account, user: User) -> str:
    domain, _repository, point = _firm(account, 3)
    backups_world.look(point, state="wanted")
    return f"{_page(domain)}/points/{point.pk}"


def point_seen(account: Account, user: User) -> str:
    """One of each: served, removed, unknown, and an address that is long."""
    domain, _repository, point = _firm(account, 3)
    anna, bo, clara = domain.mailboxes.order_by("local")
    type(bo).objects.filter(pk=bo.pk).update(removed_at=timezone.now() - timedelta(days=2))
    long = f"{'a-very-long-name' * 3}@{'department-of-' * 3}firm.example"
    rows = [backups_world.row(box, messages=812 * n) for n, box in enumerate((anna, bo, clara))]
    rows += [
        backups_world.row(backups_world.gone_box(), "dora@firm.example"),
        backups_world.row(backups_world.gone_box(), long),
    ]
    backups_world.look(point, *rows, more=True)
    return f"{_page(domain)}/points/{point.pk}"


def _of_mailbox(domain: Domain, point: Point, box: UUID) -> str:
    return f"{_page(domain)}/points/{point.pk}/mailboxes/{box}"


def mailbox(account: Account, user: User) -> str:
    domain, _repository, point = _firm(account, 3)
    backups_world.looked_into(point, _anna(domain), "anna@firm.example")
    return _of_mailbox(domain, point, _anna(domain))


def mailbox_unseen(account: Account, user: User) -> str:
    domain, _repository, point = _firm(account, 3)
    return _of_mailbox(domain, point, _anna(domain))


def mailbox_removed(account: Account, user: User) -> str:
    domain, _repository, point = _firm(account, 3)
    domain.mailboxes.filter(local="anna").update(removed_at=timezone.now() - timedelta(days=2))
    return _of_mailbox(domain, point, _anna(domain))


def mailbox_gone(account: Account, user: User) -> str:
    domain, _repository, point = _firm(account, 3)
    box = backups_world.gone_box()
    backups_world.looked_into(point, box, "dora@firm.example")
    return _of_mailbox(domain, point, box)


def _restore(account: Account, state: str = "done", **fields: object) -> tuple[Domain, Job]:
    domain, _repository, point = _firm(account, 3)
    user = account.people.first()
    return domain, backups_world.restore(
        point, _anna(domain), state, by=f"user:{user.pk if user else 0}", **fields
    )


def restored(account: Account, user: User) -> str:
    domain, job = _restore(account)
    return f"{_page(domain)}/jobs/{job.pk}"


def restoring(account: Account, user: User) -> str:
    chosen = {"since": 1_795_600_000, "before": None, "from": "bo", "subject": "Rent for November", "to": ""}
    domain, job = _restore(account, "wanted", args={"chosen": chosen, "folder": ".Work.2026"})
    backups_world.runs(Server.objects.get(pk=domain.home), job, "restore")
    return f"{_page(domain)}/jobs/{job.pk}"


def restore_failed(account: Account, user: User) -> str:
    domain, job = _restore(account, "failed", why="the disk has not enough room for it")
    return f"{_page(domain)}/jobs/{job.pk}"


def restore_undone(account: Account, user: User) -> str:
    domain, job = _restore(account)
    backups_world.undo(job, "done")
    return f"{_page(domain)}/jobs/{job.pk}"


BACKUP_SIGHTS = [
    Sight("backups", works),
    Sight("backups-running", running),
    Sight("backups-begin", begins),
    Sight("backups-troubled", troubled),
    Sight("backups-list", listed),
    Sight("backup-point", point_unseen),
    Sight("backup-point-asked", point_asked),
    Sight("backup-point-seen", point_seen),
    Sight("backup-mailbox", mailbox),
    Sight("backup-mailbox-unseen", mailbox_unseen),
    Sight("backup-mailbox-removed", mailbox_removed),
    Sight("backup-mailbox-gone", mailbox_gone),
    Sight("restored", restored),
    Sight("restoring", restoring),
    Sight("restore-failed", restore_failed),
    Sight("restore-undone", restore_undone),
]
