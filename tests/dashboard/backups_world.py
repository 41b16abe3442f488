"""A server's backups in each of their states, for the pages to show; nothing here speaks with a storage."""

import time
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

from django.utils import timezone

from backups.models import Job, Point, Repository, Stored
from domains.models import Domain, Mailbox
from engine.alarms import open_alarm
from servers.models import Agent, Server
from tests.dashboard import mail_world

GB = 10**9
HOUR = timedelta(hours=1)


def is_set_up(settings: Any) -> None:
    """There is a storage, in Falkenstein; no page asks it anything."""
    settings.STORAGE_URL, settings.STORAGE_REGION, settings.STORAGE_BUCKET = (
        "http://127.0.0.1:9",
        "fsn1",
        "mailat-test",
    )


def repository(server: Server, keep: timedelta = timedelta(days=7), **fields: Any) -> Repository:
    given = {
        "bucket": "mailat-test",
        "every": HOUR,
        "room": 40 * GB,
        "escrow_key": "k1",
        "escrow_public": "A" * 43 + "=",
    }
    began = timezone.now() - timedelta(days=12)
    rows = {"account": server.account, "keep": keep, "began_at": began, **given, **fields}
    return Repository.objects.update_or_create(home=server.pk, defaults=rows)[0]


def point(of: Repository, ago: timedelta = timedelta(minutes=20), **fields: Any) -> Point:
    """A restore point that is stored."""
    at = timezone.now() - ago
    name = sha256(f"{of.pk} {at}".encode()).hexdigest()
    Stored.objects.create(
        home=of.pk, kind="snapshots", name=name, bytes=300, state="stored", signed_at=at, stored_at=at
    )
    given = {"bytes": 6_320_000_000, "mailboxes": 3, "messages": 39_218, "at": at, "stored_at": at, **fields}
    return Point.objects.create(repository=of, snapshot=name, **given)


def hourly(of: Repository, number: int) -> list[Point]:
    """One each hour up to now, the newest first."""
    return [point(of, timedelta(minutes=20) + n * HOUR, messages=39_218 - 7 * n) for n in range(number)]


def job(
    of: Repository, do: str, state: str = "wanted", ago: timedelta = timedelta(minutes=3), **fields: Any
) -> Job:
    """Asked by Alice's browser if `by` does not say otherwise."""
    asked = timezone.now() - ago
    done = None if state == "wanted" else asked + timedelta(minutes=1)
    given = {"by": "user:0", "asked_at": asked, "done_at": done, "args": {}, "result": {}, **fields}
    return Job.objects.create(repository=of, do=do, state=state, **given)


def drill(of: Repository, state: str = "done", ago: timedelta = timedelta(days=9), **fields: Any) -> Job:
    result = {"seconds": 754.2, "mailboxes": 3, "messages": 38_990, "bytes": 6_300_000_000, "differ": []}
    result |= {"at": time.time() - ago.total_seconds() - 1800, **fields.pop("result", {})}
    return job(of, "drill", state, ago, by="program:Drill", result=result, **fields)


def look(of: Point, *rows: dict[str, Any], more: bool = False, after: str = "", state: str = "done") -> Job:
    """A look into the whole point."""
    args = {"point": of.snapshot, **({"after": after} if after else {})}
    return job(of.repository, "look", state, args=args, result={"mailboxes": list(rows), "more": more})


def row(box: Mailbox | UUID | str, address: str = "", messages: int = 8_211) -> dict[str, Any]:
    """What a host says of a mailbox in a point."""
    ident, known = (box.pk, box.address) if isinstance(box, Mailbox) else (box, "")
    size = 170_000 * messages
    return {
        "id": str(ident),
        "address": address or known,
        "messages": messages,
        "bytes": size,
        "newest": time.time() - 3000,
    }


FOLDERS = {"": 812, ".Sent": 2_040, ".Work": 4_100, ".Work.2026": 1_259, ".Trash": 0}


def looked_into(
    of: Point, box: UUID, address: str, folders: dict[str, int] | None = None, more: bool = False
) -> Job:
    """A look into one mailbox of it."""
    rows = [
        {"folder": name, "messages": n, "bytes": n * 160_000, "newest": time.time() - 86_400 * number}
        for number, (name, n) in enumerate((folders or FOLDERS).items())
    ]
    result = {"address": address, "folders": rows, "more": more}
    return job(of.repository, "look", "done", args={"point": of.snapshot, "mailbox": str(box)}, result=result)


def restore(of: Point, box: UUID, state: str = "done", **fields: Any) -> Job:
    args = {"point": of.snapshot, "mailbox": str(box), **fields.pop("args", {})}
    result = {"folder": "Restored 2026-11-20 1400", "folders": 1, "messages": 213, "bytes": 34_000_000}
    result |= fields.pop("result", {})
    return job(of.repository, "restore", state, args=args, result=result if state == "done" else {}, **fields)


def undo(of: Job, state: str = "wanted", **fields: Any) -> Job:
    args = {"undo": str(of.pk)}
    return job(
        of.repository, "restore", state, timedelta(minutes=1), args=args, result={"folders": 1}, **fields
    )


def reports(server: Server, **said: Any) -> None:
    """What the server's last report says of backups."""
    agent = Agent.objects.get(server=server)
    told = {"escrowed": True, "running": None, "last": None, "next": time.time() + 2400, "error": "", **said}
    Agent.objects.filter(server=server).update(report={**agent.report, "backup": told})


def runs(server: Server, job: Job | None = None, phase: str = "copy", **said: Any) -> None:
    running = {
        "job": str(job.pk) if job else "",
        "phase": phase,
        "done": 1.2e9,
        "total": 4e9,
        "left": 190,
        **said,
    }
    reports(server, running=running)


def alarm(server: Server, kind: str, says: str = "For staff only.") -> None:
    open_alarm(
        key=f"backups:{server.pk}:{kind}", subject=f"server:{server.pk}", says=says, advice="See the host."
    )


def backed_up(domain: Domain, number: int = 30) -> Repository:
    """A firm with a week's backups, proven nine days ago."""
    server = Server.objects.get(pk=domain.home)
    one = repository(server)
    hourly(one, number)
    drill(one)
    drill(one, ago=timedelta(days=39), result={"seconds": 741.0})
    reports(server)
    return one


def firm(account: Any) -> Domain:
    """Three mailboxes, and backups that are well."""
    one = mail_world.firm(account)
    backed_up(one)
    return one


def gone_box() -> UUID:
    """The id of a mailbox of which we know nothing any more."""
    return uuid4()
